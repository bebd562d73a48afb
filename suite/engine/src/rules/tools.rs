//! Tools as they are listed: names, schemas, headers; and results that keep to them.

use std::collections::BTreeSet;

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{brief, is_modern, is_one_session, items, results_of, short},
};
use crate::{
    schema::{self, ForeignError},
    view::{Message, View},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/tools/embedded-resources",
        observe: embedded_resources,
    },
    Watch {
        id: "rules/tools/header-annotations",
        observe: header_annotations,
    },
    Watch {
        id: "rules/tools/input-schemas",
        observe: input_schemas,
    },
    Watch {
        id: "rules/tools/names",
        observe: names,
    },
    Watch {
        id: "rules/tools/output-schemas",
        observe: output_schemas,
    },
    Watch {
        id: "rules/tools/schema-dialect",
        observe: schema_dialect,
    },
    Watch {
        id: "rules/tools/structured-results",
        observe: structured_results,
    },
    Watch {
        id: "rules/tools/unique-names",
        observe: unique_names,
    },
];

/// Every tool that was listed, with the response.
fn tools<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Message, &'v Value)> {
    results_of(view, &["tools/list"])
        .flat_map(|(_, response, result)| items(result, "tools").map(move |tool| (response, tool)))
}

fn name_of(tool: &Value) -> &str {
    tool.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Whether revisions say by which dialect a schema is read, so that it can be invalid for sure.
fn has_dialect(view: &View<'_>) -> bool {
    view.head.revision >= Revision::V2025_11_25
}

fn schemas(view: &View<'_>, seen: &mut Observation, member: &str) {
    let given =
        tools(view).filter_map(|(response, tool)| Some((response, tool, tool.get(member)?)));
    for (response, tool, given) in given.take(SCHEMAS_MAX) {
        seen.exercise();
        // Whatever else keeps us from using it is no fault of the schema's.
        let Err(ForeignError::Invalid(why)) = schema::foreign(given) else {
            continue;
        };
        let expected = format!("`{member}` as a valid JSON Schema");
        let actual = format!("that of `{}`: {}", short(name_of(tool)), short(&why));
        if has_dialect(view) {
            seen.find(expected, actual, [response.event]);
        } else {
            seen.find_as(Outcome::Warn, expected, actual, [response.event]);
        }
    }
}

fn input_schemas(view: &View<'_>, seen: &mut Observation) {
    schemas(view, seen, "inputSchema");
}

fn output_schemas(view: &View<'_>, seen: &mut Observation) {
    schemas(view, seen, "outputSchema");
}

fn schema_dialect(view: &View<'_>, seen: &mut Observation) {
    for (response, tool) in tools(view).filter(|_| has_dialect(view)) {
        for member in ["inputSchema", "outputSchema"] {
            let Some(schema) = tool.get(member) else {
                continue;
            };
            seen.exercise();
            let Some(dialect) = schema.get("$schema") else {
                continue;
            };
            let named = dialect.as_str().unwrap_or_default();
            let plain = named.trim_end_matches('#');
            if !plain.ends_with("//json-schema.org/draft/2020-12/schema") {
                let actual = format!("{} for `{}`", brief(dialect), short(name_of(tool)));
                seen.find("JSON Schema 2020-12", actual, [response.event]);
            }
        }
    }
}

/// A resource within a result makes sense to those who can read it again.
fn embedded_resources(view: &View<'_>, seen: &mut Observation) {
    if view.server_capabilities().is_none() || !is_one_session(view) {
        return;
    }
    for (request, response, result) in results_of(view, &["tools/call"]) {
        let embedded = |block: &Value| block.get("type").is_some_and(|kind| kind == "resource");
        if !items(result, "content").any(embedded) {
            continue;
        }
        seen.exercise();
        if !view.declares("resources") {
            let actual = "a tool's result with an embedded resource, without it";
            seen.find(
                "`resources` declared",
                actual,
                [request.event, response.event],
            );
        }
    }
}

fn names(view: &View<'_>, seen: &mut Observation) {
    for (response, tool) in tools(view).filter(|_| has_dialect(view)) {
        let Some(name) = tool.get("name").and_then(Value::as_str) else {
            continue;
        };
        seen.exercise();
        let plain = name
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '.'));
        if !plain || name.is_empty() || name.len() > 128 {
            let expected = "1 to 128 letters, digits, `_`, `-` and `.`";
            seen.find(expected, format!("{:?}", short(name)), [response.event]);
        }
    }
}

fn unique_names(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in results_of(view, &["tools/list"]).filter(|_| has_dialect(view)) {
        let mut used = BTreeSet::new();
        for tool in items(result, "tools") {
            let Some(name) = tool.get("name").and_then(Value::as_str) else {
                continue;
            };
            seen.exercise();
            if !used.insert(name) {
                let actual = format!("{:?} twice", short(name));
                seen.find("tool names that are unique", actual, [response.event]);
            }
        }
    }
}

