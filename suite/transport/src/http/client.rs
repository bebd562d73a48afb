//! The client of one HTTP connection in the sense of the suite: an endpoint, session headers, and the
//! exchanges under way.

use std::{collections::BTreeMap, time::Duration};

use mcp_verdict_wire::{
    NetworkFault,
    transcript::{Ended, EventKind, Exchange},
};
use reqwest::Url;
use tokio::{sync::oneshot, time::timeout};

use super::{
    address,
    event_stream::EndpointSender,
    fields::{Fields, UserFields},
    raw::{Dialer, Line, Request},
    response::{self, Body, Head},
    tls,
};
use crate::{
    HttpCall, OpenError, Options, Outgoing, Recorder, SendError,
    exchanges::{Exchanges, Log},
};

/// How long an idle connection is used again. Many servers close theirs after 5 s; a request that
/// crosses with that looks like a broken server.
const IDLE_REUSE_MAX: Duration = Duration::from_secs(2);

/// What is said, by the library and by us, of a response whose head is more than is read.
const TOO_LARGE: [&str; 3] = [
    "head is too large",
    "head is longer than",
    "too many headers",
];

/// Sends requests; what comes back is recorded in the background.
#[derive(Debug)]
pub(crate) struct Client {
    recorder: Recorder,
    /// Where messages go.
    endpoint: Url,
    /// The event stream of HTTP+SSE.
    stream: Option<EventStream>,
    session: BTreeMap<String, String>,
    user: UserFields,
    clients: Clients,
    dialer: Dialer,
    exchanges: Exchanges,
    /// The exchange whose request is held back for the next one.
    held: Option<Held>,
}

/// What a request that is held back waits for, and what it passes on.
#[derive(Debug)]
struct Held {
    next: oneshot::Sender<Request>,
    line: oneshot::Receiver<Line>,
}

/// Those that send what a well-behaved client can send.
#[derive(Clone, Debug)]
struct Clients {
    /// Uses connections again.
    pooled: reqwest::Client,
    /// Opens one for every request.
    fresh: reqwest::Client,
}

/// The stream on which an HTTP+SSE server answers.
#[derive(Debug)]
struct EventStream {
    url: Url,
    exchange: Exchange,
}

/// A request before its fields are known.
struct Draft {
    method: String,
    url: Url,
    call: HttpCall,
    is_message: bool,
}

