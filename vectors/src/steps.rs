//! Whether every name in a vector's steps leads to something that an earlier step, a fixture or the suite
//! itself has given that name.

use std::collections::BTreeSet;

use mcp_verdict_wire::{NetworkFaultKind, TransportKind, limits::MESSAGE_BYTES_MAX};

use crate::{
    check::Finding,
    diagnostic::ProblemKind,
    model::{CaptureStep, Expect, HttpStep, Part, RawStep, Step, Subject, Vector, WindowStep},
    node::{Node, Shape},
    pattern::{OPERATORS, check_pattern},
    template::{malformed, references_in, root_of},
    text_format::is_base64,
};

/// Checks the steps in order, each with the names that those before it have given.
pub(crate) fn check_steps(vector: &Vector, node: &Node, findings: &mut Vec<Finding>) {
    let mut scope = Scope::default();
    let fixtures = vector
        .needs
        .fixtures
        .iter()
        .map(|name| name.replace('-', "_"));
    scope
        .variables
        .extend(fixtures.chain(BUILT_IN.map(str::to_owned)));
    if let Some(client) = node.find("/client") {
        check_references(client, "/client", &scope, findings);
    }
    let steps = node.find("/steps").map(|steps| &steps.shape);
    let Some(Shape::List(nodes)) = steps else {
        return;
    };
    for (index, (step, node)) in vector.steps.iter().zip(nodes).enumerate() {
        let at = format!("/steps/{index}");
        check_references(node, &at, &scope, findings);
        check_step(step, node, &at, &mut scope, findings);
    }
    check_network(vector, &scope, findings);
}

/// What the network does, it does over HTTP, at a place that the bytes of a request or the events of a response define.
fn check_network(vector: &Vector, scope: &Scope, findings: &mut Vec<Finding>) {
    let without_http = |kind: &TransportKind| {
        !matches!(kind, TransportKind::HttpSse | TransportKind::StreamableHttp)
    };
    let transports = &vector.transports;
    if !vector.network.is_empty() && (transports.is_empty() || transports.iter().any(without_http))
    {
        let message = "`network` is about HTTP: name `transports`, and none without it".to_owned();
        findings.push(Finding::key("/network", ProblemKind::Invalid { message }));
    }
    for (label, fault) in &vector.network {
        let at = format!("/network/{label}");
        check_label(label, &scope.sent, &at, findings);
        let of_request = fault.fault.is_of_request();
        if of_request && fault.after_events > 0 {
            findings.push(Finding::invalid(
                format!("{at}/after_events"),
                "a request has no events: `after_bytes`",
            ));
        }
        if !of_request && fault.after_bytes.is_some() {
            findings.push(Finding::invalid(
                format!("{at}/after_bytes"),
                "a stream is lost at a place that its events define: `after_events`",
            ));
        }
        let from_event = fault.fault == NetworkFaultKind::CutMidEvent || of_request;
        if fault.after_events == 0 && !from_event {
            findings.push(Finding::invalid(
                format!("{at}/after_events"),
                "before the first event there is nothing to resume from: at least 1",
            ));
        }
    }
}

/// What the steps so far have given a name.
#[derive(Default)]
struct Scope {
    /// Labels of what was sent.
    sent: BTreeSet<String>,
    /// Those of them that are variables too: the message that was sent.
    messages: BTreeSet<String>,
    /// Labels of listings.
    pages: BTreeSet<String>,
    /// Variables.
    variables: BTreeSet<String>,
}

/// Every `${…}` in the strings below a node must be known by now.
fn check_references(node: &Node, at: &str, scope: &Scope, findings: &mut Vec<Finding>) {
    match &node.shape {
        Shape::String(text) => check_text(text, at, false, scope, findings),
        Shape::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_references(item, &format!("{at}/{index}"), scope, findings);
            }
        }
        Shape::Map(members) => {
            for (key, value) in members {
                let at = format!("{at}/{}", key.key().replace('~', "~0").replace('/', "~1"));
                check_text(key.key(), &at, true, scope, findings);
                check_references(value, &at, scope, findings);
            }
        }
        _ => {}
    }
}

/// Every `${…}` in one string must be known by now.
fn check_text(text: &str, at: &str, key: bool, scope: &Scope, findings: &mut Vec<Finding>) {
    if malformed(text).is_some() {
        let message = "`${` without a name and a `}`; write `$${` for the characters".to_owned();
        let kind = ProblemKind::Invalid { message };
        findings.push(Finding {
            kind,
            at: at.to_owned(),
            key,
        });
    }
    for reference in references_in(text) {
        let root = root_of(&reference);
        let known = [&scope.variables, &scope.messages];
        if !known.iter().any(|names| names.contains(root)) {
            let known = known
                .iter()
                .flat_map(|names| names.iter().cloned())
                .collect();
            let kind = ProblemKind::Unknown {
                what: "name",
                name: root.to_owned(),
                known,
            };
            findings.push(Finding {
                kind,
                at: at.to_owned(),
                key,
            });
        }
    }
}

