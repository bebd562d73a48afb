//! Sessions: opened when a vector needs one, lent to one vector at a time, used again while they are as
//! good as new, and surely gone at the end.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mcp_verdict_transport::{Address, Budget, OpenError, Recorder};
use mcp_verdict_vectors::model::{SessionMode, Vector};
use mcp_verdict_wire::{
    Era, Revision, TransportKind,
    transcript::{Event, EventKind},
};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use crate::{
    plan::{Prepared, PreparedWay},
    session::{START_FACTOR, Session, SessionError, default_capabilities},
    view::{Direction, Kind as MessageKind, View},
};

/// The sessions of one run.
pub(crate) struct Pool<'t> {
    target: &'t Prepared,
    timeout: Duration,
    budget: Budget,
    idle: Mutex<BTreeMap<Kind, Vec<Lent>>>,
    health: Mutex<BTreeMap<String, Health>>,
    silence: Mutex<BTreeMap<usize, Silence>>,
    floods: Mutex<BTreeMap<usize, Vec<String>>>,
    closing: Mutex<JoinSet<()>>,
}

/// The way, and the client capabilities that were declared.
type Kind = (usize, String);

/// A session, and what opened it.
#[derive(Debug)]
pub(crate) struct Lent {
    pub(crate) session: Session,
    prelude: Vec<Event>,
    kind: Kind,
    /// Ids sent before the vector that has it now.
    pub(crate) earlier: Vec<Value>,
}

/// Why there is no session.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What happened until then, with the reason as its last event.
    pub(crate) events: Vec<Event>,
    /// The target seems to be gone for good: why.
    pub(crate) gone: Option<String>,
    /// It is there, and did not answer in time.
    pub(crate) unanswered: bool,
}

/// How a server has been doing.
#[derive(Debug, Default)]
struct Health {
    /// It is gone: why.
    gone: Option<String>,
    /// The vectors that are under way, or whose exchanges broke off.
    suspects: Vec<String>,
}

/// How long a target has said nothing on one way.
#[derive(Debug, Default)]
struct Silence {
    /// Vectors in a row that waited in vain and got no answer at all.
    in_a_row: usize,
    /// It was asked for a sign of life, and gave none: why nothing more is tried.
    given_up: Option<String>,
}

/// So many vectors in a row without any answer, and the target is asked for a sign of life: without this, a
/// target that answers nothing would cost a whole wait for every check.
const SILENT_MAX: usize = 4;

/// Checks in which a target may break limits before no more is tried.
const FLOODS_MAX: usize = 5;

/// A server may need a moment to come back, for instance under a supervisor.
const SECOND_TRY_AFTER: Duration = Duration::from_millis(300);

/// How many checks are named as those during which a target went.
const SUSPECTS_MAX: usize = 16;

impl<'t> Pool<'t> {
    pub(crate) fn new(target: &'t Prepared, timeout: Duration) -> Self {
        Self {
            target,
            timeout,
            budget: Budget::default(),
            idle: Mutex::default(),
            health: Mutex::default(),
            silence: Mutex::default(),
            floods: Mutex::default(),
            closing: Mutex::default(),
        }
    }

    /// Why the server of this way is gone for good, if it is.
    pub(crate) fn gone(&self, way: usize) -> Option<String> {
        if let Some(why) = self.given_up(way) {
            return Some(why);
        }
        let health = locked(&self.health);
        let health = health.get(&self.server(way))?;
        let why = health.gone.as_ref()?;
        Some(match health.suspects.as_slice() {
            [] => format!("the target is gone: {why}"),
            suspects => {
                format!(
                    "the target is gone since `{}`: {why}",
                    suspects.join("`, `")
                )
            }
        })
    }

    /// Remembers what runs while a server is alive. A child serves one vector, so its end says nothing of
    /// the next one's.
    pub(crate) fn suspect(&self, way: usize, check: &str) {
        if matches!(self.target.ways[way].address, Address::Command { .. }) {
            return;
        }
        let mut health = locked(&self.health);
        let health = health.entry(self.server(way)).or_default();
        if health.gone.is_none() && health.suspects.len() < SUSPECTS_MAX {
            health.suspects.push(check.to_owned());
        }
    }

    /// Notes that a vector ended with its server alive.
    pub(crate) fn clear(&self, way: usize, check: &str) {
        if let Some(health) = locked(&self.health).get_mut(&self.server(way)) {
            health.suspects.retain(|suspect| suspect != check);
        }
    }

    /// Notes that the target broke a limit. One that does so again and again would cost as much with every check.
    pub(crate) fn flooded(&self, way: usize, check: &str) {
        let mut floods = locked(&self.floods);
        let checks = floods.entry(way).or_default();
        if checks.len() < FLOODS_MAX {
            checks.push(check.to_owned());
        }
    }

    /// Why nothing more is tried on this way, though the target is there.
    pub(crate) fn given_up(&self, way: usize) -> Option<String> {
        let silence = |silence: &Silence| silence.given_up.clone();
        if let Some(why) = locked(&self.silence).get(&way).and_then(silence) {
            return Some(why);
        }
        let floods = locked(&self.floods);
        let checks = floods
            .get(&way)
            .filter(|checks| checks.len() >= FLOODS_MAX)?;
        Some(format!(
            "the target broke limits of this suite in {FLOODS_MAX} checks, and no more is tried: `{}`",
            checks.join("`, `")
        ))
    }

