//! What a run costs beside sending and waiting: loading vectors, validating, judging, rendering; beside what reading the
//! same bytes costs at the least.

use std::{collections::BTreeMap, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcp_verdict_bench::messages;
use mcp_verdict_engine::{judge::watch, rules, schema::Validator, view::View};
use mcp_verdict_results::{CheckResult, Kind, Run, Suite, Summary, Target, Verdict};
use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::{
    Revision, TransportKind,
    transcript::{Event, EventKind, FORMAT, Head, Transcript},
};
use serde_json::Value;

const REVISION: Revision = Revision::V2025_11_25;

fn library() -> Library {
    Library::embedded(&Known::default()).expect("the shipped vectors load")
}

fn load(criterion: &mut Criterion) {
    criterion.bench_function("load every vector", |bencher| {
        bencher.iter(|| library().vectors.len());
    });
}

fn validate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate a message");
    let validator = Validator::of(REVISION);
    for input in messages() {
        let value: Value = serde_json::from_slice(&input.bytes).expect("JSON");
        group.throughput(Throughput::Bytes(input.bytes.len() as u64));
        group.bench_function(format!("schema/{}", input.name), |bencher| {
            bencher.iter(|| validator.message(black_box(&value)).len());
        });
        group.bench_function(format!("serde_json/{}", input.name), |bencher| {
            bencher.iter(|| serde_json::from_slice::<Value>(black_box(&input.bytes)).is_ok());
        });
    }
    group.finish();
}

fn judge(criterion: &mut Criterion) {
    let library = library();
    let transcript = transcript();
    let bytes = transcript.to_json_lines();
    let mut group = criterion.benchmark_group("judge 200 exchanges");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("view", |bencher| {
        bencher.iter(|| View::of(black_box(&transcript)).into_reading().len());
    });
    group.bench_function("every rule", |bencher| {
        let view = View::of(&transcript);
        bencher.iter(|| watch(&library, rules::all(), black_box(&view)).len());
    });
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| {
            black_box(&bytes)
                .lines()
                .filter(|line| serde_json::from_str::<Value>(line).is_ok())
                .count()
        });
    });
    group.finish();
}

fn render(criterion: &mut Criterion) {
    let run = run();
    let mut group = criterion.benchmark_group("render 500 results");
    group.bench_function("json", |bencher| {
        bencher.iter(|| mcp_verdict_reports::json(black_box(&run)).len());
    });
    group.bench_function("junit", |bencher| {
        bencher.iter(|| mcp_verdict_reports::junit(black_box(&run)).len());
    });
    group.bench_function("html", |bencher| {
        bencher.iter(|| mcp_verdict_reports::html(black_box(&run)).len());
    });
    group.finish();
}

/// A session on stdio with 200 pings.
fn transcript() -> Transcript {
    let mut events = Vec::new();
    let mut add = |ours: bool, text: String| {
        let bytes = text.into_bytes().into();
        let kind = match ours {
            true => EventKind::Sent {
                exchange: 0,
                label: None,
                meant: false,
                bytes,
            },
            false => EventKind::Received {
                exchange: 0,
                sse: None,
                bytes,
            },
        };
        events.push(Event { at_us: 0, kind });
    };
    add(
        true,
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"b","version":"1"}}}"#.to_owned(),
    );
    add(
        false,
        r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}"#.to_owned(),
    );
    for id in 1..=200 {
        add(
            true,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#),
        );
        add(
            false,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
        );
    }
    Transcript {
        head: Head {
            format: FORMAT,
            suite: String::new(),
            check: "bench".to_owned(),
            revision: REVISION,
            transport: TransportKind::Stdio,
            target: String::new(),
            seed: 1,
            bindings: BTreeMap::new(),
            earlier_ids: Vec::new(),
        },
        events,
    }
}

fn run() -> Run {
    let results: Vec<CheckResult> = (0..500).map(result).collect();
    Run {
        suite: Suite {
            name: "mcp-verdict".to_owned(),
            version: "0".to_owned(),
            seed: 1,
            started: "2026-01-01T00:00:00Z".to_owned(),
            duration_ms: 1,
        },
        target: Target {
            name: "bench".to_owned(),
            peers: Vec::new(),
            notes: Vec::new(),
        },
        campaigns: Vec::new(),
        summary: Summary::of(&results),
        results,
    }
}

fn result(number: u32) -> CheckResult {
    CheckResult {
        check: format!("server/check-{number}"),
        title: "It does what it should".to_owned(),
        area: "server".to_owned(),
        kind: Kind::Vector,
        revision: REVISION.to_string(),
        transport: "stdio".to_owned(),
        level: "MUST".to_owned(),
        verdict: if number.is_multiple_of(10) {
            Verdict::Fail
        } else {
            Verdict::Pass
        },
        requirements: Vec::new(),
        message: "it does not".to_owned(),
        expected: Some("this".to_owned()),
        actual: Some("that".to_owned()),
        evidence: Vec::new(),
        exchange: Vec::new(),
        reproduce: "mcp-verdict run".to_owned(),
        duration_ms: 1.0,
    }
}

criterion_group!(benches, load, validate, judge, render);
criterion_main!(benches);
