//! Two mock servers compared: the same one shows no difference over whatever transport, and one with a fault shows
//! exactly what the fault changes.

use mcp_verdict_engine::{
    compare::{Expected, NothingToCompare, Options, Side, compare},
    plan::Selection,
    probe::discover,
    target::TargetSpec,
};
use mcp_verdict_mock::{Listen, MockConfig, Served};
use mcp_verdict_results::{Comparison, DifferenceKind};
use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::{Revision, TransportKind};

/// A mock server that ends with this, ready to be compared.
struct Mock {
    side: Side,
    _served: Served,
}

impl Mock {
    async fn start(transport: TransportKind, revisions: &[Revision], faults: &[&str]) -> Self {
        let config = MockConfig {
            faults: faults.iter().map(ToString::to_string).collect(),
            ..MockConfig::default()
        };
        let served = Served::start(&config, transport, &Listen::default())
            .await
            .expect("it starts");
        let address = TargetSpec::address_of(&served.url(), transport).expect("its address");
        let mut spec = TargetSpec::from_address("mock", address);
        spec.declared.revisions = revisions.to_vec();
        let discovery = discover(&spec).await.expect("it speaks");
        let prepared = discovery.prepared(&spec);
        Self {
            side: Side { spec, prepared },
            _served: served,
        }
    }
}

fn options(checks: &[&str]) -> Options {
    Options {
        selection: Selection {
            patterns: checks.iter().map(ToString::to_string).collect(),
        },
        jobs: None,
        timeout: std::time::Duration::from_secs(5),
        seed: 1,
        again: String::new(),
    }
}

async fn compared(a: &Mock, b: &Mock, checks: &[&str]) -> Comparison {
    let library = Library::embedded(&Known::default()).expect("the library");
    compare(&library, [&a.side, &b.side], &options(checks), &|_| {})
        .await
        .expect("there is something to compare")
}

/// Differences of messages that matter, as `kind: subject pointer`.
fn told(comparison: &Comparison) -> Vec<String> {
    let mut told: Vec<String> = comparison
        .differences
        .iter()
        .filter(|it| it.matters && it.kind != DifferenceKind::Verdict)
        .map(|it| format!("{}: {} {}", it.kind, it.subject, it.pointer))
        .map(|line| line.trim_end().to_owned())
        .collect();
    told.sort();
    told
}

const REVISIONS: [Revision; 2] = [Revision::V2025_11_25, Revision::V2026_07_28];

