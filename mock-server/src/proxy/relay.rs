//! One connection through the proxy: bytes from the client to the server and back.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::sleep,
};

use super::{
    Shared,
    fault::{Ending, Seed},
    framing::{self, Framing, Reading, ResponseHead},
    passage::{Act, Passage, Plan, Scan},
    upstream::{Dialect, Stream},
};
use mcp_verdict_wire::sse::Borders;

/// Longest head that is read; a longer one, and all after it, passes as it comes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Bytes read at once.
const PIECE_BYTES: usize = 16 * 1024;

/// Requests of one connection that wait for their responses; further ones wait to be read.
const PIPELINED_MAX: usize = 64;

/// How long a connection lives without a byte after its client has closed its side.
const CLOSED_IDLE_MAX: Duration = Duration::from_secs(30);

/// What a response answers.
#[derive(Debug, Default)]
struct Asked {
    method: String,
    path: String,
}

/// Serves one client until one side is done.
pub(super) async fn serve(mut client: TcpStream, shared: Arc<Shared>) {
    let mut server = match shared.upstream.connect().await {
        Ok(server) => server,
        Err(why) => {
            tracing::debug!(%why, "connect to the server");
            if shared.upstream.dialect == Dialect::Http {
                refuse(&mut client, &why).await;
            }
            return;
        }
    };
    let ending = both_ways(&mut client, &mut server, &shared).await;
    if ending == Ending::Reset {
        // The sockets close when they are dropped, and then without a word.
        let reset = |socket: &TcpStream| {
            if let Err(error) = socket.set_zero_linger() {
                tracing::debug!(%error, "reset a connection");
            }
        };
        reset(&client);
        reset(server.socket());
    }
}

async fn refuse(client: &mut TcpStream, why: &str) {
    let body = format!("mcp-verdict: the proxy cannot reach the server: {why}\n");
    let head = format!(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // What was asked has to be read, or the answer is lost with the reset that closing would be.
    let mut asked = [0; PIECE_BYTES];
    let answer = async {
        let _some = client.read(&mut asked).await?;
        client.write_all((head + &body).as_bytes()).await?;
        client.shutdown().await
    };
    if let Err(error) = answer.await {
        tracing::debug!(%error, "refuse a client");
    }
}

async fn both_ways(client: &mut TcpStream, server: &mut Stream, shared: &Shared) -> Ending {
    let (client_in, client_out) = client.split();
    let (server_in, server_out) = tokio::io::split(server);
    let (asked, answered) = mpsc::channel(PIPELINED_MAX);
    let passed = AtomicU64::new(0);
    let there = Asking {
        shared,
        source: client_in,
        sink: server_out,
        asked,
    };
    let back = Answering {
        shared,
        source: server_in,
        sink: client_out,
        asked: answered,
        passed: &passed,
        buffered: Vec::new(),
    };
    let back = back.run();
    tokio::pin!(back);
    tokio::select! {
        ending = &mut back => return ending.unwrap_or(Ending::Close),
        gone = there.run() => if let Err(error) = gone {
            tracing::debug!(%error, "read from a client");
            return Ending::Reset;
        },
    }
    // The client says no more, and may still listen.
    loop {
        let before = passed.load(Ordering::Relaxed);
        tokio::select! {
            ending = &mut back => return ending.unwrap_or(Ending::Close),
            () = sleep(CLOSED_IDLE_MAX) => if passed.load(Ordering::Relaxed) == before {
                return Ending::Close;
            },
        }
    }
}

/// From the client to the server.
struct Asking<'p, R, W> {
    shared: &'p Shared,
    source: R,
    sink: W,
    asked: mpsc::Sender<Asked>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Asking<'_, R, W> {
    /// Until the client closes its side, which closes ours.
    async fn run(mut self) -> io::Result<()> {
        let mut buffered = Vec::new();
        if self.shared.upstream.dialect == Dialect::Http {
            while self.request(&mut buffered).await? {}
        }
        self.sink.write_all(&buffered).await?;
        self.sink.flush().await?;
        tokio::io::copy(&mut self.source, &mut self.sink).await?;
        self.sink.shutdown().await
    }

    /// Passes one request on; whether another may follow.
    async fn request(&mut self, buffered: &mut Vec<u8>) -> io::Result<bool> {
        let (head, length) = loop {
            match framing::request(buffered) {
                Reading::Head(head, length) => break (head, length),
                Reading::Partial if buffered.len() < HEAD_BYTES_MAX => {
                    if !read_more(&mut self.source, buffered).await? {
                        return Ok(false);
                    }
                }
                Reading::Partial | Reading::Unreadable => return Ok(false),
            }
        };
        let upstream = &self.shared.upstream;
        let names = (upstream.authority.as_str(), upstream.origin.as_str());
        let bytes = framing::renamed(&buffered[..length], &self.shared.own, names);
        buffered.drain(..length);
        let asked = Asked {
            method: head.method,
            path: head.path,
        };
        // Nobody waits for it any more when the connection is about to end.
        let _: Result<(), _> = self.asked.send(asked).await;
        self.sink.write_all(&bytes).await?;
        let mut framing = head.framing;
        while !framing.is_done() {
            if buffered.is_empty() {
                self.sink.flush().await?;
                if !read_more(&mut self.source, buffered).await? {
                    return Ok(false);
                }
            }
            let mut read = 0;
            while read < buffered.len() && !framing.is_done() {
                read += framing.run(&buffered[read..]).bytes;
            }
            self.sink.write_all(&buffered[..read]).await?;
            buffered.drain(..read);
        }
        self.sink.flush().await?;
        Ok(!head.upgrades)
    }
}

