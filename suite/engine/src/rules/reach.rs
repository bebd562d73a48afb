//! How far rules reach: what of a conversation is a message of the protocol, and to which messages the
//! demands of the transcript's revision apply.
//!
//! The body of an HTTP error need not be a message, a server that serves several revisions answers each
//! request by the revision of that request, and what we send broken may be answered in many ways. All
//! rules share what is decided about that here.

use mcp_verdict_wire::{Era, Revision, TransportKind};
use serde_json::Value;

use crate::view::{HttpExchange, Kind, Message, View, integer};

/// How much of what a peer sent goes into a sentence.
pub(super) fn brief(value: &Value) -> String {
    let mut beginning = Beginning(Vec::new());
    // It refuses what is too much; what it has is enough.
    drop(serde_json::to_writer(&mut beginning, value));
    short(&String::from_utf8_lossy(&beginning.0))
}

/// Takes the first bytes of a text that may be long.
struct Beginning(Vec<u8>);

impl std::io::Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = BEGINNING_BYTES - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
        // No more room ends the writing.
        Ok(bytes.len().min(room))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// More than is shown, whatever the characters take.
const BEGINNING_BYTES: usize = 1024;

/// The first 200 characters.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether the transcript's revision is of the modern era.
pub(super) fn is_modern(view: &View<'_>) -> bool {
    view.head.revision.era() == Era::Modern
}

/// Whether the transport is Streamable HTTP.
pub(super) fn is_streamable(view: &View<'_>) -> bool {
    view.head.transport == TransportKind::StreamableHttp
}

/// The HTTP exchange that brought a message; none on stdio.
pub(super) fn exchange_of<'v>(view: &'v View<'_>, message: &Message) -> Option<&'v HttpExchange> {
    view.exchanges.get(&message.exchange)
}

/// Our messages in an exchange.
pub(super) fn ours_in<'v>(
    view: &'v View<'_>,
    exchange: &'v HttpExchange,
) -> impl Iterator<Item = &'v Message> {
    exchange.ours.iter().map(|index| &view.messages[*index])
}

/// The target's messages in an exchange.
pub(super) fn theirs_in<'v>(
    view: &'v View<'_>,
    exchange: &'v HttpExchange,
) -> impl Iterator<Item = &'v Message> {
    let all = exchange.messages.iter().map(|index| &view.messages[*index]);
    all.filter(|message| message.is_targets())
}

/// Whether an HTTP status says that the request was refused.
pub(super) fn is_refusal(exchange: Option<&HttpExchange>) -> bool {
    exchange
        .and_then(HttpExchange::status)
        .is_some_and(|status| status >= 400)
}

/// Whether an exchange resumes a stream, on which everything may come a second time.
pub(super) fn is_resuming(exchange: &HttpExchange) -> bool {
    exchange.request_header("last-event-id").is_some()
}

/// Whether a message came on a resumed stream.
pub(super) fn is_resumed(view: &View<'_>, message: &Message) -> bool {
    exchange_of(view, message).is_some_and(is_resuming)
}

/// Whether a message says that it is one of JSON-RPC.
pub(super) fn claims(message: &Message) -> bool {
    message
        .value
        .as_ref()
        .is_some_and(|value| value.get("jsonrpc").is_some())
}

/// Whether a message stands where nothing but messages may: on standard output, in an event stream, or
/// in the body that answers a request with success.
pub(super) fn is_in_place(view: &View<'_>, message: &Message) -> bool {
    let Some(exchange) = exchange_of(view, message) else {
        return true;
    };
    let accepted = exchange
        .status()
        .is_some_and(|status| (200..300).contains(&status));
    let answers = || {
        let mut asked = ours_in(view, exchange).filter(|ours| ours.is_request() && is_sound(ours));
        exchange.method == "POST" && view.head.transport.has_exchanges() && asked.next().is_some()
    };
    accepted && (exchange.is_event_stream() || answers())
}

