//! One connection to a target, whatever carries it.

use std::{collections::BTreeMap, fmt, io, path::PathBuf, time::Duration};

use mcp_verdict_wire::{Delivery, Revision, TransportKind, transcript::Exchange};

use crate::{
    Recorder, Redactor, grpc, http,
    server::{Server, Watching},
    socket::Socket,
    stdio::{self, Program},
    ws::Channel,
};

/// Where a target is, and over which transport it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A program to start, for stdio.
    Command {
        /// The program, looked up in `PATH`.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Variables added to our environment.
        environment: BTreeMap<String, String>,
        /// Its working directory.
        directory: Option<PathBuf>,
    },
    /// The URL of a Streamable HTTP endpoint.
    StreamableHttp {
        /// `http` or `https`.
        url: String,
    },
    /// The URL of the event stream of an HTTP+SSE server.
    HttpSse {
        /// `http` or `https`.
        url: String,
    },
    /// A server of gRPC.
    Grpc {
        /// `grpc` or `grpcs`, host and port.
        url: String,
        /// It is spoken to by the protobuf binding, not through the tunnel.
        native: bool,
    },
    /// A TCP listener that speaks the framing of stdio.
    Tcp {
        /// `host:port`, an IPv6 address in brackets.
        address: String,
    },
    /// A Unix domain socket that speaks the framing of stdio.
    Unix {
        /// Where it is in the file system.
        path: PathBuf,
    },
    /// The URL of a WebSocket.
    WebSocket {
        /// `ws` or `wss`.
        url: String,
        /// By the rules of SEP-1288.
        draft: bool,
    },
}

impl Address {
    /// The transport by which it is reached.
    #[must_use]
    pub const fn transport(&self) -> TransportKind {
        match self {
            Self::Command { .. } => TransportKind::Stdio,
            Self::StreamableHttp { .. } => TransportKind::StreamableHttp,
            Self::HttpSse { .. } => TransportKind::HttpSse,
            Self::Grpc { native: false, .. } => TransportKind::Grpc,
            Self::Grpc { native: true, .. } => TransportKind::GrpcNative,
            Self::Tcp { .. } => TransportKind::Tcp,
            Self::Unix { .. } => TransportKind::Unix,
            Self::WebSocket { draft: false, .. } => TransportKind::Ws,
            Self::WebSocket { draft: true, .. } => TransportKind::WsDraft,
        }
    }
}

impl fmt::Display for Address {
    /// As a user writes it: a URL, or the words of a command.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command {
                program, arguments, ..
            } => {
                formatter.write_str(program)?;
                arguments
                    .iter()
                    .try_for_each(|argument| write!(formatter, " {argument}"))
            }
            Self::StreamableHttp { url }
            | Self::HttpSse { url }
            | Self::Grpc { url, .. }
            | Self::WebSocket { url, .. } => formatter.write_str(url),
            Self::Tcp { address } => write!(formatter, "tcp://{address}"),
            Self::Unix { path } => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// What the user set for every connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// Headers for every HTTP request, beside the protocol's own.
    pub headers: Vec<(String, String)>,
    /// A PEM file of further roots.
    pub ca_cert: Option<PathBuf>,
    /// Do not verify certificates.
    pub insecure: bool,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a child may take to exit after its input closed, and again after TERM.
    pub exit_grace: Duration,
    /// What must not be recorded.
    pub redactor: Redactor,
    /// What is going to be spoken, for a transport that says so when it connects.
    pub revision: Option<Revision>,
    /// The program that serves the address, if it is ours to start. It is started when a connection needs it.
    pub server: Option<Server>,
}

/// Headers to set (`Some`) or to leave out (`None`) against those that would be sent; names in lower case.
pub type HeaderEdits = BTreeMap<String, Option<String>>;

/// A message on its way out.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// The message without framing.
    pub bytes: Vec<u8>,
    /// The vector's name for it.
    pub label: Option<String>,
    /// The vector means it to be as wrong as it is.
    pub meant: bool,
    /// HTTP only.
    pub headers: HeaderEdits,
    /// How the bytes, around which everything is put already, reach the wire.
    pub delivery: Delivery,
}

