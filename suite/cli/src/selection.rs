//! Which checks: the library, user vectors, and globs over ids.

use mcp_verdict_engine::{plan, target::shell_words};
use mcp_verdict_vectors::{Known, Library, LoadError};

use crate::{arguments::Selection, exit::Expected};

/// The library, and which of its checks are wanted.
pub(crate) struct Selected {
    /// Everything: a vector that is not wanted may serve to provoke a rule that is.
    pub(crate) library: Library,
    /// What is wanted.
    pub(crate) selection: plan::Selection,
    /// What a command that runs a check again needs to find it: `--vectors mine `, or nothing.
    pub(crate) again: String,
}

impl Selected {
    /// Loads the built-in library and the user's folders.
    pub(crate) fn load(selection: &Selection) -> Result<Self, Expected> {
        let mut library = Self::shipped()?;
        let mut again = String::new();
        for folder in &selection.vectors {
            library.with_dir(folder).map_err(broken)?;
            let folder = shell_words(&[folder.display().to_string()]);
            again += &format!("--vectors {folder} ");
        }
        Ok(Self {
            library,
            selection: plan::Selection {
                patterns: selection.checks.clone(),
            },
            again,
        })
    }

    /// The built-in library alone.
    pub(crate) fn shipped() -> Result<Library, Expected> {
        let faults: Vec<&str> = mcp_verdict_mock::faults().map(|fault| fault.name).collect();
        let known = Known {
            faults: Some(&faults),
            fixtures: None,
        };
        Library::embedded(&known).map_err(broken)
    }

    /// Whether the check is wanted.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.selection.wants(id)
    }
}

fn broken(error: LoadError) -> Expected {
    let shown = error.render(false);
    // The program puts its own `error:` before the first.
    Expected::usage(shown.strip_prefix("error: ").unwrap_or(&shown))
}
