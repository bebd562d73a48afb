//! How much work a foreign schema can cause, found before it causes any.
//!
//! A schema of a few hundred bytes can double the work with every reference it follows, and with
//! every level of a value that it recurses into. Every schema within the schema becomes a node; an
//! edge leads to the schemas that look at the same value, or at the values one level below. The
//! number of visits that one value can get is then a sum over paths, and needs no value.

use std::collections::HashMap;

use serde_json::Value;

/// Why a schema is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A reference that does not lead into the schema itself.
    Reference(String),
    /// It applies itself to the same value, without end or too deeply.
    Recursion,
    /// It is too big.
    Size,
}

/// The work that a schema can cause.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// For each depth of a value, the most visits that one of its parts there can get.
    visits: Vec<u64>,
    /// Whether it matches regular expressions that may end without an answer.
    pub(super) backtracks: bool,
}

impl Work {
    /// The work of a schema.
    pub(super) fn of(schema: &Value) -> Result<Self, Refusal> {
        let mut graph = Graph::default();
        graph.add(schema, "")?;
        graph.connect()?;
        let order = graph.order()?;
        Ok(Self {
            visits: graph.visits(&order),
            backtracks: graph
                .nodes
                .iter()
                .any(|node| node.cost >= BACKTRACKING_COST),
        })
    }

    /// An upper bound of the visits that validating a value takes.
    pub(super) fn on(&self, value: &Value) -> u64 {
        let mut total = 0_u64;
        let mut level = vec![value];
        let mut depth = 0;
        while !level.is_empty() {
            let visits = self.visits[depth.min(self.visits.len() - 1)];
            let weight = level.iter().map(|value| weight(value)).sum::<u64>();
            total = total.saturating_add(visits.saturating_mul(weight));
            let mut below = Vec::new();
            for value in level {
                match value {
                    Value::Array(items) => below.extend(items),
                    Value::Object(members) => below.extend(members.values()),
                    _ => {}
                }
            }
            level = below;
            depth += 1;
        }
        total
    }
}

/// How much one look at a value costs: a long text takes longer to match.
fn weight(value: &Value) -> u64 {
    let bytes = match value {
        Value::String(text) => text.len(),
        Value::Number(number) => number.as_str().len(),
        Value::Object(members) => members.keys().map(String::len).sum(),
        _ => 0,
    };
    1 + (bytes / TEXT_BYTES_PER_VISIT) as u64
}

/// How much one match of a regular expression costs.
fn pattern_cost(pattern: &str) -> u64 {
    // Looking around and back takes a backtracking engine, which has a limit of its own.
    let follows = pattern.split('\\').skip(1);
    let backtracks = ["(?=", "(?!", "(?<", "(?>", "++", "*+", "?+"]
        .iter()
        .any(|sign| pattern.contains(sign))
        || follows
            .into_iter()
            .any(|rest| rest.starts_with(|first: char| first.is_ascii_digit() || first == 'k'));
    if backtracks { BACKTRACKING_COST } else { 1 }
}

/// One schema within the schema.
#[derive(Debug, Default)]
struct Node {
    /// What looking at a value here costs by itself.
    cost: u64,
    /// Schemas that look at the same value.
    same: Vec<usize>,
    /// Schemas that look at members of an object, each at another.
    members: Vec<usize>,
    /// Schemas that may look at any member.
    any_member: Vec<usize>,
    /// Schemas that look at items of an array, each at another.
    items: Vec<usize>,
    /// Schemas that may look at any item.
    any_item: Vec<usize>,
    /// References to follow.
    references: Vec<String>,
}

#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Node>,
    /// By JSON pointer, and by anchor with a `#` before it.
    places: HashMap<String, usize>,
    values: usize,
}

