//! Looking into suspicions: tried alone, made small, kept.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mcp_verdict_engine::judge::Judge;
use mcp_verdict_results::{CheckResult, Verdict};
use mcp_verdict_wire::transcript::Transcript;

use super::Campaign;
use crate::{
    bucket::{self, Bucket},
    case::{Action, Case},
    confirm::{Shown, Trial},
    oracle::{self, Suspicion},
    script::Script,
    shrink::{self, shrink},
    store,
};

impl Campaign<'_> {
    /// Tries a suspicion alone, unless it is one that is known; makes it small, and keeps it.
    pub(super) async fn look_into(&self, suspicion: &Suspicion, cases: &[Case], context: &[Case]) {
        let case = &cases[suspicion.case];
        let name = suspicion.oracle.name();
        let known = self.state(|state| {
            let mut likely = state
                .buckets
                .iter_mut()
                .filter(|bucket| bucket.is_likely(name, &suspicion.shape, case));
            let known = likely.next();
            known.map(|bucket| {
                bucket.cases += 1;
                if !bucket.is_stable() {
                    // Another case may show it every time.
                    return bucket.cases > FLAKY_LOOKS_MAX;
                }
                // Another one may hide behind the first: it is looked into now and then.
                !bucket.cases.is_power_of_two() || bucket.cases < 8
            })
        });
        let coarse = match suspicion.oracle {
            oracle::Oracle::Rule { .. } => format!("{name} {}", suspicion.shape),
            _ => format!("{name} {} {}", suspicion.shape, case.kind()),
        };
        let hopeless = self.state(|state| {
            let tries = state.unconfirmed.get(&coarse).copied().unwrap_or(0);
            // What was looked into may not take more than half of all the time.
            let most = if suspicion.oracle.is_soon_tried() {
                QUICK_TRIES_MAX
            } else {
                TRIES_MAX
            };
            tries >= most || state.looking > self.begun.elapsed() / 2 + LOOKING_AT_LEAST
        });
        if known == Some(true) || hopeless {
            return;
        }
        let kind = match suspicion.oracle.is_soon_tried() {
            true => coarse.clone(),
            false => format!("{name} {}", suspicion.shape),
        };
        if !self.state(|state| state.under_way.insert(kind.clone())) {
            // Another session shows the same, most likely, and it is being looked into.
            return;
        }
        let begun = Instant::now();
        let doing = Some(format!("looking into {name} ({})", case.kind()));
        (self.listener.progress)(self.state(|state| self.progress_of(state, doing)));
        let mut confirmed = self.confirm(suspicion, cases, context).await;
        if !confirmed && suspicion.oracle.needs_to_be_alone() {
            // An answer without an id may be about another of them.
            for other in suspicion.others(cases) {
                confirmed = self.confirm(&other, cases, context).await;
                if confirmed {
                    break;
                }
            }
        }
        if !confirmed {
            self.state(|state| *state.unconfirmed.entry(coarse).or_default() += 1);
        }
        self.state(|state| {
            state.looking += begun.elapsed();
            state.under_way.remove(&kind)
        });
    }

    /// Whether a suspicion could be shown again.
    async fn confirm(&self, suspicion: &Suspicion, cases: &[Case], context: &[Case]) -> bool {
        let first_seconds = self.begun.elapsed().as_secs_f64();
        let label = suspicion.label.as_deref();
        let quick = self.options.timeout.min(QUICK);
        let end = self.begun + self.options.time + OVERTIME;
        let until = end.min(Instant::now() + SHRINKING);
        let mut trial = Trial::new(self.ground, &suspicion.oracle, label, quick, until);
        let Some(small) = self.smallest(&mut trial, suspicion, cases, context).await else {
            if trial.gone {
                let why = format!(
                    "the target did not come back after {}",
                    cases[suspicion.case].kind()
                );
                self.cut_short(why);
                self.keep_unconfirmed(suspicion, &trial, cases, first_seconds);
                return true;
            }
            return false;
        };
        let whole = small.clone();
        let mut small = shrink(&mut trial, small).await;
        trial.timeout = self.options.timeout;
        let mut last = trial.shows_afresh(&small).await;
        if last.is_none() && suspicion.oracle.is_about_life() && small != whole && !trial.gone {
            // Small enough to be slow and not silent: with all patience it stays larger.
            trial.until = end.min(Instant::now() + SHRINKING_SLOWLY);
            small = larger_until_it_shows(&mut trial, small, whole.clone()).await;
            last = trial.shows_afresh(&small).await;
        }
        if last.is_none() && !suspicion.oracle.is_about_life() && small != whole && !trial.gone {
            // It was made small on what a server kept of earlier trials.
            small = whole;
            last = trial.shows_afresh(&small).await;
        }
        // Who was silent for so long once need not be waited for as long each time.
        trial.timeout = self.options.timeout.min(SILENT_AGAIN);
        let (mut shown, mut of) = (u32::from(last.is_some()), 1);
        while of < TRIALS && !trial.gone {
            of += 1;
            if let Some(this) = trial.shows_afresh(&small).await {
                shown += 1;
                last = Some(this);
            }
        }
        let Some(last) = last else { return false };
        self.keep(suspicion, &small, last, (shown, of), first_seconds);
        true
    }

    /// The first of some sets of cases that shows it: the case alone, those around it, all of the session.
    async fn smallest(
        &self,
        trial: &mut Trial<'_>,
        suspicion: &Suspicion,
        cases: &[Case],
        context: &[Case],
    ) -> Option<Vec<Case>> {
        let place = suspicion.case;
        let mut sets: Vec<Vec<Case>> = vec![cases[place..=place].to_vec()];
        if !suspicion.oracle.needs_to_be_alone() {
            if suspicion.oracle.is_about_life() {
                // Who dies may have been told of it a little before.
                for back in 1..=place.min(4) {
                    sets.push(cases[place - back..=place - back].to_vec());
                }
            }
            sets.push(cases[..=place].to_vec());
            sets.push(cases.to_vec());
            sets.push(context[context.len().saturating_sub(LATELY)..].to_vec());
        }
        if suspicion.oracle.is_about_life() {
            sets.push(context.to_vec());
        }
        sets.dedup();
        for set in sets {
            if trial.gone {
                return None;
            }
            if trial.shows_afresh(&set).await.is_some() {
                return Some(set);
            }
        }
        None
    }

    fn keep(
        &self,
        suspicion: &Suspicion,
        cases: &[Case],
        shown: Shown,
        times: (u32, u32),
        first_seconds: f64,
    ) {
        let oracle = suspicion.oracle.name();
        let key = match suspicion.oracle {
            // What a rule says of it tells enough.
            oracle::Oracle::Rule { .. } => bucket::key(oracle, &suspicion.shape, &[]),
            _ => bucket::key(oracle, &suspicion.shape, cases),
        };
        let kinds = cases.last().map(|case| case.mutations.clone());
        let merged = self.state(|state| {
            let same = state.buckets.iter_mut().find(|bucket| bucket.key == key);
            same.map(|bucket| {
                bucket.cases += 1;
                bucket.kinds.extend(kinds.clone());
            })
        });
        if merged.is_some() {
            return;
        }
        let mut script = shown.script.clone();
        script.id = format!("{}-{:08x}", script.id, bucket::digest(&key));
        let result = self.result(&script, shown.driven.transcript);
        let (seed, case) = (
            self.options.seed,
            cases.last().map_or(0, |case| case.mark.0 >> 8),
        );
        let steps: usize = cases.iter().map(|case| case.steps().len()).sum();
        let bytes = cases.iter().map(Case::weight).sum();
        let comment = vec![
            format!("Found by `mcp-verdict fuzz --seed {seed}`: case {case}."),
            format!("It showed in {} of {} trials.", times.0, times.1),
            format!("Sent: {steps} steps, {bytes} bytes."),
        ];
        let bucket = Bucket {
            vector: store::text(&script, &comment),
            result,
            first_case: case,
            first_seconds,
            cases: 1,
            shown: times,
            bytes,
            key,
            kinds: kinds.into_iter().collect(),
            oracle: oracle.to_owned(),
            shape: suspicion.shape.clone(),
        };
        self.add(bucket);
    }

    /// Keeps a bucket, in place of those of the same shape that show at times only if it shows every time.
    fn add(&self, bucket: Bucket) {
        let stable = bucket.is_stable();
        if stable {
            (self.listener.found)(&bucket);
        }
        self.state(|state| {
            let same =
                |other: &Bucket| other.oracle == bucket.oracle && other.shape == bucket.shape;
            state
                .buckets
                .retain(|other| !stable || other.is_stable() || !same(other));
            state.buckets.push(bucket);
        });
    }

    /// What the judge says of the script that shows it.
    fn result(&self, script: &Script, mut transcript: Transcript) -> CheckResult {
        let mut library = self.ground.library.clone();
        library.rules.clear();
        library.vectors = script.vector().into_iter().collect();
        transcript.head.check.clone_from(&script.id);
        let mut judge = Judge::new(&library, &[]);
        judge.add(&transcript).clone()
    }

    /// A target that did not survive to be asked again: what was sent last.
    fn keep_unconfirmed(
        &self,
        suspicion: &Suspicion,
        trial: &Trial<'_>,
        cases: &[Case],
        first_seconds: f64,
    ) {
        let small = &cases[suspicion.case..=suspicion.case];
        let Some(mut script) = trial.script(small) else {
            return;
        };
        let key = bucket::key(suspicion.oracle.name(), &suspicion.shape, small);
        script.id = format!("{}-{:08x}", script.id, bucket::digest(&key));
        let mut result = self.result(&script, self.ground.empty(&script.id));
        // Someone else may have ended it.
        result.verdict = Verdict::Warn;
        result.message = NOT_BACK.to_owned();
        let comment = vec![format!(
            "Found by `mcp-verdict fuzz --seed {}`, and not confirmed.",
            self.options.seed
        )];
        let bucket = Bucket {
            vector: store::text(&script, &comment),
            result,
            first_case: small[0].mark.0 >> 8,
            first_seconds,
            cases: 1,
            shown: (1, 1),
            bytes: small[0].weight(),
            key,
            kinds: vec![small[0].mutations.clone()],
            oracle: suspicion.oracle.name().to_owned(),
            shape: suspicion.shape.clone(),
        };
        self.add(bucket);
    }

    /// Sends the kinds of messages that a session got, each many times, and keeps what is not given back.
    pub(super) async fn find_leak(&self, cases: &[Case]) {
        let mut kinds: BTreeMap<String, &Case> = BTreeMap::new();
        for case in cases {
            if case.actions.len() == 1
                && case
                    .messages()
                    .next()
                    .is_some_and(|(_, it)| it.pieces.len() < LEAK_BYTES_MAX)
            {
                kinds.insert(case.kind(), case);
            }
        }
        let already =
            self.state(|state| state.buckets.iter().any(|bucket| bucket.oracle == "memory"));
        if already {
            return;
        }
        for case in kinds.into_values() {
            if self.begun.elapsed() >= self.options.time {
                return;
            }
            let mut many = case.clone();
            if let Some(Action::Message(sending)) = many.actions.first_mut() {
                sending.times = LEAK_TIMES;
            }
            let suspicion = Suspicion {
                oracle: oracle::Oracle::Memory,
                case: 0,
                label: None,
                shape: "growth".to_owned(),
            };
            let cases = [many];
            if self.confirm(&suspicion, &cases, &cases).await {
                return;
            }
        }
    }
}

