//! One child: its start, its streams, and its end with everything it started.

use std::{
    collections::BTreeMap, os::unix::process::ExitStatusExt, path::Path, process::Stdio, sync::Arc,
    time::Duration,
};

use mcp_verdict_wire::transcript::{EventKind, Exchange};
use nix::sys::signal::Signal;
use tokio::{
    process::{self, Command},
    sync::watch,
    task::{AbortHandle, JoinHandle},
    time::{Instant, timeout, timeout_at},
};

use super::group::{self, Group};
use crate::{
    OpenError, Outgoing, Recorder, SendError, Shutdown,
    lines::{self, Input},
};

/// How long the streams of a dead group may take to end. Longer only if someone who left the group
/// holds them.
const DRAIN_PATIENCE: Duration = Duration::from_secs(1);

/// How long a killed child may take to be gone: the kernel has to get round to it.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// A running child. Dropping it kills its whole group.
#[derive(Debug)]
pub(crate) struct Child {
    recorder: Recorder,
    input: Input,
    group: Arc<Group>,
    /// The task that reads standard output.
    stdout: AbortHandle,
    exited: watch::Receiver<bool>,
    exit_grace: Duration,
}

/// What to start, and where.
#[derive(Clone, Copy)]
pub(crate) struct Program<'a> {
    pub(crate) program: &'a str,
    pub(crate) arguments: &'a [String],
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) directory: Option<&'a Path>,
}

impl Child {
    /// Starts the program in a process group of its own.
    pub(crate) fn start(
        program: Program<'_>,
        exit_grace: Duration,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        let not_started = |source| OpenError::Start {
            program: program.program.to_owned(),
            source,
        };
        let incomplete = || not_started(std::io::Error::other("the child has no streams"));
        let spawn = || {
            let child = spawn(program)?;
            let number = child.id();
            Ok((child, number))
        };
        let (mut child, group) = Group::start(spawn, recorder.clone()).map_err(not_started)?;
        let group = Arc::new(group);
        let command = std::iter::once(program.program.to_owned()).chain(program.arguments.to_vec());
        recorder.record(EventKind::ProcessStarted {
            command: command.collect(),
        });
        let stdin = child.stdin.take().ok_or_else(incomplete)?;
        let stdout = child.stdout.take().ok_or_else(incomplete)?;
        let stderr = child.stderr.take().ok_or_else(incomplete)?;
        let messages = tokio::spawn(lines::read_messages(stdout, recorder.clone()));
        let errors = tokio::spawn(lines::read_errors(stderr, recorder.clone()));
        let stdout = messages.abort_handle();
        let (gone, exited) = watch::channel(false);
        tokio::spawn(watch_over(
            child,
            group.clone(),
            vec![messages, errors],
            recorder.clone(),
            gone,
        ));
        Ok(Self {
            input: Input::new(stdin, recorder.clone()),
            recorder,
            group,
            stdout,
            exited,
            exit_grace,
        })
    }

    /// Queues a message as a line.
    pub(crate) async fn send(&mut self, outgoing: Outgoing) -> Result<Exchange, SendError> {
        let place = self.input.place(outgoing.bytes.len()).await?;
        self.recorder.record(EventKind::Sent {
            exchange: 0,
            label: outgoing.label,
            meant: outgoing.meant,
            bytes: outgoing.bytes.clone().into(),
        });
        self.input.write(outgoing.bytes, &outgoing.delivery, place);
        Ok(0)
    }

    /// Closes standard input, after what was sent before.
    pub(crate) async fn close_input(&mut self) {
        self.input.close(self.exit_grace).await;
    }

    /// Signals the group; nothing happens when the child is gone.
    pub(crate) fn signal(&self, name: &str) -> Result<(), SendError> {
        self.group.signal(group::named(name)?);
        Ok(())
    }

    /// What the group holds in memory, in KiB.
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        self.group.memory_kib()
    }

    /// Whether it runs and is listened to.
    pub(crate) fn is_usable(&self) -> bool {
        !*self.exited.borrow() && !self.stdout.is_finished()
    }

    /// Ends the child and waits until it is gone.
    pub(crate) async fn shutdown(mut self, how: Shutdown) {
        let mut leaves_by = None;
        if how == Shutdown::Orderly && !*self.exited.borrow() {
            leaves_by = Some(Instant::now() + self.exit_grace);
            self.close_input().await;
        }
        end(&self.group, &mut self.exited, leaves_by, self.exit_grace).await;
    }
}

/// Ends a group, and waits until its child is gone. A child whose input is closed has until `leaves_by` to leave by
/// itself, and then `grace` from TERM on; any other is killed.
pub(super) async fn end(
    group: &Group,
    exited: &mut watch::Receiver<bool>,
    leaves_by: Option<Instant>,
    grace: Duration,
) {
    if let Some(deadline) = leaves_by {
        if is_gone_by(exited, deadline).await {
            return;
        }
        group.signal(Signal::SIGTERM);
        if is_gone_by(exited, Instant::now() + grace).await {
            return;
        }
    }
    group.signal(Signal::SIGKILL);
    if !is_gone_by(exited, Instant::now() + KILL_PATIENCE).await {
        tracing::warn!("a killed child does not go away");
    }
}

async fn is_gone_by(exited: &mut watch::Receiver<bool>, deadline: Instant) -> bool {
    // An error means that the watcher is gone, which ends after the child.
    timeout_at(deadline, exited.wait_for(|gone| *gone))
        .await
        .is_ok()
}

impl Drop for Child {
    fn drop(&mut self) {
        self.group.end();
    }
}

pub(super) fn spawn(program: Program<'_>) -> std::io::Result<process::Child> {
    let mut command = Command::new(program.program);
    command
        .args(program.arguments)
        .envs(program.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(directory) = program.directory {
        command.current_dir(directory);
    }
    command.spawn()
}

/// Waits for the child's end, ends the rest of its group, lets what it wrote be read, and records the
/// end after all of that.
pub(super) async fn watch_over(
    mut child: process::Child,
    group: Arc<Group>,
    readers: Vec<JoinHandle<()>>,
    recorder: Recorder,
    gone: watch::Sender<bool>,
) {
    let status = match child.wait().await {
        Ok(status) => Some(status),
        Err(error) => {
            tracing::debug!(%error, "wait for the child");
            child.try_wait().ok().flatten()
        }
    };
    group.end();
    let deadline = Instant::now() + DRAIN_PATIENCE;
    for mut reader in readers {
        let left = deadline.saturating_duration_since(Instant::now());
        if timeout(left, &mut reader).await.is_err() {
            reader.abort();
        }
    }
    group.reap();
    recorder.record(EventKind::Exited {
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
    });
    gone.send_replace(true);
}
