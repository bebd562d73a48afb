//! All connections to one target: opened once, then put under load as often as is asked for.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mcp_verdict_results::BenchmarkSamples;
use mcp_verdict_vectors::Library;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    time::interval,
};

use crate::{
    plan::{Load, Pacing, Plan, Until},
    random::Random,
    request::{Endpoint, ID_MAX, ID_MIN},
    sample::{Samples, judge},
    schedule::Schedule,
    session::Opener,
    tally::{Latencies, Tally, latencies, record},
    worker::{Phase, Shared, Word, Worker},
};

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A session could not be opened.
    #[error("open connection {number} of {connections}: {why}")]
    Open {
        /// Which of them, from 1.
        number: usize,
        /// How many there should be.
        connections: usize,
        /// Why.
        why: String,
    },
    /// The system gives no thread.
    #[error("start a thread: {0}")]
    Thread(#[from] io::Error),
    /// A thread of ours ended before its work did.
    #[error("a thread of the load generator ended")]
    Ended,
}

/// Connections that are open.
#[derive(Debug)]
pub struct Fleet {
    endpoint: Arc<Endpoint>,
    shared: Arc<Shared>,
    phases: watch::Sender<Option<Arc<Phase>>>,
    words: UnboundedReceiver<Word>,
    threads: Vec<JoinHandle<()>>,
    openings: Latencies,
    runs: u64,
}

/// How a stretch of load goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Since it began.
    pub elapsed: Duration,
    /// Requests answered well.
    pub answered: u64,
    /// Requests that were not.
    pub failed: u64,
}

/// What one stretch of load brought.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) tally: Tally,
    /// From the end of the warm-up to the last answer.
    pub(crate) elapsed: Duration,
    /// What children held before and after it, together, in KiB.
    pub(crate) memory_kib: Option<(u64, u64)>,
    /// Connections that were not there any more at its end.
    pub(crate) lost: usize,
}

impl Fleet {
    /// Opens every connection of the plan, all at the same time.
    ///
    /// # Errors
    /// When one of them does not open.
    pub async fn open(endpoint: Endpoint, plan: &Plan) -> Result<Self, FleetError> {
        let endpoint = Arc::new(endpoint);
        let shared = Arc::new(Shared {
            plan: Arc::new(plan.clone()),
            opener: Opener::new(endpoint.clone(), plan.timeout),
            samples: Samples::default(),
            stop: AtomicBool::new(false),
        });
        let (phases, _) = watch::channel(None);
        let (sender, words) = unbounded_channel();
        let mut fleet = Self {
            endpoint,
            shared,
            phases,
            words,
            threads: Vec::new(),
            openings: latencies(),
            runs: 0,
        };
        for thread in 0..plan.threads {
            let workers = fleet.workers(plan, thread, &sender);
            let handle = std::thread::Builder::new()
                .name(format!("load {thread}"))
                .spawn(move || drive(workers))?;
            fleet.threads.push(handle);
        }
        drop(sender);
        for number in 1..=plan.connections {
            match fleet.words.recv().await {
                Some(Word::Opened(Ok(took))) => record(&mut fleet.openings, took),
                Some(Word::Opened(Err(failure))) => {
                    return Err(FleetError::Open {
                        number,
                        connections: plan.connections,
                        why: failure.to_string(),
                    });
                }
                Some(Word::Done { .. }) | None => return Err(FleetError::Ended),
            }
        }
        Ok(fleet)
    }