/// The smallest that shows with all patience: `small` with more of what it repeats, or else what `whole` shrinks to.
async fn larger_until_it_shows(
    trial: &mut Trial<'_>,
    small: Vec<Case>,
    whole: Vec<Case>,
) -> Vec<Case> {
    let most: usize = whole.iter().map(Case::weight).sum();
    let mut larger = small;
    while trial.may_go_on() {
        let Some(more) = shrink::with_twice_as_much(&larger) else {
            break;
        };
        larger = more;
        if trial.shows_afresh(&larger).await.is_some() {
            // Twice as much again shows on a machine that has less to do, too.
            return shrink::with_twice_as_much(&larger).unwrap_or(larger);
        }
        if larger.iter().map(Case::weight).sum::<usize>() > most {
            break;
        }
    }
    shrink(trial, whole).await
}

/// How often a message is sent to see whether it leaves something behind.
const LEAK_TIMES: usize = 2_000;

/// Longer messages are not sent that often, in bytes.
const LEAK_BYTES_MAX: usize = 4_096;

/// Cases that are looked into although what they show is known, where that shows at times only.
const FLAKY_LOOKS_MAX: u64 = 8;

/// How often a suspicion that did not show again is looked into.
const TRIES_MAX: u64 = 3;

/// The same where one look takes no longer than a few cases.
const QUICK_TRIES_MAX: u64 = 40;

/// Cases of a session before one that may have to do with it.
const LATELY: usize = 60;

/// Trials of what was made small, to tell whether it shows every time.
const TRIALS: u32 = 3;

/// How long an answer may take while something is made small.
const QUICK: Duration = Duration::from_millis(700);

/// How long who was silent before has to answer.
const SILENT_AGAIN: Duration = Duration::from_secs(2);

/// How long making one thing small may take.
const SHRINKING: Duration = Duration::from_secs(12);

/// How long it may take where only full patience shows it.
const SHRINKING_SLOWLY: Duration = Duration::from_secs(40);

/// What looking into suspicions may take in any case.
const LOOKING_AT_LEAST: Duration = Duration::from_secs(15);

/// How long after its time a campaign may go on making small what it found.
const OVERTIME: Duration = Duration::from_secs(10);

/// What is said of a target that did not survive to be asked again.
const NOT_BACK: &str = "the target did not come back, so this could not be tried alone; what it was sent last is in \
                        the vector";
