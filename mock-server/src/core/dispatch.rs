//! Which message is whose: requests of either era, notifications, and answers to requests of ours.

use std::{pin::Pin, sync::Arc};

use futures_util::future::{AbortHandle, Abortable};
use mcp_verdict_wire::{Era, Revision};
use serde_json::{Map, Value, json};

use super::{
    Core, Departure, Session, asking,
    call::{Call, Stop},
    completion, lifecycle,
    lifecycle::Envelope,
    logging,
    outlet::Outlet,
    prompts, resources,
    rpc::{INVALID_REQUEST, Incoming, METHOD_NOT_FOUND, Refusal},
    subscriptions, tools,
};

/// What became of a message.
pub(crate) enum Accepted {
    /// It was a notification or an answer; nothing is owed.
    Done,
    /// It cannot be handled; the answer that says so.
    Refused(Departure),
    /// It is a request; to be run, which also sends the answer.
    Work(Work),
}

/// A request under way. Dropping it cancels the request.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Core {
    /// Takes a message of a conversation that may be of either era (stdio).
    pub(crate) fn accept(
        self: &Arc<Self>,
        session: &Arc<Session>,
        message: &Value,
        outlet: Outlet,
    ) -> Accepted {
        let opened = session.agreed().is_some();
        let method = message
            .get("method")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let modern_only = matches!(method, "server/discover" | "subscriptions/listen");
        let has_modern = !self.revisions_of(Era::Modern).is_empty();
        if has_modern && (Envelope::is_on(message) || (modern_only && !opened)) {
            self.accept_modern(session, message, outlet)
        } else {
            self.accept_legacy(session, message, outlet)
        }
    }

    /// Takes a message of a legacy session.
    pub(crate) fn accept_legacy(
        self: &Arc<Self>,
        session: &Arc<Session>,
        message: &Value,
        outlet: Outlet,
    ) -> Accepted {
        let agreed = session.agreed();
        let revision = agreed.as_ref().map(|agreed| agreed.revision);
        let (id, method, params) = match Incoming::read(message) {
            Incoming::Request { id, method, params } => (id, method, params),
            other => return passive(session, other, revision),
        };
        let opening = method == "initialize" || method == "ping";
        let agreed = match (agreed, opening) {
            (Some(agreed), _) => Some(agreed),
            (None, true) => None,
            (None, false) => {
                let why = "neither a session (`initialize`) nor a request's own `_meta`";
                let refusal = Refusal::invalid_params(format!("Invalid request: {why}"));
                return refuse(Some(&id), &refusal.with_status(400), revision);
            }
        };
        let latest = self.revisions_of(Era::Legacy).last().copied();
        let call = Call {
            core: self.clone(),
            session: session.clone(),
            revision: revision.or(latest).unwrap_or(Revision::V2025_11_25),
            capabilities: agreed
                .as_ref()
                .map_or_else(|| json!({}), |agreed| agreed.capabilities.clone()),
            log_level: agreed.as_ref().map(|agreed| agreed.log_level),
            progress_token: None,
            id,
            method,
            params,
            outlet,
        };
        start(call)
    }

    /// Takes a message of the modern era.
    pub(crate) fn accept_modern(
        self: &Arc<Self>,
        session: &Arc<Session>,
        message: &Value,
        outlet: Outlet,
    ) -> Accepted {
        let modern = Some(Revision::V2026_07_28);
        let (id, method, params) = match Incoming::read(message) {
            Incoming::Request { id, method, params } => (id, method, params),
            other => return passive(session, other, modern),
        };
        let envelope = match Envelope::read(&params) {
            Ok(envelope) => envelope,
            Err(refusal) => return refuse(Some(&id), &refusal, modern),
        };
        let revision = match envelope.revision(self) {
            Ok(revision) => revision,
            Err(refusal) => return refuse(Some(&id), &refusal, modern),
        };
        start(Call {
            core: self.clone(),
            session: session.clone(),
            revision,
            capabilities: envelope.capabilities,
            log_level: envelope.log_level,
            progress_token: None,
            id,
            method,
            params,
            outlet: outlet.in_revision(revision),
        })
    }
}

/// Handles what is no request.
fn passive(session: &Session, incoming: Incoming, revision: Option<Revision>) -> Accepted {
    match incoming {
        Incoming::Invalid { id, refusal } => {
            refuse(id.as_ref(), &refusal.with_status(400), revision)
        }
        Incoming::Notification { method, params } => {
            notified(session, &method, &params);
            Accepted::Done
        }
        Incoming::Response { id, outcome } => {
            session.answered(&id, outcome);
            Accepted::Done
        }
        Incoming::Request { .. } => Accepted::Done,
    }
}

