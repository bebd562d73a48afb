//! Two values, or two transcripts, set against each other.

use mcp_verdict_results::DifferenceKind as Manner;
use mcp_verdict_wire::message::Decimal;
use serde_json::{Map, Value};

use super::facts::{Fact, Facts, Key, What};

/// One thing that differs between two transcripts of a vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) manner: Manner,
    /// As people call it.
    pub(super) subject: String,
    /// The same, more exactly.
    pub(super) source: String,
    /// Where, exactly.
    pub(super) pointer: String,
    /// The same, with `*` for what tells items of a list apart.
    pub(super) general: String,
    pub(super) a: Option<Value>,
    pub(super) b: Option<Value>,
    pub(super) matters: bool,
    /// Why it does not matter.
    pub(super) owed: Option<&'static str>,
}

impl Found {
    /// Whether the values are of another type.
    pub(super) fn is_of_another_type(&self) -> bool {
        match (&self.a, &self.b) {
            (Some(a), Some(b)) => std::mem::discriminant(a) != std::mem::discriminant(b),
            _ => false,
        }
    }

    /// Whether something is there on one side only.
    pub(super) fn is_presence(&self) -> bool {
        matches!(self.manner, Manner::Dropped | Manner::Added)
    }
}

/// What differs between two transcripts of the same vector. `is_same` says that both used the same transport.
pub(super) fn transcripts(a: &Facts, b: &Facts, is_same: bool) -> Vec<Found> {
    let mut found = Vec::new();
    let in_step = a.sent == b.sent;
    let keys: std::collections::BTreeSet<&Key> = a.items.keys().chain(b.items.keys()).collect();
    for key in keys {
        let (one, other) = (a.items.get(key), b.items.get(key));
        let begun = found.len();
        match (key.what, one, other) {
            (What::Answer, Some(one), Some(other)) => compared(one, other, &mut found),
            // What follows a step that only one side came to is no finding of its own.
            (What::Answer, ..) => {}
            (What::Http | What::Closed, ..) if !is_same => {}
            (What::Order, Some(one), Some(other)) if in_step => order(one, other, &mut found),
            (What::Order, ..) => {}
            (_, Some(one), Some(other)) if in_step => compared(one, other, &mut found),
            (_, Some(one), None) if in_step => missing(one, Manner::Dropped, &mut found),
            (_, None, Some(other)) if in_step => missing(other, Manner::Added, &mut found),
            _ => {}
        }
        if let Some(owed) = owed(key, [one, other], [a, b], is_same) {
            for one in &mut found[begun..] {
                if owed.when_missing && !one.pointer.is_empty() {
                    continue;
                }
                one.matters = false;
                one.owed.get_or_insert(owed.why);
            }
        }
    }
    found
}

/// What a transport owes to itself.
struct Owed {
    why: &'static str,
    when_missing: bool,
}

fn owed(key: &Key, facts: [Option<&Fact>; 2], sides: [&Facts; 2], is_same: bool) -> Option<Owed> {
    let is_unasked = match key.what {
        What::Request => true,
        What::Notification => key.name != "notifications/progress",
        _ => false,
    };
    if is_unasked && sides.iter().any(|side| !side.has_stream) {
        return Some(Owed {
            why: "one side had no stream open for what belongs to no request",
            when_missing: true,
        });
    }
    if is_same {
        return None;
    }
    let why = facts.into_iter().flatten().find_map(|fact| fact.owed)?;
    Some(Owed {
        why,
        when_missing: false,
    })
}

fn missing(fact: &Fact, manner: Manner, found: &mut Vec<Found>) {
    let (a, b) = match manner {
        Manner::Added => (None, fact.value.clone()),
        _ => (fact.value.clone(), None),
    };
    found.push(Found {
        manner,
        subject: fact.subject.clone(),
        source: fact.source.clone(),
        pointer: String::new(),
        general: String::new(),
        a,
        b,
        matters: true,
        owed: None,
    });
}

fn compared(one: &Fact, other: &Fact, found: &mut Vec<Found>) {
    match (&one.value, &other.value) {
        (None, None) => {}
        (Some(_), None) => missing(one, Manner::Dropped, found),
        (None, Some(_)) => missing(other, Manner::Added, found),
        (Some(a), Some(b)) => {
            let subject = if one.subject == other.subject {
                &one.subject
            } else {
                &one.source
            };
            let mut walk = Walk {
                subject,
                source: &one.source,
                found,
                left: FOUND_MAX,
            };
            walk.values(a, b, &Pointer::default(), 0);
        }
    }
}

