//! The modern era, over lines.

use serde_json::{Value, json};

use crate::support::{Stdio, arguments, client_answer, modern, modern_with};

const SUBSCRIPTION: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

#[tokio::test]
async fn discover_says_what_is_there() {
    let mut stdio = Stdio::conformant();
    let result = stdio.request("server/discover", modern(json!({}))).await["result"].take();
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["resultType"], "complete");
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string());
    assert!(result["capabilities"]["tools"].is_object());
    let info = result.pointer("/_meta/io.modelcontextprotocol~1serverInfo/name");
    assert_eq!(info, Some(&json!("mcp-verdict-mock")));
}

#[tokio::test]
async fn requests_without_their_metadata_are_refused() {
    let mut stdio = Stdio::conformant();
    let meta = |name: &str| format!("io.modelcontextprotocol/{name}");
    for params in [
        json!({}),
        json!({"_meta": {}}),
        json!({"_meta": {meta("protocolVersion"): "2026-07-28"}}),
        json!({"_meta": {meta("clientCapabilities"): {}}}),
        json!({"_meta": {meta("protocolVersion"): 1, meta("clientCapabilities"): {}}}),
    ] {
        let answer = stdio.request("server/discover", params.clone()).await;
        assert_eq!(answer["error"]["code"], -32602, "{params}");
    }
}

#[tokio::test]
async fn other_versions_are_refused_with_those_that_are_spoken() {
    let mut stdio = Stdio::conformant();
    for version in ["1900-01-01", "2025-11-25"] {
        let mut params = modern(json!({}));
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(version);
        let error = stdio.request("tools/list", params).await["error"].take();
        assert_eq!(error["code"], -32022);
        assert_eq!(
            error["data"],
            json!({"supported": ["2026-07-28"], "requested": version})
        );
    }
}

#[tokio::test]
async fn methods_of_the_legacy_era_are_gone() {
    let mut stdio = Stdio::conformant();
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "x",
    ] {
        let answer = stdio.request(method, modern(json!({}))).await;
        assert_eq!(answer["error"]["code"], -32601, "{method}");
    }
}

#[tokio::test]
async fn every_listed_tool_can_be_called_with_as_many_rounds_as_it_wants() {
    let mut stdio = Stdio::conformant();
    let mut tools = Vec::new();
    let mut params = json!({});
    loop {
        let result = stdio.request("tools/list", modern(params)).await["result"].take();
        tools.extend(result["tools"].as_array().unwrap().clone());
        match result.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => break,
        }
    }
    for tool in tools.iter().filter(|tool| tool["name"] != "slow") {
        let arguments = arguments(tool);
        let result = until_complete(
            &mut stdio,
            json!({"name": tool["name"], "arguments": arguments}),
        )
        .await;
        assert!(
            !result["content"].as_array().unwrap().is_empty(),
            "{tool}: {result}"
        );
        assert_eq!(
            result["isError"] == json!(true),
            tool["name"] == "test_error_handling",
            "{result}"
        );
    }
}

/// Calls a tool and answers its questions until it is done.
async fn until_complete(stdio: &mut Stdio, call: Value) -> Value {
    let mut params = call.clone();
    for _ in 0..4 {
        let messages = stdio.call(modern(params)).await;
        let result = messages.last().unwrap()["result"].clone();
        match result["resultType"].as_str() {
            Some("complete") => return result,
            Some("input_required") => {}
            other => panic!("{call}: {other:?}, {messages:?}"),
        }
        params = retry(&call, &result);
    }
    panic!("{call} never completes");
}

/// The same call, with the answers to what a result asks.
fn retry(call: &Value, result: &Value) -> Value {
    let mut params = call.clone();
    let requests = result["inputRequests"].as_object().unwrap().iter();
    let answers = requests.map(|(key, request)| {
        let method = request["method"].as_str().unwrap();
        (key.clone(), client_answer(method, &request["params"]))
    });
    params["inputResponses"] = answers.collect();
    if let Some(state) = result.get("requestState") {
        params["requestState"] = state.clone();
    }
    params
}

#[tokio::test]
async fn a_missing_capability_is_named() {
    let mut stdio = Stdio::conformant();
    let call = json!({"name": "test_missing_capability"});
    let error = stdio
        .request("tools/call", modern_with(call, json!({})))
        .await["error"]
        .take();
    assert_eq!(error["code"], -32021);
    assert_eq!(
        error["data"]["requiredCapabilities"],
        json!({"sampling": {}})
    );
}

#[tokio::test]
async fn state_is_taken_back_only_as_it_was_given_and_where_it_belongs() {
    let mut stdio = Stdio::conformant();
    let call = json!({"name": "test_input_required_result_request_state"});
    let first = stdio.request("tools/call", modern(call.clone())).await["result"].take();
    let good = retry(&call, &first);
    let mut changed = good.clone();
    changed["requestState"] = json!(format!("{}x", good["requestState"].as_str().unwrap()));
    let mut elsewhere = good.clone();
    elsewhere["name"] = json!("test_input_required_result_tampered_state");
    let mut missing = good.clone();
    missing.as_object_mut().unwrap().remove("requestState");
    for bad in [changed, elsewhere] {
        assert_eq!(
            stdio.request("tools/call", modern(bad)).await["error"]["code"],
            -32602
        );
    }
    let asked = stdio.request("tools/call", modern(missing)).await;
    assert_eq!(asked["result"]["resultType"], "input_required");
    let done = stdio.request("tools/call", modern(good)).await;
    assert_eq!(done["result"]["content"][0]["text"], "state-ok");
}

