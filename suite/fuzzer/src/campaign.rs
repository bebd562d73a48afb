//! A campaign: volleys of cases on sessions side by side, until time or cases are up, and what they found.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use mcp_verdict_engine::{
    judge::Judge,
    plan::{Prepared, PreparedWay},
    session::SessionError,
};
use mcp_verdict_results::CheckResult;
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::{TransportKind, transcript::EventKind};

use crate::{
    bucket::{self, Bucket},
    case::{Case, Layer},
    confirm::{Shown, Trial},
    generate::{self, Taste},
    material::Material,
    oracle::{self, Suspicion},
    script::Script,
    shrink::shrink,
    store,
    volley::{Ground, Live},
};

/// How a campaign is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of everything random.
    pub seed: u64,
    /// How many cases at most.
    pub cases: u64,
    /// For how long at most.
    pub time: Duration,
    /// How many sessions side by side.
    pub jobs: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Which cases.
    pub taste: Taste,
}

/// How far a campaign is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Cases sent.
    pub cases: u64,
    /// Since the beginning.
    pub elapsed: Duration,
    /// What was found.
    pub buckets: usize,
    /// What is being looked into, if anything is.
    pub doing: Option<String>,
}

/// What a campaign found.
#[derive(Clone, Debug)]
pub struct Finished {
    /// One for each thing that is wrong.
    pub buckets: Vec<Bucket>,
    /// Cases sent.
    pub cases: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// How often each method was sent, for each thing that was done to it.
    pub coverage: BTreeMap<(String, String), u64>,
    /// Suspicions that did not show again.
    pub unconfirmed: u64,
    /// Why it ended before its time, if it did.
    pub cut_short: Option<String>,
}

