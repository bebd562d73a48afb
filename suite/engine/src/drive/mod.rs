//! Does what a vector says, on a session, and leaves a transcript. Decides nothing about verdicts: when a
//! wait is over, and whether a vector goes on, is asked of the judge.

mod retry;
mod send;
mod steps;
mod wait;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use mcp_verdict_transport::{HttpCall, Recorder};
use mcp_verdict_vectors::model::{Client, SessionMode, Step, Subject, Vector};
use mcp_verdict_wire::{
    Era, TransportKind,
    transcript::{EventKind, Head},
};
use serde_json::Value;

use crate::{
    judge::{Flow, Walk},
    session::Session,
    view::{Message, Reading, View},
};

/// How vectors are driven.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a wait lasts, unless its step says otherwise.
    pub timeout: Duration,
    /// When the whole run must be over.
    pub deadline: Option<Instant>,
    /// Once a barrier is answered, what is not worth it is hardly waited for: whoever drives looks into what is
    /// missing.
    pub haste: Option<Haste>,
}

/// How answers that a barrier's has overtaken are waited for in haste.
#[derive(Clone, Copy, Debug)]
pub struct Haste {
    /// Whether a message of ours is worth waiting for.
    pub is_worth_it: fn(&View<'_>, &Message) -> bool,
    /// How long it is waited for.
    pub patience: Duration,
}

/// What makes a server ask the client.
const ASKING: [&str; 3] = ["tool-elicitation", "tool-roots", "tool-sampling"];

/// How long a server may take to open the stream for its questions, before we go on all the same: some say
/// so only with the first message.
const STREAM_OPENS: Duration = Duration::from_millis(500);

/// How a vector was left.
#[derive(Clone, Debug)]
pub struct Left {
    /// The session is as it was before, so that another vector can use it.
    pub reusable: bool,
    /// The run's time was up before the vector's end.
    pub cut_off: bool,
    /// What was read so far of the session's events.
    pub reading: Reading,
}

/// Drives `vector` on `session`. Everything that happens is in the session's recorder afterwards.
///
/// `tools` are the target's tools as it lists them, for the headers that a modern call of theirs carries.
pub async fn vector(
    session: &mut Session,
    vector: &Vector,
    head: &Head,
    tools: &[Value],
    limits: Limits,
) -> Left {
    let recorder = session.connection.recorder().clone();
    let mut drive = Drive {
        recorder,
        vector,
        head,
        tools,
        limits,
        walk: Walk::new(vector, head),
        client: client(vector, head),
        reading: Reading::default(),
        answered: HashSet::new(),
        adopted: vector.session != SessionMode::None,
        cut_off: false,
        session,
    };
    drive.run().await;
    let reusable = drive.is_reusable();
    Left {
        reusable,
        cut_off: drive.cut_off,
        reading: drive.reading,
    }
}

/// A vector under way.
struct Drive<'d> {
    session: &'d mut Session,
    recorder: Recorder,
    vector: &'d Vector,
    head: &'d Head,
    tools: &'d [Value],
    limits: Limits,
    walk: Walk<'d>,
    client: Client,
    reading: Reading,
    /// Messages (indices) of the target that we have answered, or decided not to.
    answered: HashSet<usize>,
    /// The session's headers are set.
    adopted: bool,
    cut_off: bool,
}

