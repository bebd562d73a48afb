//! One HTTP/1.1 exchange on a connection of its own, with a request that is written as it stands: for
//! what a well-behaved client would mend or refuse to send.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::Url;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use mcp_verdict_wire::{Delivery, NetworkFault, NetworkFaultKind};

use super::{address, chunked::Decoder, fields::Fields, response::Head};

/// Longest head of a response: what the other client takes too.
const HEAD_BYTES_MAX: usize = 400 * 1024;

/// Most fields of a head.
const FIELDS_MAX: usize = 100;

/// Most responses with a status of 1xx before the final one.
const INTERIM_MAX: usize = 16;

/// Chunks of a body that comes in chunks.
const CHUNKS: usize = 3;

/// How far apart the pieces of a message are written: far enough that the other side reads each alone.
const PIECE_PAUSE: Duration = Duration::from_millis(3);

/// Bytes read at once.
const PIECE_BYTES: usize = 16 * 1024;

/// Opens connections.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) connect_timeout: Duration,
}

/// A request as it is written.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) fields: Fields,
    pub(super) body: Option<Vec<u8>>,
    pub(super) delivery: Delivery,
}

/// What is read of a connection.
pub(crate) type Source = ReadHalf<Box<dyn Stream>>;

/// What is written to a connection.
pub(crate) type Sink = WriteHalf<Box<dyn Stream>>;

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Stream for T {}

/// A connection on which a response is due.
#[derive(Debug)]
pub(super) struct Line {
    source: Source,
    /// Read, and not yet looked at.
    buffered: Vec<u8>,
    /// The request may still be on its way.
    _writing: Option<Writing>,
}

/// A response's body as it comes.
pub(super) struct Body {
    line: Line,
    framing: Framing,
}

/// The task that writes the request, which ends with the exchange.
#[derive(Debug)]
struct Writing(AbortHandle);

#[derive(Debug)]
enum Framing {
    Chunked(Decoder),
    Length { left: u64 },
    UntilClose,
}

impl Dialer {
    /// Sends the request, and with it the next one, if there is one; gives the response's head as soon as it
    /// is there. The response to the next one is on [`Body::rest`].
    pub(super) async fn exchange(
        &self,
        request: Request,
        next: Option<Request>,
    ) -> Result<(Head, Body), String> {
        let network = request.delivery.network;
        let reset = network.is_some_and(|network| network.fault.resets());
        let connecting = timeout(self.connect_timeout, self.connect(&request.url, reset));
        let stream = match connecting.await {
            Ok(connected) => connected?,
            Err(_) => {
                let ms = self.connect_timeout.as_millis();
                return Err(format!("connect: timed out after {ms} ms"));
            }
        };
        let (source, mut sink) = tokio::io::split(stream);
        let mut bytes = encode(&request);
        bytes.extend(next.iter().flat_map(encode));
        let delivery = request.delivery;
        // A server may answer before it has read everything, or close without reading on.
        let writing = Writing(
            tokio::spawn(async move {
                if let Err(error) = async {
                    for (index, piece) in delivery.cut(&bytes).enumerate() {
                        if index > 0 {
                            tokio::time::sleep(PIECE_PAUSE).await;
                        }
                        sink.write_all(piece).await?;
                        sink.flush().await?;
                    }
                    Ok::<_, std::io::Error>(())
                }
                .await
                {
                    tracing::debug!(%error, "write the request");
                }
                // Dropping this half closes nothing: the other one holds the connection.
                drop(sink);
            })
            .abort_handle(),
        );
        let line = Line {
            source,
            buffered: Vec::new(),
            _writing: Some(writing),
        };
        line.response(&request.method).await
    }

