//! Vectors and transcripts in few words.

use std::collections::BTreeMap;

use mcp_verdict_engine::{
    judge::{self, Judgement},
    view::View,
};
use mcp_verdict_results::Verdict;
use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::{
    Revision, TransportKind,
    transcript::{Event, EventKind, FORMAT, Head, Transcript},
};

/// A vector with these steps, indented by two spaces. `extra` are further lines of its own.
pub(crate) fn yaml(id: &str, extra: &str, steps: &str) -> String {
    let level = if extra.contains("level:") {
        ""
    } else {
        "level: MUST\n"
    };
    format!(
        "id: {id}\ntitle: It does what it should\n{level}requirements:\n  \
         2024-11-05..2026-07-28: [schema#JSONRPCRequest]\n{extra}faults:\n  \
         - {{fault: any, verdict: fail}}\nsteps:\n{steps}"
    )
}

/// A library of the vectors in these files.
pub(crate) fn library(files: &[(&str, &str)]) -> Library {
    Library::from_files(files, &Known::default()).unwrap_or_else(|error| {
        panic!("{}", error.render(false));
    })
}

/// A transcript whose events are the lines of `text`: their kinds as they are stored.
pub(crate) fn transcript(
    check: &str,
    revision: Revision,
    transport: TransportKind,
    text: &str,
) -> Transcript {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let events = lines.enumerate().map(|(number, line)| {
        let kind: EventKind =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        Event {
            at_us: number as u64 * 1000,
            kind,
        }
    });
    Transcript {
        head: Head {
            format: FORMAT,
            suite: "0".to_owned(),
            check: check.to_owned(),
            revision,
            transport,
            target: "-- server".to_owned(),
            seed: 0,
            bindings: BTreeMap::new(),
            earlier_ids: Vec::new(),
        },
        events: events.collect(),
    }
}

/// Judges `lines` by a vector with these steps, in 2025-11-25.
pub(crate) fn judge(transport: TransportKind, extra: &str, steps: &str, lines: &str) -> Judgement {
    let text = yaml("t/x", extra, steps);
    let library = library(&[("t/x.yaml", &text)]);
    let transcript = transcript("t/x", Revision::V2025_11_25, transport, lines);
    // What is stored and read again is judged the same.
    let again = Transcript::from_json_lines(&transcript.to_json_lines())
        .expect("what was written can be read");
    assert_eq!(again, transcript);
    let judgement = judge::vector(&library.vectors[0], &View::of(&transcript));
    assert_eq!(
        judge::vector(&library.vectors[0], &View::of(&again)),
        judgement
    );
    for event in &judgement.evidence {
        assert!(
            *event < transcript.events.len(),
            "evidence points into the transcript"
        );
    }
    judgement
}

pub(crate) fn stdio(steps: &str, lines: &str) -> Judgement {
    judge(TransportKind::Stdio, "", steps, lines)
}

pub(crate) fn over_http(steps: &str, lines: &str) -> Judgement {
    judge(TransportKind::StreamableHttp, "", steps, lines)
}

/// Asserts the verdict, and that the message says `part`.
#[track_caller]
pub(crate) fn assert_verdict(judgement: &Judgement, verdict: Verdict, part: &str) {
    assert_eq!(judgement.verdict, verdict, "{judgement:#?}");
    let all = format!(
        "{} | {} | {}",
        judgement.message,
        judgement.expected.as_deref().unwrap_or_default(),
        judgement.actual.as_deref().unwrap_or_default()
    );
    assert!(all.contains(part), "{all:?} does not say {part:?}");
}

pub(crate) fn step(index: usize) -> String {
    format!("{{\"step\":{{\"index\":{index}}}}}\n")
}

pub(crate) fn timed_out(index: usize) -> String {
    format!("{{\"timed_out\":{{\"index\":{index},\"after_ms\":5000}}}}\n")
}

/// A message of ours on stdio. `label` empty for none.
pub(crate) fn sent(label: &str, text: &str) -> String {
    sent_on(0, label, text)
}

pub(crate) fn sent_on(exchange: u32, label: &str, text: &str) -> String {
    let label = if label.is_empty() {
        "null".to_owned()
    } else {
        format!("{label:?}")
    };
    format!(
        "{{\"sent\":{{\"exchange\":{exchange},\"label\":{label},\"meant\":false,\"bytes\":{}}}}}\n",
        serde_json::Value::from(text)
    )
}

pub(crate) fn meant(label: &str, text: &str) -> String {
    sent(label, text).replace("\"meant\":false", "\"meant\":true")
}

/// A message of the target on stdio.
pub(crate) fn got(text: &str) -> String {
    got_on(0, text)
}

pub(crate) fn got_on(exchange: u32, text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!("{{\"received\":{{\"exchange\":{exchange},\"sse\":null,\"bytes\":{text}}}}}\n")
}

pub(crate) fn event_on(exchange: u32, id: &str, text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(
        "{{\"received\":{{\"exchange\":{exchange},\"sse\":{{\"event\":null,\"id\":{id:?},\"retry\":null}},\
         \"bytes\":{text}}}}}\n"
    )
}

pub(crate) fn http_request(exchange: u32, method: &str, label: &str) -> String {
    let label = if label.is_empty() {
        "null".to_owned()
    } else {
        format!("{label:?}")
    };
    format!(
        "{{\"http_request\":{{\"exchange\":{exchange},\"label\":{label},\"meant\":false,\
         \"method\":\"{method}\",\"url\":\"http://t/mcp\",\"headers\":[],\"body\":null}}}}\n"
    )
}

pub(crate) fn http_response(exchange: u32, status: u16, content_type: &str) -> String {
    format!(
        "{{\"http_response\":{{\"exchange\":{exchange},\"status\":{status},\"version\":\"HTTP/1.1\",\
         \"headers\":[[\"content-type\",{content_type:?}],[\"x-two\",\"a\"],[\"x-two\",\"b\"]]}}}}\n"
    )
}

pub(crate) fn http_body(exchange: u32, text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!("{{\"http_body\":{{\"exchange\":{exchange},\"bytes\":{text}}}}}\n")
}

pub(crate) fn http_end(exchange: u32, how: &str) -> String {
    format!("{{\"http_end\":{{\"exchange\":{exchange},\"how\":{how}}}}}\n")
}

pub(crate) fn exited(code: i32) -> String {
    format!(
        "{{\"output_closed\":{{\"rest\":\"\"}}}}\n{{\"exited\":{{\"code\":{code},\"signal\":null}}}}\n"
    )
}
