//! The suite judged by itself: the conformant mock passes every check, and every check catches each of the
//! faults that it names, with the verdict that it states.
//!
//! This module knows neither the mock server nor its faults; it is given something that starts one.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io,
    pin::Pin,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use mcp_verdict_results::{CheckResult, Run, Verdict};
use mcp_verdict_transport::Address;
use mcp_verdict_vectors::{
    Library,
    model::{CheckId, FaultCase, Outcome, RequirementId, Vector},
};
use mcp_verdict_wire::{Revision, TransportKind};
use serde::Serialize;

use crate::{
    plan::{self, EmptyPlan, Prepared, PreparedWay, Selection},
    run::{Options, run},
};

/// A mock server that was started. Dropping it ends it.
pub struct Started {
    /// Where it is.
    pub address: Address,
    /// What keeps it alive.
    pub guard: Box<dyn Any + Send>,
}

/// Starts a mock server on a transport with these faults.
pub type Start<'s> = dyn Fn(TransportKind, Vec<String>) -> Starting<'s> + Sync + 's;

/// A mock server on its way up.
pub type Starting<'s> = Pin<Box<dyn Future<Output = io::Result<Started>> + Send + 's>>;

/// What the self-test found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Matrix {
    /// Results of the conformant mock that are neither `pass` nor `not-applicable`.
    pub conformant: Vec<Blemish>,
    /// Results of the conformant mock that are `pass`.
    pub passed: usize,
    /// Every check with every fault it names, in every revision and over every transport where both apply.
    pub cells: Vec<Cell>,
    /// Faults of the catalogue that no check names.
    pub unnamed: Vec<String>,
}

/// A verdict on the conformant mock that should not be.
#[derive(Clone, Debug, Serialize)]
pub struct Blemish {
    /// The check.
    pub check: String,
    /// The revision.
    pub revision: String,
    /// The transport.
    pub transport: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub message: String,
}

/// One check against one fault.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// The check.
    pub check: String,
    /// The fault.
    pub fault: String,
    /// The revision.
    pub revision: String,
    /// The transport.
    pub transport: String,
    /// The verdict that the check states.
    pub expected: Verdict,
    /// The verdict that it came to.
    pub actual: Verdict,
    /// Why it came to it.
    pub message: String,
    /// Checks that tripped too in the same exchanges.
    pub also: Vec<String>,
}

impl Cell {
    fn key(&self) -> [&str; 4] {
        [&self.check, &self.fault, &self.revision, &self.transport]
    }

    /// Whether the check came to the verdict that it states.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.expected == self.actual
    }
}

impl Matrix {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.conformant.is_empty() && self.cells.iter().all(Cell::is_caught)
    }

    /// Cells that were not caught.
    pub fn missed(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| !cell.is_caught())
    }
}

/// A check that names faults.
struct Suspect<'l> {
    id: &'l CheckId,
    requirements: &'l BTreeMap<Revision, Vec<RequirementId>>,
    transports: &'l [TransportKind],
    faults: &'l [FaultCase],
    /// The vectors that show it the fault: itself, or those that provoke a rule.
    vectors: Vec<&'l CheckId>,
}

impl Suspect<'_> {
    /// Whether any of its vectors can be expressed there.
    fn is_expressible(&self, library: &Library, way: &PreparedWay) -> bool {
        let own = |vector: &&Vector| self.vectors.contains(&&vector.id);
        let mut vectors = library.vectors.iter().filter(own);
        vectors.any(|vector| plan::inexpressible(vector, way).is_none())
    }
}

/// What is tried.
pub struct Trial<'t> {
    /// The checks.
    pub library: &'t Library,
    /// The conformant mock, prepared. Faults are tried on its ways.
    pub mock: &'t Prepared,
    /// The whole catalogue of faults.
    pub faults: &'t [&'t str],
    /// Which of them are wanted.
    pub wanted: &'t (dyn Fn(&str) -> bool + Sync),
    /// Which checks are.
    pub selection: &'t Selection,
    /// The transports over which every check is tried. Over the others only those that name them: what a fault
    /// does is done before a transport sees it.
    pub in_full: &'t [TransportKind],
    /// Starts a mock.
    pub start: &'t Start<'t>,
    /// How many mock servers at a time.
    pub jobs: usize,
    /// Is told of each fault that is done over a transport.
    pub progress: &'t (dyn Fn(&str, TransportKind) + Sync),
}

