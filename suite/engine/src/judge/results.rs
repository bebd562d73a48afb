//! Verdicts as results: with clause, exchange, and the command that shows it again.

use std::collections::BTreeMap;

use mcp_verdict_results::{CheckResult, Clause, Entry, Kind, Verdict};
use mcp_verdict_vectors::{
    Library,
    model::{CheckId, Level, RequirementId},
};
use mcp_verdict_wire::{
    Revision, TransportKind,
    transcript::{Head, Transcript},
};

use super::{timeline, walk::Judgement};
use crate::view::View;

/// What a check is, as far as a result tells it.
pub(super) struct About<'l> {
    pub(super) id: &'l CheckId,
    pub(super) title: &'l str,
    pub(super) level: Level,
    /// The strongest statement of each revision, which may weaken the level.
    pub(super) strongest: &'l BTreeMap<Revision, Level>,
    pub(super) kind: Kind,
    pub(super) requirements: &'l BTreeMap<Revision, Vec<RequirementId>>,
}

impl About<'_> {
    /// A result without an exchange.
    pub(super) fn result(
        &self,
        library: &Library,
        revision: Revision,
        transport: TransportKind,
        verdict: Verdict,
        message: String,
    ) -> CheckResult {
        let ids = self
            .requirements
            .get(&revision)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let strongest = self.strongest.get(&revision).copied();
        let level = self.level.min(strongest.unwrap_or(self.level));
        CheckResult {
            check: self.id.to_string(),
            title: self.title.to_owned(),
            area: area(&self.id.0, self.kind),
            kind: self.kind,
            revision: revision.to_string(),
            transport: transport.to_string(),
            level: level.to_string(),
            verdict,
            requirements: ids.iter().map(|id| clause(library, revision, id)).collect(),
            message,
            expected: None,
            actual: None,
            evidence: Vec::new(),
            exchange: Vec::new(),
            reproduce: String::new(),
            duration_ms: 0.0,
        }
    }

    /// The result of a vector.
    pub(super) fn judged(
        &self,
        library: &Library,
        transcript: &Transcript,
        view: &View<'_>,
        judgement: Judgement,
    ) -> CheckResult {
        let head = &transcript.head;
        let begin = begin_us(view);
        let shown = timeline::whole(&transcript.events, begin, &judgement.evidence);
        let plain = self.result(
            library,
            head.revision,
            head.transport,
            judgement.verdict,
            judgement.message,
        );
        CheckResult {
            expected: judgement.expected,
            actual: judgement.actual,
            evidence: shown.evidence,
            exchange: shown.entries,
            reproduce: reproduce(head, &[&head.check]),
            duration_ms: duration_ms(view),
            ..plain
        }
    }
}

/// The whole exchange of a transcript, as a person reads it.
pub(crate) fn exchange(transcript: &Transcript) -> Vec<Entry> {
    let view = View::of(transcript);
    timeline::whole(&transcript.events, begin_us(&view), &[]).entries
}

/// When the vector's first step began.
pub(super) fn begin_us(view: &View<'_>) -> u64 {
    view.first_step()
        .map_or(0, |event| view.events[event].at_us)
}

/// From the first step to the mark at the end.
#[expect(
    clippy::cast_precision_loss,
    reason = "a check lasts less than centuries"
)]
fn duration_ms(view: &View<'_>) -> f64 {
    let end = view
        .last_step()
        .or_else(|| view.events.len().checked_sub(1));
    let end = end.map_or(0, |event| view.events[event].at_us);
    end.saturating_sub(begin_us(view)) as f64 / 1000.0
}

/// The command that runs these checks again. The head names the target as a command line does.
pub(super) fn reproduce(head: &Head, checks: &[&str]) -> String {
    let checks: Vec<String> = checks
        .iter()
        .map(|check| format!("--check {check}"))
        .collect();
    format!(
        "mcp-verdict run --revision {} --transport {} {} {}",
        head.revision,
        head.transport,
        checks.join(" "),
        head.target
    )
}

/// The first words of an id: `server/tools`, and for a rule what follows `rules/`.
fn area(id: &str, kind: Kind) -> String {
    let skip = usize::from(kind == Kind::Rule);
    let words: Vec<&str> = id.split('/').collect();
    let words = &words[skip.min(words.len())..words.len().saturating_sub(1)];
    match words {
        [] => id.split('/').next().unwrap_or_default().to_owned(),
        [first, second, ..] => format!("{first}/{second}"),
        [only] => (*only).to_owned(),
    }
}

