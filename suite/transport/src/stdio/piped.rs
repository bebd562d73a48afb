//! A child whose standard input and output are its caller's own, unrecorded: for load, where a record of everything
//! would be the measure of itself. Its process group and its sure end are those of every child.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{
    process::{ChildStdin, ChildStdout},
    sync::watch,
    time::Instant,
};

use super::{
    Program,
    child::{end, spawn, watch_over},
    group::Group,
};
use crate::{Address, OpenError, Options, Recorder, lines};

/// A running child. Dropping it kills its whole group.
#[derive(Debug)]
pub struct PipedChild {
    /// Its standard input; dropping it closes it.
    pub stdin: Option<ChildStdin>,
    /// Its standard output.
    pub stdout: ChildStdout,
    group: Arc<Group>,
    exited: watch::Receiver<bool>,
    exit_grace: Duration,
}

impl PipedChild {
    /// Starts the program of an address in a process group of its own. What it writes to its standard error is read
    /// and forgotten.
    ///
    /// # Errors
    /// When the address is no command, or the program cannot be started.
    pub fn start(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let Address::Command {
            program,
            arguments,
            environment,
            directory,
        } = address
        else {
            return Err(OpenError::Url {
                url: address.to_string(),
                why: "it is no command".to_owned(),
            });
        };
        let failed = |source| OpenError::Start {
            program: program.clone(),
            source,
        };
        let incomplete = || failed(std::io::Error::other("the child has no streams"));
        let recorder = Recorder::new(options.redactor.clone());
        let start = || {
            let child = spawn(Program {
                program,
                arguments,
                environment,
                directory: directory.as_deref().map(Path::new),
            })?;
            let number = child.id();
            Ok((child, number))
        };
        let (mut child, group) = Group::start(start, recorder.clone()).map_err(failed)?;
        let group = Arc::new(group);
        let stdin = child.stdin.take().ok_or_else(incomplete)?;
        let stdout = child.stdout.take().ok_or_else(incomplete)?;
        let stderr = child.stderr.take().ok_or_else(incomplete)?;
        let errors = tokio::spawn(lines::read_errors(stderr, recorder.clone()));
        let (gone, exited) = watch::channel(false);
        tokio::spawn(watch_over(
            child,
            group.clone(),
            vec![errors],
            recorder,
            gone,
        ));
        Ok(Self {
            stdin: Some(stdin),
            stdout,
            group,
            exited,
            exit_grace: options.exit_grace,
        })
    }

    /// What the group holds in memory, in KiB.
    #[must_use]
    pub fn memory_kib(&self) -> Option<u64> {
        self.group.memory_kib()
    }

    /// Ends the child as the specification asks, and waits until it is gone: its input is closed, then TERM, then KILL.
    pub async fn shutdown(mut self) {
        self.stdin = None;
        let leaves_by = Instant::now() + self.exit_grace;
        end(
            &self.group,
            &mut self.exited,
            Some(leaves_by),
            self.exit_grace,
        )
        .await;
    }
}

impl Drop for PipedChild {
    fn drop(&mut self) {
        self.group.end();
    }
}