/// Runs the conformant mock through everything, then each fault through the checks that name it.
///
/// # Errors
/// When nothing is selected.
pub async fn self_test(trial: &Trial<'_>) -> Result<Matrix, EmptyPlan> {
    let &Trial {
        library,
        mock,
        faults,
        wanted,
        selection,
        jobs,
        progress,
        ..
    } = trial;
    let whole = run(library, mock, &options(selection.clone(), jobs), &|_| {})
        .await?
        .results;
    let suspects = suspects(library, selection);
    let named: BTreeSet<&str> = suspects
        .iter()
        .flat_map(|suspect| suspect.faults)
        .map(|case| case.fault.as_str())
        .filter(|fault| wanted(fault))
        .collect();
    let pairs = named
        .iter()
        .flat_map(|fault| TransportKind::ALL.map(|transport| (*fault, transport)));
    let tried = stream::iter(pairs).map(|(fault, transport)| {
        let suspects = &suspects;
        async move {
            let cells = try_fault(trial, fault, transport, suspects).await;
            progress(fault, transport);
            cells
        }
    });
    let mut cells: Vec<Cell> = tried
        .buffer_unordered(jobs.max(1))
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    for cell in cells.iter_mut().filter(|cell| !cell.is_caught()) {
        try_again(trial, cell, &suspects).await;
    }
    cells.sort_by(|one, other| one.key().cmp(&other.key()));
    let somewhere = named_anywhere(library);
    let unnamed = faults
        .iter()
        .filter(|fault| !somewhere.contains(*fault) && wanted(fault));
    Ok(Matrix {
        passed: whole
            .results
            .iter()
            .filter(|result| result.verdict == Verdict::Pass)
            .count(),
        conformant: blemishes(&whole),
        cells,
        unnamed: unnamed.map(|fault| (*fault).to_owned()).collect(),
    })
}

/// The faults that any check names, wanted now or not.
fn named_anywhere(library: &Library) -> BTreeSet<&str> {
    let vectors = library.vectors.iter().flat_map(|vector| &vector.faults);
    let rules = library.rules.iter().flat_map(|rule| &rule.faults);
    vectors
        .chain(rules)
        .map(|case| case.fault.as_str())
        .collect()
}

fn suspects<'l>(library: &'l Library, selection: &Selection) -> Vec<Suspect<'l>> {
    let vectors = library.vectors.iter().map(|vector| Suspect {
        id: &vector.id,
        requirements: &vector.requirements,
        transports: &vector.transports,
        faults: &vector.faults,
        vectors: vec![&vector.id],
    });
    let rules = library.rules.iter().map(|rule| Suspect {
        id: &rule.id,
        requirements: &rule.requirements,
        transports: &rule.transports,
        faults: &rule.faults,
        vectors: rule.provoked_by.iter().collect(),
    });
    vectors
        .chain(rules)
        .filter(|suspect| selection.wants(&suspect.id.0))
        .collect()
}

fn blemishes(run: &Run) -> Vec<Blemish> {
    let spoiled =
        |result: &&CheckResult| !matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable);
    run.results
        .iter()
        .filter(spoiled)
        .map(|result| Blemish {
            check: result.check.clone(),
            revision: result.revision.clone(),
            transport: result.transport.clone(),
            verdict: result.verdict,
            message: told(result),
        })
        .collect()
}

/// One fault over one transport.
async fn try_fault(
    trial: &Trial<'_>,
    fault: &str,
    transport: TransportKind,
    suspects: &[Suspect<'_>],
) -> Vec<Cell> {
    let due = due(trial, fault, suspects, transport);
    if due.is_empty() {
        return Vec::new();
    }
    let judged = match (trial.start)(transport, vec![fault.to_owned()]).await {
        Ok(started) => judge_fault(trial, &started, transport, &due).await,
        Err(error) => Err(format!("the mock did not start: {error}")),
    };
    due.iter()
        .map(|(suspect, case, revision)| cell(suspect, case, *revision, transport, &judged))
        .collect()
}

/// Tries a missed cell once more by itself: a fault that keeps a state for its whole server may have spent it on
/// another check or revision that ran beside this one.
async fn try_again(trial: &Trial<'_>, cell: &mut Cell, suspects: &[Suspect<'_>]) {
    let named = |it: &TransportKind| it.as_str() == cell.transport;
    let Some(transport) = TransportKind::ALL.into_iter().find(named) else {
        return;
    };
    let mut alone = due(trial, &cell.fault, suspects, transport);
    alone.retain(|(suspect, _, revision)| {
        suspect.id.0 == cell.check && revision.as_str() == cell.revision
    });
    let (Some((suspect, case, revision)), Ok(started)) = (
        alone.first(),
        (trial.start)(transport, vec![cell.fault.clone()]).await,
    ) else {
        return;
    };
    let judged = judge_fault(trial, &started, transport, &alone).await;
    *cell = self::cell(suspect, case, *revision, transport, &judged);
}

