//! One connection at work.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc::UnboundedSender, watch},
    time::{sleep, timeout},
};

use crate::{
    connect::{Captured, Exchanged, Failure, Link},
    pace::Pace,
    plan::{Plan, Work},
    random::Random,
    sample::{Sample, Samples},
    scan::Said,
    schedule::Schedule,
    session::{Opener, Opening},
    tally::{Tally, record},
};

/// One stretch of load, as all connections see it.
#[derive(Debug)]
pub(crate) struct Phase {
    /// What was, or was meant to be, sent from here on counts.
    pub(crate) measure_from: Instant,
    pub(crate) end: Option<Instant>,
    /// Requests still to be measured, where their number is limited.
    pub(crate) tickets: Option<AtomicU64>,
    pub(crate) schedule: Option<Mutex<Schedule>>,
    /// One for each thread.
    pub(crate) tallies: Vec<Mutex<Tally>>,
}

/// What a connection says.
#[derive(Debug)]
pub(crate) enum Word {
    /// Its session is open, or cannot be.
    Opened(Result<Duration, Failure>),
    /// It has done its part of a phase. What its child held in memory before and after, in KiB.
    Done {
        memory_kib: Option<(u64, u64)>,
        died: bool,
    },
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plan: Arc<Plan>,
    pub(crate) opener: Opener,
    pub(crate) samples: Samples,
    pub(crate) stop: AtomicBool,
}

/// One connection.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) thread: usize,
    pub(crate) words: UnboundedSender<Word>,
    pub(crate) phases: watch::Receiver<Option<Arc<Phase>>>,
    pub(crate) random: Random,
    /// The ids that are this connection's own.
    pub(crate) ids: std::ops::Range<u64>,
    pub(crate) next_id: u64,
}

/// A worker with its conversation.
struct Busy {
    worker: Worker,
    talk: Option<(Link, Arc<Opening>)>,
    pace: Pace,
    /// Measured requests, by operation.
    counts: Vec<u64>,
}

impl Worker {
    /// Opens a session, and works until there are no more phases.
    pub(crate) async fn run(mut self) {
        let id = self.id();
        let opened = self.shared.opener.open(id).await;
        let (word, talk) = match opened {
            Ok(opened) => (Ok(opened.took), Some((opened.link, opened.opening))),
            Err(failure) => (Err(failure), None),
        };
        // Whoever listened is gone when the whole is dropped.
        let _: Result<(), _> = self.words.send(Word::Opened(word));
        let mut busy = Busy {
            counts: vec![0; self.shared.plan.operations.len()],
            worker: self,
            talk,
            pace: Pace::new(),
        };
        while busy.worker.phases.changed().await.is_ok() {
            let phase = busy.worker.phases.borrow_and_update().clone();
            let Some(phase) = phase else { break };
            busy.phase(&phase).await;
        }
        if let Some((link, _)) = busy.talk {
            link.close().await;
        }
    }

    fn id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        if self.next_id >= self.ids.end {
            self.next_id = self.ids.start;
        }
        id
    }
}

impl Busy {
    async fn phase(&mut self, phase: &Phase) {
        let before = self.memory_kib();
        let shared = self.worker.shared.clone();
        while !shared.stop.load(Ordering::Relaxed) {
            let Some(turn) = self.turn(phase).await else {
                break;
            };
            if let Some((sent_for, measured)) = turn {
                self.one(phase, sent_for, measured).await;
            }
        }
        if let Some((link, _)) = &self.talk {
            let unanswered = link.unanswered_requests();
            self.tally(phase).unanswered += unanswered;
        }
        let memory_kib = before.zip(self.memory_kib());
        let died = self.talk.is_none();
        let word = Word::Done { memory_kib, died };
        let _: Result<(), _> = self.worker.words.send(word);
    }

    /// Waits until it is time for the next request. Gives from when its latency counts, and whether it does; `None`
    /// within for one that is dropped, and around it when the phase is over.
    async fn turn(&mut self, phase: &Phase) -> Option<Option<(Instant, bool)>> {
        let at = match &phase.schedule {
            Some(schedule) => {
                let mut schedule = schedule.lock().unwrap_or_else(PoisonError::into_inner);
                schedule.next()?
            }
            None => Instant::now(),
        };
        if phase.end.is_some_and(|end| at >= end) {
            return None;
        }
        let measured = at >= phase.measure_from;
        if measured && !phase.take_ticket() {
            return None;
        }
        if phase.schedule.is_none() {
            return Some(Some((at, measured)));
        }
        let now = Instant::now();
        if at > now {
            self.pace.until(at).await;
            let lag = at.elapsed();
            if measured {
                let mut tally = self.tally(phase);
                record(&mut tally.lag, lag);
                tally.late += u64::from(lag > LATE);
            }
            return Some(Some((at, measured)));
        }
        let late = now - at;
        if measured {
            let mut tally = self.tally(phase);
            if late > self.worker.shared.plan.timeout {
                tally.dropped += 1;
            } else {
                tally.late += u64::from(late > LATE);
            }
        }
        Some((late <= self.worker.shared.plan.timeout).then_some((at, measured)))
    }