/// What a good part of the protocol takes to show, without what mostly waits.
const CHECKS: [&str; 7] = [
    "base",
    "compare/echo",
    "lifecycle",
    "server/completion",
    "server/prompts",
    "server/resources/read*",
    "server/tools",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_server_over_two_transports_shows_no_difference_that_matters() {
    let plain = Mock::start(TransportKind::Tcp, &REVISIONS, &[]).await;
    for transport in [
        TransportKind::Tcp,
        TransportKind::StreamableHttp,
        TransportKind::HttpSse,
    ] {
        let revisions: Vec<Revision> = REVISIONS
            .into_iter()
            .filter(|revision| transport.carries(*revision))
            .collect();
        let plain_too = Mock::start(TransportKind::Tcp, &revisions, &[]).await;
        let plain = if revisions.len() == REVISIONS.len() {
            &plain
        } else {
            &plain_too
        };
        let other = Mock::start(transport, &revisions, &[]).await;
        let comparison = compared(plain, &other, &CHECKS).await;
        let mattering: Vec<_> = comparison
            .differences
            .iter()
            .filter(|it| it.matters)
            .collect();
        assert!(mattering.is_empty(), "over {transport}: {mattering:#?}");
        assert!(comparison.compared() > 100, "{}", comparison.compared());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_shows_as_what_it_changes_and_as_nothing_else() {
    let cases: [(&str, &str, &[&str]); 11] = [
        (
            "ids-as-strings",
            "base/ping",
            &[
                "changed: answer to initialize /id",
                "changed: answer to ping /id",
            ],
        ),
        (
            "server-info-missing",
            "base/ping",
            &["dropped: answer to initialize /result/serverInfo"],
        ),
        (
            "capabilities-undeclared-logging",
            "base/ping",
            &["dropped: answer to initialize /result/capabilities/logging"],
        ),
        (
            "unknown-method-wrong-code",
            "base/unknown-method",
            &["changed: error answer /error/code"],
        ),
        (
            "errors-with-stack-traces",
            "base/unknown-method",
            &["added: error answer /error/data"],
        ),
        (
            "meta-keys-broken",
            "server/tools/list",
            &["added: answer to tools/list /result/_meta"],
        ),
        (
            "tools-input-schema-null",
            "server/tools/list",
            &["changed: answer to tools/list /result/tools/*/inputSchema"],
        ),
        (
            "next-cursor-number",
            "server/tools/list",
            &["changed: answer to tools/list /result/nextCursor"],
        ),
        (
            "progress-token-as-string",
            "utilities/progress/token-integer",
            &["changed: notifications/progress /params/progressToken"],
        ),
        (
            "progress-unknown-token",
            "utilities/progress/shape",
            &["changed: notifications/progress /params/progressToken"],
        ),
        ("ping-unanswered", "base/ping", &["dropped: answer to ping"]),
    ];
    let revision = [Revision::V2025_11_25];
    let plain = Mock::start(TransportKind::Tcp, &revision, &[]).await;
    for (fault, check, expected) in cases {
        let faulty = Mock::start(TransportKind::Tcp, &revision, &[fault]).await;
        let comparison = compared(&plain, &faulty, &[check]).await;
        assert_eq!(told(&comparison), expected, "of {fault} in {check}");
        let baseline = Expected::of(&comparison);
        assert!(baseline.unexpected(&comparison).is_empty(), "of {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_responses_are_compared_over_the_same_transport() {
    let revision = [Revision::V2025_11_25];
    let transport = TransportKind::StreamableHttp;
    let plain = Mock::start(transport, &revision, &[]).await;
    let faulty = Mock::start(transport, &revision, &["accepted-with-200"]).await;
    let comparison = compared(&plain, &faulty, &["base/notification-initialized-again"]).await;
    let told = told(&comparison);
    let status = "changed: HTTP response to POST of notifications/initialized /status";
    assert!(told.contains(&status.to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_difference_that_is_gone_is_told() {
    let revision = [Revision::V2025_11_25];
    let plain = Mock::start(TransportKind::Tcp, &revision, &[]).await;
    let faulty = Mock::start(TransportKind::Tcp, &revision, &["server-info-missing"]).await;
    let known = Expected::of(&compared(&plain, &faulty, &["base/ping"]).await);
    let unexpected = known.unexpected(&compared(&plain, &plain, &["base/ping"]).await);
    assert!(unexpected.new.is_empty());
    assert_eq!(unexpected.stale, known.known);
    let again: Expected = toml::from_str(&known.to_toml()).expect("a baseline");
    assert_eq!(again, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_side_speaks_is_a_difference_and_nothing_in_common_is_an_error() {
    let both = Mock::start(TransportKind::Tcp, &REVISIONS, &[]).await;
    let one = Mock::start(TransportKind::Tcp, &REVISIONS[..1], &[]).await;
    let other = Mock::start(TransportKind::Tcp, &REVISIONS[1..], &[]).await;
    let comparison = compared(&both, &one, &["base/ping"]).await;
    assert_eq!(told(&comparison), ["revision: revision 2026-07-28"]);
    let library = Library::embedded(&Known::default()).expect("the library");
    let none = compare(
        &library,
        [&one.side, &other.side],
        &options(&["base/ping"]),
        &|_| {},
    )
    .await;
    assert!(matches!(none, Err(NothingToCompare::NoRevision { .. })));
}
