//! Several cases on one session, and the transcript of that.

use std::time::Duration;

use mcp_verdict_engine::{
    drive::{self, Haste},
    plan::{Prepared, PreparedWay},
    session::{Session, SessionError, default_capabilities},
    view::{Reading, View},
};
use mcp_verdict_transport::{Recorder, Server};
use mcp_verdict_vectors::{Library, model::Vector};
use mcp_verdict_wire::transcript::{Event, FORMAT, Head, Transcript};
use serde_json::{Value, json};

use crate::{case::Case, material::Material, script};

/// Where a campaign takes place.
#[derive(Debug)]
pub(crate) struct Ground<'g> {
    pub(crate) library: &'g Library,
    pub(crate) target: &'g Prepared,
    pub(crate) way: &'g PreparedWay,
    pub(crate) material: Material,
    pub(crate) seed: u64,
}

/// A session that cases are sent on.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) session: Session,
    prelude: Vec<Event>,
    /// How often a server of ours had been started when it was opened.
    starts: u64,
}

/// What came of something that was driven.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) transcript: Transcript,
    reading: Reading,
    /// The session can be used again.
    pub(crate) alive: bool,
}

impl Live {
    /// Begins anew: what happened so far is of no interest.
    pub(crate) fn forget(&mut self) {
        self.session.restart(self.prelude.clone());
    }
}

impl Driven {
    /// The transcript, read.
    pub(crate) fn view(&self) -> View<'_> {
        let Transcript { head, events } = &self.transcript;
        View::resume(head, events, self.reading.clone())
    }
}

impl Ground<'_> {
    /// The server at the other end, where it is ours to start.
    pub(crate) fn server(&self) -> Option<&Server> {
        self.target.options.server.as_ref()
    }

    /// Whether a session is one with a server that runs no more.
    pub(crate) fn is_of_the_past(&self, live: &Live) -> bool {
        self.server()
            .is_some_and(|server| server.starts() != live.starts || !server.is_up())
    }

    /// Opens a session. A server of ours that opens none is started anew, once.
    pub(crate) async fn open(&self, timeout: Duration) -> Result<Live, SessionError> {
        match (self.open_once(timeout).await, self.server()) {
            (Err(_), Some(server)) => {
                server.renew();
                self.open_once(timeout).await
            }
            (opened, _) => opened,
        }
    }

    async fn open_once(&self, timeout: Duration) -> Result<Live, SessionError> {
        let recorder = Recorder::new(self.target.options.redactor.clone());
        let revision = self.way.revision;
        let mut session = Session::open(
            &self.way.address,
            &self.target.options,
            revision,
            &default_capabilities(revision),
            recorder,
            timeout,
        )
        .await?;
        // Far from any id that a case has.
        session.next_id += OWN_IDS_FROM;
        let prelude = session.prelude();
        session.restart(prelude.clone());
        Ok(Live {
            session,
            prelude,
            starts: self.server().map_or(0, Server::starts),
        })
    }

    /// Drives a vector on a session.
    pub(crate) async fn drive(
        &self,
        live: &mut Live,
        vector: &Vector,
        timeout: Duration,
        haste: Option<Haste>,
    ) -> Driven {
        let head = self.head(&vector.id.0);
        let limits = drive::Limits {
            timeout,
            deadline: None,
            haste,
        };
        let left = drive::vector(&mut live.session, vector, &head, &self.way.tools, limits).await;
        let full = live.session.connection.recorder().is_full();
        live.session.issued.clear();
        let events = live.session.restart(live.prelude.clone());
        let process = &left.reading.process;
        let alive = !full
            && process.output_closed.is_none()
            && process.exited.is_none()
            && left.reading.timeouts.is_empty()
            && left.reading.limits.is_empty()
            && live.session.connection.is_usable();
        Driven {
            transcript: Transcript { head, events },
            reading: left.reading,
            alive,
        }
    }

    /// The transcript of something that could not be driven.
    pub(crate) fn empty(&self, check: &str) -> Transcript {
        Transcript {
            head: self.head(check),
            events: Vec::new(),
        }
    }

    fn head(&self, check: &str) -> Head {
        Head {
            format: FORMAT,
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            check: check.to_owned(),
            revision: self.way.revision,
            transport: self.way.transport,
            target: self.target.reproduce.clone(),
            seed: self.seed,
            bindings: std::collections::BTreeMap::new(),
            earlier_ids: Vec::new(),
        }
    }

    /// Several cases as one vector: with a sign of life after each where messages keep their order, and after all of
    /// them in any case. Gives for each case the step after its last.
    pub(crate) fn volley(&self, cases: &[Case]) -> Option<(Vector, Vec<usize>)> {
        let mut steps: Vec<Value> = Vec::new();
        let mut ends = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            steps.extend(case.steps());
            if index + 1 == cases.len() {
                steps.push(json!({"barrier": {}}));
            } else if self.way.transport.is_channel() {
                let sign = sign_of_life(case);
                steps.push(json!({"request": {"method": "${any_method}", "as": sign}}));
            }
            ends.push(steps.len());
        }
        let (revision, transport) = (self.way.revision, self.way.transport);
        let vector = script::vector(VOLLEY, revision, transport, steps)?;
        Some((vector, ends))
    }
}

/// The label of the request behind a case of a volley.
pub(crate) fn sign_of_life(case: &Case) -> String {
    format!("life{:x}", case.mark.0)
}

/// The id of vectors that several cases make together.
const VOLLEY: &str = "fuzz/volley";

/// The first id of a request that is not a case's.
const OWN_IDS_FROM: i64 = 1_000_000_000;
