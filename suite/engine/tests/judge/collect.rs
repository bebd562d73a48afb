//! Results over many transcripts.

use mcp_verdict_engine::{
    judge::{self, Planned},
    rules::{Observation, Rule},
    view::View,
};
use mcp_verdict_results::{CheckResult, Kind, Verdict};
use mcp_verdict_vectors::{CheckId, Library};
use mcp_verdict_wire::{Revision, TransportKind, transcript::Transcript};

use crate::helper::{got, library, sent, step, transcript, yaml};

/// Finds fault with every odd result; exercised by every result.
struct Odd;

impl Rule for Odd {
    fn id(&self) -> &'static str {
        "rules/test/odd"
    }

    fn observe(&self, view: &View<'_>) -> Observation {
        let mut observation = Observation::default();
        for message in view.targets() {
            let Some(number) = message
                .result()
                .and_then(|result| result.get("n")?.as_i64())
            else {
                continue;
            };
            observation.exercise();
            if number % 2 == 1 {
                observation.find(
                    "an even number",
                    format!("{number} is odd"),
                    [message.event],
                );
            }
        }
        observation
    }
}

const RULE: &str = "id: rules/test/odd
title: Numbers are even
level: MUST
requirements:
  2024-11-05..2025-11-25: [schema#JSONRPCRequest]
transports: [stdio]
faults:
  - {fault: any, verdict: fail}
";
const STEPS: &str = "  - request: {method: ping, as: call}
  - expect: {response: call, match: {result: {}}}
";

fn two() -> Library {
    let (a, b) = (yaml("t/a", "", STEPS), yaml("t/b", "", STEPS));
    library(&[
        ("t/b.yaml", &b),
        ("t/a.yaml", &a),
        ("rules/test/odd.yaml", RULE),
    ])
}

fn ran(check: &str, revision: Revision, result: &str) -> Transcript {
    let answer = got(&format!(r#"{{"jsonrpc":"2.0","id":1,{result}}}"#));
    let call = sent("call", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let lines = [step(0), call, step(1), answer, step(2)].concat();
    transcript(check, revision, TransportKind::Stdio, &lines)
}

fn judged(transcripts: &[Transcript], planned: &[Planned]) -> Vec<CheckResult> {
    judge::transcripts(&two(), &[&Odd], transcripts, planned)
}

fn verdicts(results: &[CheckResult]) -> Vec<(&str, &str, Verdict)> {
    results
        .iter()
        .map(|of| (of.check.as_str(), of.revision.as_str(), of.verdict))
        .collect()
}

const OLD: Revision = Revision::V2024_11_05;
const NEW: Revision = Revision::V2026_07_28;

#[test]
fn results_come_in_check_order_whatever_finished_first() {
    let all = [
        ran("t/b", OLD, r#""result":{"n":2}"#),
        ran("t/a", NEW, r#""result":{"n":1}"#),
        ran("t/a", OLD, r#""result":{"n":3}"#),
        ran("t/b", NEW, r#""error":{"code":1,"message":""}"#),
    ];
    let results = judged(&all, &[]);
    assert_eq!(
        verdicts(&results),
        [
            ("rules/test/odd", "2024-11-05", Verdict::Fail),
            ("rules/test/odd", "2026-07-28", Verdict::NotApplicable),
            ("t/a", "2024-11-05", Verdict::Pass),
            ("t/a", "2026-07-28", Verdict::Pass),
            ("t/b", "2024-11-05", Verdict::Pass),
            ("t/b", "2026-07-28", Verdict::Fail),
        ]
    );
    for shift in 1..all.len() {
        let mut shifted = all.clone();
        shifted.rotate_left(shift);
        assert_eq!(judged(&shifted, &[]), results);
    }
}

#[test]
fn a_rule_that_nothing_exercised_is_inconclusive_and_one_that_held_passes() {
    let of = |result: &str| judged(&[ran("t/a", OLD, result)], &[])[0].clone();
    assert_eq!(of(r#""result":{}"#).verdict, Verdict::Inconclusive);
    assert_eq!(of(r#""result":{"n":2}"#).verdict, Verdict::Pass);
    let broken = of(r#""result":{"n":3}"#);
    assert_eq!((broken.verdict, broken.kind), (Verdict::Fail, Kind::Rule));
    assert_eq!(broken.message, "in `t/a`: 3 is odd");
    assert_eq!(broken.expected.as_deref(), Some("an even number"));
    let shown = &broken.exchange[broken.evidence[0]];
    assert!(shown.text.contains("\"n\":3"), "{shown:?}");
    assert_eq!(
        broken.reproduce,
        "mcp-verdict run --revision 2024-11-05 --transport stdio --check rules/test/odd --check t/a -- server"
    );
}

#[test]
fn a_rule_warns_where_the_revision_only_recommends() {
    let a = yaml("t/a", "", STEPS);
    let rule = RULE.replace(
        "  2024-11-05..2025-11-25: [schema#JSONRPCRequest]",
        "  2024-11-05: [index#numbers]\n  2025-03-26: [schema#JSONRPCRequest]",
    );
    let rule = rule.replace("fail}", "fail, revisions: [2025-03-26]}");
    let ledger = "- {id: index#numbers, level: SHOULD, binds: server, says: Numbers are even.}\n";
    let library = library(&[
        ("requirements/2024-11-05.yaml", ledger),
        ("t/a.yaml", &a),
        ("rules/test/odd.yaml", &rule),
    ]);
    let newer = Revision::V2025_03_26;
    let ran = [OLD, newer].map(|revision| ran("t/a", revision, r#""result":{"n":3}"#));
    let results = judge::transcripts(&library, &[&Odd], &ran, &[]);
    let of_rule = |at: usize| (results[at].verdict, results[at].level.as_str());
    assert_eq!(of_rule(0), (Verdict::Warn, "SHOULD"));
    assert_eq!(of_rule(1), (Verdict::Fail, "MUST"));
}

#[test]
fn a_rule_without_code_is_an_error_and_not_a_pass() {
    let results = judge::transcripts(&two(), &[], &[ran("t/a", OLD, r#""result":{"n":2}"#)], &[]);
    assert_eq!(results[0].verdict, Verdict::Error);
}

#[test]
fn what_did_not_run_is_told_with_its_reason_and_what_was_not_planned_is_not_told() {
    let planned = Planned {
        check: CheckId("t/b".to_owned()),
        revision: OLD,
        transport: TransportKind::Stdio,
        verdict: Verdict::NotApplicable,
        reason: "the target does not declare `tools`".to_owned(),
    };
    let transcripts = [ran("t/a", OLD, r#""result":{"n":2}"#)];
    let results = judged(&transcripts, &[planned]);
    assert_eq!(results[2].verdict, Verdict::NotApplicable);
    assert_eq!(results[2].message, "the target does not declare `tools`");
    assert_eq!(judged(&transcripts, &[]).len(), 2);
}

#[test]
fn a_transcript_of_an_unknown_check_is_an_error() {
    let results = judged(&[ran("t/z", OLD, r#""result":{}"#)], &[]);
    assert_eq!(results[1].verdict, Verdict::Error);
    assert!(results[1].message.contains("t/z"));
}

#[test]
fn a_result_says_clause_exchange_and_command() {
    let results = judged(&[ran("t/a", NEW, r#""result":{"n":2}"#)], &[]);
    let result = &results[1];
    assert_eq!(result.area, "t");
    assert_eq!(result.duration_ms, 4.0);
    assert_eq!(result.requirements[0].id, "schema#JSONRPCRequest");
    assert_eq!(
        result.requirements[0].url.as_deref(),
        Some("https://modelcontextprotocol.io/specification/2026-07-28/schema#jsonrpcrequest")
    );
    let whats: Vec<_> = result
        .exchange
        .iter()
        .map(|entry| entry.what.as_str())
        .collect();
    assert_eq!(whats, ["step 1", "message `call`", "step 2", "message"]);
    assert_eq!(
        result.reproduce,
        "mcp-verdict run --revision 2026-07-28 --transport stdio --check t/a -- server"
    );
}

#[test]
fn a_long_exchange_is_shortened_around_the_evidence() {
    let noise = "x".repeat(10_000);
    let flood: String = (0..1000).map(|_| got(&noise)).collect();
    let call = sent("call", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let answer = got(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"here"}}"#);
    let lines = [
        step(0),
        call,
        step(1),
        flood.clone(),
        answer,
        flood,
        step(2),
    ]
    .concat();
    let results = judged(&[transcript("t/a", OLD, TransportKind::Stdio, &lines)], &[]);
    let result = &results[1];
    assert!(result.exchange.len() <= 200, "{}", result.exchange.len());
    assert!(
        result
            .evidence
            .iter()
            .any(|at| result.exchange[*at].text.contains("here"))
    );
    assert!(result.exchange.iter().all(|entry| entry.text.len() <= 4096));
    assert!(
        result
            .exchange
            .iter()
            .any(|entry| entry.cut == 10_000 - 4096)
    );
}
