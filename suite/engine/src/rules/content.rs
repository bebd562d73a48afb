//! What results carry: base64, URIs, media types, times, metadata keys.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{brief, is_modern, items, protocol_messages, results_of, short, speaks},
};
use crate::view::{Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/content/base64",
        observe: base64,
    },
    Watch {
        id: "rules/content/media-types",
        observe: media_types,
    },
    Watch {
        id: "rules/content/meta-keys",
        observe: meta_keys,
    },
    Watch {
        id: "rules/content/text-beside-structure",
        observe: text_beside_structure,
    },
    Watch {
        id: "rules/content/timestamps",
        observe: timestamps,
    },
    Watch {
        id: "rules/content/trace-context",
        observe: trace_context,
    },
    Watch {
        id: "rules/content/uris",
        observe: uris,
    },
];

/// Requests whose results hold content.
const WITH_CONTENT: &[&str] = &["prompts/get", "resources/read", "tools/call"];

/// The content blocks and resource contents in a result.
fn blocks(result: &Value) -> impl Iterator<Item = &Value> {
    let of_messages = items(result, "messages").filter_map(|message| message.get("content"));
    let outer = items(result, "content")
        .chain(items(result, "contents"))
        .chain(of_messages);
    outer
        .flat_map(|block| [Some(block), block.get("resource")])
        .flatten()
}

/// As lenient as readers are: padding, spare bits and white space do not matter.
fn decodes(text: &str) -> bool {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let plain: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    GeneralPurpose::new(&alphabet::STANDARD, config)
        .decode(plain)
        .is_ok()
}

/// As strict as RFC 4648, section 4.
fn decodes_strictly(text: &str) -> bool {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .is_ok()
}

fn base64(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in results_of(view, WITH_CONTENT) {
        for block in blocks(result) {
            let kind = block
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let data = block
                .get("data")
                .filter(|_| matches!(kind, "image" | "audio"));
            for text in data
                .into_iter()
                .chain(block.get("blob"))
                .filter_map(Value::as_str)
            {
                seen.exercise();
                let expected = "base64 (RFC 4648, section 4)";
                if !decodes(text) {
                    seen.find(expected, short(text), [response.event]);
                } else if !decodes_strictly(text) {
                    let actual = "base64 with white space or without its padding";
                    seen.find_as(Outcome::Warn, expected, actual, [response.event]);
                }
            }
        }
    }
}

