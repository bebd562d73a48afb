//! The faults that one server was started with, and how they are applied.

use std::sync::Arc;

use mcp_verdict_wire::websocket::Frame;
use serde_json::Value;

use super::{
    Act, Arrived, BodyFault, Distort, Event, Fault, GrpcCall, GrpcPart, Hook, HttpRequest,
    HttpResponse, LineIn, Moment, SessionEvent, find,
};
use crate::core::{Departure, Facts, Filter, Payload};

/// The faults of one server; usually none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    hooks: Arc<[Hook]>,
    /// Comes after all of them.
    distort: Option<Distort>,
}

impl Faults {
    /// The faults of these names.
    ///
    /// # Errors
    /// The first name that no fault has.
    pub(crate) fn named(names: &[String]) -> Result<Self, String> {
        let found: Result<Vec<&Fault>, _> = names
            .iter()
            .map(|name| find(name).ok_or_else(|| name.clone()))
            .collect();
        Ok(Self::of(found?.iter().map(|fault| fault.hook)))
    }

    fn of(hooks: impl IntoIterator<Item = Hook>) -> Self {
        fn flatten(hook: Hook, into: &mut Vec<Hook>) {
            match hook {
                Hook::All(hooks) => hooks.iter().for_each(|hook| flatten(*hook, into)),
                hook => into.push(hook),
            }
        }
        let mut flat = Vec::new();
        hooks.into_iter().for_each(|hook| flatten(hook, &mut flat));
        Self {
            hooks: flat.into(),
            distort: None,
        }
    }

