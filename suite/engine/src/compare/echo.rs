//! What the middle does to what we send cannot be seen, unless the server sends it back: a tool that echoes its
//! text is called with texts at the edges, and one that adds with numbers at the edges. Nothing is judged.

use mcp_verdict_vectors::{
    Library,
    model::{Level, Step, Vector},
};
use mcp_verdict_wire::Revision;
use serde_json::{Value, json};

use crate::{fixtures, plan::PreparedWay, target::TargetSpec};

/// Adds what the tools of `way` allow to be asked. A tool that is not known to be safe is not called.
pub(super) fn add(library: &mut Library, way: &PreparedWay, spec: &TargetSpec) {
    let safe = way
        .tools
        .iter()
        .filter(|tool| fixtures::why_safe(tool, spec).is_some());
    for tool in safe {
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        let wants = parameters(tool);
        match wants.as_slice() {
            [(text, "string")] if name.to_lowercase().contains("echo") => {
                for (what, raw) in TEXTS {
                    push(
                        library,
                        what,
                        way.revision,
                        name,
                        &format!("{}:{raw}", json!(text)),
                    );
                }
                let twice = format!("{0}:\"first\",{0}:\"second\"", json!(text));
                push(library, "member-twice", way.revision, name, &twice);
            }
            [(one, "number" | "integer"), (other, "number" | "integer")]
                if ["add", "sum"]
                    .iter()
                    .any(|word| name.to_lowercase().contains(word)) =>
            {
                for (what, raw) in NUMBERS {
                    let arguments = format!("{}:{raw},{}:0", json!(one), json!(other));
                    push(library, what, way.revision, name, &arguments);
                }
            }
            _ => {}
        }
    }
    library.vectors.sort_by(|one, other| one.id.cmp(&other.id));
    library.vectors.dedup_by(|one, other| one.id == other.id);
}

/// Whether the id is that of something here, of which there is no verdict.
pub(super) fn is_probe(check: &str) -> bool {
    check.starts_with(FOLDER)
}

/// Names and types of the parameters that a tool cannot do without; none if it has others.
fn parameters(tool: &Value) -> Vec<(&str, &str)> {
    let Some(schema) = tool.get("inputSchema") else {
        return Vec::new();
    };
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    names
        .map(|name| {
            let kind = schema["properties"][name]["type"].as_str();
            (name, kind.unwrap_or_default())
        })
        .collect()
}

fn push(library: &mut Library, what: &str, revision: Revision, tool: &str, arguments: &str) {
    let escape = |text: &str| text.replace("${", "$${");
    let text = format!(
        r#"{{"jsonrpc":"2.0","id":"echo-{what}","method":"tools/call","params":{{"name":{},"arguments":{{{}}},"_meta":${{request_meta}}}}}}"#,
        escape(&json!(tool).to_string()),
        escape(arguments),
    );
    let steps = json!([
        {"send_raw": {"text": text, "as": "call"}},
        {"expect": {"response": "call", "match": {"jsonrpc": "2.0"}, "because": "it is not answered"}},
    ]);
    let Ok(steps) = serde_json::from_value::<Vec<Step>>(steps) else {
        debug_assert!(false, "the steps are ours");
        return;
    };
    let id = format!("{FOLDER}{what}");
    library.vectors.push(Vector {
        title: "What is sent comes back".to_owned(),
        ..Vector::of_steps(id, revision, Level::May, steps)
    });
}

/// Where these stand among the vectors.
const FOLDER: &str = "compare/echo/";

/// Texts as JSON spells them.
const TEXTS: [(&str, &str); 12] = [
    ("text-plain", r#""plain""#),
    ("text-empty", r#""""#),
    ("text-space", r#""  before, \t between and after \n ""#),
    ("text-line-separators", "\"a\u{2028}b\u{2029}c\u{85}d\""),
    ("text-control", r#""a\u0000b\u001bc\u007fd""#),
    ("text-escapes", r#""\/ \\ \" \u00e9 \u0061""#),
    (
        "text-beyond-16-bits",
        "\"\u{1f600} \\ud83d\\ude00 \u{10ffff}\"",
    ),
    ("half-a-pair", r#""a\ud800b""#),
    ("text-not-normalized", "\"e\u{301} \u{e9} \u{212b}\""),
    ("text-byte-order-mark", "\"\u{feff}a\""),
    ("text-json", r#""{\"a\":1.0,\"b\":[1e2,-0]}""#),
    (
        "text-markup",
        r#""<b>&amp;</b> ${x} %s data: x\n\nevent: y""#,
    ),
];

/// Numbers as JSON spells them.
const NUMBERS: [(&str, &str); 8] = [
    ("number-2-53-and-one", "9007199254740993"),
    ("number-64-bits", "9223372036854775807"),
    ("number-beyond-64-bits", "18446744073709551617"),
    ("number-minus-zero", "-0"),
    ("number-whole-fraction", "1.0"),
    ("number-exponent", "1e2"),
    ("number-many-digits", "0.1000000000000000055511151231257827"),
    ("number-huge", "1e300"),
];
