//! How a conversation is opened on a lean connection.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_verdict_transport::Address;
use mcp_verdict_wire::{Era, Revision};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    connect::{Captured, Failure, Link},
    request::{Body, Endpoint},
    scan::Said,
};

/// A conversation that is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) link: Link,
    /// From nothing to the answer, and to the notification that follows it.
    pub(crate) took: Duration,
    /// What was said, for the judge.
    pub(crate) opening: Arc<Opening>,
}

/// The opening exchange.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) request: Vec<u8>,
    pub(crate) captured: Captured,
}

/// The messages that open a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    endpoint: Arc<Endpoint>,
    first: Body,
    second: Option<Body>,
    patience: Duration,
}

impl Opener {
    /// To `endpoint`; an answer may take `patience`, and longer where a program has to start.
    pub(crate) fn new(endpoint: Arc<Endpoint>, patience: Duration) -> Self {
        let revision = endpoint.revision;
        let starts = matches!(endpoint.address, Address::Command { .. });
        Self {
            first: Body::opening(revision, 0),
            second: (revision.era() == Era::Legacy)
                .then(|| Body::notification(revision, 1, "notifications/initialized")),
            patience: patience * if starts { START_FACTOR } else { 1 },
            endpoint,
        }
    }

    /// Opens one. Its first request has this id.
    pub(crate) async fn open(&self, id: u64) -> Result<Opened, Failure> {
        timeout(self.patience, self.converse(id))
            .await
            .unwrap_or(Err(Failure::Timeout))
    }

    async fn converse(&self, id: u64) -> Result<Opened, Failure> {
        let begun = Instant::now();
        let mut link = Link::connect(&self.endpoint).await?;
        let mut captured = Captured::default();
        let exchanged = link.request(&self.first, id, Some(&mut captured)).await?;
        match exchanged.said {
            Said::Result => {}
            Said::Error(code) => {
                return Err(Failure::Connect(format!("the opening brings error {code}")));
            }
            _ => return Err(Failure::Connect("the opening is not complete".to_owned())),
        }
        if let Some(second) = &self.second {
            link.set_session(self.fields(&captured));
            link.notify(second).await?;
        }
        Ok(Opened {
            link,
            took: begun.elapsed(),
            opening: Arc::new(Opening {
                request: self.first.with_id(id),
                captured,
            }),
        })
    }

    /// What later requests of the session carry: basic/transports, "Session Management" and "Protocol Version Header".
    fn fields(&self, captured: &Captured) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        if let Some(id) = captured.header("mcp-session-id") {
            fields.push(("mcp-session-id".to_owned(), id.to_owned()));
        }
        let revision = self.endpoint.revision;
        if revision >= Revision::V2025_06_18 {
            let spoken = captured.messages.iter().find_map(|message| {
                let answer: Value = serde_json::from_slice(&message.bytes).ok()?;
                let version = answer.get("result")?.get("protocolVersion")?.as_str()?;
                // What is no version of ours is not repeated into a header.
                version.parse::<Revision>().ok()
            });
            let spoken = spoken.unwrap_or(revision);
            let field = ("mcp-protocol-version", spoken.as_str());
            fields.push((field.0.to_owned(), field.1.to_owned()));
        }
        fields
    }
}

/// How much longer a program may take for its first answer.
const START_FACTOR: u32 = 6;
