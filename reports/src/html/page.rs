//! The page as a whole.

use askama::Template;
use mcp_verdict_results::{Peer, Run, Verdict};

use super::{
    assets::{SCRIPT, SCRIPT_DIGEST, STYLE, STYLE_DIGEST},
    checks::{self, Area, Badge, Finding},
    coverage::Coverage,
    matrix::{Matrix, told},
    transports::Transports,
};
use crate::{
    groups,
    text::{self, Line, Lines},
    verdicts::{SHOWN, participle},
};

/// Renders a run as one HTML page.
#[must_use]
pub fn html(run: &Run) -> String {
    Page::of(run)
        .render()
        .expect("the page is written to memory, and its texts to the page")
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'static str,
    style_digest: &'static str,
    script: &'static str,
    script_digest: &'static str,
    target: Line<'a>,
    suite: Line<'a>,
    version: Line<'a>,
    started: Line<'a>,
    seed: u64,
    took: String,
    /// The verdict that the headline begins with.
    leading: Badge,
    headline: String,
    told: String,
    total: usize,
    tiles: Vec<Tile>,
    bar: Vec<Segment>,
    notes: Vec<Line<'a>>,
    peers: Vec<PeerText<'a>>,
    findings: Vec<Finding<'a>>,
    /// What could not be judged, and how often.
    inconclusive: Vec<(usize, Line<'a>)>,
    matrix: Matrix<'a>,
    side_by_side: Option<Transports<'a>>,
    /// What was sent, for each campaign of fuzzing.
    campaigns: Vec<Coverage<'a>>,
    revisions: Vec<Line<'a>>,
    transports: Vec<Line<'a>>,
    areas: Vec<Area<'a>>,
    /// How many results show less than their whole exchange.
    shortened: usize,
}

/// A count in the head.
struct Tile {
    badge: Badge,
    number: usize,
    label: &'static str,
}

/// A part of the bar, in per mille of its width.
struct Segment {
    class: &'static str,
    start: usize,
    width: usize,
}

/// What a target says of itself.
struct PeerText<'a> {
    revision: Line<'a>,
    transport: Line<'a>,
    /// Name and version, as far as they are there.
    name: String,
    info: Option<String>,
    capabilities: String,
    fixtures: Vec<(Line<'a>, String)>,
    missing: Vec<Lines<'a>>,
}

impl<'a> Page<'a> {
    fn of(run: &'a Run) -> Self {
        let anchors = checks::anchors(run);
        let areas = checks::areas(run, &anchors);
        let columns = groups::columns(run);
        let mut revisions: Vec<&str> = columns.iter().map(|column| column.revision).collect();
        revisions.dedup();
        let mut transports: Vec<&str> = columns.iter().map(|column| column.transport).collect();
        transports.sort_unstable();
        transports.dedup();
        let outcomes = areas
            .iter()
            .flat_map(|area| &area.checks)
            .flat_map(|check| &check.results);
        let shortened = outcomes
            .filter(|outcome| outcome.timeline.left_out > 0)
            .count();
        #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
        let took = text::duration(run.suite.duration_ms as f64);
        Self {
            style: STYLE,
            style_digest: STYLE_DIGEST,
            script: SCRIPT,
            script_digest: SCRIPT_DIGEST,
            target: Line(&run.target.name),
            suite: Line(&run.suite.name),
            version: Line(&run.suite.version),
            started: Line(&run.suite.started),
            seed: run.suite.seed,
            took,
            leading: Badge::of(leading(run)),
            headline: headline(run),
            told: told(run.summary),
            total: run.summary.total(),
            tiles: tiles(run),
            bar: bar(run),
            notes: run.target.notes.iter().map(|note| Line(note)).collect(),
            peers: run.target.peers.iter().map(PeerText::of).collect(),
            findings: checks::findings(run, &anchors),
            inconclusive: groups::reasons(run, Verdict::Inconclusive)
                .into_iter()
                .map(|reason| (reason.results.len(), Line(reason.message)))
                .collect(),
            matrix: Matrix::of(run),
            side_by_side: Transports::of(run),
            campaigns: run.campaigns.iter().map(Coverage::of).collect(),
            revisions: revisions.into_iter().map(Line).collect(),
            transports: transports.into_iter().map(Line).collect(),
            areas,
            shortened,
        }
    }
}

impl<'a> PeerText<'a> {
    fn of(peer: &'a Peer) -> Self {
        let info = |member: &str| {
            let value = peer.info.as_ref()?.get(member)?.as_str()?;
            Some(text::line(value).into_owned())
        };
        let name: Vec<String> = ["name", "version"].into_iter().filter_map(info).collect();
        Self {
            revision: Line(&peer.revision),
            transport: Line(&peer.transport),
            name: name.join(" "),
            info: peer.info.as_ref().map(pretty),
            capabilities: pretty(&peer.capabilities),
            fixtures: peer
                .fixtures
                .iter()
                .map(|(name, value)| {
                    let value = value.to_string();
                    (
                        Line(name),
                        text::line(text::start(&value, VALUE_BYTES_MAX)).into_owned(),
                    )
                })
                .collect(),
            missing: peer
                .missing_fixtures
                .iter()
                .map(|missing| Lines(missing))
                .collect(),
        }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a value is JSON");
    let shown = text::start(&text, VALUE_BYTES_MAX);
    let mut visible = text::lines(shown).into_owned();
    if shown.len() < text.len() {
        visible.push('…');
    }
    visible
}

fn leading(run: &Run) -> Verdict {
    [
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Inconclusive,
        Verdict::Pass,
    ]
    .into_iter()
    .find(|&verdict| run.summary.count(verdict) > 0)
    .unwrap_or(Verdict::NotApplicable)
}

fn headline(run: &Run) -> String {
    let summary = run.summary;
    let errors = text::count(summary.error, "error of the suite", "errors of the suite");
    match (summary.fail, summary.error) {
        _ if summary.total() == 0 => "Nothing was judged".to_owned(),
        (0, 0) if summary.pass == 0 => "Nothing passed, nothing failed".to_owned(),
        (0, 0) if summary.warn > 0 => {
            format!(
                "No failures, {}",
                text::count(summary.warn, "warning", "warnings")
            )
        }
        (0, 0) => "No failures".to_owned(),
        (0, _) => errors,
        (fail, 0) => text::count(fail, "failure", "failures"),
        (fail, _) => format!("{}, {errors}", text::count(fail, "failure", "failures")),
    }
}

fn tiles(run: &Run) -> Vec<Tile> {
    SHOWN
        .into_iter()
        .map(|verdict| Tile {
            badge: Badge::of(verdict),
            number: run.summary.count(verdict),
            label: participle(verdict),
        })
        .collect()
}

/// The verdicts' shares side by side. What occurs is never too small to be seen.
fn bar(run: &Run) -> Vec<Segment> {
    let total = run.summary.total().max(1);
    let order = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Inconclusive,
        Verdict::NotApplicable,
    ];
    let widths = order.map(|verdict| match run.summary.count(verdict) {
        0 => 0,
        number => (number * 1000 / total).max(6),
    });
    let all: usize = widths.iter().sum::<usize>().max(1);
    let mut start = 0;
    let mut segments = Vec::new();
    for (verdict, width) in order.into_iter().zip(widths) {
        let width = width * 1000 / all;
        if width > 0 {
            segments.push(Segment {
                class: verdict.as_str(),
                start,
                width,
            });
            start += width;
        }
    }
    segments
}

/// As much of one value of a peer's self-description as is shown.
const VALUE_BYTES_MAX: usize = 8 * 1024;
