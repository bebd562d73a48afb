//! What stands between the mock and its clients hears what they send, and changes what they get.

use std::sync::{Arc, Mutex};

use mcp_verdict_mock::{
    Departure, Distort, Distortion, Facts, HttpRequest, HttpResponse, MockConfig,
};
use serde_json::json;

use crate::support::{Session, Stdio, http, request};

#[derive(Debug, Default)]
struct Doubling {
    heard: Mutex<Vec<String>>,
}

impl Distortion for Doubling {
    fn request(&self, request: &HttpRequest) {
        self.heard.lock().unwrap().push(request.path.clone());
    }

    fn line(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).into_owned();
        self.heard.lock().unwrap().push(line);
    }

    fn message(&self, facts: &Facts, departure: Departure) -> Vec<Departure> {
        match facts.method() {
            "ping" => vec![Departure::raw("odd"), departure],
            _ => vec![departure],
        }
    }

    fn response(&self, request: &HttpRequest, response: &mut HttpResponse) -> Option<usize> {
        let method = request.json().unwrap_or_default()["method"].clone();
        if method == "tools/list" {
            response.status = 202.try_into().unwrap();
            return Some(5);
        }
        None
    }
}

fn distorted() -> (Arc<Doubling>, MockConfig) {
    let doubling = Arc::new(Doubling::default());
    let config = MockConfig {
        distort: Some(Distort(doubling.clone())),
        ..MockConfig::default()
    };
    (doubling, config)
}

#[tokio::test]
async fn lines_are_heard_and_changed() {
    let (doubling, config) = distorted();
    let mut peer = Stdio::start(&config);
    peer.initialize("2025-11-25").await;
    peer.ask("ping", json!({})).await;
    assert_eq!(peer.next_line().await.unwrap().trim(), "odd");
    assert_eq!(peer.receive().await["result"], json!({}));
    assert!(doubling.heard.lock().unwrap()[0].contains("initialize"));
}

#[tokio::test]
async fn responses_are_changed_and_break_off() {
    let (doubling, config) = distorted();
    let served = http(&config).await;
    let session = Session::open(&served, "2025-11-25").await;
    let events = session.post(&request(1, "ping", json!({}))).await;
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert!(events.body().await.contains("data: odd"));
    let broken = session.post(&request(2, "tools/list", json!({}))).await;
    assert_eq!(broken.status, 202);
    assert!(broken.body().await.len() <= 5);
    assert_eq!(doubling.heard.lock().unwrap().len(), 4);
}
