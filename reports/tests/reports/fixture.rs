//! One run, written as a table, that every format is checked against.

use std::collections::BTreeMap;

use mcp_verdict_results::{
    Campaign, CheckResult, Clause, Coverage, Entry, Kind, Peer, Run, Side, Suite, Summary, Target,
    Verdict,
};
use serde_json::json;

/// Revision and transport of each column of the table.
pub(crate) const COLUMNS: [(&str, &str); 5] = [
    ("2024-11-05", "stdio"),
    ("2025-06-18", "stdio"),
    ("2025-06-18", "streamable-http"),
    ("2025-11-25", "streamable-http"),
    ("2026-07-28", "streamable-http"),
];

/// Check, title, area, level, and a letter for each column: `P`ass, `W`arn, `F`ail,
/// `I`nconclusive, `N`ot applicable, `E`rror; a dot where the check did not run.
pub(crate) const TABLE: [(&str, &str, &str, &str, &str); 16] = [
    (
        "base/ids/echoed-with-their-type",
        "An id comes back as it was sent, a string as a string",
        "base",
        "MUST",
        "PPPPP",
    ),
    (
        "base/errors/unknown-method",
        "A method that does not exist is refused with -32601",
        "base",
        "MUST",
        "PPFFP",
    ),
    (
        "base/errors/parse-error",
        "A line that is no JSON is answered with -32700",
        "base",
        "SHOULD",
        "WW...",
    ),
    (
        "base/batches/refused",
        "A batch is refused outside of 2025-03-26",
        "base",
        "MUST",
        "PPPPP",
    ),
    (
        "lifecycle/initialize/unsupported-version",
        "An unknown revision is answered with one that is supported",
        "lifecycle",
        "MUST",
        "PPPPN",
    ),
    (
        "lifecycle/discover/names-its-revisions",
        "Discovery names the supported revisions",
        "lifecycle",
        "MUST",
        "NNNNP",
    ),
    (
        "server/tools/list",
        "Tools are listed with a name and an input schema",
        "server/tools",
        "MUST",
        "PPPPP",
    ),
    (
        "server/tools/call-unknown-tool",
        "A call of a tool that does not exist is refused",
        "server/tools",
        "MUST",
        "FFFFF",
    ),
    (
        "server/tools/slow-call-is-cancelled",
        "A cancelled call is not answered any more",
        "server/tools",
        "SHOULD",
        "IIIII",
    ),
    (
        "server/resources/read-unknown",
        "A resource that does not exist is refused with its code",
        "server/resources",
        "SHOULD",
        "PPWWP",
    ),
    (
        "server/resources/subscribe",
        "A change of a subscribed resource is announced",
        "server/resources",
        "MUST",
        "NNIII",
    ),
    (
        "server/prompts/get",
        "A prompt is rendered with its arguments",
        "server/prompts",
        "MUST",
        "PPPPP",
    ),
    (
        "server/logging/levels",
        "Messages below the level that was set are not sent",
        "server/logging",
        "SHOULD",
        "PPPPN",
    ),
    (
        "transport/http/origin",
        "A request from a foreign origin is refused with 403",
        "transport",
        "MUST",
        "..PPE",
    ),
    (
        "rules/jsonrpc/answered-once",
        "Every request is answered exactly once",
        "base",
        "MUST",
        "PPPPP",
    ),
    (
        "rules/stdio/only-messages",
        "Standard output carries messages and nothing else",
        "transport",
        "MUST",
        "FP...",
    ),
];

/// What the table says: check, revision, transport, verdict.
pub(crate) type Model = Vec<(String, String, String, Verdict)>;

/// The table as rows, in the run's order.
pub(crate) fn model() -> Model {
    let mut rows = Model::new();
    for (check, _, _, _, letters) in TABLE {
        for ((revision, transport), letter) in COLUMNS.iter().zip(letters.chars()) {
            if let Some(verdict) = verdict(letter) {
                rows.push((
                    check.to_owned(),
                    (*revision).to_owned(),
                    (*transport).to_owned(),
                    verdict,
                ));
            }
        }
    }
    rows
}

/// The run that the table describes.
pub(crate) fn run() -> Run {
    let results: Vec<_> = model()
        .into_iter()
        .map(|(check, revision, transport, verdict)| {
            let row = TABLE
                .iter()
                .find(|row| row.0 == check)
                .expect("the model is the table");
            result(row.0, row.1, row.2, row.3, &revision, &transport, verdict)
        })
        .collect();
    Run {
        suite: Suite {
            name: "mcp-verdict".to_owned(),
            version: "0.1.0".to_owned(),
            seed: 7_041_776,
            started: "2026-11-21T09:15:44Z".to_owned(),
            duration_ms: 3_214,
        },
        target: Target {
            name: "npx -y @example/notes-server --readonly".to_owned(),
            peers: COLUMNS
                .map(|(revision, transport)| peer(revision, transport))
                .into(),
            notes: vec![
                "The address was completed: /mcp answered".to_owned(),
                "2025-03-26 is not spoken: initialize was answered with 2025-06-18".to_owned(),
            ],
        },
        summary: Summary::of(&results),
        results,
        campaigns: vec![Campaign {
            revision: "2025-11-25".to_owned(),
            transport: "stdio".to_owned(),
            cases: 12,
            duration_ms: 1_500,
            unconfirmed: 1,
            cut_short: Some("the target <b>left</b>".to_owned()),
            coverage: vec![
                Coverage {
                    method: "<i>ping</i>".to_owned(),
                    change: "deep".to_owned(),
                    cases: 7,
                },
                Coverage {
                    method: "tools/call".to_owned(),
                    change: "deep".to_owned(),
                    cases: 5,
                },
            ],
        }],
    }
}

