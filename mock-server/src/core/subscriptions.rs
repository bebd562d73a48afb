//! What changes here, and who hears of it: `resources/subscribe` and unasked notifications (legacy),
//! `subscriptions/listen` (modern).

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{
    Core, Departure,
    call::{Call, notification},
    outlet::{Outlet, lock},
    resources,
    rpc::{INTERNAL_ERROR, RESOURCE_NOT_FOUND, Refusal},
};

/// What has changed since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    /// The extra tool is there.
    pub(super) extra_tool: bool,
    /// The extra prompt is there.
    pub(super) extra_prompt: bool,
    /// The extra resource is there.
    pub(super) extra_resource: bool,
    /// How often the watched resource changed.
    pub(super) watched: u64,
}

/// Something that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The list of prompts.
    Prompts,
    /// One resource.
    Resource(&'static str),
    /// The list of resources.
    Resources,
    /// The list of tools.
    Tools,
}

/// An open `subscriptions/listen`.
pub(crate) struct Listener {
    number: u64,
    id: Value,
    filter: Map<String, Value>,
    outlet: Outlet,
    ended: Arc<Notify>,
}

/// Open `subscriptions/listen` requests at a time.
const LISTENERS_MAX: usize = 1000;
/// Resources that one of them may watch.
const WATCHED_MAX: usize = 1000;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
const LISTS: [&str; 3] = [
    "toolsListChanged",
    "promptsListChanged",
    "resourcesListChanged",
];

impl Core {
    /// Changes something, and tells everybody who asked to be told.
    pub(crate) fn change(&self, change: Change) {
        {
            let mut changes = lock(&self.changes);
            match change {
                Change::Prompts => changes.extra_prompt = !changes.extra_prompt,
                Change::Resource(_) => changes.watched += 1,
                Change::Resources => changes.extra_resource = !changes.extra_resource,
                Change::Tools => changes.extra_tool = !changes.extra_tool,
            }
        }
        for session in self.open_sessions() {
            let Some(agreed) = session.agreed() else {
                continue;
            };
            match change {
                Change::Resource(uri) if !agreed.watched.contains(uri) => {}
                Change::Resource(uri) => {
                    session.say(notification(change.method(), json!({"uri": uri})))
                }
                _ => session.say(json!({"jsonrpc": "2.0", "method": change.method()})),
            }
        }
        for listener in lock(&self.listeners)
            .iter()
            .filter(|listener| listener.wants(change))
        {
            listener.say(change);
        }
    }

    /// What has changed so far.
    pub(super) fn changes(&self) -> Changes {
        *lock(&self.changes)
    }

    /// Ends every subscription, as a server does that wants its connections back.
    pub(crate) fn end_subscriptions(&self) {
        for listener in lock(&self.listeners).iter() {
            listener.ended.notify_one();
        }
    }
}

impl Change {
    fn method(self) -> &'static str {
        match self {
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resource(_) => "notifications/resources/updated",
            Self::Resources => "notifications/resources/list_changed",
            Self::Tools => "notifications/tools/list_changed",
        }
    }
}

impl Listener {
    fn wants(&self, change: Change) -> bool {
        let list = match change {
            Change::Prompts => "promptsListChanged",
            Change::Resources => "resourcesListChanged",
            Change::Tools => "toolsListChanged",
            Change::Resource(uri) => {
                let watched = self
                    .filter
                    .get("resourceSubscriptions")
                    .and_then(Value::as_array);
                return watched.is_some_and(|watched| watched.contains(&json!(uri)));
            }
        };
        self.filter.get(list) == Some(&json!(true))
    }

    fn say(&self, change: Change) {
        let mut params = json!({"_meta": {SUBSCRIPTION_ID: self.id}});
        if let Change::Resource(uri) = change {
            params["uri"] = json!(uri);
        }
        // A client that does not read what it is told has to look for itself.
        let _ = self.outlet.offer(notification(change.method(), params));
    }
}

