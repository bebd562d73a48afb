//! The legacy era, over lines.

use serde_json::{Value, json};

use crate::support::{LEGACY, Stdio, arguments};

#[tokio::test]
async fn every_legacy_revision_is_agreed_to() {
    for revision in LEGACY {
        let answer = Stdio::conformant().initialize(revision).await;
        assert_eq!(answer["result"]["protocolVersion"], revision);
        let completions = answer["result"]["capabilities"]
            .get("completions")
            .is_some();
        assert_eq!(completions, revision >= "2025-03-26");
    }
}

#[tokio::test]
async fn an_unknown_version_is_countered_with_the_latest() {
    for unknown in ["1999-01-01", "2026-07-28", "", "2025-11-25 "] {
        let answer = Stdio::conformant().initialize(unknown).await;
        assert_eq!(
            answer["result"]["protocolVersion"], "2025-11-25",
            "{unknown:?}"
        );
    }
}

#[tokio::test]
async fn only_ping_is_served_before_initialize() {
    let mut stdio = Stdio::conformant();
    assert_eq!(stdio.request("ping", json!({})).await["result"], json!({}));
    assert_eq!(
        stdio.request("tools/list", json!({})).await["error"]["code"],
        -32602
    );
    stdio.initialize("2025-11-25").await;
    assert!(stdio.request("tools/list", json!({})).await["result"]["tools"].is_array());
    let again = stdio
        .request(
            "initialize",
            crate::support::initialize_params("2025-11-25"),
        )
        .await;
    assert_eq!(again["error"]["code"], -32600);
}

#[tokio::test]
async fn every_listed_tool_of_every_revision_can_be_called() {
    for revision in LEGACY {
        let mut stdio = Stdio::legacy(revision).await;
        let tools = all_pages(&mut stdio, "tools/list", "tools").await;
        assert!(tools.len() > 12, "there is more than a page");
        for tool in &tools {
            let mut arguments = arguments(tool);
            if tool["name"] == "slow" {
                arguments = json!({"milliseconds": 1});
            }
            let messages = stdio
                .call(json!({"name": tool["name"], "arguments": arguments}))
                .await;
            let result = &messages.last().unwrap()["result"];
            assert!(
                !result["content"].as_array().unwrap().is_empty(),
                "{revision} {tool}: {messages:?}"
            );
            let failed = result["isError"] == json!(true);
            assert_eq!(
                failed,
                tool["name"] == "test_error_handling",
                "{revision} {tool}: {messages:?}"
            );
            assert_eq!(
                tool.get("outputSchema").is_some(),
                result.get("structuredContent").is_some()
            );
        }
    }
}

#[tokio::test]
async fn every_listed_resource_and_prompt_can_be_read() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    for resource in all_pages(&mut stdio, "resources/list", "resources").await {
        let answer = stdio
            .request("resources/read", json!({"uri": resource["uri"]}))
            .await;
        assert_eq!(answer["result"]["contents"][0]["uri"], resource["uri"]);
    }
    for prompt in all_pages(&mut stdio, "prompts/list", "prompts").await {
        let named = prompt["arguments"].as_array().unwrap().iter();
        let arguments: Value = named
            .map(|it| (it["name"].as_str().unwrap().to_owned(), json!("test://x")))
            .collect();
        let params = json!({"name": prompt["name"], "arguments": arguments});
        let answer = stdio.request("prompts/get", params).await;
        assert!(
            !answer["result"]["messages"].as_array().unwrap().is_empty(),
            "{prompt}: {answer}"
        );
    }
}