impl Graph {
    /// Adds a schema and those within it. Recursion ends where JSON's own nesting does.
    fn add(&mut self, schema: &Value, at: &str) -> Result<usize, Refusal> {
        self.grown(1)?;
        let index = self.nodes.len();
        self.nodes.push(Node {
            cost: 1,
            ..Node::default()
        });
        self.places.insert(at.to_owned(), index);
        let Value::Object(words) = schema else {
            return Ok(index);
        };
        for (word, value) in words {
            self.grown(1)?;
            let below = format!("{at}/{}", word.replace('~', "~0").replace('/', "~1"));
            let mut node = Node::default();
            match word.as_str() {
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    node.references.extend(value.as_str().map(str::to_owned));
                }
                "$anchor" | "$dynamicAnchor" => {
                    if let Some(name) = value.as_str() {
                        self.places.insert(format!("#{name}"), index);
                    }
                }
                "$id" if !at.is_empty() => {
                    return Err(Refusal::Reference("an `$id` within the schema".to_owned()));
                }
                "allOf" | "anyOf" | "oneOf" => node.same = self.add_items(value, &below)?,
                "not" | "if" | "then" | "else" => node.same.push(self.add(value, &below)?),
                "dependentSchemas" | "dependencies" => {
                    node.same = self.add_members(value, &below)?
                }
                "properties" => node.members = self.add_members(value, &below)?,
                "pattern" => node.cost += pattern_cost(value.as_str().unwrap_or_default()),
                "patternProperties" => {
                    let patterns = value
                        .as_object()
                        .into_iter()
                        .flat_map(|members| members.keys());
                    node.cost += patterns.map(|pattern| pattern_cost(pattern)).sum::<u64>();
                    node.any_member = self.add_members(value, &below)?;
                }
                "additionalProperties" | "unevaluatedProperties" | "propertyNames" => {
                    node.any_member.push(self.add(value, &below)?);
                }
                "prefixItems" => node.items = self.add_items(value, &below)?,
                "items" if value.is_array() => node.items = self.add_items(value, &below)?,
                "items" | "contains" | "additionalItems" | "unevaluatedItems" => {
                    node.any_item.push(self.add(value, &below)?);
                }
                "contentSchema" => {
                    self.add(value, &below)?;
                }
                // A reference may lead into anything that could be a schema.
                "enum" | "const" | "default" | "examples" => node.cost += self.plain(value)?,
                _ => {
                    self.add_anything(value, &below)?;
                }
            }
            self.nodes[index].absorb(node);
        }
        Ok(index)
    }

    /// Adds what stands under a word without meaning of its own, such as `$defs`.
    fn add_anything(&mut self, value: &Value, at: &str) -> Result<(), Refusal> {
        match value {
            Value::Object(_) if at.ends_with("/$defs") || at.ends_with("/definitions") => {
                self.add_members(value, at).map(|_| ())
            }
            Value::Object(_) | Value::Bool(_) => self.add(value, at).map(|_| ()),
            Value::Array(_) => self.add_items(value, at).map(|_| ()),
            _ => self.grown(1),
        }
    }

    fn add_members(&mut self, value: &Value, at: &str) -> Result<Vec<usize>, Refusal> {
        let members = value.as_object().into_iter().flatten();
        members
            .map(|(name, value)| {
                self.add(
                    value,
                    &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                )
            })
            .collect()
    }

    fn add_items(&mut self, value: &Value, at: &str) -> Result<Vec<usize>, Refusal> {
        let items = value.as_array().into_iter().flatten().enumerate();
        items
            .map(|(index, value)| self.add(value, &format!("{at}/{index}")))
            .collect()
    }

    /// Counts the values within something that is compared and not applied.
    fn plain(&mut self, value: &Value) -> Result<u64, Refusal> {
        let before = self.values;
        let mut left = vec![value];
        while let Some(value) = left.pop() {
            self.grown(1)?;
            match value {
                Value::Array(items) => left.extend(items),
                Value::Object(members) => left.extend(members.values()),
                _ => {}
            }
        }
        Ok((self.values - before) as u64)
    }

    fn grown(&mut self, by: usize) -> Result<(), Refusal> {
        self.values += by;
        if self.values > VALUES_MAX {
            Err(Refusal::Size)
        } else {
            Ok(())
        }
    }

    /// Turns references into edges.
    fn connect(&mut self) -> Result<(), Refusal> {
        for index in 0..self.nodes.len() {
            for reference in std::mem::take(&mut self.nodes[index].references) {
                if reference.starts_with("http://json-schema.org/")
                    || reference.starts_with("https://json-schema.org/")
                {
                    // A metaschema, which every validator carries: it recurses one level at a time.
                    self.nodes[index].cost += METASCHEMA_COST;
                    continue;
                }
                let place = match reference.strip_prefix('#') {
                    Some("") => Some(String::new()),
                    Some(pointer) if pointer.starts_with('/') => decoded(pointer),
                    Some(_) => Some(reference.clone()),
                    None => None,
                };
                match place.and_then(|place| self.places.get(&place)) {
                    Some(&target) => self.nodes[index].same.push(target),
                    None => return Err(Refusal::Reference(reference)),
                }
            }
        }
        Ok(())
    }

    /// The nodes, each after those that look at the same value for it.
    fn order(&self) -> Result<Vec<usize>, Refusal> {
        let mut height = vec![0_usize; self.nodes.len()];
        let mut waiting = self
            .nodes
            .iter()
            .map(|node| node.same.len())
            .collect::<Vec<_>>();
        let mut users = vec![Vec::new(); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            node.same
                .iter()
                .for_each(|&target| users[target].push(index));
        }
        let mut order = (0..self.nodes.len())
            .filter(|&index| waiting[index] == 0)
            .collect::<Vec<_>>();
        let mut next = 0;
        while let Some(&index) = order.get(next) {
            next += 1;
            for &user in &users[index] {
                height[user] = height[user].max(height[index] + 1);
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    order.push(user);
                }
            }
        }
        let too_high = height.iter().any(|&height| height > SAME_DEPTH_MAX);
        if order.len() < self.nodes.len() || too_high {
            Err(Refusal::Recursion)
        } else {
            Ok(order)
        }
    }

    /// For each depth, the most visits of one value there, when the first node looks at depth 0.
    fn visits(&self, order: &[usize]) -> Vec<u64> {
        let sum = |of: &[u64], all: &[usize]| {
            all.iter()
                .fold(0_u64, |sum, &index| sum.saturating_add(of[index]))
        };
        let most =
            |of: &[u64], all: &[usize]| all.iter().map(|&index| of[index]).max().unwrap_or(0);
        let mut above = vec![0_u64; self.nodes.len()];
        for &index in order {
            above[index] = self.nodes[index]
                .cost
                .saturating_add(sum(&above, &self.nodes[index].same));
        }
        let mut all = vec![above[0]];
        for _ in 0..DEPTH_MAX {
            let mut of_object = vec![0_u64; self.nodes.len()];
            let mut of_array = vec![0_u64; self.nodes.len()];
            for &index in order {
                let node = &self.nodes[index];
                let members =
                    most(&above, &node.members).saturating_add(sum(&above, &node.any_member));
                of_object[index] = members.saturating_add(sum(&of_object, &node.same));
                let items = most(&above, &node.items).saturating_add(sum(&above, &node.any_item));
                of_array[index] = items.saturating_add(sum(&of_array, &node.same));
            }
            for (index, visits) in above.iter_mut().enumerate() {
                *visits = of_object[index].max(of_array[index]);
            }
            all.push(above[0]);
        }
        all
    }
}

impl Node {
    fn absorb(&mut self, other: Self) {
        self.cost += other.cost;
        self.same.extend(other.same);
        self.members.extend(other.members);
        self.any_member.extend(other.any_member);
        self.items.extend(other.items);
        self.any_item.extend(other.any_item);
        self.references.extend(other.references);
    }
}

/// A JSON pointer out of a URI's fragment.
fn decoded(pointer: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        if byte == b'%' {
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Values in a schema: ten times the largest tool schema seen.
const VALUES_MAX: usize = 20_000;

/// Schemas applied within each other to one value: honest ones stay below ten.
const SAME_DEPTH_MAX: usize = 64;

/// Deepest value whose visits are told apart; no JSON text is read any deeper.
const DEPTH_MAX: usize = 128;

/// What a match by a backtracking engine costs: about its limit of steps.
const BACKTRACKING_COST: u64 = 5_000;

/// Bytes of a text that cost as much to look at as one more value.
const TEXT_BYTES_PER_VISIT: usize = 256;

/// Visits of a value by a metaschema.
const METASCHEMA_COST: u64 = 100;
