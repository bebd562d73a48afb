//! Instances of a JSON Schema, drawn at random: what a revision allows as a message, what a tool allows as its
//! arguments.
//!
//! A tool's schema comes from a peer: it is followed to a bounded depth and so many steps, and whoever needs the
//! instance to be one checks it.

use serde_json::{Map, Value, json};

use crate::source::{Mark, Source};

/// An instance of `schema`, whose references lead into `root`.
pub(crate) fn instance(source: &mut Source, schema: &Value, root: &Value, mark: Mark) -> Value {
    let mut draw = Draw {
        source,
        root,
        mark,
        steps: STEPS_MAX,
    };
    draw.value(schema, 0)
}

struct Draw<'d> {
    source: &'d mut Source,
    root: &'d Value,
    mark: Mark,
    steps: usize,
}

impl Draw<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 || depth > DEPTH_MAX {
            return Value::Null;
        }
        let Value::Object(keywords) = schema else {
            return self.anything();
        };
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Value::Null, |target| self.value(target, depth + 1));
        }
        if let Some(value) = keywords.get("const") {
            return value.clone();
        }
        if let Some(values) = list(keywords, "enum") {
            return self.source.pick(values).clone();
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(choices) = list(keywords, name) {
                let choice = self.source.pick(choices).clone();
                return self.value(&choice, depth + 1);
            }
        }
        if let Some(parts) = list(keywords, "allOf") {
            return self.all_of(parts, keywords, depth);
        }
        self.by_type(keywords, depth)
    }

    /// Members of all parts together; what is no object is taken of the last.
    fn all_of(&mut self, parts: &[Value], keywords: &Map<String, Value>, depth: usize) -> Value {
        let mut whole = Map::new();
        let mut own = keywords.clone();
        own.remove("allOf");
        for part in parts.iter().take(CHOICES_MAX).chain([&Value::Object(own)]) {
            match self.value(part, depth + 1) {
                Value::Object(members) => whole.extend(members),
                other if part.get("type").is_some() => return other,
                _ => {}
            }
        }
        Value::Object(whole)
    }

    fn by_type(&mut self, keywords: &Map<String, Value>, depth: usize) -> Value {
        let kind = match keywords.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) if !kinds.is_empty() => {
                let kind = self.source.pick(kinds);
                kind.as_str().unwrap_or_default().to_owned()
            }
            _ if keywords.contains_key("properties") => "object".to_owned(),
            _ if keywords.contains_key("items") => "array".to_owned(),
            _ => return self.anything(),
        };
        match kind.as_str() {
            "array" => self.array(keywords, depth),
            "boolean" => Value::Bool(self.source.one_in(2)),
            "integer" => self.number(keywords, true),
            "null" => Value::Null,
            "number" => self.number(keywords, false),
            "object" => self.object(keywords, depth),
            "string" => self.string(keywords),
            _ => self.anything(),
        }
    }

    fn object(&mut self, keywords: &Map<String, Value>, depth: usize) -> Value {
        let mut members = Map::new();
        let required = list(keywords, "required").unwrap_or_default();
        let properties = keywords.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten().take(MEMBERS_MAX) {
            let needed = required.iter().any(|other| other == name);
            if needed || (depth < 4 && self.source.one_in(3)) {
                members.insert(name.clone(), self.value(schema, depth + 1));
            }
        }
        for name in required.iter().filter_map(Value::as_str).take(MEMBERS_MAX) {
            if !members.contains_key(name) {
                members.insert(name.to_owned(), self.anything());
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, keywords: &Map<String, Value>, depth: usize) -> Value {
        let bound = |name: &str| keywords.get(name).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(0).min(ITEMS_MAX);
        let most = bound("maxItems").unwrap_or(3).min(ITEMS_MAX).max(least);
        let more = usize::try_from(most - least).unwrap_or(0);
        let count = usize::try_from(least).unwrap_or(0) + self.source.below(more + 1);
        let item = keywords.get("items").cloned().unwrap_or(Value::Bool(true));
        (0..count).map(|_| self.value(&item, depth + 1)).collect()
    }

    fn number(&mut self, keywords: &Map<String, Value>, integer: bool) -> Value {
        let bound = |name: &str| keywords.get(name).and_then(Value::as_f64);
        let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|it| it + 1.0));
        let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|it| it - 1.0));
        let least = least.unwrap_or_else(|| most.map_or(-3.0, |most| most - 7.0));
        let most = most.unwrap_or(least + 1000.0).max(least);
        let share = [0.0, 1.0, 0.5, 0.25][self.source.below(4)];
        let value = (most - least).mul_add(share, least);
        let step = bound("multipleOf").filter(|step| *step > 0.0);
        let value = step.map_or(value, |step| (value / step).floor() * step);
        if !integer && value.fract() != 0.0 {
            return json!(value);
        }
        #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
        let whole = value.floor() as i64;
        json!(whole)
    }

    fn string(&mut self, keywords: &Map<String, Value>) -> Value {
        let format = keywords.get("format").and_then(Value::as_str);
        let bound = |name: &str| {
            let bound = keywords.get(name).and_then(Value::as_u64);
            bound.and_then(|bound| usize::try_from(bound).ok())
        };
        let text = match format.unwrap_or_default() {
            "byte" => "AAEC".to_owned(),
            "date" => "2026-01-01".to_owned(),
            "date-time" => "2026-01-01T00:00:00Z".to_owned(),
            "email" => "someone@example.com".to_owned(),
            "uri" => format!("test://{}", self.mark),
            "uri-template" => format!("test://{}/{{x}}", self.mark),
            _ => match self.source.below(6) {
                0 => "test".to_owned(),
                1 => format!("{}{}", self.mark, self.source.pick(&TEXTS)),
                2 => self.source.draw("[ -~]{0,16}").unwrap_or_default(),
                _ => format!("{} text", self.mark),
            },
        };
        let most = bound("maxLength").unwrap_or(usize::MAX);
        let least = bound("minLength").unwrap_or(0).min(STRING_CHARACTERS_MAX);
        let length = text.chars().count();
        let fitted = text.chars().chain(std::iter::repeat('a'));
        let fitted: String = fitted.take(length.clamp(least, most.max(least))).collect();
        Value::from(fitted)
    }

    fn anything(&mut self) -> Value {
        match self.source.below(6) {
            0 => json!({}),
            1 => json!(1),
            2 => json!(true),
            _ => json!(self.mark.to_string()),
        }
    }
}

/// The items of a keyword that has some.
fn list<'k>(keywords: &'k Map<String, Value>, name: &str) -> Option<&'k [Value]> {
    let items = keywords.get(name)?.as_array()?;
    (!items.is_empty()).then_some(items)
}

/// Texts that mean something to what they are put into: lines, streams, markup, shells.
const TEXTS: [&str; 10] = [
    "\n",
    "\r\n",
    "a\nb\n\ndata: x\n\n",
    "\u{0}",
    "\u{1b}[2J",
    "\u{2028}",
    "\u{feff}",
    "\"\\",
    "</script>",
    "😀",
];

/// Deepest nesting drawn: far beyond any honest message's.
const DEPTH_MAX: usize = 20;

/// Subschemas visited in all.
const STEPS_MAX: usize = 400;

/// Parts taken of one `allOf`.
const CHOICES_MAX: usize = 16;

/// Members drawn in one object.
const MEMBERS_MAX: usize = 60;

/// Items drawn in one array.
const ITEMS_MAX: u64 = 16;

/// Longest string that a schema can ask for.
const STRING_CHARACTERS_MAX: usize = 4_096;