#[tokio::test]
async fn what_does_not_exist_is_refused() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    for (method, params, code) in [
        ("tools/call", json!({"name": "no-such-tool"}), -32602),
        (
            "tools/call",
            json!({"name": "echo", "arguments": {}}),
            -32602,
        ),
        (
            "tools/call",
            json!({"name": "echo", "arguments": []}),
            -32602,
        ),
        ("tools/call", json!({}), -32602),
        ("tools/list", json!({"cursor": "nonsense"}), -32602),
        ("resources/read", json!({"uri": "test://nothing"}), -32002),
        (
            "resources/subscribe",
            json!({"uri": "test://nothing"}),
            -32002,
        ),
        ("prompts/get", json!({"name": "nothing"}), -32602),
        (
            "prompts/get",
            json!({"name": "test_prompt_with_arguments"}),
            -32602,
        ),
        ("logging/setLevel", json!({"level": "loud"}), -32602),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "x"}}),
            -32602,
        ),
        ("server/discover", json!({}), -32601),
        ("no/such/method", json!({}), -32601),
    ] {
        let answer = stdio.request(method, params.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer}");
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_the_tools_business_since_2025_11_25() {
    let mut stdio = Stdio::legacy("2025-11-25").await;
    let answer = stdio
        .request(
            "tools/call",
            json!({"name": "echo", "arguments": {"text": 1}}),
        )
        .await;
    assert_eq!(answer["result"]["isError"], true);
}

#[tokio::test]
async fn a_bad_line_does_not_end_the_service() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    let deep = "[".repeat(100_000);
    for (line, code) in [
        ("{", -32700),
        ("\u{0}", -32700),
        (deep.as_str(), -32700),
        ("[]", -32600),
        ("1", -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
    ] {
        stdio.line(line).await;
        let answer = stdio.receive().await;
        assert_eq!(answer["error"]["code"], code, "{line:.40}");
        assert_eq!(answer.get("id"), Some(&Value::Null), "{line:.40}");
    }
    stdio.line("").await;
    assert_eq!(stdio.request("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn ids_come_back_as_they_were_written() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    for id in [
        "0",
        "-7",
        "9007199254740993",
        "18446744073709551616",
        "\"\"",
        "\"7\"",
        "\"é\"",
    ] {
        stdio
            .line(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))
            .await;
        let line = stdio.next_line().await.unwrap();
        assert!(line.contains(&format!(r#""id":{id},"#)), "{id}: {line}");
    }
}

#[tokio::test]
async fn notifications_and_stray_responses_are_never_answered() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    for message in [
        json!({"jsonrpc": "2.0", "method": "notifications/unknown"}),
        json!({"jsonrpc": "2.0", "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled"}),
        json!({"jsonrpc": "2.0", "id": "stray", "result": {}}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": ""}}),
    ] {
        stdio.send(&message).await;
    }
    assert_eq!(stdio.request("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn a_cancelled_request_is_not_answered() {
    let mut stdio = Stdio::legacy("2025-11-25").await;
    let meta = json!({"progressToken": "t"});
    let slow = stdio
        .ask(
            "tools/call",
            json!({"name": "slow", "arguments": {}, "_meta": meta}),
        )
        .await;
    assert_eq!(stdio.receive().await["params"]["progressToken"], "t");
    let params = json!({"requestId": slow});
    stdio
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}))
        .await;
    let ping = stdio.ask("ping", json!({})).await;
    loop {
        let message = stdio.receive().await;
        if message["id"] == json!(ping) {
            break;
        }
        assert_eq!(
            message["method"], "notifications/progress",
            "sent before it was cancelled"
        );
    }
    let next = stdio
        .call(json!({"name": "slow", "arguments": {"milliseconds": 500}}))
        .await;
    assert_eq!(
        next.len(),
        1,
        "nothing of the cancelled request comes any more: {next:?}"
    );
}

#[tokio::test]
async fn batches_are_received_in_2025_03_26_only() {
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/unknown"},
        {"jsonrpc": "2.0", "id": "two", "method": "no/such"},
        7,
    ]);
    let mut stdio = Stdio::legacy("2025-03-26").await;
    stdio.send(&batch).await;
    let answers = stdio.receive().await;
    let mut ids: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].to_string())
        .collect();
    ids.sort();
    assert_eq!(ids, ["\"two\"", "1", "null"]);
    stdio
        .send(&json!([{"jsonrpc": "2.0", "method": "notifications/unknown"}]))
        .await;
    stdio.send(&json!([])).await;
    assert_eq!(stdio.receive().await["error"]["code"], -32600);
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut stdio = Stdio::legacy(revision).await;
        stdio.send(&batch).await;
        assert_eq!(stdio.receive().await["error"]["code"], -32600);
    }
}