/// Fuzzes one way to reach a target. `is_safe` tells whether a tool, as it is listed, may be called.
///
/// # Errors
/// When not even one session opens.
pub async fn run(
    library: &Library,
    target: &Prepared,
    way: &PreparedWay,
    is_safe: &dyn Fn(&serde_json::Value) -> bool,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<Finished, SessionError> {
    let mut ground = Ground {
        library,
        target,
        way,
        material: Material::of(way, is_safe),
        seed: options.seed,
    };
    let mut first = ground.open(options.timeout).await?;
    warm_up(&mut ground, &mut first).await;
    let campaign = Campaign {
        ground: &ground,
        options,
        progress,
        begun: Instant::now(),
        state: Mutex::default(),
    };
    let mut waiting = vec![campaign.work(Some(first))];
    waiting.extend((1..options.jobs.max(1)).map(|_| campaign.work(None)));
    join_all(waiting).await;
    Ok(campaign.finish())
}

/// Calls each tool once: those that take their time, or ask the client for something, are left alone.
async fn warm_up(ground: &mut Ground<'_>, live: &mut Live) {
    for (name, arguments) in ground.material.calls() {
        let params = serde_json::json!({"name": name, "arguments": arguments});
        let begun = Instant::now();
        let called = live
            .session
            .request_within("tools/call", Some(params), SOON);
        let soon = called.await.is_ok() && begun.elapsed() < SOON;
        let asked = live.session.connection.recorder().look(|events| {
            let told = events.iter().map(|event| &event.kind);
            let mut received = told.filter_map(|kind| match kind {
                EventKind::Received { bytes, .. } => serde_json::from_slice(&bytes.0).ok(),
                _ => None,
            });
            received.any(|message: serde_json::Value| {
                message.get("method").is_some() && message.get("id").is_some()
            })
        });
        if !soon || asked {
            ground.material.leave_alone(&name);
        }
        live.forget();
    }
}

/// Waits for all of them, in one task.
pub(crate) async fn join_all<F: Future<Output = ()>>(all: Vec<F>) {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

/// A campaign under way. It happens in one task, so its lock is never waited for.
struct Campaign<'c> {
    ground: &'c Ground<'c>,
    options: &'c Options,
    progress: &'c dyn Fn(Progress),
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    done: u64,
    buckets: Vec<Bucket>,
    coverage: BTreeMap<(String, String), u64>,
    unconfirmed: BTreeMap<String, u64>,
    looking: Duration,
    cut_short: Option<String>,
}

impl Campaign<'_> {
    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state)
    }

    /// Sends volleys until there is nothing more to do.
    async fn work(&self, first: Option<Live>) {
        let mut worker = Worker {
            live: first,
            history: Vec::new(),
            sent: 0,
            weighed: 0,
            kib: None,
        };
        while let Some(cases) = self.next_cases() {
            let Some(live) = self.session_of(&mut worker).await else {
                return;
            };
            let Some((vector, ends)) = self.ground.volley(&cases) else {
                continue;
            };
            let driven = self.ground.drive(live, &vector, self.options.timeout).await;
            let found = {
                let view = driven.view();
                let case_of = |event: usize| {
                    let step = view.step_of(event).unwrap_or(0);
                    ends.iter()
                        .position(|end| step < *end)
                        .unwrap_or(ends.len() - 1)
                };
                oracle::suspicions(self.ground.library, &view, &cases, &case_of)
            };
            self.count(&cases);
            if !driven.alive {
                worker.live = None;
            }
            let context: Vec<Case> = worker.history.iter().chain(&cases).cloned().collect();
            let before = worker.history.len();
            for suspicion in found {
                self.look_into(&suspicion, &cases, &context[..before + suspicion.case + 1])
                    .await;
            }
            worker.remember(cases);
            self.weigh(&mut worker).await;
        }
        if let Some(live) = worker.live {
            live.session.close().await;
        }
    }

    /// A session to send on.
    async fn session_of<'w>(&self, worker: &'w mut Worker) -> Option<&'w mut Live> {
        if worker.sent > CASES_PER_SESSION || worker.live.is_none() {
            if let Some(old) = worker.live.take() {
                old.session.close().await;
            }
            worker.renew();
            let mut opened = self.ground.open(self.options.timeout).await;
            if opened.is_err() {
                tokio::time::sleep(SECOND_TRY_AFTER).await;
                opened = self.ground.open(self.options.timeout).await;
            }
            match opened {
                Ok(live) => worker.live = Some(live),
                Err(error) => {
                    self.cut_short(format!("the target could not be reached any more: {error}"));
                    return None;
                }
            }
        }
        worker.live.as_mut()
    }

    fn cut_short(&self, why: String) {
        self.state(|state| {
            state.cut_short.get_or_insert(why);
        });
    }

    /// The next cases to be sent together; none when time or cases are up.
    fn next_cases(&self) -> Option<Vec<Case>> {
        if self.begun.elapsed() >= self.options.time {
            return None;
        }
        let (seed, taste) = (self.options.seed, self.options.taste);
        let most = match self.ground.way.transport {
            TransportKind::Stdio | TransportKind::Tcp | TransportKind::Unix => CASES_AT_ONCE,
            kind if kind.is_channel() => CASES_AT_ONCE,
            _ => POSTS_AT_ONCE,
        };
        self.state(|state| {
            if state.cut_short.is_some() {
                return None;
            }
            let mut cases: Vec<Case> = Vec::new();
            while cases.len() < most && state.next < self.options.cases {
                let case = generate::case(seed, state.next, &self.ground.material, taste);
                // What stops a vector half-way goes alone.
                let alone = case.layer == Layer::Sequence && case.messages().next().is_none()
                    || case.mutations.contains(&"two sessions");
                if alone && !cases.is_empty() {
                    break;
                }
                state.next += 1;
                cases.push(case);
                if alone {
                    break;
                }
            }
            (!cases.is_empty()).then_some(cases)
        })
    }

    fn count(&self, cases: &[Case]) {
        let progress = self.state(|state| {
            state.done += cases.len() as u64;
            for case in cases {
                let kinds = case.mutations.iter().copied();
                let plain = case.mutations.is_empty().then_some("as it is");
                for kind in kinds.chain(plain) {
                    let key = (case.method.clone(), kind.to_owned());
                    *state.coverage.entry(key).or_default() += 1;
                }
            }
            self.progress_of(state, None)
        });
        (self.progress)(progress);
    }

    fn progress_of(&self, state: &State, doing: Option<String>) -> Progress {
        Progress {
            cases: state.done,
            elapsed: self.begun.elapsed(),
            buckets: state.buckets.len(),
            doing,
        }
    }

    /// Tries a suspicion alone, unless it is one that is known; makes it small, and keeps it.
    async fn look_into(&self, suspicion: &Suspicion, cases: &[Case], context: &[Case]) {
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
                // Another one may hide behind the first: it is looked into now and then.
                !bucket.cases.is_power_of_two() || bucket.cases < 8
            })
        });
        let coarse = format!("{name} {} {}", suspicion.shape, case.kind());
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
        let begun = Instant::now();
        let doing = Some(format!("looking into {name} ({})", case.kind()));
        (self.progress)(self.state(|state| self.progress_of(state, doing)));
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
        self.state(|state| state.looking += begun.elapsed());
    }

    /// Whether a suspicion could be shown again.
    async fn confirm(&self, suspicion: &Suspicion, cases: &[Case], context: &[Case]) -> bool {
        let first_seconds = self.begun.elapsed().as_secs_f64();
        let label = suspicion.label.as_deref();
        let quick = self.options.timeout.min(QUICK);
        let until = Instant::now() + SHRINKING;
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
        let slow = small != whole && suspicion.oracle.is_about_life();
        if slow && trial.shows_afresh(&small).await.is_none() && !trial.gone {
            // Small enough to be slow and not silent: with all patience it stays larger.
            trial.until = Instant::now() + SHRINKING_SLOWLY;
            small = shrink(&mut trial, whole).await;
        }
        let (mut shown, mut of, mut last) = (0, 0, None);
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
        let key = bucket::key(oracle, &suspicion.shape, cases);
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
        let result = self.result(&script, &shown);
        let comment = vec![
            format!("Found by `mcp-verdict fuzz --seed {}`.", self.options.seed),
            format!("It showed in {} of {} trials.", times.0, times.1),
        ];
        let bucket = Bucket {
            vector: store::text(&script, &comment),
            result,
            first_case: cases.last().map_or(0, |case| case.mark.0 >> 8),
            first_seconds,
            cases: 1,
            shown: times,
            bytes: cases.iter().map(Case::weight).sum(),
            key,
            kinds: kinds.into_iter().collect(),
            oracle: oracle.to_owned(),
            shape: suspicion.shape.clone(),
        };
        self.state(|state| state.buckets.push(bucket));
    }

    /// What the judge says of the script that shows it.
    fn result(&self, script: &Script, shown: &Shown) -> CheckResult {
        let mut library = self.ground.library.clone();
        library.rules.clear();
        library.vectors = script.vector().into_iter().collect();
        let mut transcript = shown.driven.transcript.clone();
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
        let mut library = self.ground.library.clone();
        library.rules.clear();
        library.vectors = script.vector().into_iter().collect();
        let mut judge = Judge::new(&library, &[]);
        let transcript = self.ground.empty(&script.id);
        let mut result = judge.add(&transcript).clone();
        result.verdict = match crate::script::outcome(&suspicion.oracle) {
            mcp_verdict_vectors::model::Outcome::Fail => mcp_verdict_results::Verdict::Fail,
            _ => mcp_verdict_results::Verdict::Warn,
        };
        result.message =
            "the target did not come back, so this could not be tried alone; the last that it was \
                          sent is in the vector"
                .to_owned();
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
        self.state(|state| state.buckets.push(bucket));
    }

    /// Looks at what the child holds in memory, and at what makes it more.
    async fn weigh(&self, worker: &mut Worker) {
        let Some(live) = &worker.live else { return };
        if worker.sent < worker.weighed + CASES_PER_WEIGHING {
            return;
        }
        worker.weighed = worker.sent;
        let Some(kib) = live.session.connection.memory_kib() else {
            return;
        };
        let first = *worker.kib.get_or_insert(kib);
        if kib < first + crate::script::GROWTH_KIB {
            return;
        }
        worker.kib = Some(kib);
        let cases = std::mem::take(&mut worker.history);
        self.find_leak(&cases).await;
        worker.history = cases;
    }

    /// Sends the kinds of messages that a session got, each many times, and keeps what is not given back.
    async fn find_leak(&self, cases: &[Case]) {
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
            let mut many = case.clone();
            if let Some(crate::case::Action::Message(sending)) = many.actions.first_mut() {
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

    fn finish(self) -> Finished {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut buckets = state.buckets;
        buckets.sort_by(|one, other| one.result.check.cmp(&other.result.check));
        Finished {
            buckets,
            cases: state.done,
            elapsed: self.begun.elapsed(),
            coverage: state.coverage,
            unconfirmed: state.unconfirmed.values().sum(),
            cut_short: state.cut_short,
        }
    }
}

/// Who sends on one session after the other.
struct Worker {
    live: Option<Live>,
    /// What the session got so far.
    history: Vec<Case>,
    sent: usize,
    weighed: usize,
    /// What the child held when it was looked at first.
    kib: Option<u64>,
}

impl Worker {
    fn remember(&mut self, cases: Vec<Case>) {
        self.sent += cases.len();
        self.history.extend(cases);
        if self.live.is_none() {
            self.renew();
        }
    }

    fn renew(&mut self) {
        self.history.clear();
        self.sent = 0;
        self.weighed = 0;
        self.kib = None;
    }
}

/// A tool that answers later than this holds up everything else.
const SOON: Duration = Duration::from_millis(500);

/// Cases that go out together where messages keep their order.
const CASES_AT_ONCE: usize = 16;

/// Cases that go out together where each has an exchange of its own.
const POSTS_AT_ONCE: usize = 6;

/// Cases that one session gets before another takes its place.
const CASES_PER_SESSION: usize = 3_000;

/// Cases after which memory is looked at.
const CASES_PER_WEIGHING: usize = 400;

/// How often a message is sent to see whether it leaves something behind.
const LEAK_TIMES: usize = 600;

/// Longer messages are not sent that often, in bytes.
const LEAK_BYTES_MAX: usize = 4_096;

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

/// How long making one thing small may take.
const SHRINKING: Duration = Duration::from_secs(12);

/// How long it may take where only full patience shows it.
const SHRINKING_SLOWLY: Duration = Duration::from_secs(40);

/// What looking into suspicions may take in any case.
const LOOKING_AT_LEAST: Duration = Duration::from_secs(15);

/// When a server that is not there is looked for once more.
const SECOND_TRY_AFTER: Duration = Duration::from_millis(500);
