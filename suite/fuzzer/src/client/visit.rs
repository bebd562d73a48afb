//! One visit: a mock is served, the client's process is started, and what became of it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_verdict_mock::{Distort, Listen, MockConfig, Served};
use mcp_verdict_transport::{Address, Connection, Options, Recorder, Redactor, Shutdown};
use mcp_verdict_wire::{Revision, TransportKind, transcript::EventKind};

use super::{
    campaign::ClientError,
    plan::Plan,
    stage::{Log, Stage},
};

/// A client as its user starts it.
#[derive(Clone, Debug)]
pub struct ClientCommand {
    /// The words of the command. `{url}` in them stands for where the server is, and `{server}` for the command of a
    /// server that speaks on its standard streams.
    pub words: Vec<String>,
    /// Over what the server is served where it has a URL.
    pub transport: TransportKind,
    /// The revisions that the server speaks.
    pub revisions: Vec<Revision>,
    /// The command of a program that joins its standard streams with the address that is added to it.
    pub relay: Vec<String>,
}

/// How long a visit may take, and when it is over before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long it may take.
    pub(crate) time: Duration,
    /// After how long without a word from a client that waits for an answer it is not waited for any more.
    pub(crate) idle: Duration,
    /// What its group may hold in memory, in KiB, beside what it is sent.
    pub(crate) memory_kib: u64,
}

/// What became of a visit.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// Why we ended it.
    pub(crate) ended: Option<Ended>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    pub(crate) memory_kib: u64,
    pub(crate) log: Log,
}

/// Why we ended a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It held too much memory.
    Memory,
    /// It asked for page after page.
    Pages,
    /// Its time was up.
    Time,
    /// It waits for what it is not going to get, as it may.
    Waiting,
}

impl ClientCommand {
    /// Whether it starts its server itself.
    #[must_use]
    pub fn starts_server(&self) -> bool {
        self.words.iter().any(|word| word.contains(SERVER))
    }

    /// How it gets its server.
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        match self.starts_server() {
            true => TransportKind::Stdio,
            false => self.transport,
        }
    }

    /// Lets it come once.
    pub(crate) async fn visit(&self, plan: &Plan, bounds: Bounds) -> Result<Visit, ClientError> {
        let stage = Arc::new(Stage::new(plan.clone()));
        let config = MockConfig {
            distort: Some(Distort(stage.clone())),
            revisions: self.revisions.clone(),
            ..MockConfig::default()
        };
        let served_by = match self.starts_server() {
            true => TransportKind::Tcp,
            false => self.transport,
        };
        let served = Served::start(&config, served_by, &Listen::default())
            .await
            .map_err(|error| ClientError::Serve(error.to_string()))?;
        let words = self.filled(&served.url());
        let Some((program, arguments)) = words.split_first() else {
            return Err(ClientError::NoCommand);
        };
        let address = Address::Command {
            program: program.clone(),
            arguments: arguments.to_vec(),
            environment: BTreeMap::new(),
            directory: None,
        };
        let recorder = Recorder::new(Redactor::default());
        let begun = Instant::now();
        let mut child = Connection::open(&address, &options(), recorder.clone())
            .await
            .map_err(|error| ClientError::Start(error.to_string()))?;
        // A client that reads its standard input is not to wait for us. One that is gone needs no telling.
        let _ = child.close_input().await;
        let (ended, memory_kib) = watch(&child, &stage, bounds, begun).await;
        let took = begun.elapsed();
        child.shutdown(Shutdown::Now).await;
        drop(served);
        Ok(told(&recorder, &stage, ended, took, memory_kib))
    }

    fn filled(&self, url: &str) -> Vec<String> {
        let server: Vec<String> = self.relay.iter().cloned().chain([url.to_owned()]).collect();
        let mut words = Vec::new();
        for word in &self.words {
            match word.as_str() {
                SERVER => words.extend(server.iter().cloned()),
                word => words.push(word.replace(URL, url).replace(SERVER, &server.join(" "))),
            }
        }
        words
    }
}

fn options() -> Options {
    Options {
        headers: Vec::new(),
        ca_cert: None,
        insecure: false,
        connect_timeout: GRACE,
        exit_grace: GRACE,
        redactor: Redactor::default(),
        revision: None,
        server: None,
    }
}

/// Waits for the end of the child, or for a reason to end it.
async fn watch(
    child: &Connection,
    stage: &Stage,
    bounds: Bounds,
    begun: Instant,
) -> (Option<Ended>, u64) {
    let mut most = 0;
    let mut weighed = begun;
    loop {
        let gone = child.recorder().wait(LOOK, |events| {
            let mut kinds = events.iter().rev().map(|event| &event.kind);
            kinds
                .any(|kind| matches!(kind, EventKind::Exited { .. }))
                .then_some(())
        });
        if gone.await.is_some() {
            return (None, most);
        }
        if weighed.elapsed() >= WEIGH {
            weighed = Instant::now();
            most = most.max(child.memory_kib().unwrap_or(0));
        }
        let ended = stage.look(|log| {
            let sent = log.sent_bytes as u64 / 1024;
            let asked_often = |times: u64| log.asked.values().any(|it| *it >= times);
            let waiting = || !log.all_answered() && log.last_heard.elapsed() > bounds.idle;
            if most > bounds.memory_kib + sent * MEMORY_PER_BYTE {
                Some(Ended::Memory)
            } else if asked_often(PAGES_MAX) {
                Some(Ended::Pages)
            } else if begun.elapsed() > bounds.time {
                let pages = asked_often(PAGES_MAX / 10);
                Some(if pages { Ended::Pages } else { Ended::Time })
            } else {
                (begun.elapsed() > bounds.idle && waiting()).then_some(Ended::Waiting)
            }
        });
        if ended.is_some() {
            return (ended, most);
        }
    }
}

fn told(
    recorder: &Recorder,
    stage: &Stage,
    ended: Option<Ended>,
    took: Duration,
    memory_kib: u64,
) -> Visit {
    let (mut code, mut signal, mut stderr) = (None, None, Vec::new());
    recorder.look(|events| {
        for event in events {
            match &event.kind {
                EventKind::Exited {
                    code: how,
                    signal: by,
                } => (code, signal) = (*how, *by),
                EventKind::Stderr { bytes } => stderr.extend_from_slice(&bytes.0),
                _ => {}
            }
        }
    });
    Visit {
        code: code.filter(|_| ended.is_none()),
        signal: signal.filter(|_| ended.is_none()),
        ended,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        took,
        memory_kib,
        log: stage.look(Log::clone),
    }
}

/// Stands for where the server is.
const URL: &str = "{url}";

/// Stands for the command of a server.
const SERVER: &str = "{server}";

/// How often it is looked whether there is a reason to end a client.
const LOOK: Duration = Duration::from_millis(50);

/// How often its memory is looked at.
const WEIGH: Duration = Duration::from_millis(300);

/// How long the end of a client may take.
const GRACE: Duration = Duration::from_secs(2);

/// KiB of memory that a client may take for each KiB that it is sent: a parsed value is far larger than its text.
const MEMORY_PER_BYTE: u64 = 200;

/// The same request so often is a client that follows pages for ever.
const PAGES_MAX: u64 = 2000;
