//! Trying a suspicion alone: whether so few cases show it as well, and how often.

use std::time::{Duration, Instant};

use mcp_verdict_engine::judge;
use mcp_verdict_results::Verdict;
use mcp_verdict_vectors::model::{Found, RequirementId};
use serde_json::json;

use crate::{
    case::{Case, Sending},
    generate::answered,
    oracle::{self, Oracle},
    script::{self, Script},
    volley::{Driven, Ground, Live},
};

/// Trials of one suspicion.
#[derive(Debug)]
pub(crate) struct Trial<'t> {
    ground: &'t Ground<'t>,
    oracle: Oracle,
    /// The label of the message that it is about.
    label: String,
    /// A session that the last trial left as it was.
    live: Option<Live>,
    /// How long an answer is waited for.
    pub(crate) timeout: Duration,
    /// Trials so far.
    pub(crate) attempts: usize,
    /// When to stop making it smaller.
    pub(crate) until: Instant,
    /// The target could not be reached any more.
    pub(crate) gone: bool,
}

/// A trial that showed it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) script: Script,
    pub(crate) driven: Driven,
}

impl<'t> Trial<'t> {
    pub(crate) fn new(
        ground: &'t Ground<'t>,
        oracle: &Oracle,
        label: Option<&str>,
        timeout: Duration,
        until: Instant,
    ) -> Self {
        Self {
            ground,
            oracle: oracle.clone(),
            label: label.unwrap_or_default().to_owned(),
            live: None,
            timeout,
            attempts: 0,
            until,
            gone: false,
        }
    }

    /// The vector that shows it with these cases, the last of which it is about.
    pub(crate) fn script(&self, cases: &[Case]) -> Option<Script> {
        let about = cases
            .iter()
            .rev()
            .find(|case| case.messages().any(|(label, _)| label == self.label))
            .or(cases.last())?;
        let claim = script::claim(&self.oracle, about, &self.label);
        // One after the other, so that it does not depend on which of several answers is ready first.
        let in_turn = matches!(self.oracle, Oracle::Foreign { .. });
        let mut steps = Vec::new();
        for case in cases {
            steps.extend(case.steps());
            if in_turn {
                steps.extend(case.messages().filter_map(asked));
            }
        }
        // A barrier on a connection of its own must not overtake what it comes after.
        let posted: Vec<_> = steps.iter().filter_map(posted).collect();
        steps.extend(posted);
        steps.push(json!({"barrier": {}}));
        steps.extend(claim.expectations);
        let (revision, transport) = (self.ground.way.revision, self.ground.way.transport);
        let requirements = match &self.oracle {
            Oracle::Rule { id, .. } => self.of_rule(id),
            _ => claim.requirements,
        };
        Some(Script {
            id: format!("fuzz/{}", self.oracle.name().replace('/', ".")),
            title: claim.title,
            level: claim.level,
            requirements,
            revision,
            transport,
            found: Found {
                by: self.oracle.name().to_owned(),
                verdict: script::outcome(&self.oracle),
                seed: self.ground.seed,
            },
            steps,
        })
    }

    fn of_rule(&self, id: &str) -> Vec<RequirementId> {
        let rules = &self.ground.library.rules;
        let text = rules.iter().find(|rule| rule.id.0 == id);
        let statements = text.and_then(|text| text.requirements.get(&self.ground.way.revision));
        statements.cloned().unwrap_or_default()
    }

    /// Whether these cases show it, in a session of their own or in one that nothing has changed.
    pub(crate) async fn shows(&mut self, cases: &[Case]) -> Option<Shown> {
        if !self.label.is_empty() && !self.is_sent(cases) {
            return None;
        }
        if self.oracle.needs_to_be_alone() && !self.is_broken(cases) {
            return None;
        }
        let script = self.script(cases)?;
        if !script::hold_together(&script.steps) {
            return None;
        }
        self.attempts += 1;
        let vector = script.vector()?;
        let mut live = match self.live.take() {
            Some(live) if !self.ground.is_of_the_past(&live) => live,
            _ => self.open().await?,
        };
        let driven = self
            .ground
            .drive(&mut live, &vector, self.timeout, None)
            .await;
        let judgement = judge::vector(&vector, &driven.view());
        tracing::debug!(
            oracle = self.oracle.name(),
            cases = cases.len(),
            verdict = %judgement.verdict,
            message = judgement.message,
            "tried"
        );
        let wrong = matches!(judgement.verdict, Verdict::Fail | Verdict::Warn);
        let owed = self.oracle != Oracle::Unanswered
            || oracle::is_owed_an_answer(&driven.view(), &self.label)
                && !oracle::may_be_refused(&driven.view(), &self.label);
        let shown = wrong
            && owed
            && !oracle::is_refused_by_closing(&driven.view())
            && (self.oracle.is_about_life() || lived(&script, &driven) && is_it(&script, &driven));
        if shown
            && self.oracle.is_about_life()
            && let Some(server) = self.ground.server()
        {
            // Who is silent once stays silent.
            server.renew();
        }
        // What is kept of one trial would show in the next.
        let keeps = matches!(self.oracle, Oracle::Foreign { .. });
        if !shown && driven.alive && !keeps {
            self.live = Some(live);
        } else {
            drop(live);
        }
        shown.then_some(Shown { script, driven })
    }

