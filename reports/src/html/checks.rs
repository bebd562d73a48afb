//! Areas, their checks, and each check's results.

use std::collections::{HashMap, HashSet};

use mcp_verdict_results::{CheckResult, Clause, Kind, Run, Verdict};

use super::{
    budget::{self, Share},
    exchange::Timeline,
};
use crate::{
    groups,
    text::{self, Line, Lines},
    verdicts::{heading, sign},
};

/// One part of the protocol.
#[derive(Debug)]
pub(super) struct Area<'a> {
    pub(super) name: Line<'a>,
    pub(super) checks: Vec<Check<'a>>,
}

/// One check, wherever it ran.
#[derive(Debug)]
pub(super) struct Check<'a> {
    pub(super) id: Line<'a>,
    pub(super) title: Line<'a>,
    pub(super) level: Line<'a>,
    pub(super) is_rule: bool,
    /// The worst of its results.
    pub(super) worst: Badge,
    /// What the first of the worst says, unless it passed.
    pub(super) message: Option<Line<'a>>,
    pub(super) clauses: Vec<Statement<'a>>,
    pub(super) results: Vec<Outcome<'a>>,
}

/// A verdict as it looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Badge {
    /// Its name, and its class.
    pub(super) name: &'static str,
    pub(super) sign: &'static str,
    pub(super) heading: &'static str,
}

/// A clause, with the revisions that have it.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) id: Line<'a>,
    pub(super) level: Line<'a>,
    pub(super) says: Line<'a>,
    pub(super) doubt: Option<Line<'a>>,
    pub(super) revisions: Vec<Place<'a>>,
}

/// Where to read a clause.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) revision: Line<'a>,
    pub(super) url: Option<&'a str>,
}

/// One result.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub(super) anchor: String,
    pub(super) badge: Badge,
    pub(super) revision: Line<'a>,
    pub(super) transport: Line<'a>,
    pub(super) message: Line<'a>,
    pub(super) expected: Option<Lines<'a>>,
    pub(super) actual: Option<Lines<'a>>,
    pub(super) took: String,
    pub(super) command: Line<'a>,
    pub(super) timeline: Timeline<'a>,
    /// Whether it is open when its check is opened.
    pub(super) is_open: bool,
}

impl Badge {
    pub(super) const fn of(verdict: Verdict) -> Self {
        Self {
            name: verdict.as_str(),
            sign: sign(verdict),
            heading: heading(verdict),
        }
    }
}

/// A result with what was decided about it for the whole page.
struct Placed<'a> {
    result: &'a CheckResult,
    share: Share,
    anchor: String,
}

/// The anchor of every result, in the run's order. No two are the same.
pub(super) fn anchors(run: &Run) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut anchors = Vec::with_capacity(run.results.len());
    for result in &run.results {
        let name = format!("{}@{}@{}", result.check, result.revision, result.transport);
        let plain = |character: char| {
            if character.is_ascii_alphanumeric() || "-_./@+".contains(character) {
                character
            } else {
                '-'
            }
        };
        let mut anchor: String = name.chars().map(plain).collect();
        if taken.contains(&anchor) {
            anchor = format!("{anchor}@{}", anchors.len());
        }
        taken.insert(anchor.clone());
        anchors.push(anchor);
    }
    anchors
}

/// Everything that was judged, by area and check, in the order in which they are first met.
pub(super) fn areas<'a>(run: &'a Run, anchors: &[String]) -> Vec<Area<'a>> {
    let shares = budget::shares(&run.results);
    let mut areas: Vec<(&str, Vec<Vec<Placed<'a>>>)> = Vec::new();
    let mut area_places = HashMap::new();
    let mut check_places = HashMap::new();
    for ((result, share), anchor) in run.results.iter().zip(shares).zip(anchors) {
        let area = *area_places.entry(&*result.area).or_insert_with(|| {
            areas.push((&result.area, Vec::new()));
            areas.len() - 1
        });
        let checks = &mut areas[area].1;
        let check = *check_places
            .entry((area, &*result.check))
            .or_insert_with(|| {
                checks.push(Vec::new());
                checks.len() - 1
            });
        checks[check].push(Placed {
            result,
            share,
            anchor: anchor.clone(),
        });
    }
    areas
        .into_iter()
        .map(|(name, checks)| Area {
            name: Line(name),
            checks: checks.into_iter().map(Check::of).collect(),
        })
        .collect()
}