type Due<'d, 'l> = Vec<(&'d Suspect<'l>, &'l FaultCase, Revision)>;

/// The checks that must catch `fault` over `transport`, and in which revisions.
fn due<'d, 'l>(
    trial: &Trial<'_>,
    fault: &str,
    suspects: &'d [Suspect<'l>],
    transport: TransportKind,
) -> Due<'d, 'l> {
    let here = |way: &&PreparedWay| way.transport == transport;
    let ways: Vec<&PreparedWay> = trial.mock.ways.iter().filter(here).collect();
    let mut due = Vec::new();
    for suspect in suspects {
        let allowed = |of: &[TransportKind]| of.is_empty() || of.contains(&transport);
        let named = |case: &FaultCase| {
            suspect.transports.contains(&transport) || case.transports.contains(&transport)
        };
        let cases = suspect.faults.iter().filter(|case| {
            case.fault == fault
                && allowed(suspect.transports)
                && allowed(&case.transports)
                && (trial.in_full.contains(&transport) || named(case))
        });
        for case in cases {
            let applies = |way: &&&PreparedWay| {
                suspect.requirements.contains_key(&way.revision)
                    && (case.revisions.is_empty() || case.revisions.contains(&way.revision))
                    && suspect.is_expressible(trial.library, way)
            };
            let applies = ways.iter().filter(applies);
            due.extend(applies.map(|way| (suspect, case, way.revision)));
        }
    }
    due
}

/// The verdicts on a mock with a fault. Ways and fixtures are those of the conformant one, since a fault may
/// well hide them.
async fn judge_fault(
    trial: &Trial<'_>,
    started: &Started,
    transport: TransportKind,
    due: &Due<'_, '_>,
) -> Result<Run, String> {
    let revisions: BTreeSet<Revision> = due.iter().map(|(_, _, revision)| *revision).collect();
    let ways = trial
        .mock
        .ways
        .iter()
        .filter(|way| way.transport == transport && revisions.contains(&way.revision))
        .map(|way| PreparedWay {
            address: started.address.clone(),
            ..way.clone()
        })
        .collect();
    let faulty = Prepared {
        ways,
        ..trial.mock.clone()
    };
    let vectors: BTreeSet<&str> = due
        .iter()
        .flat_map(|(suspect, ..)| suspect.vectors.iter().map(|vector| vector.0.as_str()))
        .collect();
    let mut patterns: Vec<String> = vectors.into_iter().map(str::to_owned).collect();
    // Every rule watches, so that what else trips is seen.
    patterns.push("rules/*".to_owned());
    let options = options(Selection { patterns }, 1);
    run(trial.library, &faulty, &options, &|_| {})
        .await
        .map(|outcome| outcome.results)
        .map_err(|empty| empty.to_string())
}

fn cell(
    suspect: &Suspect<'_>,
    case: &FaultCase,
    revision: Revision,
    transport: TransportKind,
    judged: &Result<Run, String>,
) -> Cell {
    let here = |result: &&CheckResult| result.revision == revision.as_str();
    let (actual, message, also) = match judged {
        Err(why) => (Verdict::Error, why.clone(), Vec::new()),
        Ok(run) => {
            let result = run
                .results
                .iter()
                .filter(here)
                .find(|result| result.check == suspect.id.0);
            let tripped = run.results.iter().filter(here).filter(|result| {
                matches!(result.verdict, Verdict::Warn | Verdict::Fail)
                    && result.check != suspect.id.0
            });
            let also = tripped.map(|result| result.check.clone()).collect();
            match result {
                Some(result) => (result.verdict, told(result), also),
                None => (Verdict::Error, "the check did not run".to_owned(), also),
            }
        }
    };
    Cell {
        check: suspect.id.0.clone(),
        fault: case.fault.clone(),
        revision: revision.to_string(),
        transport: transport.to_string(),
        expected: verdict(case.verdict),
        actual,
        message,
        also,
    }
}

/// A result's message, with what was seen.
fn told(result: &CheckResult) -> String {
    match &result.actual {
        Some(actual) => format!("{} (seen: {actual})", result.message),
        None => result.message.clone(),
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Pass => Verdict::Pass,
        Outcome::Warn => Verdict::Warn,
        Outcome::Fail => Verdict::Fail,
        Outcome::Inconclusive => Verdict::Inconclusive,
        Outcome::NotApplicable => Verdict::NotApplicable,
    }
}

fn options(selection: Selection, jobs: usize) -> Options {
    Options {
        selection,
        jobs,
        timeout: PATIENCE,
        ..Options::default()
    }
}

/// How long a mock on this machine may take to answer. Faults that make it silent cost this much each time.
const PATIENCE: Duration = Duration::from_millis(1500);