    /// The same, and after them a distortion.
    pub(crate) fn and(self, distort: Option<Distort>) -> Self {
        Self { distort, ..self }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    /// What the core's messages pass.
    pub(crate) fn filter(&self) -> Filter {
        let faults = self.clone();
        Arc::new(move |facts, departure| faults.outgoing(facts, departure))
    }

    fn outgoing(&self, facts: &Facts, departure: Departure) -> Vec<Departure> {
        let mut departures = vec![departure];
        for hook in self.hooks.iter() {
            match hook {
                Hook::Edit(edit) => {
                    for departure in &mut departures {
                        if let Payload::Json(message) = &mut departure.payload {
                            edit(facts, message);
                        }
                    }
                }
                Hook::Outgoing(change) => {
                    departures = departures
                        .into_iter()
                        .flat_map(|departure| change(facts, departure))
                        .collect();
                }
                _ => {}
            }
        }
        match &self.distort {
            Some(Distort(distort)) => departures
                .into_iter()
                .flat_map(|departure| distort.message(facts, departure))
                .collect(),
            None => departures,
        }
    }

    /// A value that arrived.
    pub(crate) fn incoming(&self, facts: &Facts, message: Value) -> Arrived {
        let mut arrived = Arrived::pass(message);
        for hook in self.hooks.iter() {
            if let Hook::Incoming(change) = hook {
                for message in std::mem::take(&mut arrived.pass) {
                    let facts = Facts {
                        request: Some(message.clone()),
                        ..facts.clone()
                    };
                    let next = change(&facts, message);
                    arrived.pass.extend(next.pass);
                    arrived.answers.extend(next.answers);
                }
            }
        }
        arrived
    }

    /// A call of gRPC that arrived; the parts of the response, where a fault answers it.
    pub(crate) fn grpc_call(&self, call: &mut GrpcCall) -> Option<Vec<GrpcPart>> {
        self.hooks.iter().find_map(|hook| match hook {
            Hook::GrpcCall(change) => change(call),
            _ => None,
        })
    }

    /// A call of gRPC that its client cancels.
    pub(crate) fn grpc_cancelled(&self, call: &GrpcCall) {
        for hook in self.hooks.iter() {
            if let Hook::GrpcCancelled(learn) = hook {
                learn(call);
            }
        }
    }

    /// A part of the response to a call of gRPC.
    pub(crate) fn grpc_part(&self, call: &GrpcCall, part: GrpcPart) -> Vec<GrpcPart> {
        let mut parts = vec![part];
        for hook in self.hooks.iter() {
            if let Hook::GrpcPart(change) = hook {
                parts = parts
                    .into_iter()
                    .flat_map(|part| change(call, part))
                    .collect();
            }
        }
        parts
    }

    /// Whether an HTTP request is never answered.
    pub(crate) fn http_hangs(&self, request: &HttpRequest) -> bool {
        let mut hooks = self.hooks.iter();
        hooks.any(|hook| matches!(hook, Hook::HttpHangs(hangs) if hangs(request)))
    }

    /// An HTTP request that arrived; the response, where a fault answers it.
    pub(crate) fn http_request(&self, request: &mut HttpRequest) -> Option<HttpResponse> {
        if let Some(Distort(distort)) = &self.distort {
            distort.request(request);
        }
        self.hooks.iter().find_map(|hook| match hook {
            Hook::HttpRequest(change) => change(request),
            _ => None,
        })
    }

    /// An HTTP response that leaves; after how many bytes of its body the connection breaks, if it does.
    pub(crate) fn http_response(
        &self,
        request: &HttpRequest,
        response: &mut HttpResponse,
    ) -> Option<usize> {
        for hook in self.hooks.iter() {
            if let Hook::HttpResponse(change) = hook {
                change(request, response);
            }
        }
        let Distort(distort) = self.distort.as_ref()?;
        distort.response(request, response)
    }

    /// An event that leaves.
    pub(crate) fn stream(&self, facts: &Facts, event: Event) -> Vec<Event> {
        let mut events = vec![event];
        for hook in self.hooks.iter() {
            if let Hook::Stream(change) = hook {
                events = events
                    .into_iter()
                    .flat_map(|event| change(facts, event))
                    .collect();
            }
        }
        match &self.distort {
            Some(Distort(distort)) => events
                .into_iter()
                .flat_map(|event| distort.event(facts, event))
                .collect(),
            None => events,
        }
    }

    /// A line that arrived; the first fault that wants something of it gets it.
    pub(crate) fn line_in(&self, line: &[u8]) -> LineIn {
        if let Some(Distort(distort)) = &self.distort {
            distort.line(line);
        }
        let mut asked = self.hooks.iter().filter_map(|hook| match hook {
            Hook::LineIn(read) => Some(read(line)),
            _ => None,
        });
        asked
            .find(|answer| *answer != LineIn::Take)
            .unwrap_or(LineIn::Take)
    }

    /// Whether any of them is about the frames of a WebSocket.
    pub(crate) fn change_frames(&self) -> bool {
        let mut hooks = self.hooks.iter();
        hooks.any(|hook| matches!(hook, Hook::FrameIn(_) | Hook::FrameOut(_)))
    }

    /// A frame that arrived.
    pub(crate) fn frame_in(&self, frame: Frame) -> Vec<Frame> {
        self.hooks
            .iter()
            .fold(vec![frame], |frames, hook| match hook {
                Hook::FrameIn(change) => frames.into_iter().flat_map(change).collect(),
                _ => frames,
            })
    }

    /// A frame that leaves.
    pub(crate) fn frame_out(&self, frame: Frame) -> Vec<Frame> {
        self.hooks
            .iter()
            .fold(vec![frame], |frames, hook| match hook {
                Hook::FrameOut(change) => frames.into_iter().flat_map(change).collect(),
                _ => frames,
            })
    }

    /// Whether the bodies of HTTP requests are taken like this.
    pub(crate) fn takes_bodies_by(&self, fault: BodyFault) -> bool {
        let mut hooks = self.hooks.iter();
        hooks.any(|hook| matches!(hook, Hook::Body(body) if *body == fault))
    }

    /// Whether event streams stay open when they are over.
    pub(crate) fn streams_stay_open(&self) -> bool {
        let mut hooks = self.hooks.iter();
        hooks.any(|hook| matches!(hook, Hook::StreamsStayOpen))
    }

    /// Whether what one read brings is taken for one line.
    pub(crate) fn whole_reads(&self) -> bool {
        let mut hooks = self.hooks.iter();
        hooks.any(|hook| matches!(hook, Hook::WholeReads))
    }

    /// A line that leaves.
    pub(crate) fn line_out(&self, line: Vec<u8>) -> Vec<u8> {
        self.hooks.iter().fold(line, |line, hook| match hook {
            Hook::LineOut(write) => write(line),
            _ => line,
        })
    }

    /// A moment in the life of a process.
    pub(crate) fn process(&self, moment: Moment) -> Vec<Act> {
        let acts = self.hooks.iter().filter_map(|hook| match hook {
            Hook::Process(act) => Some(act(moment)),
            _ => None,
        });
        acts.filter(|act| *act != Act::Nothing).collect()
    }

    /// A moment in the life of a session.
    pub(crate) fn session(&self, event: &mut SessionEvent<'_>) {
        for hook in self.hooks.iter() {
            if let Hook::Session(change) = hook {
                change(event);
            }
        }
    }
}
