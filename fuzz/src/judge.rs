//! The judge: any transcript, by vectors and by every rule.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

use mcp_verdict_engine::{
    judge::{Judge, vector},
    rules,
    view::View,
};
use mcp_verdict_results::{CheckResult, Verdict};
use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::{
    Revision, TransportKind,
    transcript::{Event, EventKind, FORMAT, Head, Transcript},
};

use crate::support::json::has_private_marker;

/// Any transcript is judged, by the vector that it names and by others, and by every rule; judged again, or
/// judged after it was stored, it gets the same verdicts. A line that is no event stands for a message: of
/// ours where it begins with `>`, of the target's else.
pub fn judge(bytes: &[u8]) {
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
        Library::embedded(&Known::default()).expect("what ships with the program loads")
    });
    let transcript = read(&String::from_utf8_lossy(bytes));
    let results = verdicts(&LIBRARY, &transcript);
    assert_eq!(verdicts(&LIBRARY, &transcript), results);
    if !has_private_marker(bytes) {
        let stored = transcript.to_json_lines();
        let stored = Transcript::from_json_lines(&stored).expect("what was written can be read");
        assert_eq!(stored, transcript);
    }
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let vectors = &LIBRARY.vectors;
    let chance = usize::try_from(hasher.finish() % vectors.len() as u64).unwrap_or(0);
    let view = View::of(&transcript);
    for place in 0..OTHERS {
        let other = &vectors[(chance + place * 97) % vectors.len()];
        let judged = vector(other, &view);
        assert_eq!(vector(other, &view), judged);
    }
}

/// Vectors that judge beside the one that the transcript names.
const OTHERS: usize = 8;

fn verdicts(library: &Library, transcript: &Transcript) -> Vec<CheckResult> {
    let mut judge = Judge::new(library, rules::all());
    judge.add(transcript);
    let results = judge.finish(|_| true);
    for result in &results {
        let events = result.exchange.len();
        assert!(
            result.evidence.iter().all(|&index| index < events),
            "{result:?}"
        );
        let told = result.expected.is_some() || result.verdict != Verdict::Fail;
        assert!(told && !result.message.is_empty(), "{result:?}");
    }
    results
}

fn read(text: &str) -> Transcript {
    let mut lines = text.lines().peekable();
    let head = lines
        .next_if(|line| line.starts_with("{\"format\""))
        .and_then(|line| serde_json::from_str::<Head>(line).ok())
        .filter(|head| head.format == FORMAT);
    let mut at_us = 0;
    let events = lines.take(EVENTS_MAX).map(|line| {
        at_us += 1;
        serde_json::from_str::<Event>(line).unwrap_or_else(|_| Event {
            at_us,
            kind: message(line),
        })
    });
    let events = events.collect();
    Transcript {
        head: head.unwrap_or_else(default_head),
        events,
    }
}

fn message(line: &str) -> EventKind {
    match line.strip_prefix('>') {
        Some(sent) => EventKind::Sent {
            exchange: 0,
            label: None,
            meant: false,
            bytes: sent.into(),
        },
        None => EventKind::Received {
            exchange: 0,
            sse: None,
            bytes: line.into(),
        },
    }
}

fn default_head() -> Head {
    Head {
        format: FORMAT,
        suite: String::new(),
        check: "fuzz/none".to_owned(),
        revision: Revision::V2025_11_25,
        transport: TransportKind::Stdio,
        target: String::new(),
        seed: 0,
        bindings: BTreeMap::new(),
        earlier_ids: Vec::new(),
    }
}

/// Enough for what is to be found, and few enough to be quick.
const EVENTS_MAX: usize = 64;