#[tokio::test]
async fn progress_and_logs_come_before_the_answer() {
    let mut stdio = Stdio::legacy("2024-11-05").await;
    let meta = json!({"progressToken": 7});
    let messages = stdio
        .call(json!({"name": "test_tool_with_progress", "_meta": meta}))
        .await;
    let steps: Vec<_> = messages
        .iter()
        .filter_map(|it| it["params"]["progress"].as_u64())
        .collect();
    assert_eq!(steps, [0, 50, 100]);
    assert_eq!(messages[0]["params"]["progressToken"], 7);
    assert_eq!(
        stdio
            .call(json!({"name": "test_tool_with_logging"}))
            .await
            .len(),
        4
    );
    stdio
        .request("logging/setLevel", json!({"level": "error"}))
        .await;
    assert_eq!(
        stdio
            .call(json!({"name": "test_tool_with_logging"}))
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn changes_are_told_to_those_who_asked() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    let update = json!({"name": "test_trigger_resource_update"});
    assert_eq!(
        stdio.call(update.clone()).await.len(),
        1,
        "nobody has subscribed"
    );
    let uri = json!({"uri": "test://watched-resource"});
    stdio.request("resources/subscribe", uri.clone()).await;
    let messages = stdio.call(update.clone()).await;
    assert_eq!(messages[0]["method"], "notifications/resources/updated");
    assert_eq!(messages[0]["params"], uri);
    stdio.request("resources/unsubscribe", uri).await;
    assert_eq!(stdio.call(update).await.len(), 1);
    for (tool, list) in [
        ("tool", "tools"),
        ("prompt", "prompts"),
        ("resource", "resources"),
    ] {
        let before = all_pages(&mut stdio, &format!("{list}/list"), list)
            .await
            .len();
        let messages = stdio
            .call(json!({"name": format!("test_trigger_{tool}_change")}))
            .await;
        assert_eq!(
            messages[0]["method"],
            format!("notifications/{list}/list_changed")
        );
        assert_eq!(
            all_pages(&mut stdio, &format!("{list}/list"), list)
                .await
                .len(),
            before + 1
        );
    }
}

#[tokio::test]
async fn a_client_that_cannot_is_not_asked() {
    let mut stdio = Stdio::conformant();
    let mut params = crate::support::initialize_params("2025-06-18");
    params["capabilities"] = json!({"elicitation": {"url": {}}});
    stdio.request("initialize", params).await;
    for (name, arguments) in [
        ("test_sampling", json!({"prompt": "x"})),
        ("test_elicitation", json!({"message": "x"})),
    ] {
        let messages = stdio
            .call(json!({"name": name, "arguments": arguments}))
            .await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["result"]["isError"], true);
    }
}

#[tokio::test]
async fn it_ends_promptly_with_its_input_whatever_is_in_flight() {
    let mut stdio = Stdio::legacy("2025-06-18").await;
    stdio
        .ask(
            "tools/call",
            json!({"name": "slow", "arguments": {"milliseconds": 60_000}}),
        )
        .await;
    let start = std::time::Instant::now();
    assert_eq!(stdio.close().await, 0);
    assert!(start.elapsed().as_millis() < 2000);
}

#[tokio::test]
async fn answers_on_their_way_are_written_before_it_ends() {
    let mut stdio = Stdio::conformant();
    stdio
        .line(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        .await;
    stdio.close_input();
    assert!(stdio.next_line().await.unwrap().contains(r#""id":1"#));
    assert_eq!(stdio.next_line().await, None);
}

async fn all_pages(stdio: &mut Stdio, method: &str, member: &str) -> Vec<Value> {
    let (mut items, mut params) = (Vec::new(), json!({}));
    loop {
        let result = stdio.request(method, params).await["result"].take();
        items.extend(result[member].as_array().unwrap().clone());
        match result.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return items,
        }
    }
}
