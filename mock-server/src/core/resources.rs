//! `resources/list`, `resources/templates/list`, `resources/read`.

use mcp_verdict_wire::Revision;
use serde_json::{Value, json};

use super::{
    call::Call,
    paging::page,
    rpc::{INVALID_PARAMS, RESOURCE_NOT_FOUND, Refusal},
    tools::content::PNG,
};

/// The resource that changes.
pub(crate) const WATCHED: &str = "test://watched-resource";
/// The template.
pub(crate) const TEMPLATE: &str = "test://template/{id}/data";

const EXTRA: &str = "test://extra-resource";
const NUMBERED: &str = "test://numbered/";
const NUMBERED_COUNT: usize = 12;
const PAGE_SIZE: usize = 10;

struct Resource {
    uri: &'static str,
    name: &'static str,
    description: &'static str,
    mime_type: &'static str,
}

const RESOURCES: &[Resource] = &[
    Resource {
        uri: "test://static-text",
        name: "Static text",
        description: "A text that never changes",
        mime_type: "text/plain",
    },
    Resource {
        uri: "test://static-binary",
        name: "Static binary",
        description: "An image of one pixel",
        mime_type: "image/png",
    },
    Resource {
        uri: WATCHED,
        name: "Watched",
        description: "A text that changes when `test_trigger_resource_update` is called",
        mime_type: "text/plain",
    },
];

/// `resources/list`.
pub(crate) fn list(call: &Call) -> Result<Value, Refusal> {
    let entry = |uri: &str, name: &str, description: &str, mime_type: &str| {
        let mut entry =
            json!({"uri": uri, "name": name, "description": description, "mimeType": mime_type});
        if call.revision >= Revision::V2025_06_18 {
            entry["title"] = json!(name);
            entry["annotations"] = json!({"lastModified": "2026-01-12T15:00:58Z"});
            entry["_meta"] = json!({"com.example/shelf": "tests"});
        }
        entry
    };
    let mut items: Vec<_> = RESOURCES
        .iter()
        .map(|it| entry(it.uri, it.name, it.description, it.mime_type))
        .collect();
    items.extend((1..=NUMBERED_COUNT).map(|number| {
        let uri = format!("{NUMBERED}{number}");
        entry(
            &uri,
            &format!("Number {number}"),
            "One of many",
            "text/plain",
        )
    }));
    if call.core.changes().extra_resource {
        items.push(entry(EXTRA, "Extra", "Comes and goes", "text/plain"));
    }
    page(&call.params, "resources", items, PAGE_SIZE)
}

/// `resources/templates/list`.
pub(crate) fn list_templates(call: &Call) -> Result<Value, Refusal> {
    let mut template = json!({
        "uriTemplate": TEMPLATE,
        "name": "Template",
        "description": "Data for any id",
        "mimeType": "application/json",
    });
    if call.revision >= Revision::V2025_06_18 {
        template["title"] = json!("Template");
    }
    page(&call.params, "resourceTemplates", vec![template], PAGE_SIZE)
}

/// `resources/read`.
pub(crate) fn read(call: &Call) -> Result<Value, Refusal> {
    let uri = call.text("uri")?;
    let contents = contents(call, uri).ok_or_else(|| {
        let code = if call.is_modern() {
            INVALID_PARAMS
        } else {
            RESOURCE_NOT_FOUND
        };
        Refusal::new(code, "Resource not found").with_data(json!({"uri": uri}))
    })?;
    Ok(json!({"contents": [contents]}))
}

/// Whether there is such a resource.
pub(crate) fn exists(call: &Call, uri: &str) -> bool {
    contents(call, uri).is_some()
}

fn contents(call: &Call, uri: &str) -> Option<Value> {
    let text =
        |mime_type: &str, text: String| json!({"uri": uri, "mimeType": mime_type, "text": text});
    let changes = call.core.changes();
    match uri {
        "test://static-text" => Some(text(
            "text/plain",
            "This is the content of the static text resource.".to_owned(),
        )),
        "test://static-binary" => Some(json!({"uri": uri, "mimeType": "image/png", "blob": PNG})),
        WATCHED => Some(text(
            "text/plain",
            format!("Changed {} times.", changes.watched),
        )),
        EXTRA if changes.extra_resource => Some(text("text/plain", "Here for now.".to_owned())),
        _ => numbered(uri)
            .map(|number| text("text/plain", format!("This is number {number}.")))
            .or_else(|| {
                let id = expanded(uri)?;
                let data =
                    json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
                Some(text("application/json", data.to_string()))
            }),
    }
}

fn numbered(uri: &str) -> Option<usize> {
    let number = uri.strip_prefix(NUMBERED)?;
    (1..=NUMBERED_COUNT).find(|known| known.to_string() == number)
}

/// The id in an expansion of the template: one path segment of unreserved characters.
fn expanded(uri: &str) -> Option<&str> {
    let id = uri
        .strip_prefix("test://template/")?
        .strip_suffix("/data")?;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    (!id.is_empty() && id.bytes().all(sound)).then_some(id)
}
