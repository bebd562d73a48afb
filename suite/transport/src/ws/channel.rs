//! One WebSocket as the channel of a conversation, and further handshakes beside it.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mcp_verdict_wire::{
    Delivery, FrameKind,
    transcript::{Ended, EventKind, Exchange},
    websocket::Frame,
};
use tokio::{task::JoinHandle, time::timeout};

use super::{
    draft,
    encode::{frames, masked, plain},
    reading::{Book, NORMAL, Reading},
};
use crate::{
    HttpCall, OpenError, Options, Outgoing, Recorder, SendError,
    exchanges::Exchanges,
    http::{Upgraded, Upgrader},
    outbox::Outbox,
};

/// How long a target may take to answer our close frame when nobody looks any more.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// The subprotocol of MCP as it is in use.
const PROTOCOL: &str = "mcp";

/// A WebSocket. Dropping it hangs up.
#[derive(Debug)]
pub(crate) struct Channel {
    book: Book,
    upgrader: Upgrader,
    protocols: String,
    /// What a message says of its session, where the rules are those of SEP-1288.
    session: Option<draft::Session>,
    outbox: Outbox,
    /// The task that reads.
    output: JoinHandle<()>,
    exchanges: Exchanges,
    exit_grace: Duration,
    /// Messages held back for the next one.
    held: Vec<u8>,
}

impl Channel {
    /// Opens a WebSocket at `url`; `draft` by the rules of SEP-1288.
    pub(crate) async fn open(
        url: &str,
        draft: bool,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        let upgrader = Upgrader::new(url, options)?;
        let protocols = match draft {
            true => draft::protocols(PROTOCOL, options.revision, upgrader.bearer()),
            false => PROTOCOL.to_owned(),
        };
        let call = HttpCall {
            method: "GET".to_owned(),
            ..HttpCall::default()
        };
        let failed = |why: &str| OpenError::Handshake(why.to_owned());
        let upgrading = upgrader
            .begin(call, &fields(&protocols)?, &recorder)
            .map_err(|error| OpenError::Handshake(error.to_string()))?;
        let log = upgrading.log().clone();
        let Ok(upgraded) = timeout(options.connect_timeout, upgrading.carry_out()).await else {
            let ms = options.connect_timeout.as_millis();
            let why = format!("no response within {ms} ms");
            log.end(Ended::Broken(why.clone()));
            return Err(failed(&why));
        };
        let upgraded = upgraded.ok_or_else(|| failed("the server does not switch protocols"))?;
        log.end(Ended::Complete);
        let Upgraded { source, sink, read } = upgraded;
        let outbox = Outbox::new(sink, false, Some(recorder.clone()));
        let reading = Reading::new(Book::Channel(recorder.clone()), outbox.feed().clone());
        Ok(Self {
            book: Book::Channel(recorder),
            upgrader,
            protocols,
            session: draft.then(draft::Session::default),
            output: tokio::spawn(reading.run(source, read)),
            outbox,
            exchanges: Exchanges::default(),
            exit_grace: options.exit_grace,
            held: Vec::new(),
        })
    }

    /// Sets what later messages say of their session; there are no other headers.
    pub(crate) fn set_header(&mut self, name: &str, value: Option<String>) {
        if let Some(session) = &mut self.session {
            session.set_header(name, value);
        }
    }

    /// Queues a message, or what stands in its place.
    pub(crate) async fn send(&mut self, outgoing: Outgoing) -> Result<Exchange, SendError> {
        let Outgoing {
            bytes,
            label,
            meant,
            headers,
            delivery,
        } = outgoing;
        let bytes = match &self.session {
            Some(session) => session.named_in(bytes, &headers),
            None => bytes,
        };
        let place = self.outbox.feed().place(bytes.len()).await?;
        if delivery.frame.is_message() {
            self.book.record(EventKind::Sent {
                exchange: 0,
                label,
                meant,
                bytes: bytes.clone().into(),
            });
        }
        self.held.extend(bytes);
        if delivery.with_next {
            return Ok(0);
        }
        let whole = std::mem::take(&mut self.held);
        let pieces = self.pieces(&whole, &delivery);
        match delivery.frame {
            FrameKind::Close => self.outbox.feed().end(pieces.concat()),
            _ => self.outbox.feed().push(pieces, place),
        }
        Ok(0)
    }

