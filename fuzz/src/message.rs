//! Both views of a JSON-RPC message.

use mcp_verdict_wire::message::{Breach, Id, Kind, Lenient, Malformed, Message, Strict};
use serde_json::Value;

use crate::support::json::has_private_marker;

/// The lenient reader reads what a general JSON reader reads, to the same value, and nothing else; the
/// places and ids that it notes are those of the messages.
pub fn message_lenient(bytes: &[u8]) {
    let general = serde_json::from_slice::<Value>(bytes);
    let lenient = match Lenient::parse(bytes) {
        Ok(lenient) => lenient,
        Err(malformed) => {
            let bounded = matches!(malformed, Malformed::TooManyValues { .. });
            let private = has_private_marker(bytes);
            assert!(bounded || private || general.is_err(), "{malformed}");
            return;
        }
    };
    if lenient.remarks.is_empty() && !has_private_marker(bytes) {
        match general {
            Ok(general) => assert_eq!(lenient.value, general),
            // The general reader's bound on nesting is one less.
            Err(error) => assert!(error.to_string().starts_with("recursion limit"), "{error}"),
        }
    }
    for message in lenient.into_parsed().messages() {
        stands_where_it_is_said_to(bytes, message);
    }
}

fn stands_where_it_is_said_to(bytes: &[u8], message: &Message) {
    let own = &bytes[message.span.clone()];
    let again = Lenient::parse(own).expect("a message is a JSON text of its own");
    assert_eq!(again.value, message.value);
    if let Some(id) = message.id() {
        let again = Lenient::parse(id.raw().as_bytes()).expect("an id is a JSON text of its own");
        assert!(Id::from_value(&again.value).is_some_and(|again| again.same(id)));
    }
}

/// Where both views speak, they agree.
pub fn message_strict(bytes: &[u8]) {
    match (Lenient::parse(bytes), Strict::parse(bytes)) {
        (Ok(lenient), Ok(strict)) => {
            assert!(lenient.remarks.is_empty() && lenient.duplicate_keys.is_empty());
            let parsed = lenient.into_parsed();
            assert_eq!(parsed, strict.parsed);
            for message in parsed.messages() {
                assert!(!matches!(message.kind, Kind::Invalid { .. }));
                assert_eq!(message.value["jsonrpc"], "2.0");
            }
        }
        (Ok(_), Err(deviations)) => {
            assert!(!deviations.is_empty());
            assert!(
                !deviations
                    .iter()
                    .any(|found| matches!(found.what, Breach::Malformed(_)))
            );
        }
        (Err(malformed), Err(deviations)) => {
            assert_eq!(deviations.len(), 1);
            assert_eq!(deviations[0].what, Breach::Malformed(malformed));
        }
        (Err(malformed), Ok(_)) => panic!("strict admits what is malformed: {malformed}"),
    }
}
