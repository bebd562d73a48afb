//! What the program prints: safe to look at, whatever a target sent, and without a fuss where nobody reads it.

use std::io::{ErrorKind, Write as _};

/// Prints a text of ours on standard output. That nobody reads it to its end is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a text on standard error, where nobody may read it either.
pub(crate) fn complain(text: &str) {
    let mut err = anstream::stderr().lock();
    drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
}

/// A text that may hold what a target sent, with everything made visible that is not meant to be seen.
pub(crate) fn visible(text: &str) -> String {
    mcp_verdict_reports::visible(text).into_owned()
}
