//! What it means that something did not come: that the target owes it, that it cannot come any more, or that
//! we were not looking.

use mcp_verdict_results::Verdict;
use mcp_verdict_vectors::model::Subject;
use mcp_verdict_wire::transcript::Ended;

use super::{
    expect::{StepJudge, stop},
    walk::Noted,
};

/// What is said where a limit was broken.
pub(super) fn broke(limit: &str) -> String {
    format!("the target broke a limit: {limit}")
}

/// Why there is no value.
#[derive(Debug)]
pub(super) struct Absence {
    pub(super) why: String,
    /// We stopped looking before it was due.
    pub(super) cut: bool,
}

impl StepJudge<'_, '_> {
    /// The limit that the target broke by then. What came after it was not seen.
    pub(super) fn limit(&self) -> Option<&str> {
        let view = self.look.view;
        let first = view.first_step()?;
        let within = |event: usize| event >= first && self.look.before(event);
        let broken = view.limits.iter().find(|(event, _)| within(*event));
        broken.map(|(_, limit)| limit.as_str())
    }

    /// An absence for a reason, unless the target made us look away before.
    pub(super) fn absent(&self, why: String) -> Absence {
        match self.limit() {
            Some(limit) => Absence {
                why: broke(limit),
                cut: true,
            },
            None => Absence { why, cut: false },
        }
    }

    pub(super) fn absence(&self) -> Absence {
        let timed_out = self
            .look
            .view
            .timeouts
            .iter()
            .find(|timeout| timeout.step == self.index);
        match timed_out {
            Some(timeout) => self.absent(format!("nothing came within {} ms", timeout.after_ms)),
            None if self.ended() => self.absent("nothing had come by then".to_owned()),
            None => Absence {
                why: self.limit().map_or_else(
                    || "the run was stopped while it was awaited".to_owned(),
                    broke,
                ),
                cut: true,
            },
        }
    }

    /// Whether the step came to its end, in time or not.
    pub(super) fn ended(&self) -> bool {
        self.look.view.step_end(self.index).is_some()
            || self
                .look
                .view
                .timeouts
                .iter()
                .any(|timeout| timeout.step == self.index)
    }

    /// Whether the absence says nothing about the target: we were cut off, or never reached it.
    pub(super) fn unable(&self, absence: &Absence) -> Option<Noted> {
        if absence.cut {
            return Some(stop(Verdict::Inconclusive, absence.why.clone(), None));
        }
        let first = self.look.view.first_step()?;
        let begun = |event: Option<usize>| event.filter(|event| *event >= first);
        let exchange = self
            .look
            .view
            .exchanges
            .values()
            .find(|of| begun(of.request).is_some())?;
        match &exchange.ended {
            // The very first request of the vector found no one. Later ones tell of the target's end.
            Some((event, Ended::Broken(reason)))
                if exchange.response.is_none() && is_refusal(reason) =>
            {
                let message = format!("the target could not be reached: {reason}");
                Some(stop(Verdict::Inconclusive, message, Some(*event)))
            }
            _ => None,
        }
    }

    pub(super) fn evidence_of_absence(&self, subject: &Subject) -> Vec<usize> {
        let view = self.look.view;
        let sent = match subject {
            Subject::Response(label) | Subject::Replies(label) | Subject::Stream(label) => {
                view.request_named(label).map(|message| message.event)
            }
            Subject::Http(label) => view.exchange_named(label).and_then(|of| of.request),
            _ => None,
        };
        let end = match subject {
            Subject::Response(label) | Subject::Http(label) => view
                .exchange_named(label)
                .and_then(|of| of.response.as_ref().map(|response| response.event)),
            _ => None,
        };
        let exit = view.process.exited.map(|exit| exit.event);
        let timed_out = view
            .timeouts
            .iter()
            .find(|timeout| timeout.step == self.index)
            .map(|at| at.event);
        [sent, end, exit, timed_out].into_iter().flatten().collect()
    }
}

/// Whether an exchange's reason says that nobody was there.
fn is_refusal(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["connect", "refused", "dns", "resolve", "unreachable"]
        .iter()
        .any(|word| reason.contains(word))
        && !reason.contains("reset")
        && !reason.contains("connection closed")
}
