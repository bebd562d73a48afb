//! Standard output, and the life of a process.

use mcp_verdict_wire::{
    TransportKind,
    transcript::{Bytes, EventKind},
};
use serde_json::json;

use crate::helper::{LEGACY, MODERN, Talk, breaks, holds, idles, spares, warns};

fn exits(talk: Talk, code: Option<i32>, signal: Option<i32>) -> Talk {
    talk.event(EventKind::Exited { code, signal })
}

fn closes(talk: Talk, rest: &str) -> Talk {
    talk.event(EventKind::OutputClosed { rest: rest.into() })
}

#[test]
fn output_that_is_no_message() {
    let talk = Talk::stdio(LEGACY);
    breaks(
        "stdio/purity",
        &talk.clone().raw(b"listening on stdio"),
        "listening",
    );
    breaks(
        "stdio/purity",
        &talk.clone().raw(b"{\"level\":30,\"msg\":\"up\"}"),
        "level",
    );
    breaks("stdio/purity", &talk.clone().raw(b"42"), "42");
    warns("stdio/purity", &talk.clone().raw(b"\r"), "a blank line");
    holds(
        "stdio/purity",
        &talk
            .clone()
            .raw(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\r"),
    );
    // What says or shows that it is a message is judged as one, and bytes that are no text as such.
    spares("stdio/purity", &talk.clone().raw(b"{\"jsonrpc\":\"2.0\"}"));
    spares(
        "stdio/purity",
        &talk.clone().raw(b"{\"id\":1,\"result\":{}}"),
    );
    spares("stdio/purity", &talk.raw(b"caf\xe9"));
    idles("stdio/purity", &Talk::http(LEGACY));
}

#[test]
fn a_last_line_without_its_end() {
    let talk = Talk::stdio(LEGACY).event(EventKind::InputClosed);
    breaks(
        "stdio/last-line",
        &closes(talk.clone(), "{\"a\":1}"),
        "{\"a\":1}",
    );
    holds("stdio/last-line", &closes(talk.clone(), ""));
    holds("stdio/last-line", &closes(talk.clone(), "\r"));
    let killed = talk.event(EventKind::Signalled {
        signal: "TERM".to_owned(),
    });
    idles("stdio/last-line", &closes(killed, "{\"a"));
}

#[test]
fn a_process_that_ends_by_itself() {
    let waiting = Talk::stdio(LEGACY).asks(1, "ping", json!({}));
    breaks(
        "stdio/stays",
        &exits(waiting.clone(), Some(0), None),
        "while 1 waited",
    );
    // It may not want this client, and says so by leaving; a crash is another matter.
    let bare = Talk::bare(LEGACY, TransportKind::Stdio).asks(1, "initialize", json!({}));
    warns(
        "stdio/stays",
        &exits(bare.clone(), Some(1), None),
        "while 1 waited",
    );
    breaks("stdio/stays", &exits(bare, None, Some(11)), "signal 11");
    breaks(
        "stdio/stays",
        &exits(waiting.clone(), None, Some(11)),
        "signal 11",
    );
    let idle = waiting.clone().answers(1, json!({}));
    holds("stdio/stays", &exits(idle.clone(), Some(0), None));
    warns(
        "stdio/stays",
        &exits(idle.clone(), Some(101), None),
        "code 101",
    );
    holds("stdio/stays", &idle);
    // Garbage is not owed an answer.
    let garbage = idle.means("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":7}");
    warns("stdio/stays", &exits(garbage, Some(1), None), "code 1");
}

#[test]
fn a_process_that_was_told_to_end() {
    let waiting = Talk::stdio(LEGACY).asks(1, "ping", json!({}));
    idles(
        "stdio/stays",
        &exits(waiting.clone().event(EventKind::InputClosed), Some(1), None),
    );
    let killed = waiting.event(EventKind::Signalled {
        signal: "TERM".to_owned(),
    });
    idles("stdio/stays", &exits(killed, None, Some(15)));
}

#[test]
fn a_process_may_end_while_nothing_is_owed() {
    let listen = Talk::stdio(MODERN).asks(1, "subscriptions/listen", json!({"notifications": {}}));
    holds("stdio/stays", &exits(listen, Some(0), None));
    let call = Talk::stdio(LEGACY).asks(1, "tools/call", json!({"name": "x"}));
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    holds("stdio/stays", &exits(call.means(cancel), Some(0), None));
    let stderr = EventKind::Stderr {
        bytes: Bytes::from(&b"\xff panic"[..]),
    };
    holds("stdio/stays", &Talk::stdio(LEGACY).event(stderr));
}