impl<'a> Check<'a> {
    fn of(placed: Vec<Placed<'a>>) -> Self {
        let first = placed[0].result;
        let results = || placed.iter().map(|placed| placed.result);
        let worst = results()
            .map(|result| result.verdict)
            .max()
            .unwrap_or(first.verdict);
        let telling = results()
            .position(|result| result.verdict == worst)
            .unwrap_or(0);
        let says_why = !matches!(worst, Verdict::Pass | Verdict::NotApplicable);
        let message = says_why.then(|| Line(&placed[telling].result.message));
        let clauses = statements(results());
        let outcomes = placed
            .into_iter()
            .enumerate()
            .map(|(index, placed)| Outcome::of(placed, index == telling))
            .collect();
        Self {
            id: Line(&first.check),
            title: Line(&first.title),
            level: Line(&first.level),
            is_rule: first.kind == Kind::Rule,
            worst: Badge::of(worst),
            message,
            clauses,
            results: outcomes,
        }
    }
}

impl<'a> Outcome<'a> {
    fn of(placed: Placed<'a>, is_open: bool) -> Self {
        let Placed {
            result,
            share,
            anchor,
        } = placed;
        Self {
            anchor,
            badge: Badge::of(result.verdict),
            revision: Line(&result.revision),
            transport: Line(&result.transport),
            message: Line(&result.message),
            expected: result.expected.as_deref().map(Lines),
            actual: result.actual.as_deref().map(Lines),
            took: text::duration(result.duration_ms),
            command: Line(&result.reproduce),
            timeline: Timeline::of(result, share),
            is_open,
        }
    }
}

/// The clauses of all results of a check: each once, with the revisions that have it.
fn statements<'a>(results: impl Iterator<Item = &'a CheckResult>) -> Vec<Statement<'a>> {
    let mut found: Vec<(&Clause, Statement<'a>)> = Vec::new();
    for result in results {
        for clause in &result.requirements {
            let same = found.iter().position(|(known, _)| {
                (&known.id, &known.level, &known.says, &known.doubt)
                    == (&clause.id, &clause.level, &clause.says, &clause.doubt)
            });
            let index = same.unwrap_or_else(|| {
                found.push((clause, Statement::of(clause)));
                found.len() - 1
            });
            let revisions = &mut found[index].1.revisions;
            if revisions
                .iter()
                .all(|place| place.revision.0 != result.revision)
            {
                revisions.push(Place {
                    revision: Line(&result.revision),
                    url: clause.url.as_deref().filter(|url| is_on_the_web(url)),
                });
            }
        }
    }
    found.into_iter().map(|(_, statement)| statement).collect()
}

impl<'a> Statement<'a> {
    fn of(clause: &'a Clause) -> Self {
        Self {
            id: Line(&clause.id),
            level: Line(&clause.level),
            says: Line(&clause.says),
            doubt: clause.doubt.as_deref().map(Line),
            revisions: Vec::new(),
        }
    }
}

/// No other address becomes a link: a `javascript:` one least of all. An address is of visible ASCII alone
/// (RFC 3986, section 2), so a link brings no control character into the page.
fn is_on_the_web(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a person has to look at, with links to where it is told in full.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    pub(super) badge: Badge,
    pub(super) id: Line<'a>,
    pub(super) title: Line<'a>,
    pub(super) message: Line<'a>,
    /// Anchor, revision, transport.
    pub(super) places: Vec<(String, Line<'a>, Line<'a>)>,
}

/// The findings, worst first.
pub(super) fn findings<'a>(run: &'a Run, anchors: &[String]) -> Vec<Finding<'a>> {
    let by_result: HashMap<*const CheckResult, &String> = run
        .results
        .iter()
        .map(std::ptr::from_ref)
        .zip(anchors)
        .collect();
    groups::findings(run)
        .into_iter()
        .map(|finding| {
            let first = finding.results[0];
            let place = |result: &&'a CheckResult| {
                let anchor = by_result[&std::ptr::from_ref(*result)].clone();
                (anchor, Line(&result.revision), Line(&result.transport))
            };
            Finding {
                badge: Badge::of(finding.verdict),
                id: Line(&first.check),
                title: Line(&first.title),
                message: Line(&first.message),
                places: finding.results.iter().map(place).collect(),
            }
        })
        .collect()
}
