//! What a server asks of its client, by a request of its own (legacy) or in a result (modern).

use mcp_verdict_vectors::{is_uri, model::Outcome};
use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::{
    Observation, Watch,
    input::{inquiries, wanted},
    reach::{brief, client_declares, is_modern, requests, short, speaks},
};
use crate::view::View;

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/asking/context",
        observe: context,
    },
    Watch {
        id: "rules/asking/secrets",
        observe: secrets,
    },
    Watch {
        id: "rules/asking/tool-results",
        observe: tool_results,
    },
    Watch {
        id: "rules/asking/urls",
        observe: urls,
    },
];

/// One thing that is asked for.
struct Asked<'v> {
    /// The event that brought it.
    event: usize,
    /// Its params.
    params: &'v Value,
    /// What the client declared.
    capabilities: Option<&'v Value>,
}

/// Everything that is asked for by this method.
fn asked<'v>(view: &'v View<'_>, method: &'static str) -> Vec<Asked<'v>> {
    if is_modern(view) {
        let inputs = inquiries(view).flat_map(|(request, response, result)| {
            wanted(result).map(move |(_, input)| (request, response, input))
        });
        return inputs
            .filter(|(.., input)| input.get("method").is_some_and(|it| it == method))
            .filter_map(|(request, response, input)| {
                let meta = request.params().and_then(|params| params.get("_meta"));
                Some(Asked {
                    event: response.event,
                    params: input.get("params")?,
                    capabilities: meta
                        .and_then(|meta| meta.get("io.modelcontextprotocol/clientCapabilities")),
                })
            })
            .collect();
    }
    requests(view)
        .filter(|request| request.method() == Some(method) && speaks(view, request))
        .filter_map(|request| {
            Some(Asked {
                event: request.event,
                params: request.params()?,
                capabilities: view.client_capabilities(request.event),
            })
        })
        .collect()
}

/// A context of other servers is soft-deprecated, and needs a capability of its own.
fn context(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_11_25 {
        return;
    }
    for Asked {
        event,
        params,
        capabilities,
    } in asked(view, "sampling/createMessage")
    {
        seen.exercise();
        let wide = params
            .get("includeContext")
            .filter(|context| *context != "none");
        if let Some(wide) = wide
            && !client_declares(capabilities, "sampling.context")
        {
            let expected = "no `includeContext` without the capability `sampling.context`";
            seen.find(expected, brief(wide), [event]);
        }
    }
}

/// Names under which nothing but secrets goes.
const SECRETS: [&str; 14] = [
    "accesstoken",
    "apikey",
    "apitoken",
    "authtoken",
    "cardnumber",
    "clientsecret",
    "creditcard",
    "creditcardnumber",
    "cvv",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secretkey",
];

/// What is a secret goes by its name alone, hence no more than a warning.
fn secrets(view: &View<'_>, seen: &mut Observation) {
    for Asked { event, params, .. } in asked(view, "elicitation/create") {
        let fields = params
            .get("requestedSchema")
            .and_then(|schema| schema.get("properties")?.as_object());
        let Some(fields) = fields else { continue };
        seen.exercise();
        let secret = fields.keys().find(|name| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            let plain: String = letters.collect::<String>().to_ascii_lowercase();
            SECRETS.contains(&plain.as_str())
        });
        if let Some(name) = secret {
            let expected = "no secrets in a form";
            let actual = format!("a field named {:?}", short(name));
            seen.find_as(Outcome::Warn, expected, actual, [event]);
        }
    }
}

/// The blocks of a message for sampling.
fn blocks(message: &Value) -> &[Value] {
    match message.get("content") {
        Some(Value::Array(blocks)) => blocks,
        Some(block) => std::slice::from_ref(block),
        None => &[],
    }
}

/// The ids in the blocks of one type.
fn ids<'v>(message: &'v Value, kind: &str, member: &str) -> Vec<&'v Value> {
    let of_kind = |block: &&Value| block.get("type").is_some_and(|it| it == kind);
    let found = blocks(message).iter().filter(of_kind);
    found.filter_map(|block| block.get(member)).collect()
}

fn tool_results(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_11_25 {
        return;
    }
    for Asked { event, params, .. } in asked(view, "sampling/createMessage") {
        let messages = params.get("messages").and_then(Value::as_array);
        let Some(messages) = messages else { continue };
        seen.exercise();
        for (index, message) in messages.iter().enumerate() {
            let results = ids(message, "tool_result", "toolUseId");
            if !results.is_empty() && results.len() < blocks(message).len() {
                let expected = "nothing but tool results in a message with one";
                seen.find(expected, brief(message), [event]);
            }
            let uses = ids(message, "tool_use", "id");
            let next = messages.get(index + 1);
            let answered = next.map_or_else(Vec::new, |next| ids(next, "tool_result", "toolUseId"));
            if let Some(open) = uses.iter().find(|id| !answered.contains(id)) {
                let expected = "the result of each use of a tool in the next message";
                seen.find(expected, format!("none for {}", brief(open)), [event]);
            }
        }
    }
}

fn urls(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_11_25 {
        return;
    }
    for Asked { event, params, .. } in asked(view, "elicitation/create") {
        seen.exercise();
        let Some(url) = params.get("url").and_then(Value::as_str) else {
            continue;
        };
        if params.get("mode").is_some_and(|mode| mode == "url") && !is_uri(url) {
            seen.find("a valid URL", format!("{:?}", short(url)), [event]);
        }
    }
}
