//! The bodies of the fuzz targets: plain functions of bytes, which panic where a law is broken.
//!
//! A target in `fuzz_targets/` is one line; `corpus/TARGET/` holds its seeds, which an ordinary test
//! replays without a fuzzer.

use mcp_verdict_wire::{
    header_value,
    message::{Breach, Id, Kind, Lenient, Malformed, Message, Strict},
    sse::{self, Item},
    transcript::Transcript,
};
use serde_json::Value;

/// A fuzz body.
pub type Body = fn(&[u8]);

/// Every target by its name, which is also that of its file and of its corpus.
pub const TARGETS: [(&str, Body); 5] = [
    ("header_value", header_value),
    ("message_lenient", message_lenient),
    ("message_strict", message_strict),
    ("sse_split", sse_split),
    ("transcript", transcript),
];

/// What a header value stands for is kept by encoding it again; whatever text is encoded, a header can
/// hold it.
pub fn header_value(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let header = header_value::encode(text);
    assert!(
        header
            .bytes()
            .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
    );
    assert_eq!(header_value::decode(&header).as_deref(), Ok(text));
    if let Ok(value) = header_value::decode(text) {
        assert_eq!(
            header_value::decode(&header_value::encode(&value)),
            Ok(value)
        );
    }
}

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

/// However the bytes of an event stream are cut, the same items come out. The first byte chooses the
/// limit, the second how long the pieces are; the rest is the stream.
pub fn sse_split(bytes: &[u8]) {
    let [limit, step, stream @ ..] = bytes else {
        return;
    };
    let limit = usize::from(*limit) * 4;
    let whole = read_in_pieces(stream, stream.len().max(1), limit);
    assert_eq!(
        read_in_pieces(stream, usize::from(*step).max(1), limit),
        whole
    );
    assert_eq!(read_in_pieces(stream, 1, limit), whole);
    for item in &whole.0 {
        if let Item::Event(event) = item {
            assert!(event.data.len() <= limit);
            assert!(event.dispatched || event.data.is_empty());
        }
    }
}

fn read_in_pieces(stream: &[u8], step: usize, limit: usize) -> (Vec<Item>, bool) {
    let mut items = Vec::new();
    let mut reader = sse::Reader::with_limit(limit);
    for piece in stream.chunks(step) {
        if reader.push(piece, &mut |item| items.push(item)).is_err() {
            return (items, false);
        }
    }
    items.extend(reader.finish());
    (items, true)
}

/// A transcript that can be read is read again from what is written of it, the same.
pub fn transcript(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(transcript) = Transcript::from_json_lines(text) else {
        return;
    };
    if has_private_marker(bytes) {
        // The general reader takes such members apart, so that what is written nests deeper.
        return;
    }
    let stored = transcript.to_json_lines();
    let again = Transcript::from_json_lines(&stored).expect("what was written can be read");
    assert_eq!(again, transcript);
    assert_eq!(again.to_json_lines(), stored);
}

/// Whether a member's name may be one by which `serde_json` passes numbers and raw texts to itself. It
/// does not read those as members, not even when a peer sends them; escapes can spell them too.
fn has_private_marker(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    has(b"$serde_json::private") || has(b"\\u")
}

/// Runs `body` on each file named on the command line.
///
/// # Errors
/// When a file cannot be read.
pub fn replay(body: Body) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        body(&std::fs::read(path)?);
    }
    Ok(())
}