/// A statement as a result names it.
#[must_use]
pub fn clause(library: &Library, revision: Revision, id: &RequirementId) -> Clause {
    let requirement = library.requirement(revision, id);
    Clause {
        id: id.to_string(),
        level: requirement
            .map_or(Level::Must, |requirement| requirement.level)
            .to_string(),
        says: requirement
            .map(|requirement| requirement.says.clone())
            .unwrap_or_default(),
        url: url(revision, &id.0),
        doubt: requirement.and_then(|requirement| requirement.doubt.clone()),
    }
}

/// Where a statement can be read.
fn url(revision: Revision, id: &str) -> Option<String> {
    let (page, rest) = id.split_once('#')?;
    let site = "https://modelcontextprotocol.io/specification";
    match page {
        // Our own class, and a proposal that is on no page to stay.
        "robustness" | "ws-draft" => None,
        "grpc" => {
            let grpc = "https://github.com/grpc/grpc/blob/master/doc";
            match rest {
                "tunnel" | "session-id" => None,
                _ if rest.starts_with("compression") => Some(format!("{grpc}/compression.md")),
                "health" => Some(format!("{grpc}/health-checking.md")),
                "status-codes" => Some(format!("{grpc}/statuscodes.md")),
                _ => Some(format!("{grpc}/PROTOCOL-HTTP2.md")),
            }
        }
        "json-rpc-2.0" => {
            let heading = match rest.split('.').collect::<Vec<_>>().as_slice() {
                ["4", "1", ..] => "notification",
                ["4", "2", ..] => "parameter_structures",
                ["4", ..] => "request_object",
                ["5", "1", ..] => "error_object",
                ["5", ..] => "response_object",
                ["6", ..] => "batch",
                _ => "overview",
            };
            Some(format!("https://www.jsonrpc.org/specification#{heading}"))
        }
        standard if standard.starts_with("rfc") => Some(format!(
            "https://www.rfc-editor.org/rfc/{standard}.html#section-{rest}"
        )),
        "sse" => Some("https://html.spec.whatwg.org/multipage/server-sent-events.html".to_owned()),
        // The pages of the schema came with 2025-06-18.
        "schema" if revision < Revision::V2025_06_18 => Some(format!(
            "https://github.com/modelcontextprotocol/modelcontextprotocol/blob/main/schema/{revision}/schema.ts"
        )),
        "schema" => Some(format!(
            "{site}/{revision}/schema#{}",
            rest.to_ascii_lowercase()
        )),
        _ => {
            let heading = match rest.rsplit_once('.') {
                Some((heading, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    heading
                }
                _ => rest,
            };
            let page = page.strip_suffix("/index").unwrap_or(page);
            Some(format!("{site}/{revision}/{page}#{heading}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_becomes_the_address_of_its_heading() {
        let tools = url(Revision::V2025_11_25, "server/tools#error-handling.1").unwrap();
        assert_eq!(
            tools,
            "https://modelcontextprotocol.io/specification/2025-11-25/server/tools#error-handling"
        );
        let index = url(Revision::V2026_07_28, "basic/index#error-codes.12").unwrap();
        assert_eq!(
            index,
            "https://modelcontextprotocol.io/specification/2026-07-28/basic#error-codes"
        );
        let answer = url(Revision::V2024_11_05, "json-rpc-2.0#5").unwrap();
        assert_eq!(
            answer,
            "https://www.jsonrpc.org/specification#response_object"
        );
        let handshake = url(Revision::V2024_11_05, "rfc6455#4.2.2").unwrap();
        assert_eq!(
            handshake,
            "https://www.rfc-editor.org/rfc/rfc6455.html#section-4.2.2"
        );
        for nowhere in ["robustness#survival", "ws-draft#binary", "grpc#tunnel"] {
            assert_eq!(url(Revision::V2024_11_05, nowhere), None);
        }
    }

    #[test]
    fn the_area_is_what_stands_before_the_last_word() {
        assert_eq!(
            area("server/tools/call-unknown-tool", Kind::Vector),
            "server/tools"
        );
        assert_eq!(area("lifecycle/initialize", Kind::Vector), "lifecycle");
        assert_eq!(area("example", Kind::Vector), "example");
        assert_eq!(area("rules/base/message-shape", Kind::Rule), "base");
    }
}