    /// Puts the target under load. `progress` hears of it several times a second.
    ///
    /// # Errors
    /// When a thread ended.
    pub(crate) async fn run(
        &mut self,
        load: &Load,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Stretch, FleetError> {
        let phase = Arc::new(self.phase(load));
        let begin = phase.measure_from - load.warm_up;
        self.phases.send_replace(Some(phase.clone()));
        let mut ticks = interval(TICK);
        let (mut done, mut lost, mut memory) = (0, 0, None);
        let before = self.server_memory_kib();
        while done < self.shared.plan.connections {
            tokio::select! {
                word = self.words.recv() => match word {
                    Some(Word::Done { memory_kib, died }) => {
                        done += 1;
                        lost += usize::from(died);
                        if let Some((before, after)) = memory_kib {
                            let (b, a) = memory.unwrap_or((0, 0));
                            memory = Some((b + before, a + after));
                        }
                    }
                    Some(Word::Opened(_)) => {}
                    None => return Err(FleetError::Ended),
                },
                _ = ticks.tick() => progress(phase.progress(begin)),
            }
        }
        memory = memory.or(before.zip(self.server_memory_kib()));
        let mut tally = Tally::new(self.shared.plan.operations.len(), phase.measure_from);
        for part in &phase.tallies {
            tally.add(&part.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if self.runs == 0 {
            tally.openings = self.openings.clone();
        }
        self.runs += 1;
        let last = tally.last.unwrap_or(phase.measure_from);
        let measured = last.saturating_duration_since(phase.measure_from);
        let elapsed = match load.until {
            // Silence counts, too.
            Until::Elapsed(duration) => measured.max(duration),
            Until::Requests(_) => measured,
        };
        Ok(Stretch {
            tally,
            elapsed,
            memory_kib: memory,
            lost,
        })
    }

    /// What a server that was started for this holds in memory, in KiB.
    fn server_memory_kib(&self) -> Option<u64> {
        self.endpoint.options.server.as_ref()?.memory_kib()
    }

    /// Judges the answers that were kept.
    #[must_use]
    pub fn judge(&self, library: &Library) -> BenchmarkSamples {
        judge(library, &self.endpoint, &self.shared.samples.take())
    }

    /// Ends every session, closes every connection, and waits until all children are gone.
    pub async fn close(mut self) {
        self.phases.send_replace(None);
        // Threads end when their connections do, and the last word is said then.
        while self.words.recv().await.is_some() {}
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::warn!("a thread of the load generator panicked");
            }
        }
    }

    fn workers(&self, plan: &Plan, thread: usize, words: &UnboundedSender<Word>) -> Vec<Worker> {
        let share = (ID_MAX - ID_MIN) / plan.connections as u64;
        (0..plan.connections)
            .filter(|number| number % plan.threads == thread)
            .map(|number| {
                let first = ID_MIN + share * number as u64;
                Worker {
                    shared: self.shared.clone(),
                    thread,
                    words: words.clone(),
                    phases: self.phases.subscribe(),
                    random: Random::new(plan.seed, number as u64 + 1),
                    ids: first..first + share,
                    next_id: first,
                }
            })
            .collect()
    }

    fn phase(&self, load: &Load) -> Phase {
        let begin = Instant::now();
        let measure_from = begin + load.warm_up;
        let end = match load.until {
            Until::Elapsed(duration) => Some(measure_from + duration),
            Until::Requests(_) => None,
        };
        let plan = &self.shared.plan;
        Phase {
            measure_from,
            end,
            tickets: match load.until {
                Until::Elapsed(_) => None,
                Until::Requests(count) => Some(AtomicU64::new(count)),
            },
            schedule: match load.pacing {
                Pacing::Closed => None,
                Pacing::Open { rate, arrivals } => {
                    let end = end.unwrap_or(begin + FOREVER);
                    let random = Random::new(plan.seed, self.runs << 32);
                    Some(Mutex::new(Schedule::new(
                        begin, end, rate, arrivals, random,
                    )))
                }
            },
            tallies: (0..plan.threads)
                .map(|_| Mutex::new(Tally::new(plan.operations.len(), measure_from)))
                .collect(),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Phase {
    fn progress(&self, begin: Instant) -> Progress {
        let mut progress = Progress {
            elapsed: begin.elapsed(),
            answered: 0,
            failed: 0,
        };
        for tally in &self.tallies {
            let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            progress.answered += tally.answered();
            progress.failed += tally.failed();
        }
        progress
    }
}

/// A thread and its connections.
fn drive(workers: Vec<Worker>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!(%error, "start a runtime");
            return;
        }
    };
    runtime.block_on(async {
        let tasks: Vec<_> = workers
            .into_iter()
            .map(|worker| tokio::spawn(worker.run()))
            .collect();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::warn!(%error, "a connection of the load generator");
            }
        }
    });
}

/// How often progress is told.
const TICK: Duration = Duration::from_millis(200);

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(30 * 24 * 3600);