/// An HTTP request on its way out that is not just a message.
#[derive(Clone, Debug, Default)]
pub struct HttpCall {
    /// The method.
    pub method: String,
    /// Path and query instead of the endpoint's.
    pub path: Option<String>,
    /// Against the defaults for this method.
    pub headers: HeaderEdits,
    /// The body. A body that is a message is recorded as `Sent` too.
    pub body: Option<Vec<u8>>,
    /// The vector's name for it.
    pub label: Option<String>,
    /// The vector means it to be as wrong as it is.
    pub meant: bool,
    /// How the body, around which everything is put already, reaches the wire.
    pub delivery: Delivery,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// As the specification asks: close stdin and wait, then TERM, then KILL; HTTP streams are dropped.
    Orderly,
    /// Now: KILL.
    Now,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody listens at the address of a socket, or nobody answers in time.
    #[error("connect to {address}: {source}")]
    Connect {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("start `{program}`: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address is no URL that we can use.
    #[error("use `{url}` as an address: {why}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The program that should serve the address does not.
    #[error("start `{command}` to serve {place}: {why}")]
    Serve {
        /// The command.
        command: String,
        /// Where it should listen.
        place: String,
        /// Why it does not.
        why: String,
    },
    /// Certificates cannot be read, or the client cannot be built.
    #[error("set up TLS: {0}")]
    Tls(String),
    /// A header of the user's cannot be sent.
    #[error("use the header `{name}`: {why}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it; not its value.
        why: String,
    },
    /// A WebSocket did not open.
    #[error("open the WebSocket: {0}")]
    Handshake(String),
    /// The event stream of an HTTP+SSE server did not come, or brought no `endpoint` in time.
    #[error("open the event stream: {0}")]
    Stream(String),
}

/// Why a step could not be carried out by the connection.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The target's input is closed, by us or by its end.
    #[error("the target's input is closed")]
    InputClosed,
    /// The target does not read its input, and too much waits for it already.
    #[error("the target does not read its input")]
    Stuck,
    /// This transport has no such thing.
    #[error("{transport} has no {what}")]
    Unsupported {
        /// The transport.
        transport: TransportKind,
        /// What was asked for.
        what: &'static str,
    },
    /// A header or URL of the vector cannot be sent at all.
    #[error("build the request: {0}")]
    Build(String),
}

/// One connection. Sends; what arrives goes to the recorder.
///
/// Dropping it kills a child's whole process group and aborts every exchange.
#[derive(Debug)]
pub struct Connection {
    recorder: Recorder,
    transport: TransportKind,
    carrier: Carrier,
    server: Option<Server>,
    /// Ends with the connection.
    watching: Option<Watching>,
}

#[derive(Debug)]
enum Carrier {
    Grpc(Box<grpc::Tunnel>),
    GrpcNative(Box<grpc::Native>),
    Http(Box<http::Client>),
    Socket(Box<Socket>),
    WebSocket(Box<Channel>),
    Stdio(Box<stdio::Child>),
}