    /// Sends as much of a request as the network lets through, and loses the connection. One that stalls stays until
    /// the exchange is dropped.
    pub(super) async fn lose(&self, request: &Request, fault: NetworkFault) -> Result<(), String> {
        let connecting = self.connect(&request.url, fault.fault.resets());
        let Ok(connected) = timeout(self.connect_timeout, connecting).await else {
            let ms = self.connect_timeout.as_millis();
            return Err(format!("connect: timed out after {ms} ms"));
        };
        let mut stream = connected?;
        let mut bytes = encode(request);
        let body = request.body.as_ref().map_or(0, Vec::len);
        let through = fault
            .after_bytes
            .map_or(body, |most| body.min(most as usize));
        bytes.truncate(bytes.len() - (body - through));
        let written = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        let failed = |error| format!("write the request: {error}");
        written.await.map_err(failed)?;
        if fault.fault == NetworkFaultKind::StallRequest {
            return std::future::pending().await;
        }
        Ok(())
    }

    /// Sends a request that asks for another protocol; gives the response's head, its body, and what is written
    /// to once the protocol has changed.
    pub(super) async fn upgrade(&self, request: &Request) -> Result<(Head, Body, Sink), String> {
        let connecting = timeout(self.connect_timeout, self.connect(&request.url, false));
        let Ok(connected) = connecting.await else {
            let ms = self.connect_timeout.as_millis();
            return Err(format!("connect: timed out after {ms} ms"));
        };
        let (source, mut sink) = tokio::io::split(connected?);
        let written = async {
            sink.write_all(&encode(request)).await?;
            sink.flush().await
        };
        written
            .await
            .map_err(|error| format!("write the request: {error}"))?;
        let line = Line {
            source,
            buffered: Vec::new(),
            _writing: None,
        };
        let (head, body) = line.response(&request.method).await?;
        Ok((head, body, sink))
    }

    /// A connection, whose end is a reset where that is asked for.
    async fn connect(&self, url: &Url, reset: bool) -> Result<Box<dyn Stream>, String> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().unwrap_or(80);
        let failed = |error: std::io::Error| format!("connect to {host}:{port}: {error}");
        let tcp = TcpStream::connect((host, port)).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        if reset {
            tcp.set_zero_linger().map_err(failed)?;
        }
        if url.scheme() != "https" {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let tls = TlsConnector::from(self.tls.clone())
            .connect(name, tcp)
            .await;
        Ok(Box::new(
            tls.map_err(|error| format!("TLS handshake: {error}"))?,
        ))
    }
}

impl Line {
    /// Reads the head of the response to a request of this method.
    pub(super) async fn response(mut self, method: &str) -> Result<(Head, Body), String> {
        let mut interim = 0;
        let head = loop {
            let (head, length) = read_head(&mut self.source, &mut self.buffered).await?;
            self.buffered.drain(..length);
            if head.status / 100 != 1 || head.status == 101 {
                break head;
            }
            interim += 1;
            if interim > INTERIM_MAX {
                return Err("too many interim responses".to_owned());
            }
        };
        let framing = framing(method, &head)?;
        let line = self;
        Ok((head, Body { line, framing }))
    }
}

impl Line {
    /// The connection, and what was read of it already.
    pub(super) fn into_parts(self) -> (Source, Vec<u8>) {
        (self.source, self.buffered)
    }
}

impl Body {
    /// The connection, after a body that has been read to its end.
    pub(super) fn rest(self) -> Line {
        let Self { mut line, framing } = self;
        if let Framing::Chunked(decoder) = framing {
            line.buffered.splice(..0, decoder.into_surplus());
        }
        line
    }