/// The output schema of a tool, as it was last listed before `event`, or found when the target was
/// looked at.
fn output_schema<'v>(view: &'v View<'_>, name: &str, event: usize) -> Option<&'v Value> {
    let listed = tools(view)
        .filter(|(response, tool)| response.event < event && name_of(tool) == name)
        .last()
        .map(|(_, tool)| tool);
    let bound = || {
        view.head
            .bindings
            .values()
            .find(|tool| name_of(tool) == name)
    };
    listed.or_else(bound)?.get("outputSchema")
}

fn structured_results(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in results_of(view, &["tools/call"]) {
        let failed = result.get("isError").is_some_and(|failed| failed == true);
        let unfinished = result.get("task").is_some()
            || result
                .get("resultType")
                .is_some_and(|kind| kind != "complete");
        if failed || unfinished || view.head.revision < Revision::V2025_06_18 {
            continue;
        }
        let name = request
            .params()
            .and_then(|params| params.get("name")?.as_str());
        let Some(schema) = name.and_then(|name| output_schema(view, name, response.event)) else {
            continue;
        };
        let Ok(schema) = schema::foreign(schema) else {
            continue;
        };
        let events = [request.event, response.event];
        let Some(structured) = result.get("structuredContent") else {
            let expected = "`structuredContent`, since the tool has an output schema";
            seen.find(expected, "none", events);
            continue;
        };
        let Ok(violations) = schema.violations(structured) else {
            continue;
        };
        seen.exercise();
        if let Some(violation) = violations.first() {
            let expected = "structured content that conforms to the tool's output schema";
            seen.find(expected, short(&violation.to_string()), events);
        }
    }
}

/// A subschema that `properties` alone lead to, and whether they do.
fn annotations<'v>(
    schema: &'v Value,
    reachable: bool,
    depth: usize,
    into: &mut Vec<(&'v Value, &'v Value, bool)>,
) {
    if depth > DEPTH_MAX {
        return;
    }
    match schema {
        Value::Array(items) => {
            items
                .iter()
                .for_each(|item| annotations(item, false, depth + 1, into));
        }
        Value::Object(members) => {
            if let Some(header) = members.get("x-mcp-header") {
                into.push((header, schema, reachable && depth > 0));
            }
            for (name, inner) in members {
                match (name.as_str(), inner) {
                    ("properties", Value::Object(properties)) => {
                        for property in properties.values() {
                            annotations(property, reachable, depth + 1, into);
                        }
                    }
                    // Values, and not schemas.
                    ("const" | "default" | "enum" | "examples" | "x-mcp-header", _) => {}
                    // Names of one's own, each with a schema.
                    (
                        "$defs" | "definitions" | "dependentSchemas" | "patternProperties",
                        Value::Object(own),
                    ) => {
                        own.values()
                            .for_each(|inner| annotations(inner, false, depth + 1, into));
                    }
                    (_, inner) if !inner.is_object() && !inner.is_array() => {}
                    (_, inner) => annotations(inner, false, depth + 1, into),
                }
            }
        }
        _ => {}
    }
}

/// What is wrong with an annotation, if anything is, and whether that is certain.
fn flaw(header: &Value, schema: &Value, reachable: bool) -> Option<(bool, String)> {
    let Some(name) = header.as_str() else {
        return Some((true, format!("{} is no name", brief(header))));
    };
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Some((
            true,
            format!("{:?} cannot be part of a header's name", short(name)),
        ));
    }
    if !reachable {
        return Some((true, format!("`{name}` is not where properties alone lead")));
    }
    let plain = |kind: &Value| kind == "string" || kind == "integer" || kind == "boolean";
    match schema.get("type") {
        Some(kind) if plain(kind) => None,
        Some(kind @ Value::String(_)) => {
            Some((true, format!("`{name}` is at the type {}", brief(kind))))
        }
        // Whether a value that may be null is of a simple type is not said.
        Some(Value::Array(kinds)) if kinds.iter().all(|kind| plain(kind) || kind == "null") => None,
        _ => Some((
            false,
            format!("`{name}` is at no type that is simple for sure"),
        )),
    }
}

fn header_annotations(view: &View<'_>, seen: &mut Observation) {
    for (response, tool) in tools(view).filter(|_| is_modern(view)) {
        let Some(schema) = tool.get("inputSchema") else {
            continue;
        };
        let mut found = Vec::new();
        annotations(schema, true, 0, &mut found);
        let mut used = BTreeSet::new();
        for (header, at, reachable) in found {
            seen.exercise();
            let again = header
                .as_str()
                .is_some_and(|name| !used.insert(name.to_ascii_lowercase()));
            let again = again.then(|| (true, format!("{} is there twice", brief(header))));
            let Some((certain, flaw)) = flaw(header, at, reachable).or(again) else {
                continue;
            };
            let expected =
                "`x-mcp-header` as a header's name, once, at a property of a simple type";
            let actual = format!("{}: {flaw}", short(name_of(tool)));
            if certain {
                seen.find(expected, actual, [response.event]);
            } else {
                seen.find_as(Outcome::Warn, expected, actual, [response.event]);
            }
        }
    }
}

/// Schemas of one transcript that are looked at, since each takes its time: more than a server has tools.
const SCHEMAS_MAX: usize = 500;

/// Deeper than any schema goes.
const DEPTH_MAX: usize = 64;
