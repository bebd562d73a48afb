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
    fault::{Ending, Seed, Toward},
    framing::{self, Framing, Reading, ResponseHead},
    passage::{Act, Drip, Passage, Plan, Scan},
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
        pipe: Pipe::new(client_in, server_out, &passed),
        asked,
    };
    let back = Answering {
        shared,
        pipe: Pipe::new(server_in, client_out, &passed),
        asked: answered,
    };
    let back = back.run();
    tokio::pin!(back);
    tokio::select! {
        ending = &mut back => return ending.unwrap_or(Ending::Close),
        gone = there.run() => match gone {
            Ok(None) => {}
            Ok(Some(ending)) => return ending,
            Err(error) => {
                tracing::debug!(%error, "read from a client");
                return Ending::Reset;
            }
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
    pipe: Pipe<'p, R, W>,
    asked: mpsc::Sender<Asked>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Asking<'_, R, W> {
    /// Until the client closes its side, which closes ours, or a fault ends the connection.
    async fn run(mut self) -> io::Result<Option<Ending>> {
        let lost = match self.shared.upstream.dialect {
            Dialect::Lines => {
                let plan = self.shared.plan(Toward::Server, &Asked::default(), true);
                Some(self.pipe.lines(plan).await?)
            }
            Dialect::Http => loop {
                match self.request().await? {
                    Some(Passed::Whole) => {}
                    other => break other,
                }
            },
        };
        match lost {
            Some(Passed::Lost(Ending::HalfClose)) => {
                self.pipe.drain().await?;
                return Ok(None);
            }
            Some(Passed::Lost(ending)) => return Ok(Some(ending)),
            _ => self.pipe.rest().await?,
        }
        self.pipe.sink.shutdown().await?;
        Ok(None)
    }

    /// Passes one request on; nothing where no other follows that could be read.
    async fn request(&mut self) -> io::Result<Option<Passed>> {
        let (head, length) = loop {
            match framing::request(&self.pipe.buffered) {
                Reading::Head(head, length) => break (head, length),
                Reading::Partial if self.pipe.buffered.len() < HEAD_BYTES_MAX => {
                    if !self.pipe.read_more().await? {
                        return Ok(None);
                    }
                }
                Reading::Partial | Reading::Unreadable => return Ok(None),
            }
        };
        let upstream = &self.shared.upstream;
        let names = (upstream.authority.as_str(), upstream.origin.as_str());
        let bytes = framing::renamed(&self.pipe.buffered[..length], &self.shared.own, names);
        self.pipe.buffered.drain(..length);
        let asked = Asked {
            method: head.method,
            path: head.path,
        };
        let plan = self.shared.plan(Toward::Server, &asked, false);
        sleep(plan.delay).await;
        // Nobody waits for it any more when the connection is about to end.
        let _: Result<(), _> = self.asked.send(asked).await;
        self.pipe.write(&bytes).await?;
        let scan = Scan::Events(Borders::new());
        let passed = self.pipe.body(Passage::new(head.framing, plan, scan));
        Ok(match passed.await? {
            Passed::Whole if head.upgrades => None,
            passed => Some(passed),
        })
    }
}

/// From the server to the client.
struct Answering<'p, R, W> {
    shared: &'p Shared,
    pipe: Pipe<'p, R, W>,
    asked: mpsc::Receiver<Asked>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Answering<'_, R, W> {
    /// Until the server closes its side, or a fault ends the connection.
    async fn run(mut self) -> io::Result<Ending> {
        if self.shared.upstream.dialect == Dialect::Lines {
            let plan = self.shared.plan(Toward::Client, &Asked::default(), true);
            let passed = self.pipe.lines(plan).await?;
            return self.end(passed).await;
        }
        loop {
            let Some((head, asked, length)) = self.head().await? else {
                // No HTTP, or its end.
                break;
            };
            let bytes: Vec<u8> = self.pipe.buffered.drain(..length).collect();
            if head.status == 101 {
                self.pipe.write(&bytes).await?;
                break;
            }
            let plan = self.shared.plan(Toward::Client, &asked, head.is_stream);
            sleep(plan.delay).await;
            self.pipe.write(&bytes).await?;
            let scan = Scan::Events(Borders::new());
            match self
                .pipe
                .body(Passage::new(head.framing, plan, scan))
                .await?
            {
                Passed::Whole => {}
                other => return self.end(other).await,
            }
        }
        self.pipe.rest().await?;
        Ok(Ending::Close)
    }

    /// How the connection ends after a body that was the last.
    async fn end(&mut self, passed: Passed) -> io::Result<Ending> {
        match passed {
            Passed::Lost(Ending::HalfClose) => {
                self.pipe.drain().await?;
                Ok(Ending::Close)
            }
            Passed::Lost(ending) => Ok(ending),
            Passed::Whole | Passed::Broken => Ok(Ending::Close),
        }
    }

    /// The head of a final response, or of a switch of protocols. Interim ones pass.
    async fn head(&mut self) -> io::Result<Option<(ResponseHead, Asked, usize)>> {
        let mut asked: Option<Asked> = None;
        loop {
            let method = asked.as_ref().map_or("", |asked| asked.method.as_str());
            match framing::response(&self.pipe.buffered, method) {
                Reading::Head(head, length) if head.status / 100 == 1 && head.status != 101 => {
                    let interim: Vec<u8> = self.pipe.buffered.drain(..length).collect();
                    self.pipe.write(&interim).await?;
                }
                Reading::Head(..) if asked.is_none() => {
                    // The request came before, unless the server speaks unasked.
                    asked = Some(self.asked.try_recv().unwrap_or_default());
                }
                Reading::Head(head, length) => {
                    return Ok(Some((head, asked.unwrap_or_default(), length)));
                }
                Reading::Partial if self.pipe.buffered.len() < HEAD_BYTES_MAX => {
                    if !self.pipe.read_more().await? {
                        return Ok(None);
                    }
                }
                Reading::Partial | Reading::Unreadable => return Ok(None),
            }
        }
    }
}

