//! What 2026-07-28 asks of every result, of HTTP statuses, and of sessions, which it does not have.

use mcp_verdict_vectors::model::Outcome;
use serde_json::Value;

use super::{
    Observation, Watch,
    content::{KeyForm, key_form},
    reach::{
        asks_modern, brief, exchange_of, is_modern, is_streamable, ours_in, responses, results,
        results_of, short, theirs_in,
    },
};
use crate::view::{Message, View, integer};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/modern/cache-scope-of-pages",
        observe: cache_scope_of_pages,
    },
    Watch {
        id: "rules/modern/caching-hints",
        observe: caching_hints,
    },
    Watch {
        id: "rules/modern/error-status",
        observe: error_status,
    },
    Watch {
        id: "rules/modern/extension-names",
        observe: extension_names,
    },
    Watch {
        id: "rules/modern/known-result-type",
        observe: known_result_type,
    },
    Watch {
        id: "rules/modern/no-session",
        observe: no_session,
    },
    Watch {
        id: "rules/modern/result-type",
        observe: result_type,
    },
    Watch {
        id: "rules/modern/server-info",
        observe: server_info,
    },
];

fn modern_results<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v Message, &'v Message, &'v Value)> {
    let modern = is_modern(view);
    results(view).filter(move |_| modern)
}

fn result_type(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in modern_results(view) {
        seen.exercise();
        let events = [request.event, response.event];
        match result.get("resultType") {
            Some(Value::String(_)) => {}
            Some(other) => seen.find("`resultType` as a string", brief(other), events),
            None => seen.find("`resultType` in the result", "none", events),
        }
    }
}

/// Whether client and server both declared extensions, which may have kinds of results of their own.
fn has_extensions(view: &View<'_>, request: &Message) -> bool {
    let client = request.params().and_then(|params| {
        params
            .get("_meta")?
            .get("io.modelcontextprotocol/clientCapabilities")?
            .get("extensions")
    });
    client.is_some_and(|extensions| *extensions != serde_json::json!({}))
        && view.declares("extensions")
}

fn known_result_type(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in modern_results(view) {
        let Some(kind) = result.get("resultType").and_then(Value::as_str) else {
            continue;
        };
        seen.exercise();
        if !matches!(kind, "complete" | "input_required") && !has_extensions(view, request) {
            let expected = "`complete` or `input_required` as `resultType`";
            seen.find(
                expected,
                format!("{:?}", short(kind)),
                [request.event, response.event],
            );
        }
    }
}

/// The names follow the rules of `_meta` keys, and have a prefix.
fn extension_names(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in results_of(view, &["server/discover"]) {
        let Some(capabilities) = result.get("capabilities").filter(|_| is_modern(view)) else {
            continue;
        };
        seen.exercise();
        let extensions = capabilities.get("extensions").and_then(Value::as_object);
        for name in extensions
            .into_iter()
            .flat_map(|extensions| extensions.keys())
        {
            let (expected, actual) = (
                "a name with a prefix, like a `_meta` key",
                format!("{:?}", short(name)),
            );
            let events = [request.event, response.event];
            match key_form(name) {
                KeyForm::Sound if name.contains('/') => {}
                KeyForm::Odd if name.contains('/') => {
                    seen.find_as(Outcome::Warn, expected, actual, events);
                }
                _ => seen.find(expected, actual, events),
            }
        }
    }
}

fn server_info(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in modern_results(view) {
        seen.exercise();
        let info = result
            .get("_meta")
            .and_then(|meta| meta.get("io.modelcontextprotocol/serverInfo"));
        if info.is_none() {
            let expected = "`io.modelcontextprotocol/serverInfo` in the result's `_meta`";
            seen.find(expected, "none", [request.event, response.event]);
        }
    }
}

const LISTS: &[&str] = &[
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "tools/list",
];

const CACHEABLE: &[&str] = &[
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tools/list",
];

fn caching_hints(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in results_of(view, CACHEABLE).filter(|_| is_modern(view)) {
        if result
            .get("resultType")
            .is_some_and(|kind| kind != "complete")
        {
            continue;
        }
        seen.exercise();
        let events = [request.event, response.event];
        match result.get("ttlMs") {
            Some(ttl) if integer(ttl).is_some_and(|ttl| ttl >= 0) => {}
            ttl => {
                let actual = ttl.map_or_else(|| "none".to_owned(), brief);
                seen.find("`ttlMs` of 0 or more", actual, events);
            }
        }
        match result.get("cacheScope") {
            Some(scope) if scope == "public" || scope == "private" => {}
            scope => {
                let actual = scope.map_or_else(|| "none".to_owned(), brief);
                seen.find("`cacheScope` `public` or `private`", actual, events);
            }
        }
    }
}

/// A page belongs to the one whose `nextCursor` it was asked for with.
fn cache_scope_of_pages(view: &View<'_>, seen: &mut Observation) {
    let pages: Vec<_> = results_of(view, LISTS)
        .filter(|_| is_modern(view))
        .collect();
    for (request, response, result) in &pages {
        seen.exercise();
        let cursor = request.params().and_then(|params| params.get("cursor"));
        let Some(cursor) = cursor else { continue };
        let before = pages.iter().rev().find(|(other, earlier, page)| {
            other.method() == request.method()
                && earlier.event < request.event
                && page.get("nextCursor").is_some_and(|next| next == cursor)
        });
        let Some((_, earlier, page)) = before else {
            continue;
        };
        let (Some(first), Some(scope)) = (page.get("cacheScope"), result.get("cacheScope")) else {
            continue;
        };
        if first != scope {
            let events = [earlier.event, response.event];
            seen.find(
                format!("`cacheScope` {} on every page", brief(first)),
                brief(scope),
                events,
            );
        }
    }
}

/// The HTTP status that goes with an error code; a code of this revision has its status whatever was asked.
fn status_for(view: &View<'_>, response: &Message) -> Option<u16> {
    match response.code()? {
        -32022..=-32020 => Some(400),
        -32601 => {
            let request = view
                .request_of(response)
                .filter(|request| request.is_request())?;
            asks_modern(view, request).then_some(404)
        }
        _ => None,
    }
}

fn error_status(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view).filter(|_| is_modern(view) && is_streamable(view)) {
        let Some(exchange) = exchange_of(view, response) else {
            continue;
        };
        let (Some(status), Some(due)) = (exchange.status(), status_for(view, response)) else {
            continue;
        };
        seen.exercise();
        if status == due {
            continue;
        }
        let expected = format!(
            "HTTP {due} with the error {}",
            response.code().unwrap_or_default()
        );
        let request = view.request_of(response).map(|request| request.event);
        let events = request.into_iter().chain([response.event]);
        let begun = theirs_in(view, exchange).any(|message| message.event < response.event);
        if begun {
            // The status was out before the error was known.
            seen.find_as(Outcome::Warn, expected, format!("HTTP {status}"), events);
        } else {
            seen.find(expected, format!("HTTP {status}"), events);
        }
    }
}

fn no_session(view: &View<'_>, seen: &mut Observation) {
    for exchange in view
        .exchanges
        .values()
        .filter(|_| is_modern(view) && is_streamable(view))
    {
        let Some(response) = &exchange.response else {
            continue;
        };
        if !ours_in(view, exchange).any(|request| asks_modern(view, request)) {
            continue;
        }
        seen.exercise();
        if let Some(id) = exchange.response_header("mcp-session-id") {
            seen.find("no `Mcp-Session-Id`", short(id), [response.event]);
        }
    }
}