impl Connection {
    /// Opens a connection: starts the child, or prepares the client; for HTTP+SSE opens the stream and waits
    /// for its `endpoint`.
    ///
    /// # Errors
    /// When the child cannot be started, the URL is none, TLS cannot be set up, or the stream does not open.
    pub async fn open(
        address: &Address,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        let (connect, grace) = (options.connect_timeout, options.exit_grace);
        let mut watching = None;
        if let Some(server) = &options.server {
            server.up().await?;
            watching = server.watch(recorder.clone());
        }
        let carrier = match address {
            Address::Command {
                program,
                arguments,
                environment,
                directory,
            } => {
                let directory = directory.as_deref();
                let program = Program {
                    program,
                    arguments,
                    environment,
                    directory,
                };
                let child = stdio::Child::start(program, grace, recorder.clone())?;
                Carrier::Stdio(Box::new(child))
            }
            Address::StreamableHttp { url } => {
                let client = http::Client::new(url, options, recorder.clone())?;
                Carrier::Http(Box::new(client))
            }
            Address::HttpSse { url } => {
                let mut client = http::Client::new(url, options, recorder.clone())?;
                client.open_stream(connect).await?;
                Carrier::Http(Box::new(client))
            }
            Address::Grpc { url, native: true } => {
                let native = grpc::Native::open(url, options, recorder.clone()).await?;
                Carrier::GrpcNative(Box::new(native))
            }
            Address::Grpc { url, native: false } => {
                let tunnel = grpc::Tunnel::open(url, options, recorder.clone()).await?;
                Carrier::Grpc(Box::new(tunnel))
            }
            Address::Tcp { address } => {
                let socket = Socket::tcp(address, connect, grace, recorder.clone()).await?;
                Carrier::Socket(Box::new(socket))
            }
            Address::Unix { path } => {
                let socket = Socket::unix(path, connect, grace, recorder.clone()).await?;
                Carrier::Socket(Box::new(socket))
            }
            Address::WebSocket { url, draft } => {
                let channel = Channel::open(url, *draft, options, recorder.clone()).await?;
                Carrier::WebSocket(Box::new(channel))
            }
        };
        Ok(Self {
            recorder,
            transport: address.transport(),
            carrier,
            server: options.server.clone(),
            watching,
        })
    }

