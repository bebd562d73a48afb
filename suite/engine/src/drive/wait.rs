//! Waiting: until the judge says that a step has what it waits for, and answering the server meanwhile.

use std::time::{Duration, Instant};

use mcp_verdict_wire::{
    Era,
    transcript::{Ended, EventKind},
};
use serde_json::Value;

use super::Drive;
use crate::{session::answer_for, view::View};
use mcp_verdict_transport::Outgoing;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// With what it waited for, or with the certainty that it does not come.
    Over,
    /// Its time was up.
    TimedOut,
    /// The whole run's time was up, or the transcript is full.
    CutOff,
}

/// Why a wait woke up.
enum Wake {
    Over,
    Ask(Vec<(usize, Value)>),
}

/// How long a child that closed its output may take to be gone.
const EXIT_PATIENCE: Duration = Duration::from_millis(250);

/// Requests of one server that are answered while one vector runs: a flood is not fed.
const ANSWERS_MAX: usize = 1000;

impl Drive<'_> {
    /// Waits until step `index` has what it waits for, and records it if that does not happen in time.
    pub(super) async fn wait_for_step(&mut self, index: usize, patience: Duration) -> Waited {
        // A copy, because the wait borrows the drive.
        let walk = self.walk.clone();
        let waited = self.wait(patience, |view| walk.is_over(index, view)).await;
        if self.session.connection.has_process() && self.broke_off(index) {
            // How it left is worth a moment: the end of its output comes first.
            self.wait(EXIT_PATIENCE, |view| view.process.exited.is_some())
                .await;
        }
        self.note(index, waited, patience);
        waited
    }

    /// Whether a channel ended, or an exchange of this step broke off, as they do when a process leaves.
    fn broke_off(&self, index: usize) -> bool {
        let broken = |ended: &Option<(usize, Ended)>| matches!(ended, Some((event, Ended::Broken(_))) if self.reading.step_of(*event) == Some(index));
        let mut exchanges = self.reading.exchanges.values();
        self.reading.process.output_closed.is_some() || exchanges.any(|it| broken(&it.ended))
    }

    /// Records a wait that did not get what it waited for.
    pub(super) fn note(&mut self, index: usize, waited: Waited, patience: Duration) {
        match waited {
            Waited::Over => {}
            Waited::TimedOut => {
                let after_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                self.recorder
                    .record(EventKind::TimedOut { index, after_ms });
            }
            Waited::CutOff => self.cut_off = true,
        }
    }

    /// Waits until `over`, at most for `patience`, and answers what the server asks meanwhile.
    pub(super) async fn wait(
        &mut self,
        patience: Duration,
        over: impl Fn(&View<'_>) -> bool,
    ) -> Waited {
        let until = Instant::now() + patience;
        let capped = self.limits.deadline.filter(|deadline| *deadline < until);
        let until = capped.unwrap_or(until);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.wake(left, &over).await {
                Some(Wake::Over) => return Waited::Over,
                Some(Wake::Ask(requests)) => self.answer(requests).await,
                None if self.recorder.is_full() || capped.is_some() => return Waited::CutOff,
                None => return Waited::TimedOut,
            }
        }
    }

    async fn wake(&mut self, left: Duration, over: impl Fn(&View<'_>) -> bool) -> Option<Wake> {
        let (head, answered) = (self.head, &self.answered);
        let legacy = head.revision.era() == Era::Legacy;
        let reading = &mut self.reading;
        let look = |events: &[_]| {
            let view = View::resume(head, events, std::mem::take(reading));
            let asked: Vec<(usize, Value)> = if legacy && answered.len() < ANSWERS_MAX {
                let open = view
                    .open_of_target()
                    .filter(|(index, _)| !answered.contains(index));
                open.filter_map(|(index, message)| Some((index, message.value.clone()?)))
                    .collect()
            } else {
                Vec::new()
            };
            let wake = if !asked.is_empty() {
                Some(Wake::Ask(asked))
            } else {
                over(&view).then_some(Wake::Over)
            };
            *reading = view.into_reading();
            wake
        };
        self.recorder.wait(left, look).await
    }

    async fn answer(&mut self, requests: Vec<(usize, Value)>) {
        for (index, request) in requests {
            self.answered.insert(index);
            let answer = answer_for(&request, &self.client, self.head.revision);
            let bytes = answer.to_string().into_bytes();
            // That it cannot be sent shows in the transcript: the child left, or the connection broke.
            let sending = self.session.connection.send(Outgoing {
                bytes,
                ..Outgoing::default()
            });
            let _ = tokio::time::timeout(self.limits.timeout, sending).await;
        }
    }

    /// Answers what the server asked before the first step, and waits for nothing.
    pub(super) async fn catch_up(&mut self) {
        self.wait(Duration::ZERO, |_| true).await;
    }
}
