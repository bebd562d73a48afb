//! Multi-round-trip requests of 2026-07-28: results that ask for input.

use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{brief, capability_for, client_declares, is_modern, results, short},
};
use crate::view::{Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/input/declared",
        observe: declared,
    },
    Watch {
        id: "rules/input/kinds",
        observe: kinds,
    },
    Watch {
        id: "rules/input/something",
        observe: something,
    },
    Watch {
        id: "rules/input/unique-keys",
        observe: unique_keys,
    },
    Watch {
        id: "rules/input/where",
        observe: place,
    },
];

pub(super) fn inquiries<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v Message, &'v Message, &'v Value)> {
    let modern = is_modern(view);
    results(view).filter(move |(_, _, result)| {
        modern
            && result
                .get("resultType")
                .is_some_and(|kind| kind == "input_required")
    })
}

/// The input requests of a result, by key.
pub(super) fn wanted(result: &Value) -> impl Iterator<Item = (&String, &Value)> {
    result
        .get("inputRequests")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn place(view: &View<'_>, seen: &mut Observation) {
    for (request, response, _) in inquiries(view) {
        seen.exercise();
        let method = request.method().unwrap_or_default();
        if !matches!(method, "prompts/get" | "resources/read" | "tools/call") {
            let expected = "input asked for only by prompts/get, resources/read and tools/call";
            seen.find(expected, short(method), [request.event, response.event]);
        }
    }
}

fn something(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in inquiries(view) {
        seen.exercise();
        if result.get("inputRequests").is_none() && result.get("requestState").is_none() {
            seen.find(
                "`inputRequests`, `requestState` or both",
                brief(result),
                [response.event],
            );
        }
    }
}

fn kinds(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in inquiries(view) {
        for (key, input) in wanted(result) {
            seen.exercise();
            let method = input
                .get("method")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if capability_for(method, None).is_none() {
                let expected = "elicitation/create, sampling/createMessage or roots/list";
                let actual = format!("{}: {}", short(key), brief(input));
                seen.find(expected, actual, [response.event]);
            }
        }
    }
}

fn declared(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in inquiries(view) {
        let capabilities = request.params().and_then(|params| {
            params
                .get("_meta")?
                .get("io.modelcontextprotocol/clientCapabilities")
        });
        for (_, input) in wanted(result) {
            let method = input
                .get("method")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some(capability) = capability_for(method, input.get("params")) else {
                continue;
            };
            seen.exercise();
            if !client_declares(capabilities, capability) {
                let expected = format!("no input that the client did not declare (`{capability}`)");
                seen.find(expected, brief(input), [request.event, response.event]);
            }
        }
    }
}

/// A JSON object with a key twice has it once for every reader, but not the same one.
fn unique_keys(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in inquiries(view) {
        if wanted(result).next().is_none() {
            continue;
        }
        seen.exercise();
        let twice = response.duplicate_keys().find_map(|pointer| {
            let key = pointer.strip_prefix("/result/inputRequests/")?;
            (!key.contains('/')).then_some(key)
        });
        if let Some(key) = twice {
            let expected = "keys of `inputRequests` that are unique";
            seen.find(expected, format!("{} twice", short(key)), [response.event]);
        }
    }
}