impl Drive<'_> {
    async fn run(&mut self) {
        let steps = self.vector.steps.len();
        self.listen().await;
        if self.vector.steps.iter().any(looks_at_memory) {
            self.weigh();
        }
        self.recorder.record(EventKind::Step { index: 0 });
        for index in 0..steps {
            if self.is_out_of_time() {
                self.cut_off = true;
                return;
            }
            if let Err(trouble) = self.step(index).await {
                self.recorder.record(EventKind::Trouble { text: trouble });
                self.recorder.record(EventKind::Step { index: steps });
                return;
            }
            if self.cut_off || self.recorder.is_full() {
                return;
            }
            // The next mark, at last the one behind the last step, is the horizon of this one's judgement.
            self.recorder.record(EventKind::Step { index: index + 1 });
            if self.judge(index) == Flow::Stop {
                if index + 1 != steps {
                    self.recorder.record(EventKind::Step { index: steps });
                }
                return;
            }
        }
    }

    /// A server of the legacy era may put its questions on a stream that only the client can open. Where a
    /// vector wants to be asked, or subscribes, its client opens it beforehand, as others do; it need not
    /// exist.
    async fn listen(&mut self) {
        let vector = self.vector;
        let asked = |fixture: &String| ASKING.contains(&fixture.as_str());
        let subscribes = |capability: &String| capability == "resources.subscribe";
        let own = |step: &Step| matches!(step, Step::OpenStream(_));
        if self.head.transport != TransportKind::StreamableHttp
            || self.head.revision.era() != Era::Legacy
            || vector.session == SessionMode::None
            || !(vector.needs.fixtures.iter().any(asked)
                || vector.needs.capabilities.iter().any(subscribes))
            || vector.steps.iter().any(own)
        {
            return;
        }
        let get = HttpCall {
            method: "GET".to_owned(),
            ..HttpCall::default()
        };
        if let Err(trouble) = self.call(get).await {
            self.recorder.record(EventKind::Trouble { text: trouble });
            return;
        }
        let told = |view: &View<'_>| {
            let mut streams = view.exchanges.values().rev();
            let stream = streams.find(|exchange| exchange.method == "GET");
            stream.is_none_or(|of| of.response.is_some() || of.ended.is_some())
        };
        self.wait(STREAM_OPENS, told).await;
    }

    /// Records what the target holds in memory, where that can be seen.
    fn weigh(&self) {
        if let Some(kib) = self.session.connection.memory_kib() {
            self.recorder.record(EventKind::Memory { kib });
        }
    }

    /// Judges a step that is over.
    fn judge(&mut self, index: usize) -> Flow {
        let walk = &mut self.walk;
        let reading = std::mem::take(&mut self.reading);
        let head = self.head;
        let (flow, reading) = self.recorder.look(|events| {
            let view = View::resume(head, events, reading);
            let flow = walk.step(index, &view);
            (flow, view.into_reading())
        });
        self.reading = reading;
        flow
    }

    fn is_out_of_time(&self) -> bool {
        self.limits
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether nothing of this vector is left behind that another could stumble over.
    fn is_reusable(&mut self) -> bool {
        self.read();
        let disturbed = self.vector.steps.iter().any(|step| {
            matches!(
                step,
                Step::CloseInput(_)
                    | Step::Signal(_)
                    | Step::OpenStream(_)
                    | Step::Drop(_)
                    | Step::Cancel(_)
                    | Step::Http(_)
            )
        });
        let first = self.reading.first_step().unwrap_or(0);
        let open = self.reading.exchanges.values().any(|exchange| {
            exchange.ended.is_none() && exchange.request.is_some_and(|event| event >= first)
        });
        !disturbed
            && !open
            && !self.cut_off
            && !self.recorder.is_full()
            && self.reading.unanswered_of_ours().next().is_none()
            && self.reading.process.output_closed.is_none()
            && self.reading.process.exited.is_none()
            && self.reading.limits.is_empty()
            && self.reading.troubles.is_empty()
    }

    /// Reads what was recorded since the last time.
    fn read(&mut self) {
        let reading = &mut self.reading;
        self.recorder.look(|events| reading.extend(events));
    }
}

fn looks_at_memory(step: &Step) -> bool {
    let subject = match step {
        Step::Expect(step) => &step.subject,
        Step::Capture(step) => &step.from,
        _ => return false,
    };
    matches!(subject, Subject::Memory(_))
}

/// How the vector's client answers: its own answers, with variables replaced as far as they are known from
/// the start.
fn client(vector: &Vector, head: &Head) -> Client {
    let mut client = vector.client.clone();
    for answer in client.answers.values_mut() {
        if let Ok(replaced) = mcp_verdict_vectors::substitute(answer, &head.bindings) {
            *answer = replaced;
        }
    }
    client
}
