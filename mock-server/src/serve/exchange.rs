//! From a JSON value that arrived to requests under way, and the answers that are owed at once.

use std::sync::Arc;

use futures_util::{
    FutureExt,
    future::{join, join_all},
};
use http::HeaderMap;
use mcp_verdict_wire::{Era, Revision};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::modern_headers;
use crate::{
    core::{
        Accepted, Core, Departure, Session, Work,
        outlet::QUEUE_LENGTH,
        rpc::{INVALID_REQUEST, PARSE_ERROR, Refusal},
    },
    faults::{Faults, LineIn},
};

/// A conversation, and where it sends what it has to say.
#[derive(Clone)]
pub(super) struct Conversation {
    pub(super) core: Arc<Core>,
    pub(super) faults: Faults,
    pub(super) session: Arc<Session>,
    /// The era that this delivery is of; nothing where each message says so itself (stdio).
    pub(super) era: Option<Era>,
    /// The headers that each message's body must agree with (modern HTTP).
    pub(super) headers: Option<Arc<HeaderMap>>,
    pub(super) sender: mpsc::Sender<Departure>,
}

impl Conversation {
    /// Takes a value: everything that is owed at once is sent, the rest is under way.
    pub(super) async fn take(&self, value: Value) -> Vec<Work> {
        let facts = self
            .core
            .facts(self.session.transport, self.revision(), Some(value.clone()));
        let arrived = self.faults.incoming(&facts, value);
        for answer in arrived.answers {
            self.forward(answer).await;
        }
        let mut works = Vec::new();
        for message in arrived.pass {
            match message {
                Value::Array(items) => works.extend(self.take_batch(items).await),
                message => works.extend(self.take_one(&message).await),
            }
        }
        works
    }

    /// Takes a line: what it holds is answered or under way. An error is the code with which a fault wants to end.
    pub(super) async fn take_line(&self, line: Vec<u8>) -> Result<(), i32> {
        let line = match self.faults.line_in(&line) {
            LineIn::Exit(code) => return Err(code),
            LineIn::Hang => return std::future::pending().await,
            LineIn::Ignore => return Ok(()),
            LineIn::Replace(line) => line,
            LineIn::Take => line,
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        match serde_json::from_slice(&line) {
            Ok(value) => self.take(value).await.into_iter().for_each(start),
            Err(error) => self.refuse_bytes(&error.to_string()).await,
        }
        Ok(())
    }

    /// Answers what is no JSON.
    pub(super) async fn refuse_bytes(&self, why: &str) {
        let refusal = Refusal::new(PARSE_ERROR, format!("Parse error: {why}"));
        self.refuse(&refusal).await;
    }

    /// Answers something that has no id to answer to.
    pub(super) async fn refuse(&self, refusal: &Refusal) {
        let answer = Departure::answer(refusal.response(None, self.revision()));
        let outlet = self.core.outlet(
            self.session.transport,
            self.revision(),
            None,
            self.sender.clone(),
        );
        outlet
            .send(Departure {
                status: Some(400),
                ..answer
            })
            .await;
    }

    async fn take_one(&self, message: &Value) -> Option<Work> {
        let (transport, request) = (self.session.transport, Some(message.clone()));
        let outlet = self
            .core
            .outlet(transport, self.revision(), request, self.sender.clone());
        if let Some(headers) = &self.headers
            && let Err(refusal) = modern_headers::check(headers, message)
        {
            let answer = Departure::answer(refusal.response(message.get("id"), self.revision()));
            outlet
                .send(Departure {
                    status: refusal.status,
                    ..answer
                })
                .await;
            return None;
        }
        let accepted = match self.era {
            None => self.core.accept(&self.session, message, outlet.clone()),
            Some(Era::Legacy) => self
                .core
                .accept_legacy(&self.session, message, outlet.clone()),
            Some(Era::Modern) => self
                .core
                .accept_modern(&self.session, message, outlet.clone()),
        };
        match accepted {
            Accepted::Done => None,
            Accepted::Refused(answer) => {
                outlet.send(answer).await;
                None
            }
            Accepted::Work(work) => Some(work),
        }
    }

    /// MUST receive batches: 2025-03-26 only. Its answers come together, as JSON-RPC has it.
    async fn take_batch(&self, items: Vec<Value>) -> Option<Work> {
        let refused = if self.session.revision() != Some(Revision::V2025_03_26) {
            Some("this revision has no batches")
        } else if items.is_empty() {
            Some("the batch is empty")
        } else if items.len() > BATCH_LENGTH_MAX {
            Some("the batch is too long")
        } else if items
            .iter()
            .any(|item| item.get("method") == Some(&json!("initialize")))
        {
            Some("`initialize` must not be part of a batch")
        } else {
            None
        };
        if let Some(why) = refused {
            let refusal = Refusal::new(INVALID_REQUEST, format!("Invalid request: {why}"));
            self.refuse(&refusal).await;
            return None;
        }
        // What items are owed at once must fit the queue, since nobody empties it yet.
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH.max(items.len()));
        let inner = Self {
            sender,
            ..self.clone()
        };
        let mut works = Vec::new();
        for item in &items {
            works.extend(inner.take_one(item).await);
        }
        drop(inner);
        let gathering = self.clone().gather(receiver);
        if works.is_empty() {
            gathering.await;
            return None;
        }
        Some(Box::pin(join(join_all(works), gathering).map(|_| ())))
    }

    /// Passes on what is no answer, and keeps the answers for the end.
    async fn gather(self, mut receiver: mpsc::Receiver<Departure>) {
        let mut answers = Vec::new();
        while let Some(departure) = receiver.recv().await {
            match departure.json() {
                Some(answer) if departure.answers => answers.push(answer.clone()),
                _ => self.forward(departure).await,
            }
        }
        if !answers.is_empty() {
            self.forward(Departure::answer(Value::Array(answers))).await;
        }
    }

    async fn forward(&self, departure: Departure) {
        // Where nobody listens any more, nobody misses it.
        let _ = self.sender.send(departure).await;
    }

    fn revision(&self) -> Option<Revision> {
        match self.era {
            Some(Era::Modern) => Some(Revision::V2026_07_28),
            _ => self.session.revision(),
        }
    }
}

/// Starts work. What needs no waiting is done when this returns, so that answers keep the order of
/// their requests wherever they can.
pub(super) fn start(mut work: Work) {
    if (&mut work).now_or_never().is_none() {
        tokio::spawn(work);
    }
}

/// Messages in one batch.
const BATCH_LENGTH_MAX: usize = 200;
