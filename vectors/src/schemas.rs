//! The protocol's types as JSON Schema, for each revision, made from `schemas/*.types`.
//!
//! Shape only: which members there are, of which types, and which are required. Formats are noted
//! and not asserted. `schemas/README.md` explains the notation.

mod expand;
mod notation;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::{LazyLock, OnceLock};

use mcp_verdict_wire::Revision;
use serde_json::Value;

use expand::Book;

/// A method of a revision, and the definitions that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name, such as `tools/call`.
    pub name: &'static str,
    /// Request or notification.
    pub kind: MethodKind,
    /// The definition of the whole message.
    pub definition: &'static str,
    /// The definition of its params, where they have one (from 2025-11-25 on).
    pub params: Option<&'static str>,
    /// The definitions of its results, the ordinary one first. None for a notification.
    pub results: Vec<&'static str>,
    /// Whether a client may send it as a message.
    pub from_client: bool,
    /// Whether a server may send it as a message. Where neither may, it travels within a result.
    pub from_server: bool,
}

/// What a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// It has no answer.
    Notification,
    /// It has one.
    Request,
}

/// The schema of a revision: every definition of the revision under `$defs`, JSON Schema 2020-12.
#[must_use]
pub fn document(revision: Revision) -> &'static Value {
    static DOCUMENTS: [OnceLock<Value>; 5] = [const { OnceLock::new() }; 5];
    DOCUMENTS[revision as usize].get_or_init(|| {
        BOOK.document(revision)
            .expect("a test expands the embedded types in every revision")
    })
}

/// The names of a revision's definitions, in order.
#[must_use]
pub fn definition_names(revision: Revision) -> &'static [&'static str] {
    static NAMES: [OnceLock<Vec<&'static str>>; 5] = [const { OnceLock::new() }; 5];
    NAMES[revision as usize].get_or_init(|| {
        let definitions = document(revision)["$defs"].as_object();
        definitions
            .into_iter()
            .flat_map(|all| all.keys().map(String::as_str))
            .collect()
    })
}

/// The same names in no particular order, without making the schema.
pub(crate) fn defined(revision: Revision) -> impl Iterator<Item = &'static str> {
    BOOK.names(revision)
}

/// The methods of a revision, in the order of their definitions' names.
#[must_use]
pub fn methods(revision: Revision) -> &'static [Method] {
    static METHODS: [OnceLock<Vec<Method>>; 5] = [const { OnceLock::new() }; 5];
    METHODS[revision as usize].get_or_init(|| {
        let names = definition_names(revision).iter();
        names.filter_map(|name| method_of(revision, name)).collect()
    })
}

/// The definition that a revision calls by this name, with its schema.
#[must_use]
pub fn definition(revision: Revision, name: &str) -> Option<&'static Value> {
    document(revision)["$defs"].as_object()?.get(name)
}

/// The names of a revision's definitions that someone may have meant, the closest first.
#[must_use]
pub fn closest(revision: Revision, name: &str) -> Vec<&'static str> {
    closest_of(name, definition_names(revision).iter().copied())
}

fn method_of(revision: Revision, name: &'static str) -> Option<Method> {
    let schema = definition(revision, name)?;
    let kind = match name {
        _ if name.ends_with("Request") => MethodKind::Request,
        _ if name.ends_with("Notification") => MethodKind::Notification,
        _ => return None,
    };
    let reference = |schema: &'static Value| schema["$ref"].as_str()?.rsplit('/').next();
    let sends = |side: &str| {
        let all = definition(revision, &format!("{side}{kind:?}"));
        let branches = all.and_then(|all| {
            all["anyOf"]
                .as_array()
                .map(Vec::as_slice)
                .or(Some(std::slice::from_ref(all)))
        });
        branches
            .into_iter()
            .flatten()
            .any(|branch| reference(branch) == Some(name))
    };
    // Names live as long as the program: those of the embedded documents and files.
    let results = BOOK.answers(revision, name).into_iter();
    Some(Method {
        name: schema["properties"]["method"]["const"].as_str()?,
        kind,
        definition: name,
        params: reference(&schema["properties"]["params"]),
        results: results.collect(),
        from_client: sends("Client"),
        from_server: sends("Server"),
    })
}

/// Up to three of the names, the closest first, none of them far from the one given.
fn closest_of<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // A longer name is nobody's slip of the finger, and the distance takes time.
    if name.len() > 80 {
        return Vec::new();
    }
    let lower = name.to_lowercase();
    let mut near = among
        .map(|known| (distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .collect::<Vec<_>>();
    near.sort();
    near.truncate(3);
    near.into_iter().map(|(_, known)| known).collect()
}

/// How many letters to insert, drop or change to come from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to = to.chars().collect::<Vec<_>>();
    let mut row = (0..=to.len()).collect::<Vec<_>>();
    for (line, letter) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (index, other) in to.iter().enumerate() {
            let change = corner + usize::from(letter != *other);
            corner = row[index + 1];
            row[index + 1] = change.min(corner + 1).min(row[index] + 1);
        }
    }
    row[to.len()]
}

static BOOK: LazyLock<Book> =
    LazyLock::new(|| Book::read(&FILES).expect("a test reads the embedded types"));

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../schemas/", $name)))),*]
    };
}

const FILES: [(&str, &str); 13] = files![
    "base.types",
    "content.types",
    "directions.types",
    "elicitation.types",
    "input.types",
    "lifecycle.types",
    "prompts.types",
    "resources.types",
    "roots.types",
    "sampling.types",
    "tasks.types",
    "tools.types",
    "utilities.types",
];
