//! A campaign: volleys of cases on sessions side by side, until time or cases are up, and what they found.

mod inquiry;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::{Duration, Instant},
};

use mcp_verdict_engine::{
    drive::Haste,
    plan::{Prepared, PreparedWay},
    session::SessionError,
};
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::{TransportKind, transcript::EventKind};
use tokio::sync::{RwLock, RwLockWriteGuard};

use crate::{
    bucket::Bucket,
    case::{Case, Layer},
    generate::{self, Taste},
    material::Material,
    oracle::{self, Oracle},
    script::GROWTH_KIB,
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

/// Who is told of a campaign while it goes on.
#[derive(Clone, Copy)]
pub struct Listener<'l> {
    /// Hears how far it is.
    pub progress: &'l dyn Fn(Progress),
    /// Hears of each bucket that shows every time, as soon as it is kept.
    pub found: &'l dyn Fn(&Bucket),
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
    listener: Listener<'_>,
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
        listener,
        begun: Instant::now(),
        state: Mutex::default(),
        turns: RwLock::new(()),
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
    listener: Listener<'c>,
    begun: Instant,
    state: Mutex<State>,
    /// Shared by those who send, and had alone by one who looks into something, where all send to one server that may
    /// have to be started anew.
    turns: RwLock<()>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    done: u64,
    buckets: Vec<Bucket>,
    coverage: BTreeMap<(String, String), u64>,
    unconfirmed: BTreeMap<String, u64>,
    looking: Duration,
    /// What is being looked into.
    under_way: BTreeSet<String>,
    volleys: u64,
    /// What volleys took that took long.
    patient: Duration,
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
            weighed: 0,
            kib: None,
        };
        while let Some(cases) = self.next_cases() {
            let turn = self.turns.read().await;
            let Some(live) = self.session_of(&mut worker).await else {
                return;
            };
            let Some((vector, ends)) = self.ground.volley(&cases) else {
                continue;
            };
            let (haste, begun) = (self.haste(), Instant::now());
            let timeout = self.options.timeout;
            let driven = self.ground.drive(live, &vector, timeout, Some(haste)).await;
            drop(turn);
            let took = begun.elapsed();
            self.state(|state| state.patient += took.saturating_sub(QUICK_VOLLEY));
            tracing::trace!(?took, kinds = ?cases.iter().map(Case::kind).collect::<Vec<_>>(), "sent");
            let mut found = {
                let view = driven.view();
                let case_of = |event: usize| {
                    let step = view.step_of(event).unwrap_or(0);
                    ends.iter()
                        .position(|end| step < *end)
                        .unwrap_or(ends.len() - 1)
                };
                oracle::suspicions(self.ground.library, &view, &cases, &case_of)
            };
            if haste.patience.is_zero() {
                found.retain(|suspicion| suspicion.oracle != Oracle::Unanswered);
            }
            self.count(&cases);
            if !driven.alive {
                worker.live = None;
            }
            let before = worker.history.len();
            worker.history.extend_from_slice(&cases);
            for suspicion in found {
                let context = &worker.history[..before + suspicion.case + 1];
                let _alone = self.alone().await;
                self.look_into(&suspicion, &cases, context).await;
            }
            if worker.live.is_none() {
                worker.renew();
            }
            self.weigh(&mut worker).await;
        }
        if let Some(live) = worker.live {
            live.session.close().await;
        }
    }

    /// How long answers of a volley are waited for that others have overtaken: where many never come, not each time.
    fn haste(&self) -> Haste {
        let patient = self.state(|state| {
            state.volleys += 1;
            state.patient < self.begun.elapsed() / 10 + WAITING_AT_LEAST || state.volleys % 16 == 0
        });
        Haste {
            is_worth_it: oracle::is_worth_waiting,
            patience: if patient { PATIENCE } else { Duration::ZERO },
        }
    }

    /// Waits until nobody else sends to a server of ours. A child is anyone's own.
    async fn alone(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        match self.ground.server() {
            Some(_) => Some(self.turns.write().await),
            None => None,
        }
    }

    /// A session to send on.
    async fn session_of<'w>(&self, worker: &'w mut Worker) -> Option<&'w mut Live> {
        let past = |live: &Live| self.ground.is_of_the_past(live);
        if worker.history.len() > CASES_PER_SESSION || worker.live.as_ref().is_none_or(past) {
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
        (self.listener.progress)(progress);
    }

    fn progress_of(&self, state: &State, doing: Option<String>) -> Progress {
        Progress {
            cases: state.done,
            elapsed: self.begun.elapsed(),
            buckets: state.buckets.len(),
            doing,
        }
    }

    /// Looks at what the child holds in memory, and at what makes it more.
    async fn weigh(&self, worker: &mut Worker) {
        let Some(live) = &worker.live else { return };
        if worker.history.len() < worker.weighed + CASES_PER_WEIGHING {
            return;
        }
        worker.weighed = worker.history.len();
        let Some(kib) = live.session.connection.memory_kib() else {
            return;
        };
        let first = *worker.kib.get_or_insert(kib);
        if kib < first + GROWTH_KIB {
            return;
        }
        worker.kib = Some(kib);
        let _alone = self.alone().await;
        self.find_leak(&worker.history).await;
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
    /// How much of that it had when memory was looked at last.
    weighed: usize,
    /// What the child held when it was looked at first.
    kib: Option<u64>,
}

impl Worker {
    fn renew(&mut self) {
        self.history.clear();
        self.weighed = 0;
        self.kib = None;
    }
}

/// How long an answer is waited for that others have overtaken.
const PATIENCE: Duration = Duration::from_millis(300);

/// A volley that takes longer waits for something.
const QUICK_VOLLEY: Duration = Duration::from_millis(20);

/// What waiting for answers may take in any case.
const WAITING_AT_LEAST: Duration = Duration::from_secs(1);

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

/// When a server that is not there is looked for once more.
const SECOND_TRY_AFTER: Duration = Duration::from_millis(500);
