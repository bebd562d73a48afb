//! The process group of a child: signals to all of it, and its sure end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_verdict_wire::transcript::EventKind;
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::{Recorder, SendError};

/// The group that a child leads. Killed when this is dropped.
///
/// A process that leaves the group (`setsid`) is out of reach.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    recorder: Recorder,
    /// The leader was reaped: its number may belong to someone else from now on.
    gone: Mutex<bool>,
}

impl Group {
    pub(super) fn new(leader: u32, recorder: Recorder) -> Option<Self> {
        let leader = Pid::from_raw(i32::try_from(leader).ok()?);
        Some(Self {
            leader,
            recorder,
            gone: Mutex::new(false),
        })
    }

    /// Sends `signal` to the whole group and records it, unless the leader is gone already.
    pub(super) fn signal(&self, signal: Signal) {
        let gone = self.gone();
        if !*gone {
            let name = signal.as_str().trim_start_matches("SIG").to_owned();
            self.recorder.record(EventKind::Signalled { signal: name });
            self.send(signal);
        }
    }

    /// Kills what is left of the group; later signals go nowhere.
    pub(super) fn end(&self) {
        let mut gone = self.gone();
        if !*gone {
            self.send(Signal::SIGKILL);
            *gone = true;
        }
    }

    fn send(&self, signal: Signal) {
        // A leader that left its own group is still reached by its number. That neither is there any
        // more is what we want.
        if killpg(self.leader, signal).is_err()
            && let Err(error) = kill(self.leader, signal)
        {
            tracing::debug!(%signal, %error, "no one to signal");
        }
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