    /// The frames as they are written; those that are no text are recorded.
    fn pieces(&self, bytes: &[u8], delivery: &Delivery) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        for frame in frames(bytes, delivery) {
            if frame.is_control() || delivery.frame != FrameKind::Text {
                self.book.sent_frame(&frame);
            }
            pieces.push(match delivery.unmasked {
                true => plain(&frame),
                false => masked(frame),
            });
        }
        pieces
    }

    /// Sends another handshake, to an exchange of its own: whatever comes of it is read until it ends, or is
    /// dropped. A body becomes its first message.
    pub(crate) fn call(&mut self, mut call: HttpCall) -> Result<Exchange, SendError> {
        let body = call.body.take();
        let (label, meant) = (call.label.clone(), call.meant);
        let Book::Channel(recorder) = &self.book else {
            return Ok(0);
        };
        let fields =
            fields(&self.protocols).map_err(|error| SendError::Build(error.to_string()))?;
        let upgrading = self.upgrader.begin(call, &fields, recorder)?;
        let log = upgrading.log().clone();
        let exchange = log.exchange();
        let work = {
            let log = log.clone();
            async move {
                let Some(Upgraded { source, sink, read }) = upgrading.carry_out().await else {
                    return;
                };
                let outbox = Outbox::new(sink, false, None);
                if let Some(body) = body
                    && let Some(place) = outbox.feed().place_now(body.len())
                {
                    log.record(EventKind::Sent {
                        exchange,
                        label,
                        meant,
                        bytes: body.clone().into(),
                    });
                    let frames = frames(&body, &Delivery::default()).into_iter();
                    outbox.feed().push(frames.map(masked).collect(), place);
                }
                let reading = Reading::new(Book::Exchange(log), outbox.feed().clone());
                reading.run(source, read).await;
            }
        };
        self.exchanges.spawn(log, work);
        Ok(exchange)
    }

    /// Hangs up a connection of [`Channel::call`].
    pub(crate) fn drop_exchange(&mut self, exchange: Exchange) {
        self.exchanges.drop_one(exchange);
    }

    /// Sends a close frame, after what was sent before.
    pub(crate) async fn close_input(&mut self) {
        if !self.outbox.feed().is_open() {
            return;
        }
        let frame = Frame::close(NORMAL, "");
        self.book.sent_frame(&frame);
        self.outbox.close(masked(frame), self.exit_grace).await;
    }

    /// Whether it is read.
    pub(crate) fn is_usable(&self) -> bool {
        !self.output.is_finished()
    }

    /// Closes it in good order, with little patience, and all connections beside it.
    pub(crate) async fn shutdown(mut self) {
        self.exchanges.drop_all().await;
        self.close_input().await;
        let patience = self.exit_grace.min(CLOSE_PATIENCE);
        if timeout(patience, &mut self.output).await.is_err() {
            self.output.abort();
            // An aborted task ends in an error, as it should.
            drop((&mut self.output).await);
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.output.abort();
    }
}

/// The fields of a handshake (RFC 6455, section 4.1), with a key of its own.
fn fields(protocols: &str) -> Result<[(&'static str, String); 5], OpenError> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| OpenError::Handshake(error.to_string()))?;
    Ok([
        ("connection", "Upgrade".to_owned()),
        ("upgrade", "websocket".to_owned()),
        ("sec-websocket-version", "13".to_owned()),
        ("sec-websocket-key", STANDARD.encode(key)),
        ("sec-websocket-protocol", protocols.to_owned()),
    ])
}
