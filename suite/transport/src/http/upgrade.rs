//! Requests that turn a connection into one of another protocol.

use mcp_verdict_wire::transcript::{Ended, EventKind};
use reqwest::Url;

use super::{
    address,
    fields::{Fields, UserFields},
    raw::{Dialer, Request, Sink, Source},
    response::{self, Body},
    tls,
};
use crate::{
    HttpCall, OpenError, Options, Recorder, SendError, exchanges::Log, recorder::REDACTED,
};

/// Sends such requests to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Upgrader {
    endpoint: Url,
    user: UserFields,
    dialer: Dialer,
}

/// A request that is recorded, and not sent yet.
#[derive(Debug)]
pub(crate) struct Upgrading {
    log: Log,
    request: Request,
    dialer: Dialer,
}

/// A connection after its response with status 101.
pub(crate) struct Upgraded {
    pub(crate) source: Source,
    pub(crate) sink: Sink,
    /// What came behind the response.
    pub(crate) read: Vec<u8>,
}

impl Upgrader {
    /// For the endpoint at `url`, whose scheme is `ws` or `wss`. Nothing is sent.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let http = match url.get(..2) {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => format!("http{}", &url[2..]),
            _ => url.to_owned(),
        };
        let (endpoint, credentials) = address::parse(&http)?;
        let user = UserFields::new(&options.headers, credentials)?;
        let tls = tls::config(options, endpoint.scheme() == "https")?;
        let connect_timeout = options.connect_timeout;
        Ok(Self {
            endpoint,
            user,
            dialer: Dialer {
                tls,
                connect_timeout,
            },
        })
    }

    /// The user's bearer token.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.user.bearer()
    }

    /// Records a request with the fields of a protocol's own, and those that the user and a vector want.
    pub(crate) fn begin(
        &self,
        call: HttpCall,
        own: &[(&str, String)],
        recorder: &Recorder,
    ) -> Result<Upgrading, SendError> {
        let url = match &call.path {
            Some(path) => address::with_path(&self.endpoint, path)?,
            None => self.endpoint.clone(),
        };
        let mut fields = Fields::with(&url, own, &self.user);
        fields.edit(&call.headers);
        fields.deliver(&call.delivery, &url);
        let log = Log::new(recorder);
        let mut headers = fields.recorded();
        if let Some(token) = self.bearer().filter(|token| !token.is_empty()) {
            // It may have been put into another field too.
            let clean = |(_, value): &mut (String, String)| *value = value.replace(token, REDACTED);
            headers.iter_mut().for_each(clean);
        }
        log.record(EventKind::HttpRequest {
            exchange: log.exchange(),
            label: call.label,
            meant: call.meant,
            method: call.method.clone(),
            url: shown(&url),
            headers,
            body: None,
        });
        let request = Request {
            method: call.method,
            url,
            fields,
            body: None,
            delivery: call.delivery,
        };
        let dialer = self.dialer.clone();
        Ok(Upgrading {
            log,
            request,
            dialer,
        })
    }
}

impl Upgrading {
    /// The exchange.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Sends it and records the response. Gives nothing, and ends the exchange, if that does not change the
    /// protocol.
    pub(crate) async fn carry_out(self) -> Option<Upgraded> {
        let Self {
            log,
            request,
            dialer,
        } = self;
        match dialer.upgrade(&request).await {
            Ok((head, body, sink)) if head.status == 101 => {
                log.record(EventKind::HttpResponse {
                    exchange: log.exchange(),
                    status: head.status,
                    version: head.version,
                    headers: head.headers,
                });
                let (source, read) = body.rest().into_parts();
                Some(Upgraded { source, sink, read })
            }
            Ok((head, body, _sink)) => {
                let how = response::read(&log, head, &mut Body::Raw(body), None, None).await;
                log.end(how);
                None
            }
            Err(reason) => {
                log.end(Ended::Broken(reason));
                None
            }
        }
    }
}

/// The URL as the user knows it.
fn shown(url: &Url) -> String {
    let text = url.to_string();
    text.strip_prefix("http")
        .map_or(text.clone(), |rest| format!("ws{rest}"))
}