/// The target's messages: what says that it is one, and what stands in a message's place. A line on
/// standard output that is no message by any sign is left to the rule on purity.
pub(super) fn protocol_messages<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    view.targets().filter(|message| {
        let told = claims(message) || !matches!(message.kind, Kind::Invalid { .. });
        let on_http = exchange_of(view, message).is_some();
        claims(message) || ((told || on_http) && is_in_place(view, message))
    })
}

/// The target's responses.
pub(super) fn responses<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    protocol_messages(view).filter(|message| message.is_response())
}

/// The target's requests.
pub(super) fn requests<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    protocol_messages(view).filter(|message| message.is_request())
}

/// The target's notifications.
pub(super) fn notifications<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    protocol_messages(view).filter(|message| message.is_notification())
}

/// The target's notifications of one method.
pub(super) fn of_method<'v>(
    view: &'v View<'_>,
    method: &'static str,
) -> impl Iterator<Item = &'v Message> {
    notifications(view).filter(move |message| message.method() == Some(method))
}

/// Results that the revision describes, each with its request.
pub(super) fn results<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v Message, &'v Message, &'v Value)> {
    responses(view).filter_map(move |response| {
        let request = view.request_of(response)?;
        let result = response.result()?;
        (request.is_request() && speaks(view, response)).then_some((request, response, result))
    })
}

/// Results of requests with one of these methods.
pub(super) fn results_of<'v>(
    view: &'v View<'_>,
    methods: &'static [&'static str],
) -> impl Iterator<Item = (&'v Message, &'v Message, &'v Value)> {
    results(view).filter(move |(request, ..)| {
        request
            .method()
            .is_some_and(|method| methods.contains(&method))
    })
}

/// The items of a list in a result.
pub(super) fn items<'v>(result: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    result
        .get(member)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Whether a message of ours is whole as far as JSON-RPC goes, so that nobody may take it for garbage.
pub(super) fn is_sound(message: &Message) -> bool {
    let Some(value) = &message.value else {
        return false;
    };
    let versioned = value.get("jsonrpc").is_some_and(|version| version == "2.0");
    let params = value.get("params");
    let structured = params.is_none_or(|params| params.is_object() || params.is_array());
    let lawful = match &message.kind {
        Kind::Request { id, .. } => id.is_string() || integer(id).is_some(),
        Kind::Notification { .. } | Kind::Result { .. } | Kind::Error { .. } => true,
        Kind::Invalid { .. } => false,
    };
    versioned && structured && lawful && message.remarks.is_empty()
}

/// Whether a message of ours is sound and stands alone. Who refuses a batch does so as a whole.
pub(super) fn is_plain(message: &Message) -> bool {
    is_sound(message) && message.batch.is_none()
}

/// Whether we sent something for which an error without an id, or with any id, may come.
pub(super) fn provoked(view: &View<'_>) -> bool {
    view.ours().any(|message| {
        let answer = matches!(message.kind, Kind::Result { .. } | Kind::Error { .. });
        !is_plain(message) || (answer && message.meant)
    })
}

/// Whether two JSON values are the same, numbers by value: `1` is `1.0`.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    one == other || integer(one).is_some_and(|number| integer(other) == Some(number))
}

/// Whether two ids or tokens are the same but for their type.
pub(super) fn alike(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            Some(integer(value).map_or_else(|| number.to_string(), |number| number.to_string()))
        }
        _ => None,
    };
    text(one).is_some_and(|one| text(other) == Some(one))
}

/// Whether what the revision demands applies to a message of the target.
pub(super) fn speaks(view: &View<'_>, message: &Message) -> bool {
    if is_modern(view) {
        return match view.request_of(message) {
            Some(request) => asks_modern(view, request),
            None => !has_legacy_session(view) && exchange_asks_modern(view, message),
        };
    }
    negotiated(view, message)
        && exchange_of(view, message).is_none_or(|exchange| header_fits(view, exchange))
}

