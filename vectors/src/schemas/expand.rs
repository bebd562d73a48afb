//! What the definitions mean in one revision: a JSON Schema.

use std::collections::BTreeMap;

use mcp_verdict_wire::Revision;
use serde_json::{Map, Value, json};

use super::{
    closest_of,
    notation::{Definition, Key, Member, NotationError, Place, Span, Type, definitions},
};

/// All definitions of all files.
#[derive(Debug)]
pub(super) struct Book {
    definitions: Vec<Definition>,
}

impl Book {
    /// Reads files, given as name and text.
    pub(super) fn read(files: &[(&str, &str)]) -> Result<Self, NotationError> {
        let mut all = Vec::new();
        for (file, text) in files {
            all.extend(definitions(file, text)?);
        }
        Ok(Self { definitions: all })
    }

    /// The schema of one revision: every named definition under `$defs`.
    pub(super) fn document(&self, revision: Revision) -> Result<Value, NotationError> {
        let page = Page::of(self, revision)?;
        let mut found = BTreeMap::new();
        for definition in page.definitions.values() {
            let schema = page.schema(&definition.body, 0)?;
            if definition.named.is_some_and(|span| span.has(revision)) {
                found.insert(definition.name.clone(), schema);
            }
            for answer in definition
                .answers
                .iter()
                .filter(|answer| answer.span.has(revision))
            {
                page.definition(&answer.name, &answer.place)?;
            }
        }
        Ok(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": found.into_iter().collect::<Map<_, _>>(),
        }))
    }

    /// The names of a revision's definitions, in the order of the files.
    pub(super) fn names(&self, revision: Revision) -> impl Iterator<Item = &str> {
        self.definitions
            .iter()
            .filter(move |definition| definition.named.is_some_and(|span| span.has(revision)))
            .map(|definition| definition.name.as_str())
    }

    /// What answers a request in a revision.
    pub(super) fn answers(&self, revision: Revision, request: &str) -> Vec<&str> {
        let named = |definition: &&Definition| {
            definition.name == request
                && definition
                    .named
                    .or(definition.inline)
                    .is_some_and(|span| span.has(revision))
        };
        let answers = self
            .definitions
            .iter()
            .filter(named)
            .flat_map(|definition| &definition.answers);
        answers
            .filter(|answer| answer.span.has(revision))
            .map(|answer| answer.name.as_str())
            .collect()
    }
}

/// The definitions that hold in one revision.
struct Page<'a> {
    revision: Revision,
    definitions: BTreeMap<&'a str, &'a Definition>,
}

impl<'a> Page<'a> {
    fn of(book: &'a Book, revision: Revision) -> Result<Self, NotationError> {
        let mut found = BTreeMap::new();
        let holds = |span: Option<Span>| span.is_some_and(|span| span.has(revision));
        for definition in &book.definitions {
            let (named, inline) = (holds(definition.named), holds(definition.inline));
            if (named && inline)
                || ((named || inline)
                    && found.insert(definition.name.as_str(), definition).is_some())
            {
                return fail(
                    &definition.place,
                    format!("`{}` is defined twice in {revision}", definition.name),
                );
            }
        }
        Ok(Self {
            revision,
            definitions: found,
        })
    }

