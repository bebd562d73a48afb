//! The bodies of requests as they come in: whole, or not at all. And what a fault makes of those that are slow or
//! break off.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::body::{Body, to_bytes};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode};
use mcp_verdict_wire::limits::MESSAGE_BYTES_MAX;
use tokio::{sync::Mutex, time::timeout};

use super::{http_session::Sessions, reply::Reply, streamable_http::SESSION_ID};
use crate::faults::{BodyFault, Faults};

/// How long the body of a request may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The bodies of one server's requests.
#[derive(Default)]
pub(super) struct Bodies {
    /// Whose body is read, where one is read at a time.
    turn: Mutex<()>,
    /// Nothing is answered any more.
    stuck: AtomicBool,
}

impl Bodies {
    /// Reads a body to its end; or gives what is answered in place of the message.
    pub(super) async fn read(
        &self,
        faults: &Faults,
        sessions: &Sessions,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Vec<u8>, Box<Reply>> {
        let _turn = match faults.takes_bodies_by(BodyFault::OneByOne) {
            true => Some(self.turn.lock().await),
            false => None,
        };
        if faults.takes_bodies_by(BodyFault::FirstPiece) {
            let first = body.into_data_stream().next().await;
            return Ok(first.and_then(Result::ok).unwrap_or_default().into());
        }
        let read = timeout(BODY_TIMEOUT, to_bytes(body, MESSAGE_BYTES_MAX)).await;
        if matches!(read, Ok(Err(_))) {
            self.broke_off(faults, sessions, headers);
        }
        if self.stuck.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        match read {
            Ok(Ok(body)) => Ok(body.into()),
            Ok(Err(_)) => {
                let why = "the message is too long";
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Err(Box::new(Reply::refused(status, why, None, None)))
            }
            Err(_) => Err(Box::new(Reply::status(StatusCode::REQUEST_TIMEOUT))),
        }
    }

    fn broke_off(&self, faults: &Faults, sessions: &Sessions, headers: &HeaderMap) {
        if faults.takes_bodies_by(BodyFault::BrokenEndsService) {
            self.stuck.store(true, Ordering::Relaxed);
        }
        let session = headers.get(SESSION_ID).and_then(|id| id.to_str().ok());
        if let Some(id) = session
            && faults.takes_bodies_by(BodyFault::BrokenEndsSession)
        {
            sessions.remove(id);
        }
    }
}
