//! What the server needs of the client while it handles a request: sampling, elicitation, roots.
//!
//! One question, two ways to put it. A legacy server sends a request of its own and waits; a modern
//! server ends the request with `input_required`, and the client comes again with the answers.

use std::{sync::Arc, time::Duration};

use mcp_verdict_wire::Revision;
use serde_json::{Map, Value, json};

use super::{
    Departure, Session, arguments,
    call::{Call, Stop},
    request_state,
    rpc::{MISSING_CLIENT_CAPABILITY, Refusal},
};

/// Something to ask the client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    key: &'static str,
    kind: Kind,
    params: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Elicitation,
    Roots,
    Sampling,
}

/// How long a legacy client may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

impl Question {
    /// Asks the user to fill in a form.
    pub(crate) fn form(call: &Call, key: &'static str, message: &str, schema: Value) -> Self {
        let mut params = json!({"message": message, "requestedSchema": schema});
        if call.revision >= Revision::V2025_11_25 {
            params["mode"] = json!("form");
        }
        Self {
            key,
            kind: Kind::Elicitation,
            params,
        }
    }

    /// Asks the client's model.
    pub(crate) fn sample(key: &'static str, prompt: &str, tokens_max: u32) -> Self {
        let content = json!({"type": "text", "text": prompt});
        let params = json!({
            "messages": [{"role": "user", "content": content}],
            "maxTokens": tokens_max,
        });
        Self {
            key,
            kind: Kind::Sampling,
            params,
        }
    }

    /// Asks for the client's roots.
    pub(crate) fn roots(key: &'static str) -> Self {
        Self {
            key,
            kind: Kind::Roots,
            params: json!({}),
        }
    }

    /// Whether the client says that it can answer.
    pub(crate) fn is_supported(&self, call: &Call) -> bool {
        self.kind.is_supported(&call.capabilities)
    }

    /// The request as it is put, without id.
    pub(crate) fn request(&self) -> Value {
        json!({"method": self.kind.method(), "params": self.params})
    }

    /// Checks an answer.
    fn check(&self, answer: &Value) -> Result<(), String> {
        let text = |member: &str| answer.get(member).and_then(Value::as_str);
        match self.kind {
            Kind::Elicitation => match text("action") {
                Some("decline" | "cancel") => Ok(()),
                Some("accept") => {
                    let content = answer.get("content").ok_or("`content` is missing")?;
                    arguments::check(&self.params["requestedSchema"], content)
                }
                _ => Err("`action` must be accept, decline or cancel".to_owned()),
            },
            Kind::Roots => {
                let roots = answer
                    .get("roots")
                    .and_then(Value::as_array)
                    .ok_or("`roots` must be an array")?;
                let sound = roots
                    .iter()
                    .all(|root| root.get("uri").is_some_and(Value::is_string));
                sound
                    .then_some(())
                    .ok_or_else(|| "a root wants a `uri`".to_owned())
            }
            Kind::Sampling => {
                let content = answer
                    .get("content")
                    .is_some_and(|content| content.is_object() || content.is_array());
                let sound = content && text("role").is_some() && text("model").is_some();
                sound
                    .then_some(())
                    .ok_or_else(|| "a message wants `role`, `content` and `model`".to_owned())
            }
        }
    }
}

impl Kind {
    fn capability(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::Roots => "roots",
            Self::Sampling => "sampling",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation/create",
            Self::Roots => "roots/list",
            Self::Sampling => "sampling/createMessage",
        }
    }

    fn is_supported(self, capabilities: &Value) -> bool {
        let Some(Value::Object(declared)) = capabilities.get(self.capability()) else {
            return false;
        };
        // An empty `elicitation` means forms; one that only names `url` means no forms.
        self != Self::Elicitation || declared.contains_key("form") || !declared.contains_key("url")
    }
}

/// Asks, and brings the answers in the order of the questions.
///
/// `state` travels with the questions of a modern server and must come back with the answers.
pub(crate) async fn ask(
    call: &Call,
    questions: &[Question],
    state: Option<&Value>,
) -> Result<Vec<Value>, Stop> {
    if call.is_modern() {
        return ask_modern(call, questions, state);
    }
    let mut answers = Vec::new();
    for question in questions {
        if !question.is_supported(call) {
            let message = format!("The client does not support {}", question.kind.capability());
            return Err(Stop::Tool(message));
        }
        answers.push(ask_legacy(call, question).await?);
    }
    Ok(answers)
}