    /// The next piece of the content; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            match &self.framing {
                Framing::Length { left: 0 } => return Ok(None),
                Framing::Chunked(decoder) if decoder.is_done() => return Ok(None),
                _ => {}
            }
            let line = &mut self.line;
            if line.buffered.is_empty() && !read_more(&mut line.source, &mut line.buffered).await? {
                return match self.framing {
                    Framing::UntilClose => Ok(None),
                    _ => Err("the connection closed within the body".to_owned()),
                };
            }
            let mut piece = std::mem::take(&mut line.buffered);
            match &mut self.framing {
                Framing::UntilClose => return Ok(Some(piece)),
                Framing::Length { left } => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX);
                    if length < piece.len() {
                        line.buffered = piece.split_off(length);
                    }
                    *left -= piece.len() as u64;
                    return Ok(Some(piece));
                }
                Framing::Chunked(decoder) => {
                    let content = decoder.push(&piece)?;
                    if !content.is_empty() {
                        return Ok(Some(content));
                    }
                }
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn encode(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    let target = match request.delivery.absolute_form {
        true => request.url.to_string(),
        false => address::target(&request.url),
    };
    bytes.extend_from_slice(format!("{} {target} HTTP/1.1\r\n", request.method).as_bytes());
    for field in request.fields.iter() {
        bytes.extend_from_slice(format!("{}: {}\r\n", field.name, field.value).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    let body = request.body.as_deref().unwrap_or_default();
    match request.delivery.chunked {
        true => encode_chunks(body, &mut bytes),
        false => bytes.extend_from_slice(body),
    }
    bytes
}

/// A body in chunks (RFC 9112, section 7.1), several even where it is short.
fn encode_chunks(body: &[u8], bytes: &mut Vec<u8>) {
    for chunk in body.chunks(body.len().div_ceil(CHUNKS).max(1)) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
}

/// Reads until `buffered` begins with a whole head; gives it and its length.
async fn read_head(
    source: &mut (impl AsyncRead + Unpin),
    buffered: &mut Vec<u8>,
) -> Result<(Head, usize), String> {
    let mut looked = 0;
    loop {
        // Parsed only when its end may have come, so that a slow head costs no more than a fast one.
        let from = looked.min(buffered.len()).saturating_sub(3);
        if buffered[from..]
            .windows(2)
            .any(|pair| pair == b"\n\n" || pair == b"\n\r")
            && let Some(parsed) = parse_head(buffered)?
        {
            return Ok(parsed);
        }
        looked = buffered.len();
        if buffered.len() > HEAD_BYTES_MAX {
            return Err(format!(
                "the response's head is longer than {HEAD_BYTES_MAX} bytes"
            ));
        }
        if !read_more(source, buffered).await? {
            return Err(match buffered.is_empty() {
                true => "connection closed before a response".to_owned(),
                false => "connection closed within the response's head".to_owned(),
            });
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("the response's head is not HTTP: {error}")),
    };
    let field = |field: &httparse::Header<'_>| {
        let value = String::from_utf8_lossy(field.value).into_owned();
        (field.name.to_ascii_lowercase(), value)
    };
    let head = Head {
        status: response.code.unwrap_or_default(),
        version: format!("HTTP/1.{}", response.version.unwrap_or(1)),
        headers: response.headers.iter().map(field).collect(),
    };
    Ok(Some((head, length)))
}

/// How the body's end is found (RFC 9112, section 6.3).
fn framing(method: &str, head: &Head) -> Result<Framing, String> {
    if method == "HEAD" || head.status / 100 == 1 || matches!(head.status, 204 | 304) {
        return Ok(Framing::Length { left: 0 });
    }
    if let Some(coding) = head.header("transfer-encoding") {
        let last = coding.rsplit(',').next().unwrap_or_default().trim();
        return Ok(match last.eq_ignore_ascii_case("chunked") {
            true => Framing::Chunked(Decoder::new()),
            false => Framing::UntilClose,
        });
    }
    match head.header("content-length") {
        Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => length
            .parse()
            .map(|left| Framing::Length { left })
            .map_err(|_| format!("the content length `{length}` is none")),
        Some(length) => Err(format!("the content length `{length}` is none")),
        None => Ok(Framing::UntilClose),
    }
}

/// Appends what comes next; whether anything came.
async fn read_more(
    source: &mut (impl AsyncRead + Unpin),
    buffered: &mut Vec<u8>,
) -> Result<bool, String> {
    buffered.reserve(PIECE_BYTES);
    let read = source.take(PIECE_BYTES as u64).read_buf(buffered).await;
    read.map(|count| count > 0)
        .map_err(|error| format!("read: {error}"))
}
