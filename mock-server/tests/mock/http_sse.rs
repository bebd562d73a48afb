//! HTTP+SSE.

use mcp_verdict_mock::MockConfig;
use serde_json::json;

use crate::support::{JSON, exchange, http, initialize_params, modern, request};

#[tokio::test]
async fn the_first_event_says_where_to_post_and_answers_come_on_the_stream() {
    let served = http(&MockConfig::default()).await;
    let mut stream = exchange(&served, "GET", "/sse", &[], "").await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    let endpoint = stream.event().await.unwrap();
    assert_eq!(endpoint.event, "endpoint");
    let path = endpoint.data.unwrap();
    let initialize = request(1, "initialize", initialize_params("2024-11-05"));
    for (body, status) in [(initialize.as_str(), 202), ("{", 400)] {
        assert_eq!(
            exchange(&served, "POST", &path, &[JSON], body).await.status,
            status
        );
    }
    assert_eq!(
        stream.message().await.unwrap()["result"]["protocolVersion"],
        "2024-11-05"
    );
    assert_eq!(stream.message().await.unwrap()["error"]["code"], -32700);
    let discover = request(2, "server/discover", modern(json!({})));
    exchange(&served, "POST", &path, &[JSON], &discover).await;
    assert_eq!(
        stream.message().await.unwrap()["error"]["code"],
        -32601,
        "a legacy transport"
    );
    let strange = [JSON, ("origin", "http://evil.example")];
    assert_eq!(
        exchange(&served, "POST", &path, &strange, &discover)
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn posts_to_no_session_are_refused() {
    let served = http(&MockConfig::default()).await;
    for (path, status) in [("/messages", 400), ("/messages?session_id=nobody", 404)] {
        assert_eq!(
            exchange(&served, "POST", path, &[JSON], "{}").await.status,
            status
        );
    }
}
