//! A run: everything that the plan asks for, driven and judged once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::{join_all, join3};
use mcp_verdict_results::{CheckResult, Run, Suite, Summary, Target, Verdict};
use mcp_verdict_vectors::{
    Library,
    model::{SessionMode, Vector},
};
use mcp_verdict_wire::{
    TransportKind,
    transcript::{FORMAT, Head, Transcript},
};
use serde_json::Value;

use crate::{
    crowd::{Crowd, Place},
    drive::{self, Limits},
    judge::{self, Judge, Planned},
    plan::{EmptyPlan, Plan, Prepared, Selection, Work, disturbs, is_wild, patience},
    pool::{Pool, Refusal, broke_off, inner, is_silent, locked},
    rules,
    time::rfc3339,
    view::View,
};

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which checks.
    pub selection: Selection,
    /// How many vectors run at the same time; over HTTP, where one server serves all and most
    /// of the time is waiting, up to sixteen times as many.
    pub jobs: usize,
    /// How long a wait lasts, unless its step says otherwise.
    pub timeout: Duration,
    /// How long the whole run may take. What is left then is inconclusive.
    pub cap: Option<Duration>,
    /// The seed of everything random.
    pub seed: u64,
    /// Keep the transcripts in the outcome.
    pub keep_transcripts: bool,
    /// How many vectors share a server, if not as many as `jobs` allows: one at a time, nothing that one of
    /// them does shows in another.
    pub sharing: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            timeout: Duration::from_secs(5),
            cap: None,
            seed: 0,
            keep_transcripts: false,
            sharing: None,
        }
    }
}

/// What there is to tell while a run goes on.
#[derive(Debug)]
pub enum Progress<'p> {
    /// So many vectors will run.
    Planned {
        /// How many.
        total: usize,
    },
    /// A vector begins.
    Started {
        /// Its id.
        check: &'p str,
        /// The way it goes: `2025-11-25 over stdio`.
        way: &'p str,
    },
    /// A vector was judged.
    Judged {
        /// What came of it.
        result: &'p CheckResult,
        /// What was on the wire.
        transcript: &'p Transcript,
    },
    /// A vector did not run after all, because the target is gone or time is up.
    Skipped {
        /// Its id.
        check: &'p str,
        /// Why.
        reason: &'p str,
    },
}

/// What a run produced.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdicts.
    pub results: Run,
    /// The transcripts, in the order check, revision, transport, if they were asked for.
    pub transcripts: Vec<Transcript>,
    /// The target went, was given up on, or took longer than it was given: some of what was planned did not
    /// run.
    pub unfinished: bool,
}

/// Runs what the options ask for, and judges it.
///
/// # Errors
/// When nothing would run.
pub async fn run(
    library: &Library,
    target: &Prepared,
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Outcome, EmptyPlan> {
    let begun = Instant::now();
    let started = rfc3339(SystemTime::now());
    let plan = Plan::of(library, target, &options.selection)?;
    progress(Progress::Planned {
        total: plan.work.len(),
    });
    let under_way = UnderWay::new(library, target, options, progress, &plan);
    under_way.drive_all(&plan.work).await;
    under_way
        .pool
        .shut_down(target.options.exit_grace * 3 + Duration::from_secs(1))
        .await;
    Ok(under_way.finish(started, begun))
}

/// A run under way. It happens in one task, so locks are never waited for; the transports work beside it.
struct UnderWay<'r> {
    library: &'r Library,
    target: &'r Prepared,
    options: &'r Options,
    progress: &'r (dyn Fn(Progress<'_>) + Sync),
    pool: Pool<'r>,
    judge: Mutex<Judge<'r>>,
    transcripts: Mutex<BTreeMap<(String, usize), Transcript>>,
    notes: Mutex<Vec<String>>,
    /// How much each way has still to do.
    left: Vec<AtomicUsize>,
    /// Vectors that others may have hindered, to be run again alone.
    again: Mutex<Vec<Postponed>>,
    /// Those that share HTTP servers.
    crowd: Crowd,
    /// Something did not run.
    unfinished: AtomicBool,
    deadline: Option<Instant>,
}

/// A vector to be run again alone.
struct Postponed {
    work: Work,
    /// What came of it, where that is not too much to keep.
    first: Option<Transcript>,
    /// Answers stayed out, and nothing else.
    late: bool,
}