fn notified(session: &Session, method: &str, params: &Map<String, Value>) {
    if method == "notifications/cancelled"
        && let Some(id) = params.get("requestId")
    {
        session.cancel(id);
    }
    // Every other notification is either for information only, or unknown: then it is ignored.
}

fn refuse(id: Option<&Value>, refusal: &Refusal, revision: Option<Revision>) -> Accepted {
    let departure = Departure::answer(refusal.response(id, revision));
    Accepted::Refused(Departure {
        status: refusal.status,
        ..departure
    })
}

fn start(mut call: Call) -> Accepted {
    call.progress_token = match call
        .params
        .get("_meta")
        .and_then(|meta| meta.get("progressToken"))
    {
        None => None,
        Some(token) if super::rpc::is_id(token) => Some(token.clone()),
        Some(_) => {
            let refusal = Refusal::invalid_params("`progressToken` must be a string or an integer");
            return refuse(Some(&call.id), &refusal, Some(call.revision));
        }
    };
    // `initialize` must not be cancelled.
    if call.method == "initialize" {
        return Accepted::Work(Box::pin(run(call)));
    }
    let number = call.core.next_number();
    let (handle, registration) = AbortHandle::new_pair();
    call.outlet = call.outlet.until_cancelled(handle.clone());
    if let Err(refusal) = call.session.begin(&call.id, number, handle) {
        return refuse(Some(&call.id), &refusal, Some(call.revision));
    }
    let over = Over {
        session: call.session.clone(),
        number,
    };
    Accepted::Work(Box::pin(async move {
        // Cancelled requests are not answered: the error says just that.
        let _ = Abortable::new(run(call), registration).await;
        drop(over);
    }))
}

/// Takes a request off the list of those in flight, however it ends.
struct Over {
    session: Arc<Session>,
    number: u64,
}

impl Drop for Over {
    fn drop(&mut self) {
        self.session.end(self.number);
    }
}

async fn run(call: Call) {
    let departure = match answer(&call).await {
        Ok(result) => {
            let result = if call.is_modern() {
                lifecycle::complete(&call, result)
            } else {
                result
            };
            Departure::answer(json!({"jsonrpc": "2.0", "id": call.id, "result": result}))
        }
        Err(refusal) => {
            let response = refusal.response(Some(&call.id), Some(call.revision));
            let unknown = call.is_modern() && refusal.code == METHOD_NOT_FOUND;
            let status = if unknown { Some(404) } else { refusal.status };
            Departure {
                status,
                ..Departure::answer(response)
            }
        }
    };
    // What leaves after `initialize` leaves in the revision that it settled.
    let settled = call.session.revision().filter(|_| !call.is_modern());
    let outlet = settled.map_or_else(
        || call.outlet.clone(),
        |revision| call.outlet.in_revision(revision),
    );
    outlet.send(departure).await;
}

async fn answer(call: &Call) -> Result<Value, Refusal> {
    let outcome = if call.is_modern() {
        modern(call).await
    } else {
        legacy(call).await
    };
    match outcome {
        Ok(result) => Ok(result),
        Err(Stop::Ask(result)) => Ok(result),
        Err(Stop::Refuse(refusal)) => Err(refusal),
        Err(Stop::Tool(message)) => Err(Refusal::new(INVALID_REQUEST, message)),
    }
}

async fn legacy(call: &Call) -> Result<Value, Stop> {
    match call.method.as_str() {
        "initialize" => lifecycle::initialize(call),
        "ping" => Ok(json!({})),
        "logging/setLevel" => Ok(logging::set_level(call)?),
        "resources/subscribe" => Ok(subscriptions::subscribe(call)?),
        "resources/unsubscribe" => Ok(subscriptions::unsubscribe(call)?),
        _ => common(call).await,
    }
}

async fn modern(call: &Call) -> Result<Value, Stop> {
    asking::check_answers(call)?;
    match call.method.as_str() {
        "server/discover" => Ok(lifecycle::discover(call)),
        "subscriptions/listen" => Ok(subscriptions::listen(call).await?),
        _ => common(call).await,
    }
}

async fn common(call: &Call) -> Result<Value, Stop> {
    match call.method.as_str() {
        "tools/list" => Ok(tools::list(call)?),
        "tools/call" => tools::call(call).await,
        "resources/list" => Ok(resources::list(call)?),
        "resources/templates/list" => Ok(resources::list_templates(call)?),
        "resources/read" => Ok(resources::read(call)?),
        "prompts/list" => Ok(prompts::list(call)?),
        "prompts/get" => prompts::get(call).await,
        "completion/complete" => Ok(completion::complete(call)?),
        method => Err(lifecycle::unknown_method(method).into()),
    }
}
