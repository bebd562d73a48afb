//! What happens when the user stops the program: the first signal ends the work at once and in good order, a
//! second one, or the lack of order, ends the program with every child that it started.

use std::{fs, thread, time::Duration};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::timeout,
};

use crate::exit::{Exit, Expected};

/// Runs `work` until it is done, or until the user stops the program. Children are in groups of their own, which a
/// terminal does not reach; dropping the work ends them.
///
/// The signals are listened to on a thread of their own, since judging what a target sent may keep the others busy.
pub(crate) async fn interruptible<T>(work: impl Future<Output = T>) -> Result<T, Expected> {
    mcp_verdict_transport::adopt_orphans();
    let (stop, mut stopped) = watch::channel(false);
    let listener = thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || listen(&stop));
    if let Err(error) = listener {
        // The system's own way with signals stays in force.
        tracing::warn!(%error, "listen to signals");
        return Ok(work.await);
    }
    tokio::select! {
        biased;
        Ok(_) = stopped.wait_for(|stopped| *stopped) => Err(Expected {
            message: "interrupted".to_owned(),
            hint: None,
            exit: Exit::Interrupted,
        }),
        done = work => Ok(done),
    }
}

/// Lives as long as the program.
fn listen(stop: &watch::Sender<bool>) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let Some(mut signals) = Signals::new() else {
            return;
        };
        signals.next().await;
        stop.send_replace(true);
        // Either way it is time: a second signal came, or the end did not.
        let _: Result<(), _> = timeout(ENDING_PATIENCE, signals.next()).await;
        mcp_verdict_transport::kill_children();
        mcp_verdict_transport::kill_descendants();
        std::process::exit(Exit::Interrupted as i32);
    });
}

/// What stops the program.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Not for a program that shall outlive its terminal.
    hang_up: Option<Signal>,
}

impl Signals {
    fn new() -> Option<Self> {
        let hang_up = (!outlives_terminal())
            .then(|| signal(SignalKind::hangup()).ok())
            .flatten();
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            hang_up,
        })
    }

    async fn next(&mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Whether the program was started to ignore that its terminal goes, as `nohup` does. Where the system does not
/// tell, it was not.
fn outlives_terminal() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is the first of all signals.
    ignored.is_some_and(|mask| mask & 1 != 0)
}

/// How long the end of the work may take.
const ENDING_PATIENCE: Duration = Duration::from_secs(3);
