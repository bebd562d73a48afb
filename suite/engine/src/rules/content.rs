//! What results carry: base64, URIs, schemas, metadata keys.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::{
    Observation, Watch,
    messages::{brief, protocol_messages, short},
};
use crate::{
    schema,
    view::{Message, View},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/content/base64",
        observe: base64,
    },
    Watch {
        id: "rules/content/uris",
        observe: uris,
    },
    Watch {
        id: "rules/content/input-schemas",
        observe: input_schemas,
    },
    Watch {
        id: "rules/content/output-schemas",
        observe: output_schemas,
    },
    Watch {
        id: "rules/content/tool-names",
        observe: tool_names,
    },
    Watch {
        id: "rules/content/meta-keys",
        observe: meta_keys,
    },
    Watch {
        id: "rules/content/text-beside-structure",
        observe: text_beside_structure,
    },
];

/// Deeper than any result goes.
const DEPTH_MAX: usize = 64;

/// Results of requests with this method.
fn results_of<'v>(
    view: &'v View<'_>,
    methods: &'static [&'static str],
) -> impl Iterator<Item = (&'v Message, &'v Value)> {
    protocol_messages(view).filter_map(move |response| {
        let method = view.request_of(response)?.method()?;
        Some((
            response,
            response.result().filter(|_| methods.contains(&method))?,
        ))
    })
}

/// Standard alphabet; padding may be missing, which is told apart.
fn decodes(text: &str, padding: DecodePaddingMode) -> bool {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
    GeneralPurpose::new(&alphabet::STANDARD, config)
        .decode(text)
        .is_ok()
}

/// The base64 members of content blocks and resource contents in a result.
fn encoded<'v>(result: &'v Value, method_is_read: bool) -> Vec<&'v str> {
    let list = |member: &str| {
        result
            .get(member)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let blocks: Vec<&Value> = if method_is_read {
        list("contents").collect()
    } else {
        list("content")
            .chain(list("messages").filter_map(|message| message.get("content")))
            .collect()
    };
    let mut found: Vec<&'v str> = Vec::new();
    for block in blocks {
        let kind = block
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let data = matches!(kind, "image" | "audio")
            .then(|| block.get("data"))
            .flatten();
        let blob = block
            .get("blob")
            .or_else(|| block.get("resource")?.get("blob"));
        found.extend(data.into_iter().chain(blob).filter_map(Value::as_str));
    }
    found
}

fn base64(view: &View<'_>, seen: &mut Observation) {
    let methods: &[&str] = &["tools/call", "prompts/get", "resources/read"];
    for (response, result) in results_of(view, methods) {
        let read = view.request_of(response).and_then(Message::method) == Some("resources/read");
        for text in encoded(result, read) {
            seen.exercise();
            if decodes(text, DecodePaddingMode::RequireCanonical) {
                continue;
            }
            let expected = "base64 (RFC 4648, section 4)";
            if decodes(text, DecodePaddingMode::Indifferent) {
                let outcome = mcp_verdict_vectors::model::Outcome::Warn;
                seen.find_as(
                    outcome,
                    expected,
                    "base64 without its padding",
                    [response.event],
                );
            } else {
                seen.find(expected, short(text), [response.event]);
            }
        }
    }
}

/// RFC 3986, section 3: a scheme, a colon, and no white space or control characters.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut characters = scheme.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '+' | '-' | '.'))
        && !rest
            .chars()
            .any(|other| other.is_whitespace() || other.is_control())
}

fn uris(view: &View<'_>, seen: &mut Observation) {
    let methods: &[&str] = &["resources/list", "resources/read"];
    for (response, result) in results_of(view, methods) {
        let list = |member: &str| {
            result
                .get(member)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        for item in list("resources").chain(list("contents")) {
            let Some(uri) = item.get("uri").and_then(Value::as_str) else {
                continue;
            };
            seen.exercise();
            if !is_uri(uri) {
                seen.find(
                    "a URI (RFC 3986) with its scheme",
                    short(uri),
                    [response.event],
                );
            }
        }
    }
}

fn tools<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Message, &'v Value)> {
    results_of(view, &["tools/list"]).flat_map(|(response, result)| {
        let tools = result
            .get("tools")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        tools.map(move |tool| (response, tool))
    })
}

fn schemas(view: &View<'_>, seen: &mut Observation, member: &str) {
    for (response, tool) in tools(view) {
        let Some(given) = tool.get(member) else {
            continue;
        };
        seen.exercise();
        if let Err(error) = schema::foreign(given) {
            let name = tool.get("name").map(brief).unwrap_or_default();
            let actual = format!("{name}: {}", short(&error.to_string()));
            seen.find(
                format!("`{member}` as a valid JSON Schema"),
                actual,
                [response.event],
            );
        }
    }
}

fn input_schemas(view: &View<'_>, seen: &mut Observation) {
    schemas(view, seen, "inputSchema");
}

fn output_schemas(view: &View<'_>, seen: &mut Observation) {
    schemas(view, seen, "outputSchema");
}

fn tool_names(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_11_25 {
        return;
    }
    for (response, tool) in tools(view) {
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

/// Every `_meta` object in `value`.
fn metas<'v>(value: &'v Value, depth: usize, into: &mut Vec<&'v Value>) {
    match value {
        _ if depth > DEPTH_MAX => {}
        Value::Array(items) => items.iter().for_each(|item| metas(item, depth + 1, into)),
        Value::Object(members) => {
            for (name, item) in members {
                // What a tool or its schema calls `_meta` is its own business.
                match name.as_str() {
                    "_meta" => into.push(item),
                    "structuredContent" | "inputSchema" | "outputSchema" | "arguments" => {}
                    _ => metas(item, depth + 1, into),
                }
            }
        }
        _ => {}
    }
}

fn is_meta_key(key: &str) -> bool {
    let edge = |one: Option<char>| one.is_none_or(|one| one.is_ascii_alphanumeric());
    let label = |label: &str| {
        label.starts_with(|one: char| one.is_ascii_alphabetic())
            && label.ends_with(|one: char| one.is_ascii_alphanumeric())
            && label
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || one == '-')
    };
    let (prefix, name) = match key.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    prefix.is_none_or(|prefix| prefix.split('.').all(label))
        && edge(name.chars().next())
        && edge(name.chars().last())
        && name
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.'))
}

/// Key names as written down since 2025-06-18.
fn meta_keys(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_06_18 {
        return;
    }
    for message in protocol_messages(view) {
        let mut found = Vec::new();
        if let Some(value) = &message.value {
            metas(value, 0, &mut found);
        }
        for key in found
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|meta| meta.keys())
        {
            seen.exercise();
            if !is_meta_key(key) {
                seen.find(
                    "a `_meta` key of the agreed form",
                    format!("{:?}", short(key)),
                    [message.event],
                );
            }
        }
    }
}

fn text_beside_structure(view: &View<'_>, seen: &mut Observation) {
    for (response, result) in results_of(view, &["tools/call"]) {
        if result.get("structuredContent").is_none() || view.head.revision < Revision::V2025_06_18 {
            continue;
        }
        seen.exercise();
        let content = result
            .get("content")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut texts =
            content.filter(|block| block.get("type").is_some_and(|kind| kind == "text"));
        if texts.next().is_none() {
            let expected = "the structured content as text too, for older clients";
            seen.find(expected, "no text block", [response.event]);
        }
    }
}