impl Client {
    /// A client for the endpoint `url`. Nothing is sent.
    pub(crate) fn new(url: &str, options: &Options, recorder: Recorder) -> Result<Self, OpenError> {
        let (endpoint, credentials) = address::parse(url)?;
        let user = UserFields::new(&options.headers, credentials)?;
        let tls = tls::config(options, endpoint.scheme() == "https")?;
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured((*tls).clone())
                .http1_only()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .connect_timeout(options.connect_timeout)
                .pool_idle_timeout(IDLE_REUSE_MAX)
        };
        let unbuilt = |error| OpenError::Tls(response::reason(&error));
        let clients = Clients {
            pooled: builder().build().map_err(unbuilt)?,
            fresh: builder()
                .pool_max_idle_per_host(0)
                .build()
                .map_err(unbuilt)?,
        };
        Ok(Self {
            recorder,
            endpoint,
            stream: None,
            session: BTreeMap::new(),
            user,
            clients,
            dialer: Dialer {
                tls,
                connect_timeout: options.connect_timeout,
            },
            exchanges: Exchanges::default(),
            held: None,
        })
    }

    /// Opens the event stream of an HTTP+SSE server and waits for its endpoint.
    pub(crate) async fn open_stream(&mut self, patience: Duration) -> Result<(), OpenError> {
        let url = self.endpoint.clone();
        let (sender, endpoint) = oneshot::channel();
        let draft = Draft {
            method: "GET".to_owned(),
            url: url.clone(),
            call: HttpCall::default(),
            is_message: false,
        };
        let exchange = self.begin(draft, Some(sender));
        let why = match timeout(patience, endpoint).await {
            Ok(Ok(reference)) => match address::endpoint(&url, &reference) {
                Ok(endpoint) => {
                    self.endpoint = endpoint;
                    self.stream = Some(EventStream { url, exchange });
                    return Ok(());
                }
                Err(why) => why,
            },
            Ok(Err(_)) => self.why_no_endpoint(exchange),
            Err(_) => format!(
                "no `endpoint` event came within {} ms",
                patience.as_millis()
            ),
        };
        self.exchanges.drop_all().await;
        Err(OpenError::Stream(why))
    }

    /// The endpoint that the event stream named.
    pub(crate) fn named_endpoint(&self) -> Option<String> {
        self.stream.as_ref().map(|_| self.endpoint.to_string())
    }

    /// Whether messages that answer can still come.
    pub(crate) fn is_usable(&self) -> bool {
        self.stream
            .as_ref()
            .is_none_or(|stream| self.exchanges.is_open(stream.exchange))
    }

    /// Sets or removes a header of every later request.
    pub(crate) fn set_header(&mut self, name: &str, value: Option<String>) {
        let name = name.to_ascii_lowercase();
        match value {
            Some(value) => drop(self.session.insert(name, value)),
            None => drop(self.session.remove(&name)),
        }
    }

    /// Posts a message.
    pub(crate) fn send(&mut self, outgoing: Outgoing) -> Exchange {
        let draft = Draft {
            method: "POST".to_owned(),
            url: self.endpoint.clone(),
            call: HttpCall {
                headers: outgoing.headers,
                body: Some(outgoing.bytes),
                label: outgoing.label,
                meant: outgoing.meant,
                delivery: outgoing.delivery,
                ..HttpCall::default()
            },
            is_message: true,
        };
        self.begin(draft, None)
    }

    /// Sends a request of any kind.
    pub(crate) fn call(&mut self, mut call: HttpCall) -> Result<Exchange, SendError> {
        let base = match &self.stream {
            Some(stream) if call.method != "POST" => &stream.url,
            _ => &self.endpoint,
        };
        let url = match &call.path {
            Some(path) => address::with_path(base, path)?,
            None => base.clone(),
        };
        // What is posted to the endpoint is, or stands in place of, a message.
        let is_message = call.method == "POST" && call.body.is_some() && url == self.endpoint;
        let method = std::mem::take(&mut call.method);
        Ok(self.begin(
            Draft {
                method,
                url,
                call,
                is_message,
            },
            None,
        ))
    }

    /// Ends an exchange that is still open.
    pub(crate) fn drop_exchange(&mut self, exchange: Exchange) {
        self.exchanges.drop_one(exchange);
    }

    /// Ends everything.
    pub(crate) async fn shutdown(mut self) {
        self.exchanges.drop_all().await;
    }

    /// Records the request, and lets it go on its way.
    fn begin(&mut self, draft: Draft, endpoint: Option<EndpointSender>) -> Exchange {
        let Draft {
            method,
            url,
            call,
            is_message,
        } = draft;
        let HttpCall {
            headers,
            body,
            label,
            meant,
            delivery,
            ..
        } = call;
        let mut fields =
            Fields::defaults(&method, &url, body.as_deref(), &self.session, &self.user);
        fields.edit(&headers);
        fields.deliver(&delivery, &url);
        let well_behaved = match delivery.needs_plain_socket() || self.held.is_some() {
            true => None,
            false => fields.well_behaved(&method, body.as_deref()),
        };
        if well_behaved.is_none() && !delivery.with_next {
            // The connection serves this exchange last.
            if fields.value("connection").is_none() {
                fields.set("connection", "close".to_owned());
            }
        }
        let network = delivery.network;
        let log = Log::new(&self.recorder);
        let exchange = log.exchange();
        log.record(EventKind::HttpRequest {
            exchange,
            label: label.clone(),
            meant,
            method: method.clone(),
            url: url.to_string(),
            headers: fields.recorded(),
            body: body.clone().filter(|_| !is_message).map(Into::into),
        });
        if let Some(body) = body.clone().filter(|_| is_message) {
            log.record(EventKind::Sent {
                exchange,
                label,
                meant,
                bytes: body.into(),
            });
        }
        let work = match well_behaved {
            Some((method, headers)) => {
                let mut request = reqwest::Request::new(method, url);
                *request.headers_mut() = headers;
                *request.body_mut() = body.map(Into::into);
                Work::Pooled(self.clients.clone(), Box::new(request))
            }
            None => self.raw(Request {
                method,
                url,
                fields,
                body,
                delivery,
            }),
        };
        self.exchanges
            .spawn(log.clone(), work.carry_out(log, endpoint, network));
        exchange
    }

    /// What becomes of a request that is written as it stands.
    fn raw(&mut self, request: Request) -> Work {
        if request.delivery.with_next {
            let (next, awaited) = oneshot::channel();
            let (line, passed_on) = oneshot::channel();
            self.held = Some(Held {
                next,
                line: passed_on,
            });
            return Work::Held(
                self.dialer.clone(),
                Box::new(request),
                Box::new((awaited, line)),
            );
        }
        match self.held.take() {
            None => Work::Raw(self.dialer.clone(), Box::new(request)),
            Some(held) => {
                let method = request.method.clone();
                // The exchange that waits for it may have been dropped; then this one fails with it.
                drop(held.next.send(request));
                Work::Following(method, held.line)
            }
        }
    }

    fn why_no_endpoint(&self, exchange: Exchange) -> String {
        self.recorder.look(|events| {
            events
                .iter()
                .rev()
                .find_map(|event| match &event.kind {
                    EventKind::HttpResponse {
                        exchange: of,
                        status,
                        headers,
                        ..
                    } if *of == exchange => {
                        let content_type = headers
                            .iter()
                            .find(|(name, _)| name == "content-type")
                            .map_or("no content type", |(_, value)| value.as_str());
                        Some(format!(
                            "it ended without an `endpoint` event (HTTP {status}, {content_type})"
                        ))
                    }
                    EventKind::HttpEnd {
                        exchange: of,
                        how: Ended::Broken(why),
                    } if *of == exchange => Some(why.clone()),
                    _ => None,
                })
                .unwrap_or_else(|| "it ended without an `endpoint` event".to_owned())
        })
    }
}

