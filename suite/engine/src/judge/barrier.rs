//! Judges a barrier: a request in whose answer's wake nothing older can come.

use mcp_verdict_results::Verdict;

use super::{
    expect::{StepJudge, stop},
    subject::how_it_ended,
    walk::{Flow, Judgement, Noted},
};

impl StepJudge<'_, '_> {
    /// A request, in whose answer all came that was to come. It must be answered: JSON-RPC 2.0 section 5.
    pub(super) fn judge_barrier(&self) -> Option<Noted> {
        let view = self.look.view;
        let Some(request) = self.look.barrier_request(self.index) else {
            return match self.look.gone() {
                Some(event) => Some(self.target_left(event)),
                None => Some(stop(
                    Verdict::Inconclusive,
                    "the run was stopped before a barrier was sent".to_owned(),
                    None,
                )),
            };
        };
        if self.look.answer(request).is_some() {
            return None;
        }
        if let Some(why) = self.look.why_never(request) {
            let exchange = view.exchanges.get(&request.exchange);
            return match exchange.map(|of| of.status()) {
                // Refused, but in its turn: what came before it has come.
                Some(Some(status)) if (400..500).contains(&status) => None,
                // Why a connection broke: its server is gone, and we saw how.
                Some(None) if self.look.gone().is_some() => {
                    Some(self.target_left(self.look.gone()?))
                }
                Some(_) => {
                    let absence = self.absent(why.clone());
                    Some(
                        self.unable(&absence)
                            .unwrap_or_else(|| self.unanswered(&why)),
                    )
                }
                None => Some(self.target_left(request.event)),
            };
        }
        let absence = self.absence();
        Some(
            self.unable(&absence)
                .unwrap_or_else(|| self.unanswered(&absence.why)),
        )
    }

    fn unanswered(&self, why: &str) -> Noted {
        let request = self.look.barrier_request(self.index);
        let method = request
            .and_then(|request| request.method())
            .unwrap_or("request");
        let message = format!(
            "a `{method}` sent after this was not answered, which JSON-RPC 2.0 section 5 demands: {why}"
        );
        Noted {
            judgement: Judgement {
                verdict: Verdict::Fail,
                message,
                expected: Some(format!("an answer to `{method}`")),
                actual: Some(why.to_owned()),
                evidence: request.map(|request| request.event).into_iter().collect(),
            },
            flow: Flow::Stop,
        }
    }

    /// The child is gone. Unless it was asked to go, that leaves requests without an answer.
    fn target_left(&self, event: usize) -> Noted {
        let process = &self.look.view.process;
        let first = self.look.view.first_step().unwrap_or(0);
        let how = process.exited.map_or_else(
            || "it closed its output".to_owned(),
            |exit| format!("it exited with {}", how_it_ended(exit.code, exit.signal)),
        );
        let gone = process
            .exited
            .map(|exit| exit.event)
            .or(process.output_closed);
        if gone.is_some_and(|gone| gone < first) {
            let message = format!("the target had left before the first step: {how}");
            return stop(Verdict::Inconclusive, message, gone);
        }
        let asked = process.input_closed.is_some() || !process.signalled.is_empty();
        let mut noted = self.unanswered(&how);
        if asked {
            noted.judgement.verdict = Verdict::Inconclusive;
            noted.judgement.message = format!("the target was asked to leave and did: {how}");
        }
        noted
            .judgement
            .evidence
            .extend([event].into_iter().chain(gone));
        noted.judgement.evidence.dedup();
        noted
    }
}
