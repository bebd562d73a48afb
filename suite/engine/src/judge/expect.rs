//! Judges one step of a vector.

use std::collections::BTreeMap;

use mcp_verdict_results::Verdict;
use mcp_verdict_vectors::{
    matcher::{self, Mismatch},
    model::{CaptureStep, Case, Expect, Level, Outcome, Step, Subject, Vector},
    template::{self, Unbound},
};
use serde_json::{Map, Value};

use super::{
    absence::{Absence, broke},
    subject::{Look, Seen, SubjectState},
    walk::{Flow, Judgement, Noted, RevisionSchemas, verdict_of},
};
use crate::view::View;

/// One step, and the transcript up to where the step saw it.
pub(super) struct StepJudge<'a, 't> {
    pub(super) look: Look<'a, 't>,
    variables: &'a BTreeMap<String, Value>,
    pub(super) index: usize,
}

/// What a step came to.
#[derive(Debug, Default)]
pub(super) struct StepOutcome {
    /// What to note, unless all is well.
    pub(super) noted: Option<Noted>,
    /// A variable that it held.
    pub(super) captured: Option<(String, Value)>,
    /// What its author says of a pass.
    pub(super) passed: Option<String>,
    /// Where it looked.
    pub(super) evidence: Vec<usize>,
}

impl<'a, 't> StepJudge<'a, 't> {
    /// As of the last event.
    pub(super) fn live(
        vector: &'a Vector,
        variables: &'a BTreeMap<String, Value>,
        view: &'a View<'t>,
        index: usize,
    ) -> Self {
        Self {
            look: Look {
                vector,
                view,
                horizon: view.events.len(),
            },
            variables,
            index,
        }
    }

    /// As of the end of the step.
    pub(super) fn offline(
        vector: &'a Vector,
        variables: &'a BTreeMap<String, Value>,
        view: &'a View<'t>,
        index: usize,
    ) -> Self {
        let timed_out = view.timeouts.iter().find(|timeout| timeout.step == index);
        let horizon = timed_out
            .map(|timeout| timeout.event)
            .or_else(|| view.step_end(index))
            .unwrap_or(view.events.len());
        Self {
            look: Look {
                vector,
                view,
                horizon,
            },
            variables,
            index,
        }
    }