/// The same messages in another order. Others than the same are told of one by one.
fn order(one: &Fact, other: &Fact, found: &mut Vec<Found>) {
    let (Some(Value::Array(a)), Some(Value::Array(b))) = (&one.value, &other.value) else {
        return;
    };
    let sorted = |items: &[Value]| {
        let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
        items.sort();
        items
    };
    if a == b || sorted(a) != sorted(b) {
        return;
    }
    missing(one, Manner::Order, found);
    if let Some(last) = found.last_mut() {
        last.b.clone_from(&other.value);
    }
}

/// Where a walk is: exactly, and in general.
#[derive(Clone, Debug, Default)]
struct Pointer {
    exact: String,
    general: String,
}

impl Pointer {
    fn member(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self {
            exact: format!("{}/{name}", self.exact),
            general: format!("{}/{name}", self.general),
        }
    }

    fn item(&self, index: usize) -> Self {
        Self {
            exact: format!("{}/{index}", self.exact),
            general: format!("{}/*", self.general),
        }
    }
}

struct Walk<'w> {
    subject: &'w str,
    source: &'w str,
    found: &'w mut Vec<Found>,
    left: usize,
}

impl Walk<'_> {
    fn values(&mut self, a: &Value, b: &Value, at: &Pointer, depth: usize) {
        match (a, b) {
            (Value::Object(one), Value::Object(other)) if depth < DEPTH_MAX => {
                self.objects(one, other, at, depth);
            }
            (Value::Array(one), Value::Array(other)) if depth < DEPTH_MAX => {
                self.arrays(one, other, at, depth);
            }
            (Value::Number(one), Value::Number(other)) => {
                let values = (Decimal::of(one), Decimal::of(other));
                if one.as_str() == other.as_str() {
                } else if values.0.is_some() && values.0 == values.1 {
                    self.push(Manner::Respelled, at, Some(a), Some(b));
                } else {
                    self.push(Manner::Changed, at, Some(a), Some(b));
                }
            }
            _ if a == b => {}
            _ => self.push(Manner::Changed, at, Some(a), Some(b)),
        }
    }

    fn objects(
        &mut self,
        one: &Map<String, Value>,
        other: &Map<String, Value>,
        at: &Pointer,
        depth: usize,
    ) {
        for (name, value) in one {
            match other.get(name) {
                Some(counterpart) => {
                    self.values(value, counterpart, &at.member(name), depth + 1);
                }
                None => self.push(Manner::Dropped, &at.member(name), Some(value), None),
            }
        }
        for (name, value) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
            self.push(Manner::Added, &at.member(name), None, Some(value));
        }
        let common = |of: &Map<String, Value>, with: &Map<String, Value>| -> Vec<Value> {
            of.keys()
                .filter(|name| with.contains_key(*name))
                .map(|name| Value::String(name.clone()))
                .collect()
        };
        let (names, others) = (common(one, other), common(other, one));
        if names != others {
            let (names, others) = (Value::Array(names), Value::Array(others));
            self.push(Manner::Respelled, at, Some(&names), Some(&others));
        }
    }

    fn arrays(&mut self, one: &[Value], other: &[Value], at: &Pointer, depth: usize) {
        let Some(key) = identity(one, other) else {
            for (index, (a, b)) in one.iter().zip(other).enumerate() {
                self.values(a, b, &at.item(index), depth + 1);
            }
            for (index, value) in one.iter().enumerate().skip(other.len()) {
                self.push(Manner::Dropped, &at.item(index), Some(value), None);
            }
            for (index, value) in other.iter().enumerate().skip(one.len()) {
                self.push(Manner::Added, &at.item(index), None, Some(value));
            }
            return;
        };
        let place = |items: &[Value], value: &Value| {
            items
                .iter()
                .position(|item| item.get(key) == value.get(key))
        };
        let mut places = Vec::new();
        for (index, value) in one.iter().enumerate() {
            match place(other, value) {
                Some(there) => {
                    places.push(there);
                    self.values(value, &other[there], &at.item(index), depth + 1);
                }
                None => self.push(Manner::Dropped, &at.item(index), Some(value), None),
            }
        }
        for (index, value) in other.iter().enumerate() {
            if place(one, value).is_none() {
                self.push(Manner::Added, &at.item(index), None, Some(value));
            }
        }
        if !places.is_sorted() {
            let names = |items: &[Value]| {
                Value::Array(items.iter().filter_map(|it| it.get(key).cloned()).collect())
            };
            self.push(
                Manner::Reordered,
                at,
                Some(&names(one)),
                Some(&names(other)),
            );
        }
    }

    fn push(&mut self, manner: Manner, at: &Pointer, a: Option<&Value>, b: Option<&Value>) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let is_spelling = manner == Manner::Respelled;
        self.found.push(Found {
            manner,
            subject: self.subject.to_owned(),
            source: self.source.to_owned(),
            pointer: at.exact.clone(),
            general: at.general.clone(),
            a: a.cloned(),
            b: b.cloned(),
            matters: !is_spelling,
            owed: is_spelling.then_some("JSON means the same either way"),
        });
    }
}