/// `resources/subscribe`.
pub(crate) fn subscribe(call: &Call) -> Result<Value, Refusal> {
    let uri = call.text("uri")?;
    if !resources::exists(call, uri) {
        return Err(
            Refusal::new(RESOURCE_NOT_FOUND, "Resource not found").with_data(json!({"uri": uri}))
        );
    }
    call.session.amend(|agreed| {
        agreed.watched.insert(uri.to_owned());
    });
    Ok(json!({}))
}

/// `resources/unsubscribe`.
pub(crate) fn unsubscribe(call: &Call) -> Result<Value, Refusal> {
    let uri = call.text("uri")?;
    call.session.amend(|agreed| {
        agreed.watched.remove(uri);
    });
    Ok(json!({}))
}

/// `subscriptions/listen`: acknowledges, then stays until somebody ends it.
pub(crate) async fn listen(call: &Call) -> Result<Value, Refusal> {
    let filter = honoured(call)?;
    let number = call.core.next_number();
    let ended = Arc::new(Notify::new());
    let acknowledged = json!({"_meta": {SUBSCRIPTION_ID: call.id}, "notifications": filter});
    {
        let mut listeners = lock(&call.core.listeners);
        if listeners.len() >= LISTENERS_MAX {
            return Err(Refusal::new(
                INTERNAL_ERROR,
                "too many subscriptions are open",
            ));
        }
        // Whoever changes something takes the same lock, so nothing can come before this.
        if !call.outlet.offer(notification(ACKNOWLEDGED, acknowledged)) {
            return Err(Refusal::new(
                INTERNAL_ERROR,
                "too much is waiting to be read",
            ));
        }
        let (id, outlet, ended) = (call.id.clone(), call.outlet.clone(), ended.clone());
        listeners.push(Listener {
            number,
            id,
            filter,
            outlet,
            ended,
        });
    }
    let listening = Listening {
        core: call.core.clone(),
        number,
    };
    tokio::select! {
        () = ended.notified() => {}
        () = call.core.closed() => {}
    }
    drop(listening);
    let params = json!({"_meta": {SUBSCRIPTION_ID: call.id}, "requestId": call.id});
    call.outlet
        .send(Departure::message(notification(
            "notifications/cancelled",
            params,
        )))
        .await;
    Ok(json!({"_meta": {SUBSCRIPTION_ID: call.id}}))
}

/// Takes a listener off the list, however its request ends.
struct Listening {
    core: Arc<Core>,
    number: u64,
}

impl Drop for Listening {
    fn drop(&mut self) {
        lock(&self.core.listeners).retain(|listener| listener.number != self.number);
    }
}

/// The part of the filter that the server honours: what it knows, and what is asked for.
fn honoured(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let Some(Value::Object(asked)) = call.params.get("notifications") else {
        return Err(Refusal::invalid_params("`notifications` must be an object"));
    };
    let mut honoured = Map::new();
    for list in LISTS {
        match asked.get(list) {
            Some(Value::Bool(true)) => {
                honoured.insert(list.to_owned(), json!(true));
            }
            Some(Value::Bool(false)) | None => {}
            Some(_) => {
                return Err(Refusal::invalid_params(format!(
                    "`{list}` must be a boolean"
                )));
            }
        }
    }
    match asked.get("resourceSubscriptions") {
        None => {}
        Some(Value::Array(uris))
            if uris.len() <= WATCHED_MAX && uris.iter().all(Value::is_string) =>
        {
            let known = uris
                .iter()
                .filter(|uri| resources::exists(call, uri.as_str().unwrap_or_default()));
            honoured.insert("resourceSubscriptions".to_owned(), known.cloned().collect());
        }
        Some(_) => {
            let message = format!("`resourceSubscriptions` must be at most {WATCHED_MAX} strings");
            return Err(Refusal::invalid_params(message));
        }
    }
    Ok(honoured)
}