    fn step(&self) -> &'a Step {
        &self.look.vector.steps[self.index]
    }

    /// Whether there is nothing more to wait for.
    pub(super) fn is_over(&self) -> bool {
        let waits = matches!(
            self.step(),
            Step::Expect(_) | Step::Capture(_) | Step::Barrier(_)
        );
        if waits && self.limit().is_some() {
            return true;
        }
        match self.step() {
            Step::Expect(expect) => self.expect_is_over(expect),
            Step::Capture(capture) => self.capture_is_over(capture),
            Step::Barrier(_) => self.barrier_is_over(),
            _ => true,
        }
    }

    fn expect_is_over(&self, expect: &Expect) -> bool {
        match self.subject(&expect.subject) {
            Err(_) | Ok(SubjectState::Ready(_) | SubjectState::Never(_)) => true,
            Ok(SubjectState::Partial(seen)) => {
                looks_at_the_head_alone(expect)
                    || (self.settled() && !self.has_its_own_end(&expect.subject))
                    || self.decide(expect, Some(&seen.value)).is_ok_and(|decision| {
                        matches!(decision, Decision::Case(case) if case.outcome == Outcome::Pass)
                    })
            }
            Ok(SubjectState::Pending) => {
                self.settled() && expect.accept.iter().any(|case| case.pattern.is_none())
            }
        }
    }

    fn capture_is_over(&self, capture: &CaptureStep) -> bool {
        match self.subject(&capture.from) {
            Err(_) | Ok(SubjectState::Ready(_) | SubjectState::Never(_)) => true,
            Ok(SubjectState::Partial(seen)) => {
                self.settled() || pointed(capture, &seen.value).is_some()
            }
            Ok(SubjectState::Pending) => false,
        }
    }

    fn barrier_is_over(&self) -> bool {
        let Some(request) = self.look.barrier_request(self.index) else {
            // It could not be sent, which shows before the end of what did not take it.
            return !self.look.view.head.transport.is_channel() || self.look.gone().is_some();
        };
        self.look.answer(request).is_some() || self.look.why_never(request).is_some()
    }

    /// Whether a barrier or a window came last, so that what has not come by now is not coming.
    fn settled(&self) -> bool {
        let before = self.look.vector.steps[..self.index].iter().rev();
        let mut acting =
            before.skip_while(|step| matches!(step, Step::Expect(_) | Step::Capture(_)));
        matches!(acting.next(), Some(Step::Barrier(_) | Step::Window(_)))
    }

    /// Whether the subject's exchange ends by itself. A barrier on another connection may overtake it.
    fn has_its_own_end(&self, subject: &Subject) -> bool {
        matches!(subject, Subject::Replies(_)) && self.look.view.head.transport.has_exchanges()
    }

    /// Judges the step.
    pub(super) fn judge(&self) -> StepOutcome {
        if self.look.view.step_at(self.index).is_none() {
            return noted(self.not_reached());
        }
        if let Some(trouble) = self.trouble() {
            return noted(trouble);
        }
        match self.step() {
            Step::Expect(expect) => self.judge_expect(expect),
            Step::Capture(capture) => self.judge_capture(capture),
            Step::Barrier(_) => self
                .judge_barrier()
                .map_or_else(StepOutcome::default, noted),
            _ => StepOutcome::default(),
        }
    }

    /// The transcript ends before this step.
    fn not_reached(&self) -> Noted {
        let view = self.look.view;
        let (event, message) = match (view.first_step(), view.troubles.last()) {
            (None, Some((event, text))) => (Some(*event), format!("no session: {text}")),
            (None, None) => (None, "no session was opened".to_owned()),
            (Some(_), Some((event, text))) => (Some(*event), text.clone()),
            (Some(_), None) => (
                None,
                format!("the run was stopped before step {}", self.index + 1),
            ),
        };
        stop(Verdict::Inconclusive, message, event)
    }

    /// Our side could not do what the step asks for.
    fn trouble(&self) -> Option<Noted> {
        let first = self.look.view.first_step()?;
        let within = |event: usize| event > first && self.look.before(event);
        let (event, text) = self
            .look
            .view
            .troubles
            .iter()
            .find(|(event, _)| within(*event))?;
        let message = format!("step {}: {text}", self.index + 1);
        Some(stop(Verdict::Error, message, Some(*event)))
    }

    fn subject(&self, subject: &Subject) -> Result<SubjectState, Unbound> {
        let replaced = match subject {
            Subject::Message(pattern) => Some(Subject::Message(template::substitute_pattern(
                pattern,
                self.variables,
            )?)),
            Subject::Messages(pattern) => Some(Subject::Messages(template::substitute_pattern(
                pattern,
                self.variables,
            )?)),
            _ => None,
        };
        let all: Map<String, Value> = match subject {
            Subject::Variables(_) => self.variables.clone().into_iter().collect(),
            _ => Map::new(),
        };
        Ok(self.look.state(replaced.as_ref().unwrap_or(subject), &all))
    }

    /// The value that the step saw, or why there is none.
    fn seen(&self, subject: &Subject) -> Result<Result<Seen, Absence>, Unbound> {
        Ok(match self.subject(subject)? {
            SubjectState::Ready(seen) => Ok(seen),
            SubjectState::Partial(seen) if self.ended() => Ok(seen),
            SubjectState::Partial(_) | SubjectState::Pending => Err(self.absence()),
            SubjectState::Never(why) => Err(self.absent(why)),
        })
    }

    fn judge_expect(&self, expect: &Expect) -> StepOutcome {
        let seen = match self.seen(&expect.subject) {
            Ok(seen) => seen,
            Err(unbound) => return noted(self.unbound(&unbound)),
        };
        let value = seen.as_ref().ok().map(|seen| &seen.value);
        let decision = match self.decide(expect, value) {
            Ok(decision) => decision,
            Err(unbound) => return noted(self.unbound(&unbound)),
        };
        if let Err(absence) = &seen
            && let Some(unable) = self.unable(absence)
        {
            return noted(unable);
        }
        let is_whole = matches!(
            expect.subject,
            Subject::Response(_)
                | Subject::Message(_)
                | Subject::Closed(_)
                | Subject::Exit(_)
                | Subject::Memory(_)
                | Subject::Variables(_)
        );
        if let Some(limit) = self.limit().filter(|_| !is_whole) {
            return noted(stop(Verdict::Inconclusive, broke(limit), None));
        }
        let evidence = match &seen {
            Ok(seen) => seen.evidence.clone(),
            Err(_) => self.evidence_of_absence(&expect.subject),
        };
        let what = describe(&expect.subject);
        match decision {
            Decision::Case(case) if case.outcome == Outcome::Pass => StepOutcome {
                noted: case.then_stop.then(|| passing(case)),
                passed: case.because.clone(),
                evidence,
                ..StepOutcome::default()
            },
            Decision::Case(case) => {
                let message = case.because.clone().unwrap_or_else(|| what.clone());
                let going = case.outcome == Outcome::Warn && !case.then_stop;
                noted(self.deviation(expect, case.outcome, message, &seen, evidence, going))
            }
            Decision::Undecided(why) => {
                let message = format!("{what}: {why}");
                noted(stop(
                    Verdict::Inconclusive,
                    message,
                    evidence.last().copied(),
                ))
            }
            Decision::None(mismatch) => {
                let outcome = expect
                    .otherwise
                    .unwrap_or_else(|| by_level(self.look.level()));
                let detail = match (&seen, mismatch) {
                    (Err(absence), _) => absence.why.clone(),
                    (Ok(_), Some(mismatch)) => mismatch.to_string(),
                    (Ok(_), None) => "it is there".to_owned(),
                };
                let message = match &expect.because {
                    Some(because) => format!("{because} ({what}: {detail})"),
                    None => format!("{what}: {detail}"),
                };
                let going = outcome == Outcome::Warn;
                noted(self.deviation(expect, outcome, message, &seen, evidence, going))
            }
        }
    }

    /// What `accept` says of a value, or of its absence.
    fn decide<'e>(
        &self,
        expect: &'e Expect,
        value: Option<&Value>,
    ) -> Result<Decision<'e>, Unbound> {
        let schemas = RevisionSchemas::of(self.look.view.head.revision);
        let mut first = None;
        for case in &expect.accept {
            match (&case.pattern, value) {
                (None, None) => return Ok(Decision::Case(case)),
                (Some(pattern), Some(value)) => {
                    let pattern = template::substitute_pattern(pattern, self.variables)?;
                    let result = matcher::matches(&pattern, Some(value), &schemas);
                    if let Some(why) = schemas.undecided() {
                        return Ok(Decision::Undecided(why));
                    }
                    match result {
                        Ok(()) => return Ok(Decision::Case(case)),
                        Err(mismatch) => drop(first.get_or_insert(mismatch)),
                    }
                }
                _ => {}
            }
        }
        Ok(Decision::None(first))
    }

    fn deviation(
        &self,
        expect: &Expect,
        outcome: Outcome,
        message: String,
        seen: &Result<Seen, Absence>,
        evidence: Vec<usize>,
        going: bool,
    ) -> Noted {
        let expected: Vec<String> = expect
            .accept
            .iter()
            .filter(|case| case.outcome == Outcome::Pass)
            .map(|case| match &case.pattern {
                Some(pattern) => {
                    let shown = template::substitute_pattern(pattern, self.variables);
                    cut(&shown.as_ref().unwrap_or(pattern).to_string())
                }
                None => "nothing".to_owned(),
            })
            .collect();
        let actual = match seen {
            Ok(seen) => cut(&seen.value.to_string()),
            Err(absence) => absence.why.clone(),
        };
        Noted {
            judgement: Judgement {
                verdict: verdict_of(outcome),
                message,
                expected: (!expected.is_empty()).then(|| expected.join("\nor ")),
                actual: Some(actual),
                evidence,
            },
            flow: if going { Flow::On } else { Flow::Stop },
        }
    }

    fn judge_capture(&self, capture: &CaptureStep) -> StepOutcome {
        let seen = match self.seen(&capture.from) {
            Ok(seen) => seen,
            Err(unbound) => return noted(self.unbound(&unbound)),
        };
        let found = seen
            .as_ref()
            .ok()
            .and_then(|seen| pointed(capture, &seen.value));
        if let Some(value) = found {
            return StepOutcome {
                captured: Some((capture.name.clone(), value)),
                ..StepOutcome::default()
            };
        }
        if let Err(absence) = &seen
            && let Some(unable) = self.unable(absence)
        {
            return noted(unable);
        }
        let outcome = capture.otherwise.unwrap_or(Outcome::Inconclusive);
        let what = describe(&capture.from);
        let pointer = capture.pointer.as_deref().unwrap_or_default();
        let (detail, actual, evidence) = match seen {
            Ok(seen) => (
                format!("nothing at `{pointer}`"),
                cut(&seen.value.to_string()),
                seen.evidence,
            ),
            Err(absence) => (
                absence.why.clone(),
                absence.why,
                self.evidence_of_absence(&capture.from),
            ),
        };
        let message = match &capture.because {
            Some(because) => format!("{because} ({what}: {detail})"),
            None => format!("{what}: {detail}"),
        };
        let going = matches!(outcome, Outcome::Pass);
        let captured = going.then(|| (capture.name.clone(), Value::Null));
        StepOutcome {
            noted: Some(Noted {
                judgement: Judgement {
                    verdict: verdict_of(outcome),
                    message,
                    expected: Some(format!("a value at `{pointer}`")),
                    actual: Some(actual),
                    evidence,
                },
                flow: if going { Flow::On } else { Flow::Stop },
            }),
            captured,
            ..StepOutcome::default()
        }
    }

    fn unbound(&self, unbound: &Unbound) -> Noted {
        let message = format!("step {}: {unbound}", self.index + 1);
        stop(Verdict::Error, message, None)
    }
}