    /// Counts vectors in a row that got no answer; after [`SILENT_MAX`] the target has to answer a plain
    /// request in a session of its own, or is given up on this way.
    pub(crate) async fn heard(&self, way: usize, silent: bool) {
        {
            let mut silences = locked(&self.silence);
            let silence = silences.entry(way).or_default();
            silence.in_a_row = if silent { silence.in_a_row + 1 } else { 0 };
            if silence.in_a_row < SILENT_MAX || silence.given_up.is_some() {
                return;
            }
            // Others go on meanwhile, and need not ask as well.
            silence.in_a_row = 0;
        }
        if !self.gives_sign_of_life(way).await {
            let mut silences = locked(&self.silence);
            silences.entry(way).or_default().given_up = Some(format!(
                "the target does not answer: {SILENT_MAX} checks in a row, and then `ping` or \
                 `server/discover` in a session of its own, got no answer"
            ));
        }
    }

    async fn gives_sign_of_life(&self, way: usize) -> bool {
        let of = &self.target.ways[way];
        let options = &self.target.options;
        let capabilities = default_capabilities(of.revision);
        let recorder = Recorder::within(options.redactor.clone(), &self.budget);
        let (address, timeout) = (&of.address, self.timeout);
        // It may have to work off first what others sent.
        let patience = timeout.saturating_mul(START_FACTOR);
        let opening = Session::open_within(
            address,
            options,
            of.revision,
            &capabilities,
            recorder,
            timeout,
            patience,
        );
        let mut session = match opening.await {
            Ok(session) => session,
            Err(error) => return !is_dumb(&error),
        };
        let answered = match of.revision.era() {
            Era::Legacy if of.transport != TransportKind::GrpcNative => !session
                .request_within("ping", None, patience)
                .await
                .is_err_and(|error| is_dumb(&error)),
            // Opening it took an answer.
            Era::Legacy | Era::Modern => true,
        };
        locked(&self.closing).spawn(session.close());
        answered
    }

    /// Lends a session to `vector`.
    pub(crate) async fn take(&self, way: usize, vector: &Vector) -> Result<Lent, Refusal> {
        let of = &self.target.ways[way];
        let capabilities = capabilities(vector, of.revision);
        let kind = (way, Value::Object(capabilities.clone()).to_string());
        if vector.session == SessionMode::Shared {
            while let Some(lent) = self.idle_one(&kind) {
                if is_alive(&lent.session) {
                    return Ok(lent);
                }
                self.close(lent);
            }
        }
        let first = self.open(of, vector, &capabilities).await;
        let opened = match first {
            Err((_, error)) if is_absence(&error) => {
                tokio::time::sleep(SECOND_TRY_AFTER).await;
                self.open(of, vector, &capabilities).await
            }
            other => other,
        };
        match opened {
            Ok((session, prelude)) => {
                let earlier = session.issued.clone();
                // The ids of the opening are in the transcript itself.
                let earlier = if prelude.is_empty() {
                    earlier
                } else {
                    Vec::new()
                };
                self.revive(way);
                Ok(Lent {
                    session,
                    prelude,
                    kind,
                    earlier,
                })
            }
            Err((events, error)) => {
                let gone = is_absence(&error).then(|| error.to_string());
                let unanswered = matches!(error, SessionError::NoAnswer { .. });
                if matches!(error, SessionError::Limit { .. }) {
                    self.flooded(way, &vector.id.0);
                }
                Err(Refusal {
                    events,
                    gone,
                    unanswered,
                })
            }
        }
    }

    fn idle_one(&self, kind: &Kind) -> Option<Lent> {
        locked(&self.idle).get_mut(kind).and_then(Vec::pop)
    }

    async fn open(
        &self,
        way: &PreparedWay,
        vector: &Vector,
        capabilities: &Map<String, Value>,
    ) -> Result<(Session, Vec<Event>), (Vec<Event>, SessionError)> {
        let options = &self.target.options;
        let recorder = Recorder::within(options.redactor.clone(), &self.budget);
        let (address, revision) = (&way.address, way.revision);
        let opened = if vector.session == SessionMode::None {
            let to = recorder.clone();
            Session::bare(address, options, revision, capabilities, to, self.timeout).await
        } else {
            let to = recorder.clone();
            Session::open(address, options, revision, capabilities, to, self.timeout).await
        };
        match opened {
            Ok(session) => {
                let prelude = session.prelude();
                Ok((session, prelude))
            }
            Err(error) => {
                recorder.record(EventKind::Trouble {
                    text: error.to_string(),
                });
                Err((recorder.events(), error))
            }
        }
    }

    /// Takes what was recorded, and readies the session for the next vector.
    pub(crate) fn collect(lent: &mut Lent) -> Vec<Event> {
        lent.earlier = lent.session.issued.clone();
        lent.session.restart(lent.prelude.clone())
    }