/// RFC 6838, section 4.2: a type and a subtype; parameters may follow.
fn is_media_type(text: &str) -> bool {
    let name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+%'*`|~".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

/// The media types of images and sound in prompts have to be valid; elsewhere nobody says what they are.
fn media_types(view: &View<'_>, seen: &mut Observation) {
    let methods: &[&str] = &[
        "prompts/get",
        "resources/list",
        "resources/read",
        "tools/call",
    ];
    for (request, response, result) in results_of(view, methods) {
        for item in blocks(result).chain(items(result, "resources")) {
            let Some(text) = item.get("mimeType").and_then(Value::as_str) else {
                continue;
            };
            seen.exercise();
            if is_media_type(text) {
                continue;
            }
            let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
            let (expected, actual) = (
                "a media type such as `text/plain`",
                format!("{:?}", short(text)),
            );
            if request.method() == Some("prompts/get") && matches!(kind, "image" | "audio") {
                seen.find(expected, actual, [response.event]);
            } else {
                seen.find_as(Outcome::Warn, expected, actual, [response.event]);
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
    let methods: &[&str] = &[
        "prompts/get",
        "resources/list",
        "resources/read",
        "tools/call",
    ];
    for (_, response, result) in results_of(view, methods) {
        for item in blocks(result).chain(items(result, "resources")) {
            let Some(uri) = item.get("uri").and_then(Value::as_str) else {
                continue;
            };
            seen.exercise();
            if !is_uri(uri) {
                let actual = format!("{:?}", short(uri));
                seen.find("a URI (RFC 3986) with its scheme", actual, [response.event]);
            }
        }
    }
}

/// A date of ISO 8601, alone or with a time: four digits, two, two, and what a time is made of.
fn is_timestamp(text: &str) -> bool {
    let mut bytes = text.bytes();
    let mut date = [0_u8; 10];
    for slot in &mut date {
        let Some(byte) = bytes.next() else {
            return false;
        };
        *slot = byte;
    }
    let shaped = date.iter().enumerate().all(|(index, byte)| match index {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let time = bytes.all(|byte| byte.is_ascii_digit() || b"Tt Zz:.,+-".contains(&byte));
    shaped && time
}

fn timestamps(view: &View<'_>, seen: &mut Observation) {
    let methods: &[&str] = &[
        "prompts/get",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "tools/call",
    ];
    for (_, response, result) in results_of(view, methods) {
        let listed = items(result, "resources").chain(items(result, "resourceTemplates"));
        for item in blocks(result).chain(listed) {
            let time = item
                .get("annotations")
                .and_then(|notes| notes.get("lastModified"));
            let Some(time) = time.and_then(Value::as_str) else {
                continue;
            };
            seen.exercise();
            if !is_timestamp(time) {
                let actual = format!("{:?}", short(time));
                seen.find("`lastModified` as ISO 8601", actual, [response.event]);
            }
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
                match name.as_str() {
                    "_meta" => into.push(item),
                    name if FREE.contains(&name) => {}
                    _ => metas(item, depth + 1, into),
                }
            }
        }
        _ => {}
    }
}

/// Members whose insides are the server's own business, whatever they are called there.
const FREE: [&str; 11] = [
    "arguments",
    "data",
    "default",
    "error",
    "experimental",
    "extensions",
    "input",
    "inputSchema",
    "metadata",
    "outputSchema",
    "structuredContent",
];

/// How well a `_meta` key follows its grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyForm {
    /// As it must be.
    Sound,
    /// Its name has characters inside that the grammar does not list, and does not rule out.
    Odd,
    /// Its prefix, or an end of its name, is not as it must be.
    Broken,
}

/// The form of a key, or of a name that follows the rules of keys.
pub(super) fn key_form(key: &str) -> KeyForm {
    let label = |label: &str| {
        label.starts_with(|one: char| one.is_ascii_alphabetic())
            && label.ends_with(|one: char| one.is_ascii_alphanumeric())
            && label
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || one == '-')
    };
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let edges = [name.chars().next(), name.chars().last()];
    let whole = edges
        .iter()
        .all(|edge| edge.is_none_or(|edge| edge.is_ascii_alphanumeric()));
    let listed = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    if !whole || !prefix.is_none_or(|prefix| prefix.split('.').all(label)) {
        KeyForm::Broken
    } else if name.chars().all(listed) {
        KeyForm::Sound
    } else {
        KeyForm::Odd
    }
}

/// Key names as written down since 2025-06-18.
fn meta_keys(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_06_18 {
        return;
    }
    for message in protocol_messages(view).filter(|message| speaks(view, message)) {
        for (key, form) in keys_of(message) {
            seen.exercise();
            let (expected, actual) = (
                "a `_meta` key of the agreed form",
                format!("{:?}", short(key)),
            );
            match form {
                KeyForm::Sound => {}
                KeyForm::Odd => seen.find_as(Outcome::Warn, expected, actual, [message.event]),
                KeyForm::Broken => seen.find(expected, actual, [message.event]),
            }
        }
    }
}

fn keys_of(message: &Message) -> Vec<(&str, KeyForm)> {
    let mut found = Vec::new();
    if let Some(value) = &message.value {
        metas(value, 0, &mut found);
    }
    let keys = found
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|meta| meta.keys());
    keys.map(|key| (key.as_str(), key_form(key))).collect()
}

/// W3C Trace Context, section 3.2: version, trace, parent and flags in hexadecimal digits.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags, rest @ ..] = parts.as_slice() else {
        return false;
    };
    // Versions to come may have more behind the flags.
    let whole = rest.is_empty() || *version != "00";
    let known = hex(version, 2) && *version != "ff" && hex(flags, 2);
    whole && known && hex(trace, 32) && !zero(trace) && hex(parent, 16) && !zero(parent)
}

/// `tracestate` and `baggage` are lists of `key=value`, whose other details differ.
fn is_list_of_pairs(text: &str) -> bool {
    let printable = text.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e));
    let pair = |member: &str| {
        let (key, _) = member.split_once('=')?;
        (!key.trim().is_empty()).then_some(())
    };
    let mut members = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    printable && members.all(|member| pair(member).is_some())
}

fn trace_context(view: &View<'_>, seen: &mut Observation) {
    if !is_modern(view) {
        return;
    }
    for message in protocol_messages(view).filter(|message| speaks(view, message)) {
        let mut found = Vec::new();
        if let Some(value) = &message.value {
            metas(value, 0, &mut found);
        }
        for meta in found {
            seen.exercise();
            for name in ["baggage", "traceparent", "tracestate"] {
                let Some(value) = meta.get(name) else {
                    continue;
                };
                let sound = value.as_str().is_some_and(|text| match name {
                    "traceparent" => is_traceparent(text),
                    _ => is_list_of_pairs(text),
                });
                if !sound {
                    let expected = format!("`{name}` in the form that the W3C gives it");
                    seen.find(expected, brief(value), [message.event]);
                }
            }
        }
    }
}

fn text_beside_structure(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in results_of(view, &["tools/call"]) {
        if result.get("structuredContent").is_none() || view.head.revision < Revision::V2025_06_18 {
            continue;
        }
        seen.exercise();
        let mut texts = items(result, "content")
            .filter(|block| block.get("type").is_some_and(|kind| kind == "text"));
        if texts.next().is_none() {
            let expected = "the structured content as text too, for older clients";
            seen.find(expected, "no text block", [response.event]);
        }
    }
}

/// Deeper than any message goes.
const DEPTH_MAX: usize = 64;
