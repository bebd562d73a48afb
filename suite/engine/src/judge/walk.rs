//! Walks a vector's steps against a transcript.

use std::{cell::RefCell, collections::BTreeMap};

use mcp_verdict_results::Verdict;
use mcp_verdict_vectors::{
    matcher::Schemas,
    model::{Outcome, Step, Vector},
};
use mcp_verdict_wire::{Revision, transcript::Head};
use serde_json::Value;

use super::{expect::StepJudge, own};
use crate::{
    native::any_method,
    schema::{self, ForeignError, Validator},
    session,
    view::View,
};

/// What one transcript says about one vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// One line for a person: why.
    pub message: String,
    /// What was expected, when it did not pass.
    pub expected: Option<String>,
    /// What was seen, when it did not pass.
    pub actual: Option<String>,
    /// Where: indices of events.
    pub evidence: Vec<usize>,
}

/// Whether a vector goes on after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next step.
    On,
    /// No further.
    Stop,
}

/// What one step came to, unless it was as it should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noted {
    pub(super) judgement: Judgement,
    pub(super) flow: Flow,
}

/// Judges a vector's transcript.
#[must_use]
pub fn vector(vector: &Vector, view: &View<'_>) -> Judgement {
    let mut walk = Walk::new(vector, view.head);
    for index in 0..vector.steps.len() {
        if walk.step(index, view) == Flow::Stop {
            break;
        }
    }
    walk.finish(view)
}

/// A walk over a vector's steps, which grows with the transcript. The driver takes it along to know when a
/// wait is over, and what the variables of the next step are.
#[derive(Clone, Debug)]
pub struct Walk<'v> {
    vector: &'v Vector,
    variables: BTreeMap<String, Value>,
    worst: Option<Judgement>,
    passed: Option<String>,
    evidence: Vec<usize>,
}

impl<'v> Walk<'v> {
    /// Before the first step.
    #[must_use]
    pub fn new(vector: &'v Vector, head: &Head) -> Self {
        let mut variables = head.bindings.clone();
        variables.insert("revision".to_owned(), Value::from(head.revision.as_str()));
        variables.insert("transport".to_owned(), Value::from(head.transport.as_str()));
        let any_method = any_method(head.transport, head.revision.era());
        variables.insert("any_method".to_owned(), Value::from(any_method));
        variables.insert("request_meta".to_owned(), request_meta(vector, head));
        Self {
            vector,
            variables,
            worst: None,
            passed: None,
            evidence: Vec::new(),
        }
    }

    /// What `${…}` in the next step stands for.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, Value> {
        &self.variables
    }

    /// Whether step `index` has what it waits for, or cannot get it any more, as of the last event.
    #[must_use]
    pub fn is_over(&self, index: usize, view: &View<'_>) -> bool {
        StepJudge::live(self.vector, &self.variables, view, index).is_over()
    }

    /// Judges step `index`, up to the event at which its wait timed out or the next step begins.
    pub fn step(&mut self, index: usize, view: &View<'_>) -> Flow {
        let judge = StepJudge::offline(self.vector, &self.variables, view, index);
        let outcome = judge.judge();
        let captured = outcome.captured;
        let flow = match outcome.noted {
            Some(noted) => {
                self.note(noted.judgement);
                noted.flow
            }
            None => Flow::On,
        };
        if let Some((name, value)) = captured {
            self.variables.insert(name, value);
        }
        if let Some(because) = outcome.passed {
            self.passed = Some(because);
        }
        if !outcome.evidence.is_empty() {
            self.evidence = outcome.evidence;
        }
        self.bind_label(index, view);
        flow
    }

    /// A message that was sent with a name is a variable of that name.
    fn bind_label(&mut self, index: usize, view: &View<'_>) {
        let label = match self.vector.steps.get(index) {
            Some(Step::Request(step)) => step.label.as_deref(),
            Some(Step::Notify(step)) => step.label.as_deref(),
            Some(Step::Send(step)) => step.label.as_deref(),
            Some(Step::Http(step)) => Some(step.label.as_str()),
            Some(Step::Retry(step)) => Some(step.label.as_str()),
            _ => None,
        };
        let Some(label) = label else { return };
        let sent = view
            .request_named(label)
            .and_then(|message| message.value.clone());
        if let Some(sent) = sent {
            self.variables.entry(label.to_owned()).or_insert(sent);
        }
    }

    /// Verdicts only get worse; of equal ones the first stands.
    fn note(&mut self, judgement: Judgement) {
        if judgement.verdict == Verdict::Pass {
            return;
        }
        let worse = self
            .worst
            .as_ref()
            .is_none_or(|worst| judgement.verdict > worst.verdict);
        if worse {
            self.worst = Some(judgement);
        }
    }

    /// The verdict, after the last step that was judged.
    #[must_use]
    pub fn finish(mut self, view: &View<'_>) -> Judgement {
        if let Some(ours) = own::our_mistake(view) {
            self.note(ours);
        }
        self.worst.unwrap_or_else(|| Judgement {
            verdict: Verdict::Pass,
            message: self.passed.unwrap_or_else(|| self.vector.title.clone()),
            expected: None,
            actual: None,
            evidence: self.evidence,
        })
    }
}

/// The `_meta` of a request of the vector's client.
fn request_meta(vector: &Vector, head: &Head) -> Value {
    let given = vector.client.capabilities.clone();
    let capabilities = given.unwrap_or_else(|| session::default_capabilities(head.revision));
    Value::Object(session::request_meta(head.revision, &capabilities))
}

/// The verdict that an author's outcome stands for.
pub(super) fn verdict_of(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Pass => Verdict::Pass,
        Outcome::Warn => Verdict::Warn,
        Outcome::Fail => Verdict::Fail,
        Outcome::Inconclusive => Verdict::Inconclusive,
        Outcome::NotApplicable => Verdict::NotApplicable,
    }
}

/// What patterns may ask of a revision's schema.
#[derive(Debug)]
pub(super) struct RevisionSchemas {
    revision: Revision,
    undecided: RefCell<Option<String>>,
}

impl RevisionSchemas {
    pub(super) fn of(revision: Revision) -> Self {
        Self {
            revision,
            undecided: RefCell::new(None),
        }
    }

    /// Why a schema of the target's could not be applied, though that is no fault of the target's.
    pub(super) fn undecided(&self) -> Option<String> {
        self.undecided.borrow().clone()
    }

    fn give_up(&self, why: String) -> Result<(), String> {
        *self.undecided.borrow_mut() = Some(why.clone());
        Err(why)
    }
}

impl Schemas for RevisionSchemas {
    fn definition(&self, name: &str, instance: &Value) -> Result<(), String> {
        let violations = Validator::of(self.revision)
            .validate(name, instance)
            .map_err(|unknown| unknown.to_string())?;
        first(violations)
    }

    fn conforms(&self, schema: &Value, instance: &Value) -> Result<(), String> {
        match schema::foreign(schema) {
            Err(invalid @ ForeignError::Invalid(_)) => Err(invalid.to_string()),
            Err(other) => self.give_up(other.to_string()),
            Ok(schema) => match schema.violations(instance) {
                Ok(violations) => first(violations),
                Err(undecided) => self.give_up(undecided.to_string()),
            },
        }
    }
}

fn first(violations: Vec<schema::Violation>) -> Result<(), String> {
    match violations.into_iter().next() {
        None => Ok(()),
        Some(violation) => Err(format!("{}: {}", violation.at, violation.message)),
    }
}