    /// Takes back a session that is as good as new.
    pub(crate) fn give_back(&self, lent: Lent) {
        locked(&self.idle)
            .entry(lent.kind.clone())
            .or_default()
            .push(lent);
    }

    /// Ends a session, without waiting for that.
    pub(crate) fn close(&self, lent: Lent) {
        let mut closing = locked(&self.closing);
        while closing.try_join_next().is_some() {}
        closing.spawn(lent.session.close());
    }

    /// Ends the idle sessions of a way that has nothing more to do.
    pub(crate) fn retire(&self, way: usize) {
        let mut idle = locked(&self.idle);
        let kinds: Vec<Kind> = idle.keys().filter(|(of, _)| *of == way).cloned().collect();
        let lent: Vec<Lent> = kinds
            .iter()
            .filter_map(|kind| idle.remove(kind))
            .flatten()
            .collect();
        drop(idle);
        lent.into_iter().for_each(|lent| self.close(lent));
    }

    /// Ends everything, and waits until all of it is gone, at most for `patience`; then it is killed.
    pub(crate) async fn shut_down(&self, patience: Duration) {
        for way in 0..self.target.ways.len() {
            self.retire(way);
        }
        let mut closing = std::mem::take(&mut *locked(&self.closing));
        let all = async { while closing.join_next().await.is_some() {} };
        // Dropping the set aborts what is left, and a session that is dropped takes its child along.
        let _ = tokio::time::timeout(patience, all).await;
    }

    fn revive(&self, way: usize) {
        if let Some(health) = locked(&self.health).get_mut(&self.server(way)) {
            health.gone = None;
        }
    }

    /// Notes that the server of this way is gone.
    pub(crate) fn bury(&self, way: usize, why: &str) {
        let mut health = locked(&self.health);
        health
            .entry(self.server(way))
            .or_default()
            .gone
            .get_or_insert_with(|| why.to_owned());
    }

    /// What names a server: its origin, or for a child, which is new for every session, the way itself.
    fn server(&self, way: usize) -> String {
        match &self.target.ways[way].address {
            Address::Command { .. } => format!("#{way}"),
            Address::Unix { path } => path.display().to_string(),
            other => {
                let url = other.to_string();
                url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
            }
        }
    }
}

/// The capabilities that the vector's client declares.
fn capabilities(vector: &Vector, revision: Revision) -> Map<String, Value> {
    vector
        .client
        .capabilities
        .clone()
        .unwrap_or_else(|| default_capabilities(revision))
}

/// Whether a session that lay idle can still be used.
fn is_alive(session: &Session) -> bool {
    session.connection.recorder().look(|events| {
        !events.iter().any(|event| {
            matches!(
                event.kind,
                EventKind::Exited { .. }
                    | EventKind::OutputClosed { .. }
                    | EventKind::LimitExceeded { .. }
            )
        })
    }) && !session.connection.recorder().is_full()
        && stream_is_open(session)
}

/// Whether the event stream that everything comes on is still there (HTTP+SSE).
fn stream_is_open(session: &Session) -> bool {
    let recorder = session.connection.recorder();
    recorder.look(|events| {
        let endpoint = events.iter().find_map(|event| match &event.kind {
            EventKind::SseEvent { exchange, fields, .. }
                if fields.event.as_deref() == Some("endpoint") =>
            {
                Some(*exchange)
            }
            _ => None,
        });
        !events.iter().any(|event| {
            matches!(&event.kind, EventKind::HttpEnd { exchange, .. } if Some(*exchange) == endpoint)
        })
    })
}

/// Whether nobody is there, which no other vector will find different.
fn is_absence(error: &SessionError) -> bool {
    matches!(
        error,
        SessionError::Refused { .. }
            | SessionError::Exited { .. }
            | SessionError::NoAnswer { .. }
            | SessionError::Tls { .. }
            | SessionError::Open(OpenError::Start { .. } | OpenError::Stream(_))
    )
}

/// Whether nothing came that says anything.
fn is_dumb(error: &SessionError) -> bool {
    is_absence(error)
        || matches!(
            error,
            SessionError::Limit { .. }
                | SessionError::Malformed { .. }
                | SessionError::NotJson { .. }
        )
}

/// Whether an exchange of a vector broke off: its server may have gone, through this vector or another.
pub(crate) fn broke_off(view: &View<'_>) -> bool {
    let first = view.first_step().unwrap_or(0);
    view.exchanges.values().any(|exchange| {
        exchange.request.is_some_and(|event| event >= first)
            && matches!(
                exchange.ended,
                Some((_, mcp_verdict_wire::transcript::Ended::Broken(_)))
            )
    })
}

/// Whether a vector waited in vain and got no answer to anything. A flood is another matter.
pub(crate) fn is_silent(view: &View<'_>) -> bool {
    let first = view.first_step().unwrap_or(0);
    let answered = view.messages.iter().any(|message| {
        message.event >= first
            && message.direction == Direction::Target
            && matches!(
                message.kind,
                MessageKind::Result { .. } | MessageKind::Error { .. }
            )
    });
    !answered && view.limits.is_empty() && !view.timeouts.is_empty()
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
