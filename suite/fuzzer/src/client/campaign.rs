//! A campaign against a client: visits side by side, until time or number are up, and what they found.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mcp_verdict_results::{Entry, Side, Verdict};

use super::{
    draw,
    oracle::{self, Suspicion},
    plan::Plan,
    shrink::smaller,
    stage::{Layer, Seen},
    visit::{Bounds, ClientCommand, Ended, Visit},
};
use crate::{Progress, Taste, campaign::join_all};

/// How a campaign is done.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The seed of everything random.
    pub seed: u64,
    /// How many visits at most.
    pub cases: u64,
    /// For how long at most.
    pub time: Duration,
    /// How many visits side by side.
    pub jobs: usize,
    /// Which plans.
    pub taste: Taste,
}

/// Why there is no campaign.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It has no word.
    #[error("start a client: there is no command")]
    NoCommand,
    /// The mock cannot be served.
    #[error("serve the client: {0}")]
    Serve(String),
    /// The client cannot be started.
    #[error("{0}")]
    Start(String),
    /// It does not even work with the conformant mock.
    #[error("the client does not work with a server that nothing is wrong with: {0}")]
    Useless(String),
}

/// Something that is wrong with a client, with the smallest plan that shows it.
#[derive(Clone, Debug)]
pub struct ClientBucket {
    /// The oracle's name.
    pub oracle: &'static str,
    /// What was seen, without what differs from visit to visit.
    pub shape: String,
    /// What was seen.
    pub message: String,
    /// How bad it is.
    pub verdict: Verdict,
    /// The statements that are broken.
    pub requirements: Vec<&'static str>,
    /// What was changed.
    pub plan: Plan,
    /// Which visit showed it first.
    pub first_case: u64,
    /// Seconds from the beginning of the campaign to that visit.
    pub first_seconds: f64,
    /// How many visits showed it.
    pub cases: u64,
    /// How often it showed when it was tried again, and of how many trials.
    pub shown: (u32, u32),
    /// What went over the wire, and the end of standard error.
    pub exchange: Vec<Entry>,
}

/// What a campaign found.
#[derive(Clone, Debug)]
pub struct ClientFinished {
    /// One for each thing that is wrong.
    pub buckets: Vec<ClientBucket>,
    /// Visits.
    pub cases: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// How many visits ended how.
    pub ends: BTreeMap<&'static str, u64>,
    /// How often each change was made to what.
    pub coverage: BTreeMap<(String, String), u64>,
    /// Suspicions that did not show again.
    pub unconfirmed: u64,
    /// Why it ended before its time, if it did.
    pub cut_short: Option<String>,
}

