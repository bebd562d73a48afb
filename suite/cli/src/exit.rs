//! Exit codes: an API. `--help` and the README list them; nothing else in the program chooses a number.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// No check failed, or everything is as the baseline says.
    Conformant = 0,
    /// A MUST was broken (with `--strict` also a SHOULD), or the baseline is not what was seen.
    NotConformant = 1,
    /// Wrong usage, or a file of the user's that cannot be read as what it should be.
    Usage = 2,
    /// The target could not be started or reached, speaks no revision, or did not last until the end.
    Unreachable = 3,
    /// The selection left nothing to run.
    NothingSelected = 4,
    /// Our side broke.
    Internal = 70,
    /// The user stopped it.
    Interrupted = 130,
}

/// Shown at the end of `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
   0  no check failed
   1  a MUST was broken (--strict: or a SHOULD), or the baseline does not fit
   2  wrong usage, or a file that cannot be read
   3  the target could not be started or reached, speaks no revision, or did not last until the end
   4  nothing was selected to run
  70  a bug of ours
 130  interrupted";

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Something the user or their target caused: what, the way out, and the exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Expected {
    /// Lower-case, one or more lines.
    pub(crate) message: String,
    /// The way out, if there is one to name.
    pub(crate) hint: Option<String>,
    /// The exit code.
    pub(crate) exit: Exit,
}

impl Expected {
    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit: Exit::Usage,
        }
    }

    /// The same with a way out.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
