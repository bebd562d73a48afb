//! A server that does nothing: it answers every request with an empty result as soon as it is there. What the load
//! generator reaches against it is what the load generator can do.

use std::io::{self, BufRead, Write};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::request::{ID_AT, ID_MIN};

/// The null server of HTTP, on the loopback, on a thread of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct NullHttp {
    url: String,
    _stop: oneshot::Sender<()>,
}

impl NullHttp {
    /// Starts it at a free port.
    ///
    /// # Errors
    /// When the system gives no port or no thread.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}/mcp", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("null server".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        // Its sender was dropped.
                        _ = stopped => {}
                        () = listen(listener) => {}
                    }
                });
            })?;
        Ok(Self { url, _stop: stop })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn listen(listener: std::net::TcpListener) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        // Nothing follows from a client that goes.
        tokio::spawn(async move { serve(stream).await.unwrap_or_default() });
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::with_capacity(BUFFER_BYTES);
    let mut output = Vec::with_capacity(BUFFER_BYTES);
    loop {
        while let Some((head, length)) = whole(&input) {
            output.clear();
            answer_http(&input[head..length], &mut output);
            input.drain(..length);
            stream.write_all(&output).await?;
        }
        if input.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

/// Where the body of the first request begins and ends, if all of it is there.
fn whole(input: &[u8]) -> Option<(usize, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = request.parse(input).ok()? else {
        return None;
    };
    let length = request
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| std::str::from_utf8(field.value).ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    let end = head.checked_add(length)?;
    (input.len() >= end).then_some((head, end))
}

fn answer_http(body: &[u8], output: &mut Vec<u8>) {
    let Some(id) = id(body) else {
        output.extend_from_slice(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
        return;
    };
    let length = BEFORE_ID.len() + id.len() + AFTER_ID.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    for part in [head.as_bytes(), BEFORE_ID, id, AFTER_ID] {
        output.extend_from_slice(part);
    }
}

/// Serves standard streams until the input ends.
///
/// # Errors
/// When a stream fails.
pub fn serve_lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    let mut answer = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if let Some(id) = id(&line) {
            answer.clear();
            for part in [BEFORE_ID, id, AFTER_ID, b"\n"] {
                answer.extend_from_slice(part);
            }
            output.write_all(&answer)?;
            output.flush()?;
        }
    }
}

/// The id of a request of ours; `None` for a notification.
fn id(message: &[u8]) -> Option<&[u8]> {
    let digits = ID_MIN.to_string().len();
    let begin = &message.get(..ID_AT)?[ID_AT - BEFORE.len()..];
    (begin == BEFORE).then(|| message.get(ID_AT..ID_AT + digits))?
}

const BEFORE: &[u8] = b"\"id\":";
const BEFORE_ID: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":";
const AFTER_ID: &[u8] = b",\"result\":{\"resultType\":\"complete\"}}";

const BUFFER_BYTES: usize = 16 * 1024;

/// Larger requests than a benchmark sends are none.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use mcp_verdict_wire::Revision;

    use super::*;
    use crate::{
        request::Body,
        scan::{Said, Scanned, scan},
    };

    #[test]
    fn a_request_is_answered_under_its_id_and_a_notification_not_at_all() {
        let revision = Revision::V2025_11_25;
        let mut input = Body::opening(revision, 0).with_id(123_456_789);
        input.push(b'\n');
        let notification = Body::notification(revision, 1, "notifications/initialized");
        input.extend_from_slice(notification.bytes());
        input.push(b'\n');
        let mut output = Vec::new();
        serve_lines(input.as_slice(), &mut output).expect("memory");
        let answer = Scanned::Answer {
            id: 123_456_789,
            said: Said::Result,
        };
        assert_eq!(scan(&output), answer);
    }
}
