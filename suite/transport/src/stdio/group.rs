//! The process group of a child: signals to all of it, and its sure end.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mcp_verdict_wire::transcript::EventKind;
use nix::{
    sys::{
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use super::memory;
use crate::{Recorder, SendError};

/// Every group there is, for the end of the whole program.
static GROUPS: Mutex<Groups> = Mutex::new(Groups {
    closed: false,
    leaders: BTreeSet::new(),
});

struct Groups {
    /// No child starts any more.
    closed: bool,
    leaders: BTreeSet<Pid>,
}

/// Kills every child of this process with its whole group, and lets no other start. For a program that ends
/// without more ado.
pub fn kill_children() {
    let mut groups = groups();
    groups.closed = true;
    for leader in &groups.leaders {
        kill_group(*leader, Signal::SIGKILL);
    }
}

fn groups() -> MutexGuard<'static, Groups> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The group that a child leads. Killed when this is dropped.
///
/// A process that leaves the group (`setsid`) is out of its reach.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
    recorder: Recorder,
    /// The leader was reaped: its number may belong to someone else from now on.
    gone: Mutex<bool>,
}

impl Group {
    /// Starts a child that leads a group. `spawn` gives the child and its number.
    pub(crate) fn start<C>(
        spawn: impl FnOnce() -> io::Result<(C, Option<u32>)>,
        recorder: Recorder,
    ) -> io::Result<(C, Self)> {
        // Held meanwhile, so that no child is started and not known.
        let mut groups = groups();
        if groups.closed {
            return Err(io::Error::other("the program is ending"));
        }
        let (child, number) = spawn()?;
        let leader = number
            .and_then(|number| i32::try_from(number).ok())
            .map(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the child has no number"))?;
        groups.leaders.insert(leader);
        let group = Self {
            leader,
            recorder,
            gone: Mutex::new(false),
        };
        Ok((child, group))
    }

    /// Sends `signal` to the whole group and records it, unless the leader is gone already.
    pub(crate) fn signal(&self, signal: Signal) {
        let gone = self.gone();
        if !*gone {
            let name = signal.as_str().trim_start_matches("SIG").to_owned();
            self.recorder.record(EventKind::Signalled { signal: name });
            self.send(signal);
        }
    }

    /// What is resident of the group's processes, in KiB (Linux: `/proc`).
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        memory::of_group(self.leader.as_raw())
    }

    /// Kills what is left of the group; later signals go nowhere.
    pub(crate) fn end(&self) {
        let mut gone = self.gone();
        if !*gone {
            self.send(Signal::SIGKILL);
            groups().leaders.remove(&self.leader);
            *gone = true;
        }
    }

    /// Whether it was ended.
    pub(crate) fn is_gone(&self) -> bool {
        *self.gone()
    }

    /// Takes note of those of its members that ended and were left to us. It does not wait: one that leaves the
    /// group meanwhile would be waited for in vain.
    pub(crate) fn reap(&self) {
        let members = Pid::from_raw(-self.leader.as_raw());
        while let Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) =
            waitpid(members, Some(WaitPidFlag::WNOHANG))
        {}
    }

    fn send(&self, signal: Signal) {
        kill_group(self.leader, signal);
    }

    fn gone(&self) -> MutexGuard<'_, bool> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

fn kill_group(leader: Pid, signal: Signal) {
    // A leader that left its own group is still reached by its number. That neither is there any more is
    // what we want.
    if killpg(leader, signal).is_err()
        && let Err(error) = kill(leader, signal)
    {
        tracing::debug!(%signal, %error, "no one to signal");
    }
}

/// The signal of that name.
pub(super) fn named(name: &str) -> Result<Signal, SendError> {
    match name.trim_start_matches("SIG") {
        "TERM" => Ok(Signal::SIGTERM),
        "INT" => Ok(Signal::SIGINT),
        "HUP" => Ok(Signal::SIGHUP),
        "KILL" => Ok(Signal::SIGKILL),
        _ => Err(SendError::Build(format!(
            "unknown signal `{name}`; known are TERM, INT, HUP, KILL"
        ))),
    }
}