/// What became of a body.
enum Passed {
    /// It came to its end.
    Whole,
    /// What it came from ended before.
    Broken,
    /// A fault ends the connection with it, or this way of it.
    Lost(Ending),
}

/// One way through the proxy.
struct Pipe<'p, R, W> {
    source: R,
    sink: W,
    /// Bytes that passed, this way and the other.
    passed: &'p AtomicU64,
    /// What came and has not passed.
    buffered: Vec<u8>,
}

impl<'p, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pipe<'p, R, W> {
    const fn new(source: R, sink: W, passed: &'p AtomicU64) -> Self {
        Self {
            source,
            sink,
            passed,
            buffered: Vec::new(),
        }
    }

    /// Passes on what has no heads.
    async fn lines(&mut self, plan: Plan) -> io::Result<Passed> {
        if !plan.delay.is_zero() {
            self.read_more().await?;
            sleep(plan.delay).await;
        }
        let passage = Passage::new(Framing::UntilClose, plan, Scan::Lines);
        self.body(passage).await
    }

    /// Passes a body on.
    async fn body(&mut self, mut passage: Passage) -> io::Result<Passed> {
        let mut acts = Vec::new();
        acts.extend(passage.start());
        let mut drip = passage.take_drip();
        loop {
            for act in acts.drain(..) {
                match (act, &mut drip) {
                    (Act::Pass(bytes), None) => self.write(&bytes).await?,
                    (Act::Pass(bytes), Some(drip)) => self.drip(&bytes, drip).await?,
                    (Act::End(how), _) => {
                        if how == Ending::HalfClose {
                            self.sink.shutdown().await?;
                        }
                        return Ok(Passed::Lost(how));
                    }
                }
            }
            if passage.is_over() {
                return Ok(Passed::Whole);
            }
            if self.buffered.is_empty() && !self.read_more().await? {
                return Ok(Passed::Broken);
            }
            let read = passage.push(&self.buffered, &mut acts);
            self.buffered.drain(..read);
        }
    }

    /// Passes bytes on in small pieces.
    async fn drip(&mut self, bytes: &[u8], (size, pause, seed): &mut Drip) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let size = usize::try_from(size.draw(seed)).unwrap_or(usize::MAX);
            let (piece, after) = rest.split_at(size.max(1).min(rest.len()));
            self.write(piece).await?;
            sleep(pause.draw_ms(seed)).await;
            rest = after;
        }
        Ok(())
    }

    /// Passes everything on, to the end.
    async fn rest(&mut self) -> io::Result<()> {
        loop {
            let bytes = std::mem::take(&mut self.buffered);
            self.write(&bytes).await?;
            if !self.read_more().await? {
                return Ok(());
            }
        }
    }

    /// Reads what nobody gets any more.
    async fn drain(&mut self) -> io::Result<()> {
        loop {
            self.buffered.clear();
            if !self.read_more().await? {
                return Ok(());
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.passed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.sink.write_all(bytes).await?;
        self.sink.flush().await
    }

    /// Reads what comes next; whether anything came.
    async fn read_more(&mut self) -> io::Result<bool> {
        self.buffered.reserve(PIECE_BYTES);
        let mut source = (&mut self.source).take(PIECE_BYTES as u64);
        Ok(source.read_buf(&mut self.buffered).await? > 0)
    }
}

impl Shared {
    /// What befalls this request, or the response to it. Each fault counts those that it could befall.
    fn plan(&self, toward: Toward, asked: &Asked, is_stream: bool) -> Plan {
        let mut plan = Plan::default();
        for (index, (fault, count)) in self.faults.iter().enumerate() {
            if !fault.concerns(toward, &asked.method, &asked.path, is_stream) {
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
