//! The conformant mock server offers every fixture there is, in every revision that has what it is about.

use mcp_verdict_engine::{
    fixtures::FIXTURES,
    probe::{Way, discover},
    target::TargetSpec,
};
use mcp_verdict_mock::{MockConfig, Served};
use mcp_verdict_wire::{Era, Revision, TransportKind};

/// Fixtures that cannot be in a revision or over a transport.
fn may_lack(fixture: &str, way: &Way) -> bool {
    match fixture {
        "tool-elicitation" | "tool-structured" | "tool-resource-link" => {
            way.revision < Revision::V2025_06_18
        }
        "tool-audio" => way.revision < Revision::V2025_03_26,
        "tool-stream-drop" => {
            way.revision != Revision::V2025_11_25 || way.transport != TransportKind::StreamableHttp
        }
        "tool-header-integer" | "tool-header-string" | "tool-request-state" => {
            way.revision.era() == Era::Legacy
        }
        "tool-logging" => way.revision.era() == Era::Modern,
        _ => false,
    }
}

async fn ways(url: impl FnOnce(&Served) -> String) -> Vec<Way> {
    let address = "127.0.0.1:0".parse().expect("an address");
    let served = Served::http(&MockConfig::default(), address)
        .await
        .expect("a server");
    let spec = TargetSpec::from_url(&url(&served)).expect("a URL");
    discover(&spec).await.expect("a way").ways
}

fn assert_whole(ways: &[Way]) {
    for way in ways {
        for fixture in FIXTURES {
            let place = format!(
                "{} in {} over {}",
                fixture.name, way.revision, way.transport
            );
            let is_bound = way.bound.values.contains_key(fixture.name);
            assert!(
                is_bound || may_lack(fixture.name, way),
                "{place} is not found"
            );
        }
        assert!(way.bound.notes.is_empty(), "{:?}", way.bound.notes);
    }
}

#[tokio::test]
async fn over_streamable_http() {
    let ways = ways(|served| served.streamable_http_url()).await;
    let revisions: Vec<_> = ways.iter().map(|way| way.revision).collect();
    assert_eq!(revisions, Revision::ALL[1..]);
    assert_whole(&ways);
}

#[tokio::test]
async fn over_http_sse() {
    let ways = ways(|served| served.http_sse_url()).await;
    assert!(!ways.is_empty());
    assert!(
        ways.iter()
            .all(|way| way.transport == TransportKind::HttpSse)
    );
    assert_whole(&ways);
}
