//! A program that serves an address: started by us, started again when it is gone, and ended with all of its group.
//!
//! Nothing of what it writes is a message. The end of its standard error is kept, since a program that breaks down says
//! there why.

use std::{
    collections::VecDeque,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mcp_verdict_wire::transcript::EventKind;
use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
    sync::watch,
    task::{AbortHandle, JoinHandle},
    time::{Instant, sleep, timeout},
};

use crate::{OpenError, Recorder, Redactor, stdio::Group};

/// A program that serves an address. Clones are the same one; when the last is dropped, its whole group is killed.
#[derive(Clone, Debug)]
pub struct Server {
    shared: Arc<Shared>,
}

/// Where a program is going to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `host:port`, an IPv6 address in brackets.
    Tcp(String),
    /// The path of a Unix domain socket.
    Unix(PathBuf),
}

#[derive(Debug)]
struct Shared {
    words: Vec<String>,
    place: Place,
    patience: Duration,
    /// Held while it is started, which others wait for.
    starting: tokio::sync::Mutex<()>,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    process: Option<Process>,
    starts: u64,
}

/// One run of the program.
#[derive(Debug)]
struct Process {
    group: Arc<Group>,
    end: watch::Receiver<Option<End>>,
}

/// How a run ended.
#[derive(Clone, Debug)]
struct End {
    code: Option<i32>,
    signal: Option<i32>,
    /// The end of its standard error.
    said: Vec<u8>,
}

/// Tells a recorder of the end of the program, as long as it lives.
#[derive(Debug)]
pub(crate) struct Watching(AbortHandle);

impl Server {
    /// The program of these words, which is going to listen at `place` at most `patience` after its start. It is not
    /// started yet.
    #[must_use]
    pub fn new(words: Vec<String>, place: Place, patience: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                words,
                place,
                patience,
                starting: tokio::sync::Mutex::default(),
                running: Mutex::default(),
            }),
        }
    }

    /// Starts the program, unless it runs, and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be started, ends at once, does not listen in time, or someone else listens there.
    pub async fn up(&self) -> Result<(), OpenError> {
        let _alone = self.shared.starting.lock().await;
        if self.is_up() {
            return Ok(());
        }
        let first = self.starts() == 0;
        // What it left behind may take a moment to go.
        let until = Instant::now() + if first { Duration::ZERO } else { LEAVING };
        while self.accepts().await {
            if Instant::now() >= until {
                return Err(self.failed("something else listens there already".to_owned()));
            }
            sleep(LOOK).await;
        }
        let until = Instant::now() + self.shared.patience;
        let mut tries = if first { 1 } else { TRIES };
        loop {
            self.start()?;
            match self.comes_up(until).await {
                Ok(()) => return Ok(()),
                // An address may be in use for a moment after its user has gone.
                Err(why) if tries == 1 || Instant::now() >= until => return Err(self.failed(why)),
                Err(_) => tries -= 1,
            }
            sleep(AGAIN).await;
        }
    }

    /// Ends it now, so that it is started anew when it is needed next.
    pub fn renew(&self) {
        self.running().process = None;
    }

    /// Ends it: asks by TERM, waits, and kills.
    pub async fn stop(&self) {
        let Some(mut process) = self.running().process.take() else {
            return;
        };
        process.group.signal(Signal::SIGTERM);
        let gone = process.end.wait_for(Option::is_some);
        if timeout(GRACE, gone).await.is_err() {
            tracing::debug!("the server does not end when asked to");
        }
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let running = self.running();
        let process = running.process.as_ref();
        process.is_some_and(|process| process.end.borrow().is_none())
    }

    /// How often it was started.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.running().starts
    }

    /// What its group holds in memory, in KiB; `None` when it does not run or the system does not tell.
    #[must_use]
    pub fn memory_kib(&self) -> Option<u64> {
        self.running().process.as_ref()?.group.memory_kib()
    }

    /// Records the end of this run of the program, and what it said last.
    pub(crate) fn watch(&self, recorder: Recorder) -> Option<Watching> {
        let mut end = self.running().process.as_ref()?.end.clone();
        let task = tokio::spawn(async move {
            let Ok(end) = end.wait_for(Option::is_some).await.map(|end| end.clone()) else {
                return;
            };
            let Some(end) = end else { return };
            if !end.said.is_empty() {
                recorder.record(EventKind::Stderr {
                    bytes: end.said.into(),
                });
            }
            recorder.record(EventKind::Exited {
                code: end.code,
                signal: end.signal,
            });
        });
        Some(Watching(task.abort_handle()))
    }

    fn start(&self) -> Result<(), OpenError> {
        let not_started = |source| OpenError::Start {
            program: self.shared.words.first().cloned().unwrap_or_default(),
            source,
        };
        let spawn = || {
            let child = spawn(&self.shared.words)?;
            let number = child.id();
            Ok((child, number))
        };
        let (child, group) =
            Group::start(spawn, Recorder::new(Redactor::default())).map_err(not_started)?;
        let group = Arc::new(group);
        let (ended, end) = watch::channel(None);
        tokio::spawn(watch_over(child, group.clone(), ended));
        let mut running = self.running();
        running.starts += 1;
        running.process = Some(Process { group, end });
        Ok(())
    }

    /// Waits until it accepts connections; else why it does not.
    async fn comes_up(&self, until: Instant) -> Result<(), String> {
        let Some(mut end) = self
            .running()
            .process
            .as_ref()
            .map(|process| process.end.clone())
        else {
            return Err("it was ended".to_owned());
        };
        loop {
            if self.accepts().await {
                return Ok(());
            }
            match timeout(LOOK, end.wait_for(Option::is_some)).await {
                Ok(Ok(end)) => {
                    let said = end.as_ref().map(told).unwrap_or_default();
                    return Err(format!("it ended before it listened{said}"));
                }
                Ok(Err(_)) => return Err("it was ended".to_owned()),
                Err(_) => {}
            }
            if Instant::now() >= until {
                let seconds = self.shared.patience.as_secs();
                return Err(format!("nothing listens there after {seconds} s"));
            }
        }
    }

    async fn accepts(&self) -> bool {
        let connected = async {
            match &self.shared.place {
                Place::Tcp(address) => TcpStream::connect(address).await.is_ok(),
                Place::Unix(path) => UnixStream::connect(path).await.is_ok(),
            }
        };
        timeout(CONNECTING, connected).await.unwrap_or(false)
    }

    fn failed(&self, why: String) -> OpenError {
        OpenError::Serve {
            command: self.shared.words.join(" "),
            place: match &self.shared.place {
                Place::Tcp(address) => address.clone(),
                Place::Unix(path) => path.display().to_string(),
            },
            why,
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        let running = &self.shared.running;
        running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.end();
    }
}