    /// Sends one request, and counts what comes of it.
    async fn one(&mut self, phase: &Phase, mut counts_from: Instant, measured: bool) {
        let plan = self.worker.shared.plan.clone();
        let number = self.draw(&plan);
        let samples = measured && self.counts[number].is_multiple_of(plan.sample_every);
        self.counts[number] += u64::from(measured);
        let mut captured = samples.then(Captured::default);
        let id = self.worker.id();
        let outcome = match &plan.operations[number].work {
            Work::Session => {
                if let Some((link, _)) = self.talk.take() {
                    link.close().await;
                }
                if phase.schedule.is_none() {
                    counts_from = Instant::now();
                }
                self.session(id).await
            }
            Work::Request(body) => {
                let asked = self.ask(body, id, captured.as_mut());
                let outcome = timeout(plan.timeout, asked).await;
                outcome.unwrap_or(Err(Failure::Timeout))
            }
        };
        if measured {
            let bytes = plan.operations[number].request_bytes().unwrap_or(0);
            self.count_outcome(phase, number, counts_from, bytes, &outcome);
        }
        if let (Some(captured), Some((_, opening)), Work::Request(body), true) = (
            captured,
            &self.talk,
            &plan.operations[number].work,
            outcome.is_ok(),
        ) {
            self.worker.shared.samples.add(Sample {
                opening: opening.clone(),
                request: body.with_id(id),
                headers: body.headers().to_vec(),
                id,
                captured,
            });
        }
        if let Err(failure) = outcome {
            self.recover(&failure).await;
        }
    }

    async fn ask(
        &mut self,
        body: &crate::request::Body,
        id: u64,
        captured: Option<&mut Captured>,
    ) -> Result<Exchanged, Failure> {
        if self.talk.is_none() {
            let first = self.worker.id();
            let opened = self.worker.shared.opener.open(first).await?;
            self.talk = Some((opened.link, opened.opening));
        }
        match &mut self.talk {
            Some((link, _)) => link.request(body, id, captured).await,
            None => Err(Failure::Lost),
        }
    }

    /// Opens another session.
    async fn session(&mut self, id: u64) -> Result<Exchanged, Failure> {
        let opened = self.worker.shared.opener.open(id).await?;
        let first_event = None;
        let answered = Instant::now();
        self.talk = Some((opened.link, opened.opening));
        Ok(Exchanged {
            answered,
            first_event,
            received: 0,
            said: Said::Result,
        })
    }

    fn count_outcome(
        &self,
        phase: &Phase,
        number: usize,
        counts_from: Instant,
        sent_bytes: usize,
        outcome: &Result<Exchanged, Failure>,
    ) {
        let mut tally = self.tally(phase);
        tally.sent_bytes += sent_bytes as u64;
        let at = match outcome {
            Ok(exchanged) => exchanged.answered,
            Err(_) => Instant::now(),
        };
        let latency = at.saturating_duration_since(counts_from);
        let error = match outcome {
            Ok(exchanged) => name_of(exchanged.said),
            Err(failure) => Some(failure.to_string()),
        };
        tally.timeline.record(at, latency, error.is_none());
        tally.last = tally.last.max(Some(at));
        let operation = &mut tally.operations[number];
        match &error {
            None => operation.answered += 1,
            Some(_) => operation.failed += 1,
        }
        // Without those that timed out, the slowest would make the rest look good.
        if matches!(outcome, Ok(_) | Err(Failure::Timeout)) {
            record(&mut operation.latencies, latency);
        }
        if let Ok(exchanged) = outcome {
            if let Some(first) = exchanged.first_event {
                let first = first.saturating_duration_since(counts_from);
                record(&mut operation.first_event, first);
            }
            tally.received_bytes += exchanged.received as u64;
        }
        if let Some(error) = error {
            tally.error(&error);
        }
    }

    /// Gets ready for the next request after one that failed.
    async fn recover(&mut self, failure: &Failure) {
        let over = match failure {
            // The session is gone: basic/transports, "Session Management".
            Failure::Status(404) => true,
            _ => self
                .talk
                .as_ref()
                .is_some_and(|(link, _)| link.is_over(failure)),
        };
        if over {
            self.talk = None;
        }
        if matches!(failure, Failure::Connect(_)) {
            // Nobody listens: asking again at once would only keep the machine busy.
            sleep(CONNECT_PAUSE).await;
        }
    }

    /// Which operation comes next.
    fn draw(&mut self, plan: &Plan) -> usize {
        if plan.operations.len() == 1 {
            return 0;
        }
        let total = plan.operations.iter().map(|it| u64::from(it.weight)).sum();
        let mut place = self.worker.random.below(total);
        for (number, operation) in plan.operations.iter().enumerate() {
            match place.checked_sub(u64::from(operation.weight)) {
                Some(rest) => place = rest,
                None => return number,
            }
        }
        0
    }

    fn tally<'p>(&self, phase: &'p Phase) -> std::sync::MutexGuard<'p, Tally> {
        phase.tallies[self.worker.thread]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn memory_kib(&self) -> Option<u64> {
        self.talk.as_ref().and_then(|(link, _)| link.memory_kib())
    }
}

impl Phase {
    /// Whether one more request may be measured.
    fn take_ticket(&self) -> bool {
        self.tickets.as_ref().is_none_or(|tickets| {
            tickets
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
        })
    }
}

/// What is wrong with an answer, if anything is.
fn name_of(said: Said) -> Option<String> {
    match said {
        Said::Result => None,
        Said::Error(code) => Some(format!("error {code}")),
        Said::ToolError => Some("tool error".to_owned()),
        Said::Incomplete => Some("result is not complete".to_owned()),
    }
}

/// A request is late when it is sent so much after it was meant to be.
const LATE: Duration = Duration::from_millis(1);

/// How long to wait after a connection that was refused.
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