#[tokio::test]
async fn answers_that_make_no_sense_are_refused() {
    let mut stdio = Stdio::conformant();
    for answers in [
        json!([]),
        json!({"user_name": 1}),
        json!({"user_name": {"action": "perhaps"}}),
        json!({"user_name": {"action": "accept", "content": {"name": 1}}}),
    ] {
        let call =
            json!({"name": "test_input_required_result_elicitation", "inputResponses": answers});
        let answer = stdio.request("tools/call", modern(call)).await;
        assert_eq!(answer["error"]["code"], -32602, "{answers}");
    }
}

#[tokio::test]
async fn a_subscription_is_acknowledged_first_and_brings_what_was_asked_for() {
    let mut stdio = Stdio::conformant();
    let filter = json!({
        "toolsListChanged": true,
        "promptsListChanged": false,
        "resourceSubscriptions": ["test://watched-resource", "test://nothing"],
    });
    let id = stdio
        .ask(
            "subscriptions/listen",
            modern(json!({"notifications": filter})),
        )
        .await;
    let acknowledged = stdio.receive().await;
    assert_eq!(
        acknowledged["method"],
        "notifications/subscriptions/acknowledged"
    );
    assert_eq!(acknowledged.pointer(SUBSCRIPTION), Some(&json!(id)));
    let honoured =
        json!({"toolsListChanged": true, "resourceSubscriptions": ["test://watched-resource"]});
    assert_eq!(acknowledged["params"]["notifications"], honoured);
    for (trigger, method) in [
        (
            "test_trigger_tool_change",
            Some("notifications/tools/list_changed"),
        ),
        ("test_trigger_prompt_change", None),
        ("test_trigger_resource_change", None),
        (
            "test_trigger_resource_update",
            Some("notifications/resources/updated"),
        ),
    ] {
        let messages = stdio.call(modern(json!({"name": trigger}))).await;
        assert_eq!(
            messages.len(),
            1 + usize::from(method.is_some()),
            "{messages:?}"
        );
        if let Some(method) = method {
            assert_eq!(messages[0]["method"], method);
            assert_eq!(messages[0].pointer(SUBSCRIPTION), Some(&json!(id)));
        }
    }
    let params = json!({"requestId": id});
    stdio
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}))
        .await;
    let messages = stdio
        .call(modern(json!({"name": "test_trigger_tool_change"})))
        .await;
    assert_eq!(
        messages.len(),
        1,
        "a cancelled subscription brings nothing: {messages:?}"
    );
}

#[tokio::test]
async fn a_subscription_that_the_server_ends_is_answered() {
    let mut stdio = Stdio::conformant();
    let id = stdio
        .ask("subscriptions/listen", modern(json!({"notifications": {}})))
        .await;
    stdio.receive().await;
    let end = stdio
        .ask(
            "tools/call",
            modern(json!({"name": "test_end_subscriptions"})),
        )
        .await;
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(stdio.receive().await);
    }
    let of = |wanted: u64| {
        messages
            .iter()
            .find(|it| it["id"] == json!(wanted))
            .unwrap()
    };
    assert_eq!(of(end)["result"]["resultType"], "complete");
    let subscription = of(id).pointer("/result/_meta/io.modelcontextprotocol~1subscriptionId");
    assert_eq!(subscription, Some(&json!(id)));
    let cancelled = messages
        .iter()
        .find(|it| it["method"] == "notifications/cancelled")
        .unwrap();
    assert_eq!(cancelled["params"]["requestId"], json!(id));
}

#[tokio::test]
async fn logs_come_only_to_those_who_ask_with_the_request() {
    let mut stdio = Stdio::conformant();
    let call = |level: Option<&str>| {
        let mut params = modern(json!({"name": "test_logging_tool"}));
        if let Some(level) = level {
            params["_meta"]["io.modelcontextprotocol/logLevel"] = json!(level);
        }
        params
    };
    assert_eq!(stdio.call(call(None)).await.len(), 1);
    assert_eq!(stdio.call(call(Some("info"))).await.len(), 4);
    assert_eq!(stdio.call(call(Some("error"))).await.len(), 1);
    assert_eq!(
        stdio.request("tools/list", call(Some("loud"))).await["error"]["code"],
        -32602
    );
}

#[tokio::test]
async fn both_eras_live_in_one_process() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    let result = stdio.request("tools/list", modern(json!({}))).await["result"].take();
    assert_eq!(result["resultType"], "complete");
    let result = stdio.request("tools/list", json!({})).await["result"].take();
    assert!(result.get("resultType").is_none());
}

#[tokio::test]
async fn what_is_no_json_is_answered_without_an_id() {
    let mut stdio = Stdio::conformant();
    stdio.line("{").await;
    let answer = stdio.receive().await;
    assert_eq!(answer["error"]["code"], -32700);
    assert!(answer.get("id").is_none());
}