/// Whether a request of ours says, everywhere it should, that it is one of this modern revision.
pub(super) fn asks_modern(view: &View<'_>, request: &Message) -> bool {
    let revision = view.head.revision.as_str();
    let said = request.params().and_then(|params| {
        params
            .get("_meta")?
            .get("io.modelcontextprotocol/protocolVersion")
    });
    let header = exchange_of(view, request)
        .is_none_or(|exchange| exchange.request_header("mcp-protocol-version") == Some(revision));
    said.is_some_and(|said| said == revision) && header
}

fn exchange_asks_modern(view: &View<'_>, message: &Message) -> bool {
    exchange_of(view, message).is_none_or(|exchange| {
        ours_in(view, exchange).all(|ours| !ours.is_request() || asks_modern(view, ours))
    })
}

/// Whether a legacy session was opened with a server that serves both eras.
pub(super) fn has_legacy_session(view: &View<'_>) -> bool {
    openings(view).next().is_some()
}

/// Each `initialize` that was answered with a result.
fn openings<'v>(view: &'v View<'_>) -> impl DoubleEndedIterator<Item = (&'v Message, &'v Value)> {
    view.openings.iter().filter_map(|index| {
        let response = view.response_to(&view.messages[*index])?;
        Some((response, response.result()?))
    })
}

/// Whether there is one legacy session at most, so that all of the target's ids are of one kind.
pub(super) fn is_one_session(view: &View<'_>) -> bool {
    openings(view).nth(1).is_none()
}

/// Whether the last version settled before a message is the transcript's revision.
fn negotiated(view: &View<'_>, message: &Message) -> bool {
    if view.head.transport == TransportKind::GrpcNative {
        let said = exchange_of(view, message)
            .and_then(|exchange| exchange.request_header("mcp-protocol-version"));
        return said == Some(view.head.revision.as_str());
    }
    let last = openings(view)
        .rev()
        .find(|(response, _)| response.event <= message.event);
    last.is_some_and(|(_, result)| {
        let version = result.get("protocolVersion");
        version.is_none_or(|version| version == view.head.revision.as_str())
    })
}

/// Whether the version header, if there is to be one, is that of the transcript's revision.
fn header_fits(view: &View<'_>, exchange: &HttpExchange) -> bool {
    if !is_streamable(view) || view.head.revision < Revision::V2025_06_18 {
        return true;
    }
    match exchange.request_header("mcp-protocol-version") {
        Some(version) => version == view.head.revision.as_str(),
        // A session tells the version too, and opening one needs no header.
        None => {
            exchange.request_header("mcp-session-id").is_some()
                || ours_in(view, exchange).any(|ours| ours.method() == Some("initialize"))
        }
    }
}

/// The capability that our client must declare before it is asked for something.
pub(super) fn capability_for(method: &str, params: Option<&Value>) -> Option<&'static str> {
    let has = |member: &str| params.is_some_and(|params| params.get(member).is_some());
    match method {
        "elicitation/create" => {
            let mode = params.and_then(|params| params.get("mode"));
            Some(if mode.is_some_and(|mode| mode == "url") {
                "elicitation.url"
            } else {
                "elicitation.form"
            })
        }
        "roots/list" => Some("roots"),
        "sampling/createMessage" if has("tools") || has("toolChoice") => Some("sampling.tools"),
        "sampling/createMessage" => Some("sampling"),
        _ => None,
    }
}

/// Whether the client's capabilities hold `capability`. An empty `elicitation` means forms.
pub(super) fn client_declares(capabilities: Option<&Value>, capability: &str) -> bool {
    let Some(capabilities) = capabilities else {
        return false;
    };
    let declares = |path: &str| crate::view::declares(capabilities, path);
    match capability {
        "elicitation.form" => {
            declares("elicitation") && (declares(capability) || !declares("elicitation.url"))
        }
        _ => declares(capability),
    }
}
