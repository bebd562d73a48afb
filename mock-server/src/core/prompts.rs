//! `prompts/list`, `prompts/get`.

use mcp_verdict_wire::Revision;
use serde_json::{Map, Value, json};

use super::{
    asking::{Question, ask},
    call::{Call, Stop},
    paging::page,
    rpc::Refusal,
    tools::content::PNG,
};

/// A prompt, as far as it is data.
pub(crate) struct Prompt {
    /// Its name.
    pub(crate) name: &'static str,
    description: &'static str,
    /// Name and description of its arguments, all required.
    pub(crate) arguments: &'static [(&'static str, &'static str)],
    since: Revision,
}

const EXTRA: &str = "test_extra_prompt";
const NUMBERED: &str = "test_numbered_prompt_";
const NUMBERED_COUNT: usize = 8;
const PAGE_SIZE: usize = 10;

/// Those that are always there.
pub(crate) const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "test_simple_prompt",
        description: "A prompt without arguments",
        arguments: &[],
        since: Revision::V2024_11_05,
    },
    Prompt {
        name: "test_prompt_with_arguments",
        description: "A prompt with two arguments",
        arguments: &[
            ("arg1", "First test argument"),
            ("arg2", "Second test argument"),
        ],
        since: Revision::V2024_11_05,
    },
    Prompt {
        name: "test_prompt_with_embedded_resource",
        description: "A prompt that embeds a resource",
        arguments: &[("resourceUri", "URI of the resource to embed")],
        since: Revision::V2024_11_05,
    },
    Prompt {
        name: "test_prompt_with_image",
        description: "A prompt that shows an image",
        arguments: &[],
        since: Revision::V2024_11_05,
    },
    Prompt {
        name: "test_input_required_result_prompt",
        description: "A prompt that needs the user's answer first",
        arguments: &[],
        since: Revision::V2026_07_28,
    },
];

/// `prompts/list`.
pub(crate) fn list(call: &Call) -> Result<Value, Refusal> {
    let entry = |name: &str, description: &str, arguments: &[(&str, &str)]| {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|(name, description)| json!({"name": name, "description": description, "required": true}))
            .collect();
        let mut entry = json!({"name": name, "description": description, "arguments": arguments});
        if call.revision >= Revision::V2025_06_18 {
            entry["title"] = json!(description);
        }
        entry
    };
    let offered = PROMPTS
        .iter()
        .filter(|prompt| call.revision >= prompt.since);
    let mut items: Vec<_> = offered
        .map(|it| entry(it.name, it.description, it.arguments))
        .collect();
    items.extend((1..=NUMBERED_COUNT).map(|number| {
        entry(
            &format!("{NUMBERED}{number}"),
            &format!("Prompt number {number}"),
            &[],
        )
    }));
    if call.core.changes().extra_prompt {
        items.push(entry(EXTRA, "Comes and goes", &[]));
    }
    page(&call.params, "prompts", items, PAGE_SIZE)
}

/// `prompts/get`.
pub(crate) async fn get(call: &Call) -> Result<Value, Stop> {
    let name = call.text("name")?;
    let arguments = call.arguments()?;
    let numbered =
        (1..=NUMBERED_COUNT).any(|number| name.strip_prefix(NUMBERED) == Some(&number.to_string()));
    let extra = name == EXTRA && call.core.changes().extra_prompt;
    if numbered || extra {
        return Ok(result(name, vec![text(format!("This is {name}."))]));
    }
    let prompt = PROMPTS
        .iter()
        .find(|prompt| prompt.name == name && call.revision >= prompt.since);
    let prompt =
        prompt.ok_or_else(|| Refusal::invalid_params(format!("Unknown prompt: {name}")))?;
    for (argument, _) in prompt.arguments {
        if !arguments.get(*argument).is_some_and(Value::is_string) {
            let message = format!("Missing required argument: {argument}");
            return Err(Refusal::invalid_params(message).into());
        }
    }
    let messages = match name {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.".to_owned())],
        "test_prompt_with_arguments" => {
            let (first, second) = (argument(&arguments, "arg1"), argument(&arguments, "arg2"));
            vec![text(format!(
                "Prompt with arguments: arg1='{first}', arg2='{second}'"
            ))]
        }
        "test_prompt_with_embedded_resource" => {
            let uri = argument(&arguments, "resourceUri");
            let embedded = "Embedded resource content for testing.";
            let resource = json!({"uri": uri, "mimeType": "text/plain", "text": embedded});
            let shown = message(json!({"type": "resource", "resource": resource}));
            vec![
                shown,
                text("Please process the embedded resource above.".to_owned()),
            ]
        }
        "test_prompt_with_image" => {
            let shown = message(json!({"type": "image", "data": PNG, "mimeType": "image/png"}));
            vec![shown, text("Please analyze the image above.".to_owned())]
        }
        _ => vec![text(format!("Use this context: {}", context(call).await?))],
    };
    Ok(result(prompt.description, messages))
}

/// What the user says when asked for context.
async fn context(call: &Call) -> Result<String, Stop> {
    let schema = json!({
        "type": "object",
        "properties": {"context": {"type": "string"}},
        "required": ["context"],
    });
    let question = Question::form(
        call,
        "user_context",
        "What context should the prompt use?",
        schema,
    );
    let answers = ask(call, &[question], None).await?;
    let given = answers
        .first()
        .and_then(|answer| answer.pointer("/content/context"));
    Ok(given
        .and_then(Value::as_str)
        .unwrap_or("none was given")
        .to_owned())
}

fn result(description: &str, messages: Vec<Value>) -> Value {
    json!({"description": description, "messages": messages})
}

fn argument<'a>(arguments: &'a Map<String, Value>, name: &str) -> &'a str {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn message(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn text(text: String) -> Value {
    message(json!({"type": "text", "text": text}))
}