/// What `accept` says.
enum Decision<'e> {
    /// The first case that matches.
    Case(&'e Case),
    /// None does: how it differs from the first.
    None(Option<Mismatch>),
    /// A schema of the target's asks for more than can be done.
    Undecided(String),
}

/// Whether the head of an HTTP response decides, which has come when there is anything of it: what follows on a stream
/// that stays open, or over another protocol, is no reason to wait.
fn looks_at_the_head_alone(expect: &Expect) -> bool {
    let in_head = |case: &Case| match &case.pattern {
        None => true,
        Some(Value::Object(members)) => members.keys().all(|name| HEAD.contains(&name.as_str())),
        Some(_) => false,
    };
    matches!(expect.subject, Subject::Http(_)) && expect.accept.iter().all(in_head)
}

/// What a broken expectation means.
pub(super) fn by_level(level: Level) -> Outcome {
    match level {
        Level::Must => Outcome::Fail,
        Level::Should => Outcome::Warn,
        // What may be left out is no fault when it is; it was not there to be tested.
        Level::May => Outcome::Inconclusive,
    }
}

fn pointed(capture: &CaptureStep, value: &Value) -> Option<Value> {
    let value = match &capture.pointer {
        Some(pointer) => value.pointer(pointer)?,
        None => value,
    };
    let Some(each) = &capture.each else {
        return Some(value.clone());
    };
    let at = |item: &Value| item.pointer(each).cloned().unwrap_or_default();
    Some(Value::Array(value.as_array()?.iter().map(at).collect()))
}