fn ask_modern(
    call: &Call,
    questions: &[Question],
    state: Option<&Value>,
) -> Result<Vec<Value>, Stop> {
    require(call, questions)?;
    let brought = call.params.get("inputResponses").and_then(Value::as_object);
    let answer = |question: &Question| {
        brought
            .and_then(|brought| brought.get(question.key))
            .cloned()
    };
    let answers: Option<Vec<Value>> = questions.iter().map(answer).collect();
    let same_state = state.is_none() || request_state::open(call)?.as_ref() == state;
    let Some(answers) = answers.filter(|_| same_state) else {
        let requests: Map<_, _> = questions
            .iter()
            .map(|question| (question.key.to_owned(), question.request()))
            .collect();
        let mut result = json!({"resultType": "input_required", "inputRequests": requests});
        if let Some(state) = state {
            result["requestState"] = json!(request_state::seal(call, state));
        }
        return Err(Stop::Ask(result));
    };
    for (question, answer) in questions.iter().zip(&answers) {
        question.check(answer).map_err(|why| {
            Refusal::invalid_params(format!("Invalid answer to `{}`: {why}", question.key))
        })?;
    }
    Ok(answers)
}

/// Refuses a modern request whose client cannot answer these questions.
fn require(call: &Call, questions: &[Question]) -> Result<(), Refusal> {
    let missing: Map<_, _> = questions
        .iter()
        .filter(|question| !question.is_supported(call))
        .map(|question| (question.kind.capability().to_owned(), json!({})))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        MISSING_CLIENT_CAPABILITY,
        "Missing required client capability",
    )
    .with_data(json!({"requiredCapabilities": missing}))
    .with_status(400))
}

/// Refuses answers and state that are malformed or not ours, whether or not they are needed.
pub(crate) fn check_answers(call: &Call) -> Result<(), Refusal> {
    if !matches!(
        call.method.as_str(),
        "tools/call" | "prompts/get" | "resources/read"
    ) {
        return Ok(());
    }
    if call
        .params
        .get("inputResponses")
        .is_some_and(|answers| !answers.is_object())
    {
        return Err(Refusal::invalid_params(
            "`inputResponses` must be an object",
        ));
    }
    request_state::open(call).map(|_| ())
}

async fn ask_legacy(call: &Call, question: &Question) -> Result<Value, Stop> {
    let id = format!("mock-{}", call.core.next_number());
    let answer = call.session.expect(&id);
    let waiting = Waiting {
        session: call.session.clone(),
        id: id.clone(),
    };
    let mut request = question.request();
    request["jsonrpc"] = json!("2.0");
    request["id"] = json!(id);
    call.outlet.send(Departure::message(request)).await;
    let outcome = tokio::time::timeout(ANSWER_TIMEOUT, answer).await;
    drop(waiting);
    let answer = match outcome {
        Ok(Ok(Ok(answer))) => answer,
        Ok(Ok(Err(error))) => return Err(Stop::Tool(format!("The client refused: {error}"))),
        Ok(Err(_)) => return Err(Stop::Tool("The conversation is over".to_owned())),
        Err(_) => {
            call.notify(
                "notifications/cancelled",
                json!({"requestId": id, "reason": "timeout"}),
            )
            .await;
            return Err(Stop::Tool("The client did not answer in time".to_owned()));
        }
    };
    question
        .check(&answer)
        .map_err(|why| Stop::Tool(format!("The client's answer is invalid: {why}")))?;
    Ok(answer)
}

/// Stops waiting for an answer, also when the request that needed it is cancelled.
struct Waiting {
    session: Arc<Session>,
    id: String,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.session.forget(&self.id);
    }
}

/// The text of a sampled message.
pub(crate) fn sampled_text(message: &Value) -> String {
    let block = message
        .get("content")
        .map(|content| content.get(0).unwrap_or(content));
    let text = block
        .and_then(|block| block.get("text"))
        .and_then(Value::as_str);
    text.unwrap_or("(no text)").to_owned()
}
