//! Tools that need the client: sampling, elicitation, roots.

use serde_json::{Map, Value, json};

use super::{
    super::{
        asking::{Question, ask, sampled_text},
        call::{Call, Stop},
        request_state,
        rpc::Refusal,
    },
    content::text,
};

/// Runs the tool.
pub(super) async fn run(
    call: &Call,
    name: &str,
    arguments: &Map<String, Value>,
) -> Result<Value, Stop> {
    let argument = |name: &str| {
        arguments
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match name {
        "test_sampling" => {
            let answer = ask_one(call, Question::sample("sample", argument("prompt"), 100)).await?;
            Ok(text(format!("LLM response: {}", sampled_text(&answer))))
        }
        "test_missing_capability" => {
            let answer = ask_one(call, Question::sample("sample", "Say something.", 100)).await?;
            Ok(text(sampled_text(&answer)))
        }
        "test_elicitation" => {
            let answer = ask_one(
                call,
                Question::form(call, "user", argument("message"), contact()),
            )
            .await?;
            Ok(text(format!("User response: {}", outcome(&answer))))
        }
        "test_elicitation_sep1034_defaults" => {
            elicited(call, "Please review these values", with_defaults()).await
        }
        "test_elicitation_sep1330_enums" => elicited(call, "Please choose", choices()).await,
        "test_streaming_elicitation" => {
            call.progress(50, 100, "Asking").await;
            elicited(call, "Please confirm", confirmation()).await
        }
        "test_list_roots" | "test_input_required_result_list_roots" => {
            let answer = ask_one(call, Question::roots("client_roots")).await?;
            Ok(text(format!("Roots: {}", answer["roots"])))
        }
        _ => required(call, name).await,
    }
}

/// The fixtures of multi-round-trip requests.
async fn required(call: &Call, name: &str) -> Result<Value, Stop> {
    match name {
        "test_input_required_result_elicitation" => {
            let answer = ask_one(call, who(call, "user_name", "What is your name?")).await?;
            Ok(text(format!("Hello, {}!", given(&answer, "name"))))
        }
        "test_input_required_result_sampling" => {
            let question =
                Question::sample("capital_question", "What is the capital of France?", 100);
            Ok(text(sampled_text(&ask_one(call, question).await?)))
        }
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => {
            let question = Question::form(call, "confirm", "Please confirm", confirmation());
            ask(call, &[question], Some(&json!("confirming"))).await?;
            Ok(text("state-ok"))
        }
        "test_input_required_result_multiple_inputs" => {
            let questions = [
                who(call, "user_name", "What is your name?"),
                Question::sample("greeting", "Generate a greeting", 50),
                Question::roots("client_roots"),
            ];
            let answers = ask(call, &questions, Some(&json!("gathering"))).await?;
            Ok(text(format!("Got {} answers.", answers.len())))
        }
        "test_input_required_result_multi_round" => two_rounds(call).await,
        "test_input_required_result_capabilities" => {
            let all = [
                who(call, "user_name", "What is your name?"),
                Question::sample("greeting", "Generate a greeting", 50),
                Question::roots("client_roots"),
            ];
            let possible: Vec<_> = all
                .into_iter()
                .filter(|question| question.is_supported(call))
                .collect();
            let answers = ask(call, &possible, None).await?;
            Ok(text(format!("Got {} answers.", answers.len())))
        }
        _ => Err(Refusal::invalid_params(format!("Unknown tool: {name}")).into()),
    }
}

/// The second question is asked only when the first one's answer is in the state.
async fn two_rounds(call: &Call) -> Result<Value, Stop> {
    let state = request_state::open(call)?;
    let name = state
        .as_ref()
        .and_then(|state| state.get("name"))
        .and_then(Value::as_str);
    let Some(name) = name else {
        let question = who(call, "step1", "Step 1: What is your name?");
        let answers = ask(call, &[question], Some(&json!({"round": 1}))).await?;
        let name = answers
            .first()
            .map_or("nobody", |answer| given(answer, "name"));
        return Err(Stop::Ask(json!({
            "resultType": "input_required",
            "inputRequests": {"step2": color(call)},
            "requestState": request_state::seal(call, &json!({"round": 2, "name": name})),
        })));
    };
    let question = Question::form(call, "step2", COLOR, one_field("color", "string"));
    let answers = ask(call, &[question], state.as_ref()).await?;
    let color = answers
        .first()
        .map_or("no", |answer| given(answer, "color"));
    Ok(text(format!("{name} likes {color}.")))
}

const COLOR: &str = "Step 2: What is your favorite color?";

fn color(call: &Call) -> Value {
    Question::form(call, "step2", COLOR, one_field("color", "string")).request()
}

async fn ask_one(call: &Call, question: Question) -> Result<Value, Stop> {
    let mut answers = ask(call, &[question], None).await?;
    Ok(answers.pop().unwrap_or_default())
}

async fn elicited(call: &Call, message: &str, schema: Value) -> Result<Value, Stop> {
    let answer = ask_one(call, Question::form(call, "form", message, schema)).await?;
    Ok(text(format!("Elicitation completed: {}", outcome(&answer))))
}

fn who(call: &Call, key: &'static str, message: &str) -> Question {
    Question::form(call, key, message, one_field("name", "string"))
}

fn outcome(answer: &Value) -> String {
    let action = answer
        .get("action")
        .and_then(Value::as_str)
        .unwrap_or("none");
    format!(
        "action={action}, content={}",
        answer.get("content").unwrap_or(&Value::Null)
    )
}

fn given<'a>(answer: &'a Value, name: &str) -> &'a str {
    let value = answer.get("content").and_then(|content| content.get(name));
    value.and_then(Value::as_str).unwrap_or("nothing")
}

fn one_field(name: &str, kind: &str) -> Value {
    json!({"type": "object", "properties": {name: {"type": kind}}, "required": [name]})
}

fn confirmation() -> Value {
    one_field("ok", "boolean")
}

fn contact() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    })
}

fn with_defaults() -> Value {
    let statuses = ["active", "inactive", "pending"];
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": statuses, "default": "active"},
            "verified": {"type": "boolean", "default": true},
        },
        "required": [],
    })
}

fn choices() -> Value {
    let options = ["option1", "option2", "option3"];
    let titled = |what: &str| {
        json!([
            {"const": "value1", "title": format!("First {what}")},
            {"const": "value2", "title": format!("Second {what}")},
            {"const": "value3", "title": format!("Third {what}")},
        ])
    };
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {"type": "string", "oneOf": titled("Option")},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
        },
        "required": [],
    })
}