    /// Whether the message that it is about is among what these cases send.
    fn is_sent(&self, cases: &[Case]) -> bool {
        let mut messages = cases.iter().flat_map(Case::messages);
        let by_message =
            messages.any(|(label, sending)| label == self.label && !sending.pieces.is_empty());
        let mut steps = cases.iter().flat_map(Case::step_labels);
        by_message || steps.any(|label| label == self.label)
    }

    /// Whether the message that it is about is no JSON: what became JSON while it was made smaller is owed something
    /// else.
    fn is_broken(&self, cases: &[Case]) -> bool {
        let mut messages = cases.iter().flat_map(Case::messages);
        messages.any(|(label, sending)| {
            label == self.label && oracle::is_broken(&sending.pieces.bytes())
        })
    }

    /// Whether they show it in a session of their own.
    pub(crate) async fn shows_afresh(&mut self, cases: &[Case]) -> Option<Shown> {
        self.live = None;
        self.shows(cases).await
    }

    async fn open(&mut self) -> Option<Live> {
        let patience = self.timeout.max(OPENING);
        let opened = match self.ground.open(patience).await {
            Ok(live) => Some(live),
            // A server that is started again by someone needs a moment.
            Err(_) => {
                tokio::time::sleep(SECOND_TRY_AFTER).await;
                self.ground.open(patience).await.ok()
            }
        };
        self.gone = opened.is_none();
        opened
    }

    /// Whether it is about many of the same, not about one.
    pub(crate) fn is_about_many(&self) -> bool {
        self.oracle == Oracle::Memory
    }

    /// Whether more may be tried.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.gone && self.attempts < ATTEMPTS_MAX && Instant::now() < self.until
    }
}

/// Waits a moment for the answer to a message that is a request.
fn asked((label, sending): (String, &Sending)) -> Option<serde_json::Value> {
    let message: serde_json::Value = serde_json::from_slice(&sending.pieces.bytes()).ok()?;
    let is_request = message.get("id").is_some() && message.get("method").is_some();
    is_request.then(|| {
        json!({"expect": {"response": label, "within_ms": POSTED_WITHIN_MS,
            "accept": [{"match": {"$any": true}}, {"absent": true}]}})
    })
}

/// Waits a moment for the response to a request of HTTP, which may be none.
fn posted(step: &serde_json::Value) -> Option<serde_json::Value> {
    let label = step.pointer("/http/as")?.as_str()?;
    let mut wait = answered(label);
    wait["expect"]["within_ms"] = json!(POSTED_WITHIN_MS);
    Some(wait)
}

/// Whether the target answered the sign of life behind the cases: what it does not answer then is another matter.
fn lived(script: &Script, driven: &Driven) -> bool {
    let view = driven.view();
    let is_barrier = |step: &serde_json::Value| step.get("barrier").is_some();
    let barrier = script.steps.iter().rposition(is_barrier);
    let waited = |step: usize| view.timeouts.iter().any(|wait| wait.step == step);
    let left = view.process.output_closed.is_some() || view.process.exited.is_some();
    !left && !barrier.is_some_and(waited)
}

/// Whether it is what the script claims that is wrong, and not already what comes before: a sign of life that was
/// refused, for instance.
fn is_it(script: &Script, driven: &Driven) -> bool {
    let mut before = script.clone();
    let is_barrier = |step: &serde_json::Value| step.get("barrier").is_some();
    let claimed = script.steps.iter().rposition(is_barrier);
    before
        .steps
        .truncate(claimed.map_or(0, |barrier| barrier + 1));
    let judged = before.vector().map(|it| judge::vector(&it, &driven.view()));
    judged.is_none_or(|it| !matches!(it.verdict, Verdict::Fail | Verdict::Warn))
}

/// Trials of one suspicion.
const ATTEMPTS_MAX: usize = 400;

/// How long what comes after a request of HTTP is held back, in milliseconds.
const POSTED_WITHIN_MS: u64 = 500;

/// How long the opening of a session may take at least.
const OPENING: Duration = Duration::from_secs(5);

/// When a server that is not there is looked for once more.
const SECOND_TRY_AFTER: Duration = Duration::from_millis(300);
