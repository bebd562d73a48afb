//! `completion/complete`.

use serde_json::{Value, json};

use super::{call::Call, prompts::PROMPTS, resources::TEMPLATE, rpc::Refusal};

/// The most values that one answer may hold.
const VALUES_MAX: usize = 100;
/// Ids that the template is completed with: more than one answer holds.
const ID_COUNT: usize = 150;
const WORDS: [&str; 6] = ["paris", "park", "party", "pastry", "hello", "world"];

/// `completion/complete`.
pub(crate) fn complete(call: &Call) -> Result<Value, Refusal> {
    let wanted = |outer: &str, inner: &str| {
        let text = call
            .params
            .get(outer)
            .and_then(|value| value.get(inner))
            .and_then(Value::as_str);
        text.ok_or_else(|| Refusal::invalid_params(format!("`{outer}.{inner}` must be a string")))
    };
    let (argument, prefix) = (wanted("argument", "name")?, wanted("argument", "value")?);
    let candidates: Vec<String> = match wanted("ref", "type")? {
        "ref/prompt" => {
            let name = wanted("ref", "name")?;
            let prompt = PROMPTS.iter().find(|prompt| prompt.name == name);
            let prompt =
                prompt.ok_or_else(|| Refusal::invalid_params(format!("Unknown prompt: {name}")))?;
            known_argument(
                prompt.arguments.iter().any(|(known, _)| *known == argument),
                argument,
            )?;
            WORDS.iter().map(ToString::to_string).collect()
        }
        "ref/resource" => {
            let uri = wanted("ref", "uri")?;
            if uri != TEMPLATE {
                return Err(Refusal::invalid_params(format!(
                    "Unknown resource template: {uri}"
                )));
            }
            known_argument(argument == "id", argument)?;
            (1..=ID_COUNT).map(|id| id.to_string()).collect()
        }
        other => {
            return Err(Refusal::invalid_params(format!(
                "Unknown reference: {other}"
            )));
        }
    };
    let matching: Vec<_> = candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(prefix))
        .collect();
    let values = &matching[..matching.len().min(VALUES_MAX)];
    let has_more = values.len() < matching.len();
    Ok(json!({"completion": {"values": values, "total": matching.len(), "hasMore": has_more}}))
}

fn known_argument(known: bool, argument: &str) -> Result<(), Refusal> {
    let unknown = || Refusal::invalid_params(format!("Unknown argument: {argument}"));
    known.then_some(()).ok_or_else(unknown)
}