impl Watching {
    /// Whether the end was recorded.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn spawn(words: &[String]) -> std::io::Result<Child> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| std::io::Error::other("there is no command"))?;
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Waits for the end of the program, ends the rest of its group, and tells how it was.
async fn watch_over(mut child: Child, group: Arc<Group>, ended: watch::Sender<Option<End>>) {
    let tail = Arc::new(Mutex::new(VecDeque::new()));
    let mut readers: Vec<JoinHandle<()>> = Vec::new();
    if let Some(output) = child.stdout.take() {
        readers.push(tokio::spawn(drain(output, None)));
    }
    if let Some(errors) = child.stderr.take() {
        readers.push(tokio::spawn(drain(errors, Some(tail.clone()))));
    }
    let status = child.wait().await.ok();
    if group.is_gone() {
        // We ended it, which is nobody's fault.
        group.reap();
        return;
    }
    group.end();
    let deadline = Instant::now() + DRAINING;
    for mut reader in readers {
        let left = deadline.saturating_duration_since(Instant::now());
        if timeout(left, &mut reader).await.is_err() {
            reader.abort();
        }
    }
    group.reap();
    let said = tail.lock().unwrap_or_else(PoisonError::into_inner);
    ended.send_replace(Some(End {
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        said: said.iter().copied().collect(),
    }));
}

/// Reads to the end, and keeps the last of it.
async fn drain(mut from: impl AsyncRead + Unpin, tail: Option<Arc<Mutex<VecDeque<u8>>>>) {
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        let Some(tail) = &tail else { continue };
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&piece[..count]);
        let extra = tail.len().saturating_sub(TAIL_BYTES_MAX);
        tail.drain(..extra);
    }
}

/// How a run ended, for people.
fn told(end: &End) -> String {
    let how = match (end.code, end.signal) {
        (Some(code), _) => format!(" (exit code {code})"),
        (None, Some(signal)) => format!(" (signal {signal})"),
        (None, None) => String::new(),
    };
    let said = String::from_utf8_lossy(&end.said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES_TOLD)..].join("\n");
    if last.trim().is_empty() {
        how
    } else {
        format!("{how}; it said:\n{last}")
    }
}

/// How often it is looked whether it accepts connections.
const LOOK: Duration = Duration::from_millis(30);

/// How long one try to connect may take.
const CONNECTING: Duration = Duration::from_secs(1);

/// How long something that was killed may still hold the address.
const LEAVING: Duration = Duration::from_secs(3);

/// How long it is waited before it is started once more.
const AGAIN: Duration = Duration::from_millis(300);

/// How often it is tried to start again what has run before.
const TRIES: u32 = 5;

/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How long what it wrote may take to be read when it is gone.
const DRAINING: Duration = Duration::from_millis(100);

/// Bytes read at once.
const PIECE_BYTES: usize = 16 * 1024;

/// Bytes of standard error that are kept: the end of a stack trace.
const TAIL_BYTES_MAX: usize = 4 * 1024;

/// Lines of standard error that a message shows.
const LINES_TOLD: usize = 8;