    /// Where everything is recorded.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        self.transport
    }

    /// Where messages are posted, as the `endpoint` event of an HTTP+SSE server said. `None` elsewhere.
    #[must_use]
    pub fn endpoint(&self) -> Option<String> {
        match &self.carrier {
            Carrier::Http(client) => client.named_endpoint(),
            _ => None,
        }
    }

    /// Whether an answer can still come: the child runs and is listened to, the stream of HTTP+SSE is
    /// open. A connection on which a limit was broken is of no use any more.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        if self.watching.as_ref().is_some_and(Watching::is_over) {
            return false;
        }
        match &self.carrier {
            Carrier::Grpc(tunnel) => tunnel.is_usable(),
            // It connects again where need be.
            Carrier::GrpcNative(_) => true,
            Carrier::Http(client) => client.is_usable(),
            Carrier::Socket(socket) => socket.is_usable(),
            Carrier::Stdio(child) => child.is_usable(),
            Carrier::WebSocket(channel) => channel.is_usable(),
        }
    }

    /// Sets a header of every later HTTP request (session id, protocol version), or removes it. Where the session
    /// id travels in the messages (WebSocket by SEP-1288), it is set in those.
    pub fn set_header(&mut self, name: &str, value: Option<String>) {
        match &mut self.carrier {
            Carrier::Grpc(tunnel) => tunnel.set_header(name, value),
            Carrier::GrpcNative(native) => native.set_header(name, value),
            Carrier::Http(client) => client.set_header(name, value),
            Carrier::WebSocket(channel) => channel.set_header(name, value),
            Carrier::Socket(_) | Carrier::Stdio(_) => {}
        }
    }

    /// Sends a message: a line, or a POST on HTTP. Returns its exchange (0 on a channel) as soon as it is
    /// on its way; the response is recorded when it comes.
    ///
    /// # Errors
    /// When it cannot be sent at all. A refused or broken connection is recorded, not returned.
    pub async fn send(&mut self, outgoing: Outgoing) -> Result<Exchange, SendError> {
        match &mut self.carrier {
            Carrier::Grpc(tunnel) => tunnel.send(outgoing).await,
            Carrier::GrpcNative(native) => native.send(outgoing).await,
            Carrier::Http(client) => Ok(client.send(outgoing)),
            Carrier::Socket(socket) => socket.send(outgoing).await,
            Carrier::Stdio(child) => child.send(outgoing).await,
            Carrier::WebSocket(channel) => channel.send(outgoing).await,
        }
    }

    /// Sends an HTTP request; on WebSocket a further handshake, whose connection stays open.
    ///
    /// # Errors
    /// As for [`Connection::send`], and on transports without HTTP.
    pub async fn http(&mut self, call: HttpCall) -> Result<Exchange, SendError> {
        match &mut self.carrier {
            Carrier::Grpc(tunnel) => tunnel.call(call).await,
            Carrier::GrpcNative(native) => native.call(call).await,
            Carrier::Http(client) => client.call(call),
            Carrier::WebSocket(channel) => channel.call(call),
            Carrier::Socket(_) | Carrier::Stdio(_) => Err(self.unsupported("HTTP requests")),
        }
    }

    /// Drops an HTTP exchange that is still open, and records its end.
    pub fn drop_exchange(&mut self, exchange: Exchange) {
        match &mut self.carrier {
            Carrier::Grpc(tunnel) => tunnel.drop_exchange(exchange),
            Carrier::GrpcNative(native) => native.drop_exchange(exchange),
            Carrier::Http(client) => client.drop_exchange(exchange),
            Carrier::WebSocket(channel) => channel.drop_exchange(exchange),
            Carrier::Socket(_) | Carrier::Stdio(_) => {}
        }
    }

    /// Closes our side of the channel (a child's standard input), after everything sent before.
    ///
    /// # Errors
    /// On transports without one.
    pub async fn close_input(&mut self) -> Result<(), SendError> {
        match &mut self.carrier {
            Carrier::Grpc(tunnel) => {
                tunnel.close_input().await;
                Ok(())
            }
            Carrier::GrpcNative(_) | Carrier::Http(_) => Err(self.unsupported("input to close")),
            Carrier::Socket(socket) => {
                socket.close_input().await;
                Ok(())
            }
            Carrier::Stdio(child) => {
                child.close_input().await;
                Ok(())
            }
            Carrier::WebSocket(channel) => {
                channel.close_input().await;
                Ok(())
            }
        }
    }

    /// Sends the child's process group a signal: `TERM`, `INT`, `HUP`, `KILL`. Nothing is sent, and
    /// nothing recorded, when the child is gone.
    ///
    /// # Errors
    /// On transports without a child, and for an unknown name.
    pub fn signal(&mut self, name: &str) -> Result<(), SendError> {
        match &self.carrier {
            Carrier::Grpc(_)
            | Carrier::GrpcNative(_)
            | Carrier::Http(_)
            | Carrier::Socket(_)
            | Carrier::WebSocket(_) => Err(self.unsupported("signals")),
            Carrier::Stdio(child) => child.signal(name),
        }
    }

    /// What a child holds in memory with all of its group, in KiB; `None` where there is no child or the
    /// system does not tell. A server that we started is one too.
    #[must_use]
    pub fn memory_kib(&self) -> Option<u64> {
        match &self.carrier {
            Carrier::Stdio(child) => child.memory_kib(),
            _ => self.server.as_ref()?.memory_kib(),
        }
    }

    /// Whether the end of the program on the other side is recorded: a child, or a server that we started.
    #[must_use]
    pub fn has_process(&self) -> bool {
        self.watching.is_some() || matches!(self.carrier, Carrier::Stdio(_))
    }

    /// Ends the connection and waits until all of it is gone: child, group, exchanges.
    pub async fn shutdown(self, how: Shutdown) {
        match self.carrier {
            Carrier::Grpc(tunnel) => tunnel.shutdown().await,
            Carrier::GrpcNative(native) => native.shutdown().await,
            Carrier::Http(client) => client.shutdown().await,
            Carrier::Socket(socket) => socket.shutdown(how).await,
            Carrier::Stdio(child) => child.shutdown(how).await,
            Carrier::WebSocket(channel) => channel.shutdown().await,
        }
    }

    fn unsupported(&self, what: &'static str) -> SendError {
        SendError::Unsupported {
            transport: self.transport,
            what,
        }
    }
}