/// The member that tells the items of both lists apart, if one does.
fn identity(one: &[Value], other: &[Value]) -> Option<&'static str> {
    let tells_apart = |items: &[Value], key: &str| {
        let mut names: Vec<&str> = items
            .iter()
            .filter_map(|item| item.get(key)?.as_str())
            .collect();
        let complete = names.len() == items.len();
        names.sort_unstable();
        names.dedup();
        complete && names.len() == items.len() && items.len() <= KEYED_MAX
    };
    if one.is_empty() || other.is_empty() {
        return None;
    }
    ["uri", "uriTemplate", "name"]
        .into_iter()
        .find(|key| tells_apart(one, key) && tells_apart(other, key))
}

/// Differences told of one message: a message that differs in more is another one altogether.
const FOUND_MAX: usize = 64;

/// Values nested deeper than this are compared as a whole.
const DEPTH_MAX: usize = 100;

/// Items of a list that are found by name: each is looked for among all of the other side.
const KEYED_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(a: &str, b: &str) -> Vec<(Manner, String)> {
        let fact = |text: &str| Fact {
            subject: "x".to_owned(),
            source: "x".to_owned(),
            value: Some(serde_json::from_str(text).expect("JSON")),
            owed: None,
        };
        let mut found = Vec::new();
        compared(&fact(a), &fact(b), &mut found);
        found
            .into_iter()
            .map(|one| (one.manner, one.pointer))
            .collect()
    }

    #[test]
    fn each_manner_is_told_apart() {
        let cases = [
            (r#"{"a":1}"#, r#"{"a":1}"#, None),
            (r#"{"a":1}"#, r#"{}"#, Some((Manner::Dropped, "/a"))),
            (r#"{}"#, r#"{"a/b":1}"#, Some((Manner::Added, "/a~1b"))),
            (r#"{"a":1}"#, r#"{"a":"1"}"#, Some((Manner::Changed, "/a"))),
            (
                r#"{"a":1}"#,
                r#"{"a":1.0}"#,
                Some((Manner::Respelled, "/a")),
            ),
            (
                r#"{"a":9007199254740993}"#,
                r#"{"a":9007199254740992}"#,
                Some((Manner::Changed, "/a")),
            ),
            (
                r#"{"a":1,"b":2}"#,
                r#"{"b":2,"a":1}"#,
                Some((Manner::Respelled, "")),
            ),
            ("[1,2]", "[1]", Some((Manner::Dropped, "/1"))),
            (
                r#"[{"name":"x"},{"name":"y"}]"#,
                r#"[{"name":"y"}]"#,
                Some((Manner::Dropped, "/0")),
            ),
            (
                r#"[{"name":"x"},{"name":"y"}]"#,
                r#"[{"name":"y"},{"name":"x"}]"#,
                Some((Manner::Reordered, "")),
            ),
        ];
        for (a, b, expected) in cases {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(manner, pointer)| (manner, pointer.to_owned()))
                .collect();
            assert_eq!(told(a, b), expected, "{a} against {b}");
        }
    }

    #[test]
    fn a_message_that_differs_in_everything_is_told_of_within_bounds() {
        let many = |start: usize| {
            let items: Vec<usize> = (start..start + 10_000).collect();
            json!(items).to_string()
        };
        assert_eq!(told(&many(0), &many(1)).len(), FOUND_MAX);
    }
}