/// How often a vector was tried.
enum Attempt {
    /// Beside others.
    First,
    /// Alone. What came of the first attempt, where that was kept.
    Second(Option<Transcript>),
}

impl Attempt {
    fn earlier(self) -> Option<Transcript> {
        match self {
            Self::First => None,
            Self::Second(earlier) => earlier,
        }
    }
}

/// What is kept of a first attempt, in bytes; there may be one for every vector.
const POSTPONED_BYTES_MAX: usize = 256 * 1024;

/// So many answers stay out again when nobody else is there, and they did not because of others.
const CONFIRMATIONS: usize = 4;

/// How many vectors that mostly wait share one HTTP server for each job.
const WAITING_FACTOR: usize = 12;

/// More of these at once may be taken for a flood.
const WAITING_MAX: usize = 24;

/// How many other vectors share one HTTP server for each job.
const BUSY_FACTOR: usize = 4;

/// More of these gives no speed.
const BUSY_MAX: usize = 8;

/// How many vectors go on at the same time on HTTP servers: that mostly wait, and others.
fn lanes(jobs: usize) -> (usize, usize) {
    let jobs = jobs.max(1);
    (
        (jobs * WAITING_FACTOR).min(WAITING_MAX),
        (jobs * BUSY_FACTOR).min(BUSY_MAX),
    )
}

