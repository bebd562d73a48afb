//! Streamable HTTP over one kept connection of HTTP/1.1.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use mcp_verdict_transport::{Address, RequestHeads};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Captured, Exchanged, Failure,
    response::{self, Body as Response},
};
use crate::request::{Body, Endpoint, ID_AT, patch};

/// A client of one endpoint. Its connection is opened when it is needed.
#[derive(Debug)]
pub(crate) struct Link {
    heads: RequestHeads,
    tls: Option<Arc<rustls::ClientConfig>>,
    connect_timeout: Duration,
    session: BTreeMap<String, String>,
    stream: Option<Stream>,
    /// Requests with their heads, by the number of their body.
    made: Vec<Option<Made>>,
    /// What was read and not used.
    input: Vec<u8>,
    unanswered_requests: u64,
}

/// A whole request.
#[derive(Debug)]
struct Made {
    bytes: Vec<u8>,
    id_at: usize,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        into.reserve(READ_BYTES);
        match self {
            Self::Plain(stream) => stream.read_buf(into).await,
            Self::Tls(stream) => stream.read_buf(into).await,
        }
    }
}

impl Link {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        let unusable =
            |error: mcp_verdict_transport::OpenError| Failure::Connect(error.to_string());
        let Address::StreamableHttp { url } = &endpoint.address else {
            return Err(Failure::Connect("it is not HTTP".to_owned()));
        };
        let options = &endpoint.options;
        let heads = RequestHeads::new(url, options).map_err(unusable)?;
        let tls = heads
            .tls(options.ca_cert.as_deref(), options.insecure)
            .map_err(unusable)?;
        Ok(Self {
            heads,
            tls,
            connect_timeout: options.connect_timeout,
            session: BTreeMap::new(),
            stream: None,
            made: Vec::new(),
            input: Vec::new(),
            unanswered_requests: 0,
        })
    }

    pub(crate) fn set_session(&mut self, fields: Vec<(String, String)>) {
        self.session = fields.into_iter().collect();
        self.made.clear();
    }

    pub(crate) fn unanswered_requests(&self) -> u64 {
        self.unanswered_requests
    }

    pub(crate) async fn request(
        &mut self,
        body: &Body,
        id: u64,
        mut captured: Option<&mut Captured>,
    ) -> Result<Exchanged, Failure> {
        let mut made = self.take_made(body);
        patch(&mut made.bytes, made.id_at, id);
        let sent = self.send(&made.bytes).await;
        self.made[body.number()] = Some(made);
        let mut stream = sent?;
        let head = self.head(&mut stream, captured.as_deref_mut()).await?;
        let response = Response::new(head, Some(id), captured);
        self.body(stream, response, head.close).await
    }

    pub(crate) async fn notify(&mut self, body: &Body) -> Result<(), Failure> {
        let made = self.take_made(body);
        let mut stream = self.send(&made.bytes).await?;
        let head = self.head(&mut stream, None).await?;
        let response = Response::new(head, None, None);
        // Nothing answers a notification but its status.
        let outcome = self.body(stream, response, head.close).await;
        match outcome {
            Ok(_) | Err(Failure::NoAnswer | Failure::ContentType) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Ends the session, where there is one to end. A server may refuse.
    pub(crate) async fn close(mut self) {
        if !self.session.contains_key("mcp-session-id") {
            return;
        }
        let edits = BTreeMap::new();
        let request = self.heads.request("DELETE", &self.session, &edits, None);
        let ended = async {
            let mut stream = self.send(&request).await?;
            self.head(&mut stream, None).await
        };
        // Whatever becomes of it, there is nothing left to do.
        drop(timeout(CLOSE_PATIENCE, ended).await);
    }

    /// The bytes of this request. What is taken is put back after it was sent.
    fn take_made(&mut self, body: &Body) -> Made {
        if self.made.len() <= body.number() {
            self.made.resize_with(body.number() + 1, || None);
        }
        self.made[body.number()].take().unwrap_or_else(|| {
            let edits = body.headers().iter();
            let edits = edits.map(|(name, value)| (name.clone(), Some(value.clone())));
            let bytes = body.bytes();
            let request = self
                .heads
                .request("POST", &self.session, &edits.collect(), Some(bytes));
            Made {
                id_at: request.len() - bytes.len() + ID_AT,
                bytes: request,
            }
        })
    }

    /// Writes a request. The stream is taken: only a response read to its end puts it back.
    async fn send(&mut self, request: &[u8]) -> Result<Stream, Failure> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        stream.write_all(request).await.map_err(|_| Failure::Lost)?;
        Ok(stream)
    }

    async fn connect(&mut self) -> Result<Stream, Failure> {
        self.input.clear();
        let refused = |error: io::Error| Failure::Connect(error.to_string());
        let connecting = async {
            let address = (self.heads.host(), self.heads.port());
            let stream = TcpStream::connect(address).await.map_err(refused)?;
            stream.set_nodelay(true).map_err(refused)?;
            let Some(config) = &self.tls else {
                return Ok(Stream::Plain(stream));
            };
            let name = ServerName::try_from(self.heads.host().to_owned())
                .map_err(|error| Failure::Connect(error.to_string()))?;
            let connector = TlsConnector::from(config.clone());
            let stream = connector.connect(name, stream).await.map_err(refused)?;
            Ok(Stream::Tls(Box::new(stream)))
        };
        timeout(self.connect_timeout, connecting)
            .await
            .unwrap_or_else(|_| Err(Failure::Connect("no answer in time".to_owned())))
    }

    async fn head(
        &mut self,
        stream: &mut Stream,
        mut captured: Option<&mut Captured>,
    ) -> Result<response::Head, Failure> {
        loop {
            if !self.input.is_empty()
                && let Some((head, length)) = response::head(&self.input, captured.as_deref_mut())?
            {
                self.input.drain(..length);
                // What comes before the response itself says nothing here.
                if head.status >= 200 {
                    return Ok(head);
                }
                continue;
            }
            if more(stream, &mut self.input).await? == 0 {
                return Err(Failure::Lost);
            }
        }
    }

    async fn body(
        &mut self,
        mut stream: Stream,
        mut response: Response<'_>,
        close: bool,
    ) -> Result<Exchanged, Failure> {
        let mut received = 0;
        let mut left_open = false;
        loop {
            let used = response.push(&self.input)?;
            received += used;
            // Most often that is all there was.
            self.input.drain(..used);
            if response.is_over() {
                break;
            }
            let read = more(&mut stream, &mut self.input);
            let count = match response.is_answered() {
                // A server ends its stream after the answer; one that does not costs a connection.
                true => timeout(STREAM_END_PATIENCE, read).await.ok(),
                false => Some(read.await),
            };
            match count {
                None => left_open = true,
                Some(Ok(0)) if response.ends_with_connection() || response.is_answered() => {
                    response.closed();
                    left_open = true;
                }
                Some(Ok(0)) => return Err(Failure::Lost),
                Some(outcome) => {
                    outcome?;
                }
            }
            if left_open {
                break;
            }
        }
        if !close && !left_open {
            self.stream = Some(stream);
        }
        let (outcome, requests) = response.finish(received);
        self.unanswered_requests += requests;
        outcome
    }
}

async fn more(stream: &mut Stream, into: &mut Vec<u8>) -> Result<usize, Failure> {
    stream.read(into).await.map_err(|_| Failure::Lost)
}

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// How long the end of a stream may come after the answer in it.
const STREAM_END_PATIENCE: Duration = Duration::from_millis(100);

/// How long the end of a session is waited for.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
