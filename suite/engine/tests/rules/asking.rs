//! What servers ask of their clients.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MIDDLE, MODERN, Talk, breaks, holds, idles, spares, warns};

/// Asked by a request, and in a result.
fn both_ways(method: &str, params: Value) -> [Talk; 2] {
    let request = json!({"jsonrpc": "2.0", "id": "s", "method": method, "params": params});
    let legacy = Talk::stdio(LEGACY).gets(&request);
    let inputs = json!({"a": {"method": method, "params": params}});
    let modern = Talk::stdio(MODERN).asks(1, "tools/call", json!({"name": "x"}));
    let result = json!({"resultType": "input_required", "inputRequests": inputs});
    [legacy, modern.answers(1, result)]
}

fn form(properties: Value) -> Value {
    let schema = json!({"type": "object", "properties": properties});
    json!({"message": "Well?", "requestedSchema": schema})
}

fn sampling(messages: Value) -> Value {
    json!({"maxTokens": 10, "messages": messages})
}

#[test]
fn a_url_that_is_none() {
    let rule = "asking/urls";
    let of = |url: &str| {
        let params = json!({"mode": "url", "message": "m", "url": url, "elicitationId": "1"});
        both_ways("elicitation/create", params)
    };
    of("example.com/form")
        .iter()
        .for_each(|talk| breaks(rule, talk, "valid URL"));
    of("")
        .iter()
        .for_each(|talk| breaks(rule, talk, "valid URL"));
    of("https://example.com/form?a=b#c")
        .iter()
        .for_each(|talk| holds(rule, talk));
    let form = both_ways("elicitation/create", form(json!({})));
    form.iter().for_each(|talk| holds(rule, talk));
    idles(rule, &Talk::stdio(LEGACY));
}

#[test]
fn a_form_that_asks_for_a_secret() {
    let rule = "asking/secrets";
    let of = |name: &str| {
        both_ways(
            "elicitation/create",
            form(json!({name: {"type": "string"}})),
        )
    };
    for name in ["password", "API_KEY", "accessToken", "credit-card-number"] {
        of(name).iter().for_each(|talk| warns(rule, talk, name));
    }
    for name in [
        "name",
        "token_count",
        "key",
        "password_hint",
        "secret_santa",
    ] {
        of(name).iter().for_each(|talk| holds(rule, talk));
    }
}

#[test]
fn results_of_tools_within_sampling() {
    let rule = "asking/tool-results";
    let text = json!({"type": "text", "text": "x"});
    let used = |id: &str| json!({"type": "tool_use", "id": id, "name": "t", "input": {}});
    let result = |id: &str| json!({"type": "tool_result", "toolUseId": id, "content": []});
    let of = |assistant: Value, user: Value| {
        let messages = json!([
            {"role": "user", "content": text},
            {"role": "assistant", "content": assistant},
            {"role": "user", "content": user},
        ]);
        both_ways("sampling/createMessage", sampling(messages))
    };
    let two = json!([used("1"), used("2")]);
    of(two.clone(), json!([result("2"), result("1")]))
        .iter()
        .for_each(|talk| holds(rule, talk));
    of(used("1"), result("1"))
        .iter()
        .for_each(|talk| holds(rule, talk));
    of(text.clone(), text.clone())
        .iter()
        .for_each(|talk| holds(rule, talk));
    of(two, json!([result("2")]))
        .iter()
        .for_each(|talk| breaks(rule, talk, "none for \"1\""));
    of(used("1"), json!([result("1"), text]))
        .iter()
        .for_each(|talk| breaks(rule, talk, "nothing but tool results"));
    let last = sampling(json!([{"role": "assistant", "content": used("1")}]));
    both_ways("sampling/createMessage", last)
        .iter()
        .for_each(|talk| breaks(rule, talk, "none for"));
}

#[test]
fn context_of_other_servers() {
    let rule = "asking/context";
    let of = |context: &str| {
        let mut params = sampling(json!([]));
        params["includeContext"] = json!(context);
        both_ways("sampling/createMessage", params)
    };
    of("allServers")
        .iter()
        .for_each(|talk| breaks(rule, talk, "sampling.context"));
    of("none").iter().for_each(|talk| holds(rule, talk));
    // Before, it took no capability.
    let params = json!({"maxTokens": 1, "messages": [], "includeContext": "thisServer"});
    let method = "sampling/createMessage";
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    spares(rule, &Talk::stdio(MIDDLE).gets(&request));
}