fn verdict(letter: char) -> Option<Verdict> {
    Some(match letter {
        'P' => Verdict::Pass,
        'W' => Verdict::Warn,
        'F' => Verdict::Fail,
        'I' => Verdict::Inconclusive,
        'N' => Verdict::NotApplicable,
        'E' => Verdict::Error,
        '.' => return None,
        other => panic!("`{other}` is no letter of the table"),
    })
}

fn peer(revision: &str, transport: &str) -> Peer {
    Peer {
        transport: transport.to_owned(),
        revision: revision.to_owned(),
        info: Some(json!({"name": "notes-server", "version": "2.3.1", "title": "Notes"})),
        capabilities: json!({"tools": {"listChanged": true}, "resources": {}, "prompts": {}}),
        fixtures: BTreeMap::from([(
            "tool-any".to_owned(),
            json!({"name": "search", "arguments": {"query": "x"}}),
        )]),
        missing_fixtures: vec![
            "tool-slow: no tool is known to be slow; bind one under [fixtures] in mcp-verdict.toml"
                .to_owned(),
        ],
    }
}

fn result(
    check: &str,
    title: &str,
    area: &str,
    level: &str,
    revision: &str,
    transport: &str,
    verdict: Verdict,
) -> CheckResult {
    let (message, expected, actual) = told(verdict);
    CheckResult {
        check: check.to_owned(),
        title: title.to_owned(),
        area: area.to_owned(),
        kind: if check.starts_with("rules/") {
            Kind::Rule
        } else {
            Kind::Vector
        },
        revision: revision.to_owned(),
        transport: transport.to_owned(),
        level: level.to_owned(),
        verdict,
        requirements: vec![Clause {
            id: format!("{area}#statement.1"),
            level: level.to_owned(),
            says: format!("{title}."),
            url: Some(format!(
                "https://example.org/specification/{revision}/{area}#statement"
            )),
            doubt: (verdict == Verdict::Warn)
                .then(|| "The text names no code for this case; both are accepted.".to_owned()),
        }],
        message: message.to_owned(),
        expected: expected.map(str::to_owned),
        actual: actual.map(str::to_owned),
        evidence: if verdict > Verdict::Pass {
            vec![2]
        } else {
            Vec::new()
        },
        exchange: exchange(check, transport),
        reproduce: format!(
            "mcp-verdict run --check {check} --revision {revision} --transport {transport} --seed 7041776 -- npx -y @example/notes-server --readonly"
        ),
        duration_ms: 3.25,
    }
}

fn told(verdict: Verdict) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match verdict {
        Verdict::Pass => ("every expectation held", None, None),
        Verdict::NotApplicable => ("the target does not declare the capability", None, None),
        Verdict::Inconclusive => (
            "no tool is known to be slow; bind `tool-slow` under [fixtures] in mcp-verdict.toml",
            None,
            None,
        ),
        Verdict::Warn => (
            "refused, but with another code than the one named",
            Some(r#"{"error": {"code": -32602}}"#),
            Some(r#"{"error": {"code": -32603, "message": "boom"}}"#),
        ),
        Verdict::Fail => (
            "what does not exist was answered with a result",
            Some(r#"{"error": {"code": -32602}}"#),
            Some(r#"{"result": {"content": [{"type": "text", "text": "Unknown tool"}]}}"#),
        ),
        Verdict::Error => (
            "the step could not be carried out",
            Some("a connection"),
            Some("refused"),
        ),
    }
}

fn exchange(check: &str, transport: &str) -> Vec<Entry> {
    let is_http = transport != "stdio";
    let number = is_http.then_some(3);
    let entry = |at_us, side, what: &str, text: String, cut| Entry {
        at_us,
        side,
        what: what.to_owned(),
        exchange: number,
        text,
        cut,
    };
    let request = format!(
        r#"{{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{{"name":"{check}","arguments":{{"path":"/tmp/a","limit":10,"mode":"read only please"}}}}}}"#
    );
    let answer = r#"{"jsonrpc":"2.0","id":4,"result":{"content":[{"type":"text","text":"Unknown tool: no such thing is offered by this server"}],"isError":false}}"#;
    let head = "POST /mcp HTTP/1.1\ncontent-type: application/json\naccept: application/json, text/event-stream\nmcp-session-id: [redacted]";
    vec![
        entry(0, Side::Harness, "step 1", String::new(), 0),
        match is_http {
            true => entry(
                180,
                Side::Us,
                "POST /mcp",
                format!("{head}\n\n{request}"),
                0,
            ),
            false => entry(180, Side::Us, "message", request, 0),
        },
        entry(2_430, Side::Target, "message", answer.to_owned(), 0),
        entry(
            3_100,
            Side::Target,
            "stderr",
            "\u{1b}[31mwarning\u{1b}[0m: <script>alert(1)</script>\n".to_owned(),
            120,
        ),
        entry(
            203_100,
            Side::Harness,
            "timed out",
            "after 200 ms".to_owned(),
            0,
        ),
    ]
}
