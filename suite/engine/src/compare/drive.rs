//! Drives two targets through the same vectors, twice where they differ.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use mcp_verdict_results::{
    Compared, Comparison, Difference, DifferenceKind, LeftOut, Pair, Place, Suite,
};
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::transcript::{EventKind, Transcript};

use super::{
    echo,
    group::{Rounds, Told, differences, suspects},
    pairs,
};
use crate::{
    plan::{EmptyPlan, Prepared, Selection},
    run,
    target::TargetSpec,
    time::rfc3339,
};

/// One of two targets.
#[derive(Clone, Debug)]
pub struct Side {
    /// As it was described.
    pub spec: TargetSpec,
    /// Reached, and asked what it speaks.
    pub prepared: Prepared,
}

/// How a comparison is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which checks.
    pub selection: Selection,
    /// How many vectors run at the same time: children beside each other, but on one server one at a time,
    /// unless this says otherwise.
    pub jobs: Option<usize>,
    /// How long a wait lasts.
    pub timeout: Duration,
    /// The seed of everything random.
    pub seed: u64,
    /// What a command that shows a difference again needs besides, with a space after it.
    pub again: String,
}

/// What there is to tell while it goes on.
#[derive(Debug)]
pub enum Progress<'p> {
    /// One side is driven through so many vectors.
    Begun {
        /// `A` or `B`, and which way.
        what: &'p str,
        /// How many.
        total: usize,
    },
    /// A vector is over.
    Done {
        /// Its id.
        check: &'p str,
    },
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum NothingToCompare {
    /// The targets have no revision in common.
    #[error("the two targets have no revision in common: A speaks {a}, B speaks {b}")]
    NoRevision {
        /// What the first speaks.
        a: String,
        /// What the second speaks.
        b: String,
    },
    /// No check can be run against both.
    #[error("none of the checks asked for can be run against both targets; {first}")]
    NoCheck {
        /// Why one of them cannot.
        first: String,
    },
    /// The selection is empty.
    #[error(transparent)]
    Selection(#[from] EmptyPlan),
}

/// Compares two targets.
///
/// # Errors
/// When there is nothing to compare.
pub async fn compare(
    library: &Library,
    [a, b]: [&Side; 2],
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Comparison, NothingToCompare> {
    let begun = Instant::now();
    let started = rfc3339(SystemTime::now());
    let ways = pairs::pair(&a.prepared, &b.prepared);
    if ways.is_empty() {
        return Err(NothingToCompare::NoRevision {
            a: revisions(&a.prepared),
            b: revisions(&b.prepared),
        });
    }
    let mut all = Rows::default();
    for (one, other) in ways {
        let mut second = pairs::alone(&b.prepared, other);
        let first = pairs::alone(&a.prepared, one);
        // What is sent must be the same.
        second.ways[0].bindings.clone_from(&first.ways[0].bindings);
        let mut whole = library.clone();
        let patterns = &options.selection.patterns;
        if options.selection.wants(ECHO) || patterns.iter().any(|it| it.starts_with(ECHO)) {
            echo::add(&mut whole, &first.ways[0], &a.spec);
        }
        let sides = [&first, &second];
        let (both, left_out) = pairs::common(&whole, sides, &options.selection)?;
        all.pair(sides, &both, left_out, options, progress).await;
    }
    if all.pairs.iter().all(|pair| pair.compared == 0) {
        let first = all.pairs.iter().find_map(|pair| pair.left_out.first());
        return Err(NothingToCompare::NoCheck {
            first: first.map_or_else(String::new, |it| it.reason.clone()),
        });
    }
    let told = told(library, &all, [a, b], &options.again);
    let mut found = revisions_apart(&a.prepared, &b.prepared);
    found.extend(told.differences);
    found.sort_by_key(|it| (!it.matters, it.kind));
    Ok(Comparison {
        suite: Suite {
            name: "mcp-verdict".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: options.seed,
            started,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        a: compared(&a.prepared, &all.notes[0], all.unfinished[0]),
        b: compared(&b.prepared, &all.notes[1], all.unfinished[1]),
        pairs: all.pairs,
        differences: found,
        noise: told.noise.into_iter().collect(),
        exchanges: told.exchanges,
    })
}

/// What differs in what was driven, with the commands that show it again.
fn told(library: &Library, all: &Rows, [a, b]: [&Side; 2], again: &str) -> Told {
    let mut told = differences(&all.library(library), &all.rounds);
    for exchange in &mut told.exchanges {
        exchange.reproduce = format!(
            "mcp-verdict compare --revision {} --check {} {again}{} {}",
            exchange.revision,
            exchange.check,
            quoted(&a.prepared),
            quoted(&b.prepared)
        );
    }
    told
}

/// What was driven so far.
#[derive(Default)]
struct Rows {
    pairs: Vec<Pair>,
    rounds: Vec<Rounds>,
    unfinished: [bool; 2],
    notes: [Vec<String>; 2],
    /// Vectors of ours that no library has.
    probes: BTreeMap<String, mcp_verdict_vectors::model::Vector>,
}

impl Rows {
    async fn pair(
        &mut self,
        sides: [&Prepared; 2],
        both: &Library,
        left_out: Vec<LeftOut>,
        options: &Options,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) {
        let [a, b] = sides.map(|side| &side.ways[0]);
        let mut rounds = Rounds {
            revision: a.revision,
            transport_a: a.transport,
            transport_b: b.transport,
            exchanges: BTreeMap::new(),
        };
        for vector in both.vectors.iter().filter(|it| echo::is_probe(&it.id.0)) {
            self.probes.insert(vector.id.0.clone(), vector.clone());
        }
        self.round(sides, both, &mut rounds, options, progress)
            .await;
        let again = suspects(both, &rounds);
        let mut fewer = both.clone();
        fewer.vectors.retain(|vector| again.contains(&vector.id.0));
        self.round(sides, &fewer, &mut rounds, options, progress)
            .await;
        let complete = |sides: &&[Vec<Transcript>; 2]| sides.iter().all(|side| !side.is_empty());
        self.pairs.push(Pair {
            revision: a.revision.to_string(),
            transport_a: a.transport.to_string(),
            transport_b: b.transport.to_string(),
            compared: rounds.exchanges.values().filter(complete).count(),
            left_out,
        });
        self.rounds.push(rounds);
    }

    /// Drives both sides once.
    async fn round(
        &mut self,
        sides: [&Prepared; 2],
        library: &Library,
        rounds: &mut Rounds,
        options: &Options,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) {
        let run_options = run::Options {
            selection: Selection::default(),
            jobs: options.jobs.unwrap_or_else(|| run::Options::default().jobs),
            timeout: options.timeout,
            cap: None,
            seed: options.seed,
            keep_transcripts: true,
            sharing: Some(options.jobs.unwrap_or(1)),
        };
        for (number, side) in sides.into_iter().enumerate() {
            let way = &side.ways[0];
            let what = format!("{} {} {}", ["A", "B"][number], way.revision, way.transport);
            let told = |event: run::Progress<'_>| match event {
                run::Progress::Planned { total } => {
                    progress(Progress::Begun { what: &what, total })
                }
                run::Progress::Judged { result, .. } => progress(Progress::Done {
                    check: &result.check,
                }),
                _ => {}
            };
            // Nothing to run is nothing to compare, and said where the pairs are looked at.
            let Ok(outcome) = run::run(library, side, &run_options, &told).await else {
                continue;
            };
            self.unfinished[number] |= outcome.unfinished;
            for note in outcome.results.target.notes {
                if !side.notes.contains(&note) && !self.notes[number].contains(&note) {
                    self.notes[number].push(note);
                }
            }
            // Of a target that is gone the rest shows nothing.
            let begins = |transcript: &Transcript| {
                let mut events = transcript.events.iter();
                events.any(|event| matches!(event.kind, EventKind::Step { .. }))
            };
            let shown = outcome
                .transcripts
                .into_iter()
                .filter(|it| !outcome.unfinished || begins(it));
            for transcript in shown {
                let check = transcript.head.check.clone();
                rounds.exchanges.entry(check).or_default()[number].push(transcript);
            }
        }
    }

    /// The library, and what was asked beside it.
    fn library(&self, library: &Library) -> Library {
        let mut whole = library.clone();
        whole.vectors.extend(self.probes.values().cloned());
        whole.vectors.sort_by(|one, other| one.id.cmp(&other.id));
        whole
    }
}

fn compared(target: &Prepared, notes: &[String], unfinished: bool) -> Compared {
    Compared {
        name: target.name.clone(),
        notes: [target.notes.as_slice(), notes].concat(),
        unfinished,
    }
}

fn revisions(target: &Prepared) -> String {
    let mut names: Vec<String> = target
        .ways
        .iter()
        .map(|way| way.revision.to_string())
        .collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

/// A side as it is given on the command line: a command as one word.
fn quoted(target: &Prepared) -> String {
    match target.reproduce.strip_prefix("-- ") {
        Some(command) => crate::target::shell_words(&[command.to_owned()]),
        None => target.reproduce.clone(),
    }
}

/// Revisions that only one of them speaks.
fn revisions_apart(a: &Prepared, b: &Prepared) -> Vec<Difference> {
    let transport = |of: &Prepared| of.ways[0].transport.to_string();
    pairs::one_sided(a, b)
        .into_iter()
        .map(|(revision, is_first)| {
            let spoken = |speaks: bool| (if speaks { "spoken" } else { "not spoken" }).to_owned();
            Difference {
                kind: DifferenceKind::Revision,
                subject: format!("revision {revision}"),
                pointer: String::new(),
                matters: true,
                message: "only one of them speaks this revision".to_owned(),
                a: Some(spoken(is_first)),
                b: Some(spoken(!is_first)),
                places: vec![Place {
                    check: String::new(),
                    revision: revision.to_string(),
                    transport_a: transport(a),
                    transport_b: transport(b),
                    pointer: String::new(),
                }],
                exchange: None,
            }
        })
        .collect()
}

/// Selects what is asked of tools that echo.
const ECHO: &str = "compare/echo";