impl Clients {
    /// Sends the request; once more, on a connection of its own, if the one it was sent on broke without a
    /// response. A server may close an idle connection whenever it likes, and what crosses with that is lost
    /// (RFC 9112, section 9.3.1); one that hangs up on this very request does so again.
    async fn execute(&self, request: reqwest::Request) -> reqwest::Result<reqwest::Response> {
        let again = request.try_clone();
        match (self.pooled.execute(request).await, again) {
            (Err(error), Some(again)) if !error.is_connect() => {
                tracing::debug!(%error, "send the request again on a connection of its own");
                // Why the second try fails may be a consequence of the first.
                self.fresh.execute(again).await.or(Err(error))
            }
            (result, _) => result,
        }
    }
}

/// An exchange to carry out.
enum Work {
    /// The response comes on the connection of the exchange before it.
    Following(String, oneshot::Receiver<Line>),
    /// The request waits for the next one, and passes its connection on.
    Held(
        Dialer,
        Box<Request>,
        Box<(oneshot::Receiver<Request>, oneshot::Sender<Line>)>,
    ),
    Pooled(Clients, Box<reqwest::Request>),
    Raw(Dialer, Box<Request>),
}

impl Work {
    async fn carry_out(
        self,
        log: Log,
        endpoint: Option<EndpointSender>,
        network: Option<NetworkFault>,
    ) {
        let mut pass_on = None;
        let raw = |(head, body)| (head, Body::Raw(body));
        let lost = network.filter(|network| network.fault.is_of_request());
        let response = match self {
            Self::Following(method, line) => match line.await {
                Ok(line) => line.response(&method).await.map(raw),
                Err(_) => Err("the connection ended with the response before".to_owned()),
            },
            Self::Held(dialer, request, ends) => {
                let (next, line) = *ends;
                pass_on = Some(line);
                match next.await {
                    Ok(next) => dialer.exchange(*request, Some(next)).await.map(raw),
                    Err(_) => Err("no request followed".to_owned()),
                }
            }
            Self::Pooled(clients, request) => match clients.execute(*request).await {
                Ok(response) => Ok((Head::of(&response), Body::Pooled(response))),
                Err(error) => Err(response::reason(&error.without_url())),
            },
            Self::Raw(dialer, request) if let Some(fault) = lost => {
                match dialer.lose(&request, fault).await {
                    Ok(()) => return log.end(Ended::Dropped),
                    Err(reason) => Err(reason),
                }
            }
            Self::Raw(dialer, request) => dialer.exchange(*request, None).await.map(raw),
        };
        match response {
            Ok((head, mut body)) => {
                let how = response::read(&log, head, &mut body, endpoint, network).await;
                if network.is_some() {
                    // Whoever sees the end may come back at once, and the target must have seen it before.
                    drop(body);
                    return log.end(how);
                }
                log.end(how);
                if let (Some(pass_on), Body::Raw(body)) = (pass_on, body) {
                    // Who waits for it may have been dropped.
                    drop(pass_on.send(body.rest()));
                }
            }
            Err(reason) => {
                if TOO_LARGE.iter().any(|words| reason.contains(words)) {
                    let exchange = log.exchange();
                    let limit = "the head of a response is longer than is read".to_owned();
                    log.record(EventKind::LimitExceeded { exchange, limit });
                }
                log.end(Ended::Broken(reason));
            }
        }
    }
}
