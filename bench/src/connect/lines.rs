//! One message a line: the streams of a child, or a socket.

use std::{io, time::Instant};

use mcp_verdict_transport::{Address, Options, PipedChild};
use mcp_verdict_wire::limits::MESSAGE_BYTES_MAX;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{Captured, Exchanged, Failure};
use crate::{
    request::{Body, ID_AT, patch},
    scan::{Scanned, scan},
};

/// A channel of lines.
#[derive(Debug)]
pub(crate) struct Link {
    channel: Channel,
    /// Requests with their newline, by the number of their body.
    made: Vec<Option<Vec<u8>>>,
    /// What was read and not used begins here.
    input: Vec<u8>,
    begin: usize,
    /// A request was not answered in full: it may stand half in the channel.
    broken: bool,
}

#[derive(Debug)]
enum Channel {
    Child(Box<PipedChild>),
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Channel {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Child(child) => match &mut child.stdin {
                Some(stdin) => put(stdin, bytes).await,
                None => Err(io::ErrorKind::BrokenPipe.into()),
            },
            Self::Tcp(stream) => put(stream, bytes).await,
            Self::Unix(stream) => put(stream, bytes).await,
        }
    }

    async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Child(child) => take(&mut child.stdout, into).await,
            Self::Tcp(stream) => take(stream, into).await,
            Self::Unix(stream) => take(stream, into).await,
        }
    }
}

async fn put(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

async fn take(from: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> io::Result<usize> {
    into.reserve(READ_BYTES);
    from.read_buf(into).await
}

impl Link {
    pub(crate) async fn connect(address: &Address, options: &Options) -> Result<Self, Failure> {
        let refused = |error: io::Error| Failure::Connect(error.to_string());
        let connecting = async {
            match address {
                Address::Tcp { address } => {
                    let stream = TcpStream::connect(address.as_str())
                        .await
                        .map_err(refused)?;
                    stream.set_nodelay(true).map_err(refused)?;
                    Ok(Channel::Tcp(stream))
                }
                Address::Unix { path } => {
                    let stream = UnixStream::connect(path).await.map_err(refused)?;
                    Ok(Channel::Unix(stream))
                }
                command => PipedChild::start(command, options)
                    .map(|child| Channel::Child(Box::new(child)))
                    .map_err(|error| Failure::Connect(error.to_string())),
            }
        };
        let channel = timeout(options.connect_timeout, connecting)
            .await
            .unwrap_or_else(|_| Err(Failure::Connect("no answer in time".to_owned())))?;
        Ok(Self {
            channel,
            made: Vec::new(),
            input: Vec::new(),
            begin: 0,
            broken: false,
        })
    }

    pub(crate) async fn request(
        &mut self,
        body: &Body,
        id: u64,
        captured: Option<&mut Captured>,
    ) -> Result<Exchanged, Failure> {
        if self.broken {
            return Err(Failure::Lost);
        }
        if self.made.len() <= body.number() {
            self.made.resize_with(body.number() + 1, || None);
        }
        let made = &mut self.made[body.number()];
        let line = made.get_or_insert_with(|| with_newline(body.bytes()));
        patch(line, ID_AT, id);
        // Until the line is written in full, nobody else may write.
        self.broken = true;
        let sent = self.channel.write(line).await;
        sent.map_err(|_| Failure::Lost)?;
        self.broken = false;
        self.answer(id, captured).await
    }

    pub(crate) async fn notify(&mut self, body: &Body) -> Result<(), Failure> {
        let line = with_newline(body.bytes());
        self.channel.write(&line).await.map_err(|_| Failure::Lost)
    }

    pub(crate) async fn close(self) {
        if let Channel::Child(child) = self.channel {
            child.shutdown().await;
        }
    }

    pub(crate) fn memory_kib(&self) -> Option<u64> {
        match &self.channel {
            Channel::Child(child) => child.memory_kib(),
            _ => None,
        }
    }

    async fn answer(
        &mut self,
        expected: u64,
        mut captured: Option<&mut Captured>,
    ) -> Result<Exchanged, Failure> {
        let mut received = 0;
        loop {
            let (begin, end) = self.line().await?;
            let answered = Instant::now();
            let line = &self.input[begin..end];
            received += line.len() + 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Some(captured) = &mut captured {
                captured.keep(None, line);
            }
            match scan(line) {
                Scanned::Answer { id, said } if id == expected => {
                    return Ok(Exchanged {
                        answered,
                        first_event: None,
                        received,
                        said,
                    });
                }
                // One that came too late for its request is not the next one's fault.
                Scanned::Answer { id, .. } if id < expected => {}
                Scanned::Answer { .. } => return Err(Failure::WrongId),
                Scanned::Notification => {}
                Scanned::Request { id, ping } => self.reply(&id, ping).await?,
                Scanned::Unreadable => return Err(Failure::NotAMessage),
            }
        }
    }

    /// Where the next line is in the input, without its newline.
    async fn line(&mut self) -> Result<(usize, usize), Failure> {
        let mut searched = self.begin;
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.input[searched..]) {
                let line = (self.begin, searched + length);
                self.begin = line.1 + 1;
                return Ok(line);
            }
            if self.input.len() - self.begin > MESSAGE_BYTES_MAX {
                self.broken = true;
                return Err(Failure::TooLong);
            }
            // What was used makes room for what comes.
            self.input.drain(..self.begin);
            self.begin = 0;
            searched = self.input.len();
            let read = self.channel.read(&mut self.input).await;
            if read.map_err(|_| Failure::Lost)? == 0 {
                self.broken = true;
                return Err(Failure::Lost);
            }
        }
    }

    /// Answers the server: a ping with what it asks for, all else with that we do not have it.
    async fn reply(&mut self, id: &[u8], ping: bool) -> Result<(), Failure> {
        let mut line = super::reply(id, ping);
        line.push(b'\n');
        self.channel.write(&line).await.map_err(|_| Failure::Lost)
    }
}

fn with_newline(bytes: &[u8]) -> Vec<u8> {
    [bytes, b"\n"].concat()
}

/// Bytes read at once: what a pipe holds.
const READ_BYTES: usize = 64 * 1024;