fn noted(noted: Noted) -> StepOutcome {
    StepOutcome {
        noted: Some(noted),
        ..StepOutcome::default()
    }
}

fn passing(case: &Case) -> Noted {
    let mut noted = stop(
        Verdict::Pass,
        case.because.clone().unwrap_or_default(),
        None,
    );
    noted.judgement.evidence.clear();
    noted
}

pub(super) fn stop(verdict: Verdict, message: String, event: Option<usize>) -> Noted {
    Noted {
        judgement: Judgement {
            verdict,
            message,
            expected: None,
            actual: None,
            evidence: event.into_iter().collect(),
        },
        flow: Flow::Stop,
    }
}

/// A subject in words.
fn describe(subject: &Subject) -> String {
    match subject {
        Subject::Response(label) => format!("the response to `{label}`"),
        Subject::Http(label) => format!("the HTTP response to `{label}`"),
        Subject::Message(pattern) => format!("a message like {}", matcher::brief(pattern)),
        Subject::Messages(pattern) => format!("the messages like {}", matcher::brief(pattern)),
        Subject::Stream(label) => format!("the stream of `{label}`"),
        Subject::Replies(label) => format!("the replies to `{label}`"),
        Subject::Pages(label) => format!("the pages of `{label}`"),
        Subject::Frames(pattern) => format!("the frames like {}", matcher::brief(pattern)),
        Subject::Closed(_) => "the end of the channel".to_owned(),
        Subject::Exit(_) => "the target's exit".to_owned(),
        Subject::Memory(_) => "the target's memory".to_owned(),
        Subject::Rule(id) => format!("what `{id}` finds"),
        Subject::Variables(_) => "the captured values".to_owned(),
    }
}

/// `text`, cut where a report would become unreadable.
fn cut(text: &str) -> String {
    if text.len() <= SHOWN_BYTES_MAX {
        return text.to_owned();
    }
    let mut end = SHOWN_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}

/// What of an HTTP exchange is in the head of its response; and the operator that any head matches.
const HEAD: [&str; 4] = ["status", "version", "headers", "$any"];

/// Longest value shown as expected or actual, in bytes.
const SHOWN_BYTES_MAX: usize = 4096;
