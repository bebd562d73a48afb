//! Libraries, targets and runs in few words.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use mcp_verdict_engine::{
    judge,
    plan::{Prepared, PreparedWay},
    rules,
    run::{self, Outcome, Progress},
};
use mcp_verdict_results::{CheckResult, Kind, Verdict};
use mcp_verdict_transport::{Address, Options, Redactor};
use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::json;

pub(crate) const REVISION: Revision = Revision::V2025_11_25;

/// A library of vectors: ids with their own lines (`session: …`) and steps.
pub(crate) fn library(vectors: &[(&str, &str, &str)]) -> Library {
    let texts: Vec<(String, String)> = vectors
        .iter()
        .map(|(id, extra, steps)| {
            let text = format!(
                "id: {id}\ntitle: It does what it should\nlevel: MUST\nrequirements:\n  \
                 2025-03-26..2026-07-28: [schema#JSONRPCRequest]\n{extra}faults:\n  \
                 - {{fault: any, verdict: fail}}\nsteps:\n{steps}"
            );
            (format!("{id}.yaml"), text)
        })
        .collect();
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    Library::from_files(&files, &Known::default())
        .unwrap_or_else(|error| panic!("{}", error.render(false)))
}

pub(crate) fn target(address: Address, transport: TransportKind) -> Prepared {
    Prepared {
        name: "the target".to_owned(),
        reproduce: "-- target".to_owned(),
        options: Options {
            headers: Vec::new(),
            ca_cert: None,
            insecure: false,
            connect_timeout: Duration::from_secs(2),
            exit_grace: Duration::from_millis(500),
            redactor: Redactor::default(),
            revision: None,
            server: None,
        },
        ways: vec![PreparedWay {
            address,
            transport,
            revision: REVISION,
            server_info: None,
            capabilities: json!({"tools": {}}),
            session_id: false,
            bindings: BTreeMap::new(),
            missing: BTreeMap::new(),
            tools: Vec::new(),
        }],
        notes: Vec::new(),
    }
}

pub(crate) fn options() -> run::Options {
    run::Options {
        jobs: 2,
        timeout: Duration::from_millis(1500),
        keep_transcripts: true,
        ..run::Options::default()
    }
}

/// Runs everything, and asserts that judging the transcripts again gives the same results.
pub(crate) async fn run(library: &Library, target: &Prepared, options: &run::Options) -> Outcome {
    let told = Mutex::new(Vec::new());
    let progress = |progress: Progress<'_>| {
        if let Progress::Judged { result, .. } = progress {
            told.lock()
                .expect("no panic under the lock")
                .push((result.check.clone(), result.verdict));
        }
    };
    let outcome = run::run(library, target, options, &progress)
        .await
        .expect("a run of something");
    let again = judge::transcripts(library, rules::all(), &outcome.transcripts, &[]);
    let ran = outcome.results.results.iter().filter(|live| {
        live.kind == Kind::Rule
            || outcome
                .transcripts
                .iter()
                .any(|of| of.head.check == live.check)
    });
    assert_eq!(again, ran.cloned().collect::<Vec<_>>());
    for (check, verdict) in told.into_inner().expect("no panic under the lock") {
        assert_eq!(result(&outcome, &check).verdict, verdict);
    }
    outcome
}

pub(crate) fn result<'o>(outcome: &'o Outcome, check: &str) -> &'o CheckResult {
    outcome
        .results
        .results
        .iter()
        .find(|result| result.check == check)
        .expect("a result of the check")
}

#[track_caller]
pub(crate) fn assert_verdict(outcome: &Outcome, check: &str, verdict: Verdict, part: &str) {
    let result = result(outcome, check);
    assert_eq!(result.verdict, verdict, "{result:#?}");
    assert!(
        result.message.contains(part),
        "{:?} does not say {part:?}",
        result.message
    );
}