/// From the server to the client.
struct Answering<'p, R, W> {
    shared: &'p Shared,
    source: R,
    sink: W,
    asked: mpsc::Receiver<Asked>,
    passed: &'p AtomicU64,
    buffered: Vec<u8>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Answering<'_, R, W> {
    /// Until the server closes its side, or a fault ends the connection.
    async fn run(mut self) -> io::Result<Ending> {
        if self.shared.upstream.dialect == Dialect::Lines {
            let plan = self.shared.plan(&Asked::default(), true);
            let passage = Passage::new(Framing::UntilClose, plan, Scan::Lines);
            return Ok(self.body(passage).await?.unwrap_or(Ending::Close));
        }
        loop {
            let Some((head, asked, length)) = self.head().await? else {
                // No HTTP, or its end.
                return self.rest().await;
            };
            let bytes: Vec<u8> = self.buffered.drain(..length).collect();
            if head.status == 101 {
                self.write(&bytes).await?;
                return self.rest().await;
            }
            let plan = self.shared.plan(&asked, head.is_stream);
            sleep(plan.delay).await;
            self.write(&bytes).await?;
            let scan = Scan::Events(Borders::new());
            let ending = self.body(Passage::new(head.framing, plan, scan)).await?;
            if let Some(ending) = ending {
                return Ok(ending);
            }
        }
    }

    /// The head of a final response, or of a switch of protocols. Interim ones pass.
    async fn head(&mut self) -> io::Result<Option<(ResponseHead, Asked, usize)>> {
        let mut asked: Option<Asked> = None;
        loop {
            let method = asked.as_ref().map_or("", |asked| asked.method.as_str());
            match framing::response(&self.buffered, method) {
                Reading::Head(head, length) if head.status / 100 == 1 && head.status != 101 => {
                    let interim: Vec<u8> = self.buffered.drain(..length).collect();
                    self.write(&interim).await?;
                }
                Reading::Head(..) if asked.is_none() => {
                    // The request came before, unless the server speaks unasked.
                    asked = Some(self.asked.try_recv().unwrap_or_default());
                }
                Reading::Head(head, length) => {
                    return Ok(Some((head, asked.unwrap_or_default(), length)));
                }
                Reading::Partial if self.buffered.len() < HEAD_BYTES_MAX => {
                    if !read_more(&mut self.source, &mut self.buffered).await? {
                        return Ok(None);
                    }
                }
                Reading::Partial | Reading::Unreadable => return Ok(None),
            }
        }
    }

    /// Passes a body on; how the connection ends, if it does with this body.
    async fn body(&mut self, mut passage: Passage) -> io::Result<Option<Ending>> {
        let mut acts = Vec::new();
        acts.extend(passage.start());
        let mut drip = passage.take_drip();
        loop {
            for act in acts.drain(..) {
                match act {
                    Act::Pass(bytes) => match &mut drip {
                        None => self.write(&bytes).await?,
                        Some((size, pause, seed)) => {
                            let mut rest = bytes.as_slice();
                            while !rest.is_empty() {
                                let size = usize::try_from(size.draw(seed)).unwrap_or(usize::MAX);
                                let (piece, after) = rest.split_at(size.max(1).min(rest.len()));
                                self.write(piece).await?;
                                sleep(pause.draw_ms(seed)).await;
                                rest = after;
                            }
                        }
                    },
                    Act::End(Ending::HalfClose) => {
                        self.sink.shutdown().await?;
                        return self.drain().await.map(Some);
                    }
                    Act::End(how) => return Ok(Some(how)),
                }
            }
            if passage.is_over() {
                return Ok(None);
            }
            if self.buffered.is_empty() && !read_more(&mut self.source, &mut self.buffered).await? {
                return Ok(Some(Ending::Close));
            }
            let read = passage.push(&self.buffered, &mut acts);
            self.buffered.drain(..read);
        }
    }

    /// Passes everything on.
    async fn rest(&mut self) -> io::Result<Ending> {
        loop {
            let bytes = std::mem::take(&mut self.buffered);
            self.write(&bytes).await?;
            if !read_more(&mut self.source, &mut self.buffered).await? {
                return Ok(Ending::Close);
            }
        }
    }

    /// Reads what nobody gets any more.
    async fn drain(&mut self) -> io::Result<Ending> {
        loop {
            self.buffered.clear();
            if !read_more(&mut self.source, &mut self.buffered).await? {
                return Ok(Ending::Close);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.passed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.sink.write_all(bytes).await?;
        self.sink.flush().await
    }
}

impl Shared {
    /// What befalls the response to this request. Each fault counts the responses that it could befall.
    fn plan(&self, asked: &Asked, is_stream: bool) -> Plan {
        let mut plan = Plan::default();
        for (index, (fault, count)) in self.faults.iter().enumerate() {
            if !fault.concerns(&asked.method, &asked.path, is_stream) {
                continue;
            }
            let nth = count.fetch_add(1, Ordering::Relaxed) + 1;
            if fault.nth.is_none_or(|wanted| wanted == nth) {
                plan.add(fault, Seed::of(self.seed, index, nth));
            }
        }
        plan
    }
}

/// Appends what comes next; whether anything came.
async fn read_more(
    source: &mut (impl AsyncRead + Unpin),
    buffered: &mut Vec<u8>,
) -> io::Result<bool> {
    buffered.reserve(PIECE_BYTES);
    let read = source.take(PIECE_BYTES as u64).read_buf(buffered).await?;
    Ok(read > 0)
}
