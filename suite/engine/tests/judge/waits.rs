//! When a wait is over before its time: what was waited for is there, or cannot come any more.

use mcp_verdict_engine::{judge::Walk, view::View};
use mcp_verdict_wire::{Revision, TransportKind};

use crate::helper::{
    got_on, http_end, http_request, http_response, library, sent_on, step, transcript, yaml,
};

const OPEN: &str = "  - http: {method: GET, as: second}\n";
const ASK: &str = r#"{"jsonrpc":"2.0","id":"again","method":"initialize"}"#;

/// Whether the wait of the second step is over once these lines have come.
fn is_over(transport: TransportKind, steps: &str, lines: &str) -> bool {
    let text = yaml("t/x", "", steps);
    let library = library(&[("t/x.yaml", &text)]);
    let lines = [step(0), lines.to_owned(), step(1)].concat();
    let transcript = transcript("t/x", Revision::V2025_11_25, transport, &lines);
    let walk = Walk::new(&library.vectors[0], &transcript.head);
    walk.is_over(1, &View::of(&transcript))
}

fn handshake(status: u16) -> String {
    let head = http_response(1, status, "text/plain");
    let end = match status {
        101 => String::new(),
        _ => http_end(1, "\"complete\""),
    };
    [http_request(1, "GET", "second"), head, end].concat()
}

#[test]
fn a_handshake_that_does_not_end_as_it_should_is_not_waited_for() {
    let steps = format!("{OPEN}  - expect: {{http: second, match: {{status: {{$gte: 400}}}}}}\n");
    for status in [101, 200, 400] {
        assert!(is_over(TransportKind::Ws, &steps, &handshake(status)));
    }
    let nothing = http_request(1, "GET", "second");
    assert!(!is_over(TransportKind::Ws, &steps, &nothing));
}

#[test]
fn what_goes_with_a_handshake_is_waited_for_until_that_fails() {
    let steps = format!("{OPEN}  - expect: {{response: second, match: {{result: {{}}}}}}\n");
    let over = |lines: &str| is_over(TransportKind::WsDraft, &steps, lines);
    assert!(!over(&http_request(1, "GET", "second")));
    assert!(over(&handshake(400)));
    let asked = handshake(101) + &sent_on(1, "second", ASK);
    assert!(!over(&asked));
    assert!(over(&(asked.clone() + &http_end(1, "\"complete\""))));
    let answer = got_on(1, r#"{"jsonrpc":"2.0","id":"again","result":{}}"#);
    assert!(over(&(asked + &answer)));
}

#[test]
fn a_message_may_come_over_another_connection_than_the_channel() {
    let steps = format!("{OPEN}  - expect: {{message: {{id: again}}, match: {{result: {{}}}}}}\n");
    let closed = "{\"output_closed\":{\"rest\":\"\"}}\n";
    let over = |lines: &str| is_over(TransportKind::Ws, &steps, &(closed.to_owned() + lines));
    assert!(!over(&http_request(1, "GET", "second")));
    assert!(!over(&handshake(101)));
    assert!(over(&handshake(400)));
}
