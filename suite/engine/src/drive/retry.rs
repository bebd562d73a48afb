//! Making a request again whose result asked for input first (multi-round-trip requests, modern era).

use mcp_verdict_transport::Outgoing;
use mcp_verdict_vectors::{Client, model::RetryStep};
use mcp_verdict_wire::Revision;
use serde_json::{Map, Value};

use super::{Drive, send::Trouble};
use crate::session::{complete_request, input_responses};

impl Drive<'_> {
    pub(super) async fn retry(&mut self, step: &RetryStep) -> Result<(), Trouble> {
        let substituted = RetryStep {
            extra: self.members(&step.extra)?,
            answer: step
                .answer
                .as_ref()
                .map(|answer| self.substitute(answer))
                .transpose()?,
            params: self.members(&step.params)?,
            ..step.clone()
        };
        self.read();
        let first = self.reading.request_named(&step.of);
        let method = first.and_then(|first| first.method()).map(str::to_owned);
        let asked = first.and_then(|first| {
            let result = self.reading.response_to(first)?.result()?;
            let is_asking = result.get("resultType")?.as_str() == Some("input_required");
            is_asking.then_some((first.params()?.as_object()?, result))
        });
        let (Some(method), Some((params, result))) = (method, asked) else {
            return Err(format!(
                "`{}` was not answered with `input_required`",
                step.of
            ));
        };
        let params = again(
            params,
            result,
            &substituted,
            &self.client,
            self.head.revision,
        );
        let id = self.next_id();
        self.session.issued.push(id.clone());
        let (message, mut headers) = complete_request(
            self.head.revision,
            &self.session.client_capabilities,
            &method,
            Some(Value::Object(params)),
            id,
        );
        headers.extend(self.tool_headers(&message));
        self.send(Outgoing {
            bytes: message.to_string().into_bytes(),
            label: Some(step.label.clone()),
            meant: step.malformed,
            headers,
            ..Outgoing::default()
        })
        .await
    }

    fn members(&self, members: &Map<String, Value>) -> Result<Map<String, Value>, Trouble> {
        match self.substitute(&Value::Object(members.clone()))? {
            Value::Object(members) => Ok(members),
            _ => Ok(Map::new()),
        }
    }
}

/// The params of a retry of a request with these params, after this result.
fn again(
    params: &Map<String, Value>,
    result: &Value,
    step: &RetryStep,
    client: &Client,
    revision: Revision,
) -> Map<String, Value> {
    let mut params = params.clone();
    params.remove("inputResponses");
    params.remove("requestState");
    let asked = result.get("inputRequests").and_then(Value::as_object);
    let mut answers = asked.map_or_else(Map::new, |asked| match &step.answer {
        Some(answer) => asked
            .keys()
            .map(|key| (key.clone(), answer.clone()))
            .collect(),
        None => input_responses(asked, client, revision),
    });
    answers.extend(step.extra.clone());
    if asked.is_some() || !answers.is_empty() {
        params.insert("inputResponses".to_owned(), Value::Object(answers));
    }
    if let Some(state) = result.get("requestState") {
        params.insert("requestState".to_owned(), state.clone());
    }
    for (name, value) in &step.params {
        if value.is_null() {
            params.remove(name);
        } else {
            params.insert(name.clone(), value.clone());
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(step: Value, result: &Value) -> Value {
        let step: RetryStep = serde_json::from_value(step).expect("a step");
        let first = json!({"name": "t", "requestState": "old", "inputResponses": {"old": {}}});
        let first = first.as_object().expect("an object");
        let client = Client::default();
        Value::Object(again(first, result, &step, &client, Revision::V2026_07_28))
    }

    #[test]
    fn what_was_asked_is_answered_and_the_state_comes_back() {
        let asked = json!({"who": {"method": "roots/list"}, "what": {"method": "no/such"}});
        let result = json!({"inputRequests": asked, "requestState": "s"});
        let roots = json!({"roots": [{"uri": "file:///workspace", "name": "workspace"}]});
        assert_eq!(
            params(json!({"of": "a", "as": "b"}), &result),
            json!({"name": "t", "inputResponses": {"who": roots}, "requestState": "s"})
        );
    }

    #[test]
    fn a_state_alone_comes_back_alone() {
        assert_eq!(
            params(json!({"of": "a", "as": "b"}), &json!({"requestState": ""})),
            json!({"name": "t", "requestState": ""})
        );
    }

    #[test]
    fn a_step_can_say_other_things() {
        let result =
            json!({"inputRequests": {"who": {"method": "roots/list"}}, "requestState": "s"});
        let step = json!({"of": "a", "as": "b", "answer": "x", "extra": {"more": 1},
            "params": {"requestState": null, "name": "u"}});
        assert_eq!(
            params(step, &result),
            json!({"name": "u", "inputResponses": {"who": "x", "more": 1}})
        );
    }
}