impl<'r> UnderWay<'r> {
    fn new(
        library: &'r Library,
        target: &'r Prepared,
        options: &'r Options,
        progress: &'r (dyn Fn(Progress<'_>) + Sync),
        plan: &Plan,
    ) -> Self {
        let mut judge = Judge::new(library, rules::all());
        plan.planned.iter().for_each(|planned| judge.plan(planned));
        let of = |way: usize| plan.work.iter().filter(|work| work.way == way).count();
        Self {
            library,
            target,
            options,
            progress,
            pool: Pool::new(target, options.timeout),
            judge: Mutex::new(judge),
            transcripts: Mutex::default(),
            notes: Mutex::default(),
            left: (0..target.ways.len())
                .map(|way| AtomicUsize::new(of(way)))
                .collect(),
            again: Mutex::default(),
            unfinished: AtomicBool::new(false),
            crowd: Crowd::new(lanes(options.jobs).0 + lanes(options.jobs).1),
            deadline: options.cap.map(|cap| Instant::now() + cap),
        }
    }

    /// Drives everything: children beside servers, and on a server what mostly waits beside what does not;
    /// then, one by one, what changes a server for all; and then once more what broke off while it was not
    /// alone.
    async fn drive_all(&self, work: &[Work]) {
        let (mut children, mut waiting, mut busy, mut last) = (vec![], vec![], vec![], vec![]);
        for &work in work {
            let vector = &self.library.vectors[work.vector];
            let lane = match self.target.ways[work.way].transport {
                TransportKind::Stdio => &mut children,
                _ if disturbs(vector) => &mut last,
                _ if patience(vector) > Duration::ZERO => &mut waiting,
                _ => &mut busy,
            };
            lane.push(work);
        }
        // What waits longest goes first, so that the rest goes on meanwhile.
        let longest_first = |work: &Work| Reverse(patience(&self.library.vectors[work.vector]));
        children.sort_by_key(longest_first);
        waiting.sort_by_key(longest_first);
        let (waiters, workers) = match self.options.sharing {
            Some(sharing) => {
                waiting.append(&mut busy);
                // What may be the end of a server comes when the rest is known.
                for lane in [&mut children, &mut waiting] {
                    lane.sort_by_key(|work| is_wild(&self.library.vectors[work.vector]));
                }
                (sharing.max(1), 0)
            }
            None => lanes(self.options.jobs),
        };
        join3(
            self.drive_queue(children.into(), self.options.jobs.max(1)),
            self.drive_queue(waiting.into(), waiters),
            self.drive_queue(busy.into(), workers),
        )
        .await;
        self.drive_queue(last.into(), 1).await;
        self.drive_again().await;
    }

    /// Runs again, one by one, what others may have hindered. Where that makes no difference to answers that
    /// stayed out, the rest of those is believed.
    async fn drive_again(&self) {
        let mut same = Some(0);
        let again = std::mem::take(&mut *locked(&self.again));
        for postponed in again {
            let Postponed { work, first, late } = postponed;
            match first {
                Some(first) if late && same.is_some_and(|times| times >= CONFIRMATIONS) => {
                    self.settle(work, first);
                }
                first => {
                    let late_again = self.drive_one(work, Attempt::Second(first)).await;
                    if late {
                        same = same.filter(|_| late_again).map(|times| times + 1);
                    }
                }
            }
        }
    }

    async fn drive_queue(&self, queue: VecDeque<Work>, workers: usize) {
        let queue = Mutex::new(queue);
        let next = || locked(&queue).pop_front();
        let worker = || async {
            while let Some(work) = next() {
                self.drive_one(work, Attempt::First).await;
                if self.left[work.way].fetch_sub(1, Ordering::Relaxed) == 1 {
                    self.pool.retire(work.way);
                }
            }
        };
        join_all((0..workers).map(|_| worker())).await;
    }

    /// Drives one vector, and tells whether answers stayed out. What came of a first attempt stands if there
    /// is no server left to try again.
    async fn drive_one(&self, work: Work, attempt: Attempt) -> bool {
        let vector = &self.library.vectors[work.vector];
        let check = vector.id.0.as_str();
        if let Some(reason) = self.hindrance(work) {
            self.give_up(work, attempt, &reason);
            return false;
        }
        let way = &self.target.ways[work.way];
        let place = match way.transport {
            TransportKind::Stdio => None,
            _ => Some(self.crowd.enter().await),
        };
        let name = format!("{} over {}", way.revision, way.transport);
        (self.progress)(Progress::Started { check, way: &name });
        let mut lent = match self.pool.take(work.way, vector).await {
            Ok(lent) => lent,
            Err(refusal) => return self.refused(work, attempt, refusal, place.as_ref()).await,
        };
        self.pool.suspect(work.way, check);
        let head = self.head(work, lent.earlier.clone());
        let limits = Limits {
            timeout: self.options.timeout,
            deadline: self.deadline,
            haste: None,
        };
        let left = drive::vector(&mut lent.session, vector, &head, &way.tools, limits).await;
        let crowded = lent.session.connection.recorder().is_crowded();
        let transcript = Transcript {
            head,
            events: Pool::collect(&mut lent),
        };
        let view = View::resume(&transcript.head, &transcript.events, left.reading);
        self.unfinished.fetch_or(left.cut_off, Ordering::Relaxed);
        self.pool.heard(work.way, is_silent(&view)).await;
        let poor = || judge::vector(vector, &view).verdict != Verdict::Pass;
        let broken = broke_off(&view) && poor();
        if !broken {
            self.pool.clear(work.way, check);
        }
        let late = self.is_late(&view) && poor();
        let company = place.as_ref().filter(|place| place.had_company());
        if late && let Some(place) = company {
            place.strained();
        }
        let hindered = crowded || ((broken || late) && company.is_some());
        if hindered && matches!(attempt, Attempt::First) {
            drop(view);
            self.postpone(work, transcript, late && !broken && !crowded);
            self.pool.close(lent);
            return late;
        }
        if !view.limits.is_empty() {
            self.pool.flooded(work.way, check);
        }
        let verdict = self.judged(&transcript, &view);
        drop(view);
        self.keep(work, transcript);
        let sound = matches!(verdict, Verdict::Pass | Verdict::Warn);
        if vector.session == SessionMode::Shared && left.reusable && sound {
            self.pool.give_back(lent);
        } else {
            self.pool.close(lent);
        }
        late
    }

    /// Why nothing more can be driven this way, if so.
    fn hindrance(&self, work: Work) -> Option<String> {
        let is_over = |deadline| Instant::now() >= deadline;
        if self.deadline.is_some_and(is_over) {
            return Some("the time for the whole run was up".to_owned());
        }
        self.pool.gone(work.way)
    }

    /// There is no session. A server that others keep busy gets another chance.
    async fn refused(
        &self,
        work: Work,
        attempt: Attempt,
        refusal: Refusal,
        place: Option<&Place<'_>>,
    ) -> bool {
        let head = self.head(work, Vec::new());
        let unanswered = refusal.unanswered;
        let company = place.filter(|place| unanswered && place.had_company());
        if let Some(place) = company
            && matches!(attempt, Attempt::First)
        {
            place.strained();
            self.pool.heard(work.way, true).await;
            let events = refusal.events;
            self.postpone(work, Transcript { head, events }, true);
            return true;
        }
        if let Some(why) = &refusal.gone {
            self.pool.bury(work.way, why);
        }
        self.note_end(work, &refusal);
        let events = refusal.events;
        let refused = Transcript { head, events };
        self.settle(work, attempt.earlier().unwrap_or(refused));
        unanswered
    }

    /// Whether a whole wait went by without what was waited for.
    fn is_late(&self, view: &View<'_>) -> bool {
        let whole = u64::try_from(self.options.timeout.as_millis()).unwrap_or(u64::MAX);
        view.timeouts.iter().any(|wait| wait.after_ms >= whole)
    }

    /// Leaves a vector to be run again alone.
    fn postpone(&self, work: Work, transcript: Transcript, late: bool) {
        let weight: usize = transcript.events.iter().map(|it| it.kind.weight()).sum();
        let first = (weight <= POSTPONED_BYTES_MAX).then_some(transcript);
        locked(&self.again).push(Postponed { work, first, late });
    }

    /// No attempt is made: what an earlier one brought stands.
    fn give_up(&self, work: Work, attempt: Attempt, reason: &str) {
        match attempt.earlier() {
            Some(earlier) => self.settle(work, earlier),
            None => self.skip(work, reason),
        }
    }

    /// Tells once that a target is gone.
    fn note_end(&self, work: Work, refusal: &Refusal) {
        if refusal.gone.is_some()
            && let Some(gone) = self.pool.gone(work.way)
        {
            self.note(gone);
        }
    }

    fn note(&self, note: String) {
        let mut notes = locked(&self.notes);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Judges a transcript after which nothing else happens.
    fn settle(&self, work: Work, transcript: Transcript) {
        self.judged(&transcript, &View::of(&transcript));
        self.keep(work, transcript);
    }

    /// Judges a transcript, and tells of it.
    fn judged(&self, transcript: &Transcript, view: &View<'_>) -> Verdict {
        let mut judge = locked(&self.judge);
        let result = judge.add_read(transcript, view);
        let verdict = result.verdict;
        (self.progress)(Progress::Judged { result, transcript });
        verdict
    }

    fn keep(&self, work: Work, transcript: Transcript) {
        if self.options.keep_transcripts {
            let key = (transcript.head.check.clone(), work.way);
            locked(&self.transcripts).insert(key, transcript);
        }
    }

    fn skip(&self, work: Work, reason: &str) {
        self.unfinished.store(true, Ordering::Relaxed);
        if let Some(given_up) = self.pool.given_up(work.way) {
            self.note(given_up);
        }
        let vector = &self.library.vectors[work.vector];
        let way = &self.target.ways[work.way];
        locked(&self.judge).plan(&Planned {
            check: vector.id.clone(),
            revision: way.revision,
            transport: way.transport,
            verdict: Verdict::Inconclusive,
            reason: reason.to_owned(),
        });
        (self.progress)(Progress::Skipped {
            check: &vector.id.0,
            reason,
        });
    }

    fn head(&self, work: Work, earlier_ids: Vec<Value>) -> Head {
        let vector = &self.library.vectors[work.vector];
        let way = &self.target.ways[work.way];
        Head {
            format: FORMAT,
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            check: vector.id.0.clone(),
            revision: way.revision,
            transport: way.transport,
            target: self.target.reproduce.clone(),
            seed: self.options.seed,
            bindings: bindings(vector, &way.bindings),
            earlier_ids,
        }
    }

    fn finish(self, started: String, begun: Instant) -> Outcome {
        let selection = &self.options.selection;
        let results = inner(self.judge).finish(|id| selection.wants(id));
        let mut notes = self.target.notes.clone();
        notes.extend(inner(self.notes));
        let results = Run {
            suite: Suite {
                name: "mcp-verdict".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                seed: self.options.seed,
                started,
                duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            },
            target: Target {
                name: self.target.name.clone(),
                peers: self
                    .target
                    .ways
                    .iter()
                    .map(super::plan::PreparedWay::peer)
                    .collect(),
                notes,
            },
            summary: Summary::of(&results),
            results,
            campaigns: Vec::new(),
        };
        Outcome {
            results,
            transcripts: inner(self.transcripts).into_values().collect(),
            unfinished: self.unfinished.into_inner(),
        }
    }
}

/// The fixtures that a vector names.
fn bindings(vector: &Vector, all: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let names = vector
        .needs
        .fixtures
        .iter()
        .map(|fixture| fixture.replace('-', "_"));
    names
        .filter_map(|name| all.get(&name).map(|value| (name, value.clone())))
        .collect()
}