    fn definition(&self, name: &str, place: &Place) -> Result<&'a Definition, NotationError> {
        self.definitions.get(name).copied().ok_or_else(|| {
            let near = closest_of(name, self.definitions.keys().copied());
            let hint = near
                .first()
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            NotationError {
                place: place.clone(),
                message: format!("unknown type `{name}` in {}{hint}", self.revision),
            }
        })
    }

    /// A type as JSON Schema. `depth` counts what was written out in place.
    fn schema(&self, body: &Type, depth: usize) -> Result<Value, NotationError> {
        Ok(match body {
            Type::All(parts) => {
                let parts = parts.iter().map(|part| self.schema(part, depth));
                json!({"allOf": parts.collect::<Result<Vec<_>, _>>()?})
            }
            Type::Any => json!({}),
            Type::Boolean => json!({"type": "boolean"}),
            Type::List { item, items_max } => {
                let mut schema = Map::from_iter([("type".to_owned(), json!("array"))]);
                schema.insert("items".to_owned(), self.schema(item, depth)?);
                schema.extend(items_max.map(|most| ("maxItems".to_owned(), json!(most))));
                Value::Object(schema)
            }
            Type::Literal(value) => json!({"const": value}),
            Type::Name(name, place) => {
                let definition = self.definition(name, place)?;
                if definition.named.is_some_and(|span| span.has(self.revision)) {
                    json!({"$ref": format!("#/$defs/{name}")})
                } else if depth == INLINE_DEPTH_MAX {
                    return fail(place, format!("`{name}` is written out within itself"));
                } else {
                    self.schema(&definition.body, depth + 1)?
                }
            }
            Type::Null => json!({"type": "null"}),
            Type::Number {
                integer,
                least,
                most,
            } => {
                let name = if *integer { "integer" } else { "number" };
                let mut schema = Map::from_iter([("type".to_owned(), json!(name))]);
                schema.extend(least.map(|least| ("minimum".to_owned(), json!(least))));
                schema.extend(most.map(|most| ("maximum".to_owned(), json!(most))));
                Value::Object(schema)
            }
            Type::Object(members) => self.object(members, depth)?,
            Type::String { format: None } => json!({"type": "string"}),
            Type::String {
                format: Some(format),
            } => json!({"type": "string", "format": format}),
            Type::Union(_) => {
                let mut branches = Vec::new();
                self.branches(body, depth, &mut branches)?;
                united(branches)
            }
        })
    }

    /// The alternatives of a union that hold, those of a union within it among them.
    fn branches(
        &self,
        body: &Type,
        depth: usize,
        into: &mut Vec<Value>,
    ) -> Result<(), NotationError> {
        let Type::Union(alternatives) = body else {
            into.push(self.schema(body, depth)?);
            return Ok(());
        };
        for alternative in alternatives
            .iter()
            .filter(|alternative| alternative.span.has(self.revision))
        {
            self.branches(&alternative.body, depth, into)?;
        }
        Ok(())
    }

    fn object(&self, members: &[Member], depth: usize) -> Result<Value, NotationError> {
        let mut all = Members::default();
        self.collect(members, depth, &mut all)?;
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let required = all
            .named
            .iter()
            .filter(|(_, (_, required))| *required)
            .map(|(name, _)| name.as_str());
        let required = required.collect::<Vec<_>>();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        if !all.named.is_empty() {
            let properties = all
                .named
                .iter()
                .map(|(name, (schema, _))| (name.clone(), schema.clone()));
            schema.insert(
                "properties".to_owned(),
                properties.collect::<Map<_, _>>().into(),
            );
        }
        schema.extend(
            all.others
                .map(|others| ("additionalProperties".to_owned(), others)),
        );
        Ok(Value::Object(schema))
    }

    /// Adds the members that hold in the revision. Those written here win over those spread in.
    fn collect(
        &self,
        members: &[Member],
        depth: usize,
        into: &mut Members,
    ) -> Result<(), NotationError> {
        let mut own = Vec::new();
        for member in members
            .iter()
            .filter(|member| member.span.has(self.revision))
        {
            match (&member.key, &member.body) {
                (Key::Named { name, required }, body) => {
                    if own.contains(&name) {
                        return fail(
                            &member.place,
                            format!("member `{name}` is there twice in {}", self.revision),
                        );
                    }
                    own.push(name);
                    into.put(name, (self.schema(body, depth)?, *required));
                }
                (Key::Others, body) => {
                    if into.others.replace(self.schema(body, depth)?).is_some() {
                        return fail(
                            &member.place,
                            format!("`*` is there twice in {}", self.revision),
                        );
                    }
                }
                (Key::Spread, body) => {
                    let mut spread = Members::default();
                    self.collect(
                        self.members(body, &member.place, depth)?,
                        depth + 1,
                        &mut spread,
                    )?;
                    for (name, schema) in spread.named {
                        if !own.contains(&&name) {
                            into.put(&name, schema);
                        }
                    }
                    into.others = spread.others.or(into.others.take());
                }
            }
        }
        Ok(())
    }

    /// The members of the object that a name stands for.
    fn members<'t>(
        &self,
        mut body: &'t Type,
        place: &Place,
        depth: usize,
    ) -> Result<&'t [Member], NotationError>
    where
        'a: 't,
    {
        for _ in depth..INLINE_DEPTH_MAX {
            match body {
                Type::Name(name, place) => body = &self.definition(name, place)?.body,
                Type::Object(members) => return Ok(members),
                _ => return fail(place, "only an object has members to spread".to_owned()),
            }
        }
        fail(place, "a definition is spread into itself".to_owned())
    }
}

/// The members of an object in one revision: schema, and whether it is required.
#[derive(Default)]
struct Members {
    named: Vec<(String, (Value, bool))>,
    others: Option<Value>,
}

impl Members {
    fn put(&mut self, name: &str, schema: (Value, bool)) {
        match self.named.iter_mut().find(|(there, _)| there == name) {
            Some((_, old)) => *old = schema,
            None => self.named.push((name.to_owned(), schema)),
        }
    }
}

/// Alternatives as one schema, in its shortest form.
fn united(mut branches: Vec<Value>) -> Value {
    if branches.len() == 1 {
        return branches.remove(0);
    }
    let only = |word: &str| -> Option<Vec<Value>> {
        let value = |branch: &Value| match branch.as_object() {
            Some(object) if object.len() == 1 => object.get(word).cloned(),
            _ => None,
        };
        branches.iter().map(value).collect()
    };
    if let Some(values) = only("const") {
        return json!({"enum": values});
    }
    match only("type") {
        Some(types) => json!({"type": types}),
        None => json!({"anyOf": branches}),
    }
}

fn fail<T>(place: &Place, message: String) -> Result<T, NotationError> {
    Err(NotationError {
        place: place.clone(),
        message,
    })
}

/// More levels than any honest definition is written out within others.
const INLINE_DEPTH_MAX: usize = 16;