fn check_step(step: &Step, node: &Node, at: &str, scope: &mut Scope, findings: &mut Vec<Finding>) {
    let mut defines = None;
    match step {
        Step::Request(step) => defines = step.label.as_ref().map(|label| (label, "request")),
        Step::Notify(step) => defines = step.label.as_ref().map(|label| (label, "notify")),
        Step::Send(step) => defines = step.label.as_ref().map(|label| (label, "send")),
        Step::SendRaw(step) => {
            check_raw(step, at, findings);
            defines = step.label.as_ref().map(|label| (label, "send_raw"));
        }
        Step::Http(step) => {
            check_body(step, at, findings);
            defines = Some((&step.label, "http"));
        }
        Step::OpenStream(step) => defines = Some((&step.label, "open_stream")),
        Step::Drop(step) => check_label(&step.of, &scope.sent, &format!("{at}/drop/of"), findings),
        Step::Cancel(step) => {
            check_label(
                &step.request,
                &scope.sent,
                &format!("{at}/cancel/request"),
                findings,
            );
        }
        Step::Retry(step) => {
            check_label(
                &step.of,
                &scope.messages,
                &format!("{at}/retry/of"),
                findings,
            );
            defines = Some((&step.label, "retry"));
        }
        Step::Signal(step) => {
            if !SIGNALS.contains(&step.name.as_str()) {
                let kind = ProblemKind::Unknown {
                    what: "signal",
                    name: step.name.clone(),
                    known: SIGNALS.map(str::to_owned).to_vec(),
                };
                findings.push(Finding::value(format!("{at}/signal/name"), kind));
            }
        }
        Step::Window(step) => check_window(step, &format!("{at}/window"), findings),
        Step::Pages(step) => {
            if !scope.pages.insert(step.label.clone()) {
                findings.push(taken(&step.label, format!("{at}/pages/as")));
            }
        }
        Step::Expect(expect) => check_expect(expect, node, at, scope, findings),
        Step::Capture(step) => check_capture(step, at, scope, findings),
        Step::CloseInput(_) | Step::Barrier(_) => {}
    }
    if let Some((label, step)) = defines {
        if !scope.sent.insert(label.clone()) || scope.variables.contains(label) {
            findings.push(taken(label, format!("{at}/{step}/as")));
        }
        if !matches!(step, "send_raw" | "open_stream") {
            scope.messages.insert(label.clone());
        }
    }
}

fn check_expect(
    expect: &Expect,
    node: &Node,
    at: &str,
    scope: &Scope,
    findings: &mut Vec<Finding>,
) {
    check_subject(&expect.subject, &format!("{at}/expect"), scope, findings);
    let short = node.find("/expect/match").is_some();
    for (place, case) in expect.accept.iter().enumerate() {
        let place = if short {
            String::new()
        } else {
            format!("/accept/{place}")
        };
        if let Some(pattern) = &case.pattern {
            check_one_pattern(pattern, &format!("{at}/expect{place}/match"), findings);
        }
    }
}

fn check_capture(step: &CaptureStep, at: &str, scope: &mut Scope, findings: &mut Vec<Finding>) {
    check_subject(&step.from, &format!("{at}/capture/from"), scope, findings);
    let pointer = step.pointer.as_deref().unwrap_or_default();
    let each = step.each.as_deref().unwrap_or_default();
    for (name, pointer) in [("pointer", pointer), ("each", each)] {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let message = "a JSON pointer is empty or starts with `/`";
            findings.push(Finding::invalid(format!("{at}/capture/{name}"), message));
        }
    }
    if !scope.variables.insert(step.name.clone()) || scope.sent.contains(&step.name) {
        findings.push(taken(&step.name, format!("{at}/capture/name")));
    }
}

fn check_body(step: &HttpStep, at: &str, findings: &mut Vec<Finding>) {
    let at = format!("{at}/http");
    let bodies = [
        ("json", step.json.is_some()),
        ("text", step.text.is_some()),
        ("base64", step.base64.is_some()),
        ("parts", !step.parts.is_empty()),
    ];
    let given = bodies.iter().filter(|(_, given)| *given);
    for (name, _) in given.skip(1) {
        findings.push(Finding::invalid(format!("{at}/{name}"), "a second body"));
    }
    check_base64(step.base64.as_deref(), &at, findings);
    check_parts(&step.parts, &at, findings);
}

fn check_raw(step: &RawStep, at: &str, findings: &mut Vec<Finding>) {
    let at = format!("{at}/send_raw");
    let spellings = [
        step.text.is_some(),
        step.base64.is_some(),
        !step.parts.is_empty(),
    ];
    if spellings.iter().filter(|given| **given).count() != 1 {
        let message = "`send_raw` has one of `text`, `base64` and `parts`".to_owned();
        findings.push(Finding::key(&at, ProblemKind::Invalid { message }));
    }
    if step.times == 0 || step.times > TIMES_MAX {
        let message = format!("a message is sent once, or up to {TIMES_MAX} times");
        findings.push(Finding::invalid(format!("{at}/times"), message));
    }
    check_base64(step.base64.as_deref(), &at, findings);
    check_parts(&step.parts, &at, findings);
}

