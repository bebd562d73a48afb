//! What is sent, how often, over how many connections, and until when.

use std::time::Duration;

use mcp_verdict_transport::HeaderEdits;
use mcp_verdict_wire::Revision;
use serde_json::Value;

use crate::{request::Body, schedule::Arrivals};

/// What every connection does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is asked for, at least one.
    pub operations: Vec<Operation>,
    /// Connections, or children, at the same time.
    pub connections: usize,
    /// Threads that drive them.
    pub threads: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Of everything random.
    pub seed: u64,
    /// One in so many answers of a connection to an operation is kept for the judge, its first among them.
    pub sample_every: u64,
}

/// One kind of request.
#[derive(Clone, Debug)]
pub struct Operation {
    /// As a person reads it: `tools/call echo`.
    pub name: String,
    /// How often it comes, against the others.
    pub weight: u32,
    /// What it does.
    pub work: Work,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum Work {
    /// Asks, and waits for the answer.
    Request(Body),
    /// Closes the session and opens another: a connection, or a child, and the opening exchange.
    Session,
}

/// How requests follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pacing {
    /// Each connection sends the next request when it has the answer to the last.
    Closed,
    /// Requests are sent when it is time for them. Latencies count from that time.
    Open {
        /// Requests a second.
        rate: f64,
        /// How they are spread.
        arrivals: Arrivals,
    },
}

/// When it is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After so much time.
    Elapsed(Duration),
    /// After so many requests.
    Requests(u64),
}

/// One stretch of load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How requests follow each other.
    pub pacing: Pacing,
    /// What is sent before it counts.
    pub warm_up: Duration,
    /// When it is enough, after the warm-up.
    pub until: Until,
}

impl Operation {
    /// A request, sent as `revision` asks for it. `number` is its place among the operations.
    #[must_use]
    pub fn request(
        revision: Revision,
        number: usize,
        name: String,
        method: &str,
        params: Option<Value>,
        headers: HeaderEdits,
    ) -> Self {
        let number = number + BODIES_OF_SESSIONS;
        Self {
            name,
            weight: 1,
            work: Work::Request(Body::request(revision, number, method, params, headers)),
        }
    }

    /// Bytes of its request; none where it is more than one message.
    #[must_use]
    pub fn request_bytes(&self) -> Option<usize> {
        match &self.work {
            Work::Request(body) => Some(body.len()),
            Work::Session => None,
        }
    }
}

/// The bodies that open a session come first: `initialize`, and the notification after it.
pub(crate) const BODIES_OF_SESSIONS: usize = 2;