/// A client that was seen to work, and what is known of it.
#[derive(Debug)]
pub struct ClientCampaign {
    command: ClientCommand,
    bounds: Bounds,
    /// What it is sent that nothing is changed for.
    seen: Vec<Seen>,
    /// What looks wrong then: shapes that tell nothing of a change.
    usual: BTreeSet<(&'static str, String)>,
    /// The revision that it speaks.
    revision: String,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    done: u64,
    buckets: Vec<ClientBucket>,
    ends: BTreeMap<&'static str, u64>,
    coverage: BTreeMap<(String, String), u64>,
    unconfirmed: u64,
    /// Suspicions that are being looked into, or did not show again.
    looked_into: BTreeMap<(&'static str, String), u64>,
    cut_short: Option<String>,
}

impl ClientCampaign {
    /// Lets the client visit a mock that nothing is wrong with, twice: it has to work there. `bound` is how long a visit
    /// may take; otherwise ten times as long as one without changes, and at least 10 s.
    ///
    /// # Errors
    /// When it does not work there, or cannot be started.
    pub async fn prepare(
        command: ClientCommand,
        bound: Option<Duration>,
    ) -> Result<Self, ClientError> {
        let mut bounds = Bounds {
            time: bound.unwrap_or(FIRST_BOUND),
            idle: FIRST_BOUND,
            memory_kib: u64::MAX / 2,
        };
        let first = command.visit(&Plan::default(), bounds).await?;
        works(&first)?;
        let second = command.visit(&Plan::default(), bounds).await?;
        works(&second)?;
        let took = first.took.max(second.took);
        bounds.time = bound.unwrap_or((took * 10).max(BOUND_MIN));
        bounds.idle = (second.took * 2).max(IDLE_MIN).min(bounds.time);
        bounds.memory_kib = first.memory_kib.max(second.memory_kib) + MEMORY_KIB;
        let transport = command.transport();
        let suspicions = [&first, &second].map(|it| oracle::suspicions(it, transport));
        let mut seen = second.log.seen.clone();
        seen.sort_by(|one, other| {
            (one.layer, &one.of, one.nth).cmp(&(other.layer, &other.of, other.nth))
        });
        Ok(Self {
            revision: second
                .log
                .revision
                .map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
            usual: suspicions
                .into_iter()
                .flatten()
                .map(|it| (it.oracle, it.shape))
                .collect(),
            command,
            bounds,
            seen,
        })
    }

    /// The newest revision that was spoken.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// How long a visit may take.
    #[must_use]
    pub fn bound(&self) -> Duration {
        self.bounds.time
    }

    /// How many messages and responses of the mock can be changed.
    #[must_use]
    pub fn changeable(&self) -> usize {
        self.seen
            .iter()
            .filter(|it| it.layer != Layer::Event)
            .count()
    }

    /// Fuzzes.
    ///
    /// # Errors
    /// When the client cannot be started any more.
    pub async fn run(
        &self,
        options: &ClientOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<ClientFinished, ClientError> {
        let running = Running {
            campaign: self,
            options,
            progress,
            begun: Instant::now(),
            state: Mutex::default(),
        };
        join_all((0..options.jobs.max(1)).map(|_| running.work()).collect()).await;
        Ok(running.finish())
    }

    /// Tries a plan as often as a finding is; what shows, and how often.
    ///
    /// # Errors
    /// When the client cannot be started.
    pub async fn replay(
        &self,
        oracle: &str,
        plan: &Plan,
    ) -> Result<(Option<ClientBucket>, u32), ClientError> {
        let (mut bucket, mut shown) = (None, 0);
        for _ in 0..TRIALS {
            let visit = self.command.visit(plan, self.bounds).await?;
            let mut found = self
                .suspicions(&visit)
                .into_iter()
                .filter(|it| it.oracle == oracle);
            if let Some(suspicion) = found.next() {
                shown += 1;
                bucket = Some(bucket_of(&suspicion, plan, &visit));
            }
        }
        let bucket = bucket.map(|it| ClientBucket {
            shown: (shown, TRIALS),
            ..it
        });
        Ok((bucket, TRIALS))
    }

    fn suspicions(&self, visit: &Visit) -> Vec<Suspicion> {
        let mut found = oracle::suspicions(visit, self.command.transport());
        // What breaks a MUST without any change is wrong all the same.
        found.retain(|it| {
            it.verdict == Verdict::Fail || !self.usual.contains(&(it.oracle, it.shape.clone()))
        });
        found
    }
}

/// Whether the client does what it should with a server that nothing is wrong with.
fn works(visit: &Visit) -> Result<(), ClientError> {
    let said = || {
        let last: Vec<&str> = visit.stderr.lines().rev().take(5).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    };
    let why = match (visit.ended, visit.code, visit.signal) {
        (Some(Ended::Time), ..) => format!(
            "it was still there after {:.0} s; give it something to do that comes to an end",
            visit.took.as_secs_f64()
        ),
        (Some(_), ..) => "it had to be ended".to_owned(),
        (None, _, Some(signal)) => format!("it was ended by signal {signal}: {}", said()),
        (None, Some(0), None) if visit.log.open.is_empty() => {
            "it never asked the server anything; say where the server is with {url}, or how to start it with {server}"
                .to_owned()
        }
        (None, Some(0), None) => return Ok(()),
        (None, code, None) => format!("it ended with exit code {}: {}", code.unwrap_or(-1), said()),
    };
    Err(ClientError::Useless(why))
}

/// A campaign under way. It happens in one task, so its lock is never waited for.
struct Running<'c> {
    campaign: &'c ClientCampaign,
    options: &'c ClientOptions,
    progress: &'c dyn Fn(Progress),
    begun: Instant,
    state: Mutex<State>,
}

impl Running<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(&self) {
        while let Some(number) = self.next() {
            let plan = draw::plan(
                self.options.seed,
                number,
                &self.campaign.seen,
                self.options.taste,
            );
            let Some(visit) = self.visit(&plan).await else {
                return;
            };
            self.count(&plan, &visit);
            for suspicion in self.campaign.suspicions(&visit) {
                self.look_into(number, &suspicion, &plan).await;
            }
            if plan.0.is_empty()
                && let Err(error) = works(&visit)
            {
                self.state().cut_short.get_or_insert(error.to_string());
            }
        }
    }

    fn next(&self) -> Option<u64> {
        let mut state = self.state();
        let over = state.cut_short.is_some()
            || state.next >= self.options.cases
            || self.begun.elapsed() >= self.options.time;
        (!over).then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    async fn visit(&self, plan: &Plan) -> Option<Visit> {
        match self
            .campaign
            .command
            .visit(plan, self.campaign.bounds)
            .await
        {
            Ok(visit) => Some(visit),
            Err(error) => {
                self.state().cut_short.get_or_insert(error.to_string());
                None
            }
        }
    }

    fn count(&self, plan: &Plan, visit: &Visit) {
        let mut state = self.state();
        state.done += 1;
        let end = match (visit.ended, visit.code) {
            (Some(Ended::Waiting), _) => "still waited for an answer",
            (Some(_), _) => "were ended",
            (None, Some(0)) => "ended well",
            (None, _) => "gave up",
        };
        *state.ends.entry(end).or_default() += 1;
        for change in &plan.0 {
            let key = (change.of.clone(), change.kind.clone());
            *state.coverage.entry(key).or_default() += 1;
        }
        (self.progress)(self.progress_of(&state, None));
    }

    fn progress_of(&self, state: &State, doing: Option<String>) -> Progress {
        Progress {
            cases: state.done,
            elapsed: self.begun.elapsed(),
            buckets: state.buckets.len(),
            doing,
        }
    }

    /// Tries a suspicion again, unless it is one that is known; makes it small, and keeps it.
    async fn look_into(&self, number: u64, suspicion: &Suspicion, plan: &Plan) {
        let first_seconds = self.begun.elapsed().as_secs_f64();
        let key = (suspicion.oracle, suspicion.shape.clone());
        {
            let mut state = self.state();
            let tries = state.looked_into.entry(key.clone()).or_default();
            *tries += 1;
            let tries = *tries;
            let is_it = |it: &&mut ClientBucket| it.oracle == key.0 && it.shape == key.1;
            if let Some(known) = state.buckets.iter_mut().find(is_it) {
                known.cases += 1;
                return;
            }
            if tries > TRIES_MAX {
                return;
            }
            let doing = format!("looking into {} ({})", suspicion.oracle, plan.kinds());
            (self.progress)(self.progress_of(&state, Some(doing)));
        }
        let shown = self.confirm(suspicion, plan).await;
        let mut state = self.state();
        let is_it = |it: &&mut ClientBucket| it.oracle == key.0 && it.shape == key.1;
        match (shown, state.buckets.iter_mut().find(is_it)) {
            (None, _) => state.unconfirmed += 1,
            (Some(_), Some(known)) => known.cases += 1,
            (Some(bucket), None) => state.buckets.push(ClientBucket {
                first_case: number,
                first_seconds,
                ..bucket
            }),
        }
    }

    async fn confirm(&self, suspicion: &Suspicion, plan: &Plan) -> Option<ClientBucket> {
        self.shows(suspicion, plan).await?;
        let small = self.smallest(suspicion, plan.clone()).await;
        let (mut shown, mut last) = (0, None);
        for _ in 0..TRIALS {
            if let Some(bucket) = self.shows(suspicion, &small).await {
                shown += 1;
                last = Some(bucket);
            }
        }
        last.map(|bucket| ClientBucket {
            shown: (shown, TRIALS),
            ..bucket
        })
    }

    async fn smallest(&self, suspicion: &Suspicion, mut plan: Plan) -> Plan {
        let begun = Instant::now();
        let (mut attempts, mut place) = (0, 0);
        while attempts < ATTEMPTS_MAX && begun.elapsed() < SHRINKING {
            let Some(less) = smaller(&plan).into_iter().nth(place) else {
                break;
            };
            attempts += 1;
            if self.shows(suspicion, &less).await.is_some() {
                plan = less;
            } else {
                place += 1;
            }
        }
        plan
    }

    /// Whether this plan shows it.
    async fn shows(&self, suspicion: &Suspicion, plan: &Plan) -> Option<ClientBucket> {
        let visit = self.visit(plan).await?;
        let mut found = self.campaign.suspicions(&visit).into_iter();
        let same = found.find(|it| it.oracle == suspicion.oracle && it.shape == suspicion.shape)?;
        Some(bucket_of(&same, plan, &visit))
    }

    fn finish(self) -> ClientFinished {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut buckets = state.buckets;
        buckets.sort_by(|one, other| (one.oracle, &one.shape).cmp(&(other.oracle, &other.shape)));
        ClientFinished {
            buckets,
            cases: state.done,
            elapsed: self.begun.elapsed(),
            ends: state.ends,
            coverage: state.coverage,
            unconfirmed: state.unconfirmed,
            cut_short: state.cut_short,
        }
    }
}

fn bucket_of(suspicion: &Suspicion, plan: &Plan, visit: &Visit) -> ClientBucket {
    let line = |side, what: &str, at_us, bytes: &[u8], cut| Entry {
        at_us,
        side,
        what: what.to_owned(),
        exchange: None,
        text: String::from_utf8_lossy(bytes).into_owned(),
        cut,
    };
    let traffic = visit.log.traffic.iter();
    let mut exchange: Vec<Entry> = traffic
        .map(|it| {
            let side = if it.from_client {
                Side::Target
            } else {
                Side::Us
            };
            line(side, &it.what, it.at_us, &it.bytes, it.cut)
        })
        .collect();
    let end = u64::try_from(visit.took.as_micros()).unwrap_or(u64::MAX);
    if !visit.stderr.is_empty() {
        let bytes = visit.stderr.as_bytes();
        let from = bytes.len().saturating_sub(STDERR_SHOWN);
        exchange.push(line(Side::Target, "standard error", end, &bytes[from..], 0));
    }
    let how = match (visit.ended, visit.code, visit.signal) {
        (Some(_), ..) => "we ended it".to_owned(),
        (None, _, Some(signal)) => format!("ended by signal {signal}"),
        (None, code, None) => format!("exit code {}", code.unwrap_or(-1)),
    };
    exchange.push(line(Side::Harness, "end", end, how.as_bytes(), 0));
    ClientBucket {
        oracle: suspicion.oracle,
        shape: suspicion.shape.clone(),
        message: suspicion.message.clone(),
        verdict: suspicion.verdict,
        requirements: suspicion.requirements.clone(),
        plan: plan.clone(),
        first_case: 0,
        first_seconds: 0.0,
        cases: 1,
        shown: (1, 1),
        exchange,
    }
}

/// How long a visit without changes may take: some clients are installed by their first start.
const FIRST_BOUND: Duration = Duration::from_secs(120);

/// How long a visit may take at least.
const BOUND_MIN: Duration = Duration::from_secs(10);

/// How long a client is waited for at least that waits for an answer itself.
const IDLE_MIN: Duration = Duration::from_millis(1500);

/// What a client may hold in memory beside what it holds without changes.
const MEMORY_KIB: u64 = 512 * 1024;

/// How often a finding is tried again.
const TRIALS: u32 = 3;

/// How often the same suspicion is looked into before it is believed not to show again.
const TRIES_MAX: u64 = 3;

/// Visits that make one finding smaller.
const ATTEMPTS_MAX: usize = 150;

/// How long one finding is made smaller.
const SHRINKING: Duration = Duration::from_secs(30);

/// Bytes of standard error that are shown.
const STDERR_SHOWN: usize = 4000;
