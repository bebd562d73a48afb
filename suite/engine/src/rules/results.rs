//! Results: their shape, and that the server declares what it does.

use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{items, results, short, speaks},
};
use crate::{schema::Validator, view::View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/results/declared",
        observe: declared,
    },
    Watch {
        id: "rules/results/shape",
        observe: shape,
    },
];

fn shape(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    for (request, response, result) in results(view) {
        let Some(method) = request.method() else {
            continue;
        };
        let Some(violations) = validator.result(method, result) else {
            continue;
        };
        seen.exercise();
        if let Some(violation) = violations.first() {
            let name = validator.result_definition(method).unwrap_or("result");
            let expected = format!("a result of {method} as {name} describes it");
            seen.find(
                expected,
                short(&violation.to_string()),
                [request.event, response.event],
            );
        }
    }
}

/// What a server declares that offers what this method gives.
fn capability_of(method: &str, revision: Revision) -> Option<&'static str> {
    match method {
        // The capability came with 2025-03-26, the method was there before.
        "completion/complete" => (revision >= Revision::V2025_03_26).then_some("completions"),
        "prompts/get" | "prompts/list" => Some("prompts"),
        "resources/list" | "resources/read" | "resources/templates/list" => Some("resources"),
        "tools/call" | "tools/list" => Some("tools"),
        _ => None,
    }
}

/// Whether a result really gives something: an empty list offers nothing, and a failed call refuses.
fn gives(method: &str, result: &Value) -> bool {
    let any = |member: &str| items(result, member).next().is_some();
    match method {
        "completion/complete" => result
            .get("completion")
            .is_some_and(|completion| items(completion, "values").next().is_some()),
        "prompts/get" => any("messages"),
        "prompts/list" => any("prompts"),
        "resources/list" => any("resources"),
        "resources/read" => any("contents"),
        "resources/templates/list" => any("resourceTemplates"),
        "tools/call" => !result.get("isError").is_some_and(|failed| failed == true),
        "tools/list" => any("tools"),
        _ => false,
    }
}

fn declared(view: &View<'_>, seen: &mut Observation) {
    // Who declared what is known only of the opening, if that is of this revision.
    let opening = view
        .opening()
        .and_then(|(request, _)| view.response_to(request));
    if view.server_capabilities().is_none() || !opening.is_some_and(|opening| speaks(view, opening))
    {
        return;
    }
    for (request, response, result) in results(view) {
        let Some(method) = request.method() else {
            continue;
        };
        let Some(capability) = capability_of(method, view.head.revision) else {
            continue;
        };
        if !gives(method, result) {
            continue;
        }
        seen.exercise();
        if !view.declares(capability) {
            let actual = format!("a result of {method} without it");
            seen.find(
                format!("`{capability}` declared"),
                actual,
                [request.event, response.event],
            );
        }
    }
}
