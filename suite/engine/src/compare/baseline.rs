//! Known differences: what is expected to differ, and why. As with the baselines of runs, a difference that is
//! not listed counts, and so does one that is listed and gone.

use std::path::Path;

use mcp_verdict_results::{Comparison, Difference, DifferenceKind};
use serde::{Deserialize, Serialize};

use crate::baseline::{BaselineError, read_toml};

/// A file of known differences. Those that do not matter are not compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What is expected.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// One expected difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its manner.
    pub kind: DifferenceKind,
    /// In what, as a report tells it.
    pub subject: String,
    /// Where in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// It comes and goes, because a race decides: it is not stale when it does not show.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub intermittent: bool,
    /// Why it is so.
    pub reason: String,
}

/// What is not as the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unexpected {
    /// Indices of differences that no entry expects.
    pub new: Vec<usize>,
    /// Entries that nothing matches.
    pub stale: Vec<Known>,
}

impl Expected {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no such file.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        read_toml(path)
    }

    /// The file that a comparison fits. Reasons are what it says, for a person to confirm.
    #[must_use]
    pub fn of(comparison: &Comparison) -> Self {
        let known = comparison.differences.iter().filter(|it| it.matters);
        let mut known: Vec<Known> = known
            .map(|difference| Known {
                kind: difference.kind,
                subject: difference.subject.clone(),
                pointer: difference.pointer.clone(),
                intermittent: false,
                reason: reason(difference),
            })
            .collect();
        known.dedup_by(|one, other| {
            (one.kind, &one.subject, &one.pointer) == (other.kind, &other.subject, &other.pointer)
        });
        Self { known }
    }

    /// What is not as this says.
    #[must_use]
    pub fn unexpected(&self, comparison: &Comparison) -> Unexpected {
        let mattering = || {
            let all = comparison.differences.iter().enumerate();
            all.filter(|(_, difference)| difference.matters)
        };
        let new = mattering()
            .filter(|(_, it)| !self.known.iter().any(|known| known.expects(it)))
            .map(|(index, _)| index)
            .collect();
        let stale = self
            .known
            .iter()
            .filter(|known| !known.intermittent)
            .filter(|known| !mattering().any(|(_, it)| known.expects(it)))
            .cloned()
            .collect();
        Unexpected { new, stale }
    }

    /// As a TOML text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a baseline is plain data")
    }
}

impl Known {
    fn expects(&self, difference: &Difference) -> bool {
        self.kind == difference.kind
            && self.subject == difference.subject
            && self.pointer == difference.pointer
    }
}

impl Unexpected {
    /// Whether everything is as the file says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.stale.is_empty()
    }
}

fn reason(difference: &Difference) -> String {
    let side = |value: &Option<String>| value.as_deref().unwrap_or("nothing").to_owned();
    let told = format!(
        "{}: A has {}, B has {}",
        difference.message,
        side(&difference.a),
        side(&difference.b)
    );
    let kept = told.floor_char_boundary(REASON_BYTES_MAX);
    told[..kept].to_owned()
}

/// As much of the values goes into a file that a person reads.
const REASON_BYTES_MAX: usize = 300;