fn check_base64(base64: Option<&str>, at: &str, findings: &mut Vec<Finding>) {
    if base64.is_some_and(|base64| !is_base64(base64)) {
        let message = "this is no base64";
        findings.push(Finding::invalid(format!("{at}/base64"), message));
    }
}

fn check_parts(parts: &[Part], at: &str, findings: &mut Vec<Finding>) {
    let mut bytes = 0_usize;
    for (index, part) in parts.iter().enumerate() {
        let at = format!("{at}/parts/{index}");
        if part.text.is_some() == part.base64.is_some() {
            let message = "a part has either `text` or `base64`";
            findings.push(Finding::invalid(&at, message));
        }
        check_base64(part.base64.as_deref(), &at, findings);
        let spelled = part.text.as_ref().or(part.base64.as_ref());
        let length = spelled.map_or(0, String::len);
        bytes = bytes.saturating_add(length.saturating_mul(part.times));
    }
    if bytes > MESSAGE_BYTES_MAX {
        let message = format!("the parts are more than {MESSAGE_BYTES_MAX} bytes together");
        findings.push(Finding::invalid(format!("{at}/parts"), message));
    }
}

fn check_subject(subject: &Subject, at: &str, scope: &Scope, findings: &mut Vec<Finding>) {
    match subject {
        Subject::Response(label) => {
            // The requests of a listing are named after it and their place.
            let page = label.rsplit_once('.').is_some_and(|(name, number)| {
                scope.pages.contains(name) && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            if !page {
                check_label(label, &scope.sent, &format!("{at}/response"), findings);
            }
        }
        Subject::Http(label) => check_label(label, &scope.sent, &format!("{at}/http"), findings),
        Subject::Stream(label) => {
            check_label(label, &scope.sent, &format!("{at}/stream"), findings)
        }
        Subject::Replies(label) => {
            check_label(label, &scope.sent, &format!("{at}/replies"), findings);
        }
        Subject::Pages(label) => check_label(label, &scope.pages, &format!("{at}/pages"), findings),
        Subject::Message(pattern) => {
            check_one_pattern(pattern, &format!("{at}/message"), findings);
        }
        Subject::Messages(pattern) => {
            check_one_pattern(pattern, &format!("{at}/messages"), findings);
        }
        Subject::Frames(pattern) => {
            check_one_pattern(pattern, &format!("{at}/frames"), findings);
        }
        Subject::Closed(_)
        | Subject::Exit(_)
        | Subject::Memory(_)
        | Subject::Rule(_)
        | Subject::Variables(_) => {}
    }
}

fn check_window(step: &WindowStep, at: &str, findings: &mut Vec<Finding>) {
    if step.ms > WINDOW_MS_MAX {
        let message = format!("a window of more than {WINDOW_MS_MAX} ms");
        findings.push(Finding::invalid(format!("{at}/ms"), message));
    }
    if let Some(pattern) = &step.until {
        check_one_pattern(pattern, &format!("{at}/until"), findings);
    }
}

/// A label that an earlier step must have.
fn check_label(label: &str, known: &BTreeSet<String>, at: &str, findings: &mut Vec<Finding>) {
    if !known.contains(label) {
        let known = known.iter().cloned().collect();
        let kind = ProblemKind::Unknown {
            what: "step label",
            name: label.to_owned(),
            known,
        };
        findings.push(Finding::value(at, kind));
    }
}

/// A pattern in its place.
fn check_one_pattern(pattern: &serde_json::Value, at: &str, findings: &mut Vec<Finding>) {
    let Err(error) = check_pattern(pattern) else {
        return;
    };
    let kind = match error.unknown {
        Some(name) => {
            let known = OPERATORS.map(str::to_owned).to_vec();
            ProblemKind::Unknown {
                what: "operator",
                name,
                known,
            }
        }
        None => ProblemKind::Invalid {
            message: error.message,
        },
    };
    findings.push(Finding::key(format!("{at}{}", error.at), kind));
}

fn taken(name: &str, at: String) -> Finding {
    Finding::value(
        at,
        ProblemKind::DuplicateKey {
            key: name.to_owned(),
        },
    )
}

/// Variables that every step can use.
const BUILT_IN: [&str; 4] = ["any_method", "request_meta", "revision", "transport"];

/// The signals that can be sent.
const SIGNALS: [&str; 3] = ["HUP", "INT", "TERM"];

/// How often one step may send its message: a leak of a few bytes shows by then.
const TIMES_MAX: usize = 100_000;

/// The longest that a vector may wait for nothing.
const WINDOW_MS_MAX: u64 = 2000;
