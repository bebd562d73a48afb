//! What comparing two targets brings, as plain data that outlives versions.

use serde::{Deserialize, Serialize};

use crate::{Entry, Suite};

/// Two targets, driven through the same exchanges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Who compared.
    pub suite: Suite,
    /// The first target: the one to go by.
    pub a: Compared,
    /// The second target.
    pub b: Compared,
    /// How they were set against each other: one for each revision and pair of transports.
    pub pairs: Vec<Pair>,
    /// What differs: first what matters, then by kind, subject and pointer.
    pub differences: Vec<Difference>,
    /// What differs between two runs of the same target, and was therefore not compared.
    pub noise: Vec<Noise>,
    /// Exchanges of both sides, for [`Difference::exchange`].
    pub exchanges: Vec<ExchangePair>,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Its address or command, without secrets.
    pub name: String,
    /// What a person should know about it.
    pub notes: Vec<String>,
    /// It went, or did not last to the end: some of what was planned was not compared.
    pub unfinished: bool,
}

/// One way of the first target against one of the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The revision.
    pub revision: String,
    /// The transport of the first.
    pub transport_a: String,
    /// The transport of the second.
    pub transport_b: String,
    /// How many vectors both were driven through.
    pub compared: usize,
    /// Vectors that one of them can be driven through and the other cannot: why, and how many.
    pub left_out: Vec<LeftOut>,
}

/// Vectors that were not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Why, naming the side.
    pub reason: String,
    /// How many.
    pub vectors: usize,
}

/// One thing that differs, wherever it does so in the same manner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// In which manner.
    pub kind: DifferenceKind,
    /// In what: `answer to tools/call echo`, `notifications/progress`, `check base/ping`.
    pub subject: String,
    /// Where in it, as a JSON pointer in which `*` stands for any index or name; empty for the whole.
    pub pointer: String,
    /// Whether it decides the exit code: spelling, and what a transport owes to itself, do not.
    pub matters: bool,
    /// One line for a person.
    pub message: String,
    /// What the first target has there, in the first of the places.
    pub a: Option<String>,
    /// What the second has there.
    pub b: Option<String>,
    /// Where it was seen.
    pub places: Vec<Place>,
    /// Index into [`Comparison::exchanges`]: that of the first place.
    pub exchange: Option<usize>,
}

/// The manner of a difference, seen from the first target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Another verdict.
    Verdict,
    /// Only one of them speaks a revision.
    Revision,
    /// The second does not have it.
    Dropped,
    /// Only the second has it.
    Added,
    /// Another value, or another type.
    Changed,
    /// The same items in another order.
    Reordered,
    /// Messages in another order.
    Order,
    /// The same value, written in another way.
    Respelled,
}

/// Where a difference was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The vector.
    pub check: String,
    /// The revision.
    pub revision: String,
    /// The transport of the first.
    pub transport_a: String,
    /// The transport of the second.
    pub transport_b: String,
    /// The exact pointer.
    pub pointer: String,
}

/// What a target does otherwise each time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Noise {
    /// In what.
    pub subject: String,
    /// Where in it.
    pub pointer: String,
    /// Which of them: `a` or `b`.
    pub side: String,
}

/// The same vector on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangePair {
    /// The vector.
    pub check: String,
    /// The revision.
    pub revision: String,
    /// The transport of the first.
    pub transport_a: String,
    /// The transport of the second.
    pub transport_b: String,
    /// What went over the wire of the first.
    pub a: Vec<Entry>,
    /// What went over the wire of the second.
    pub b: Vec<Entry>,
    /// The command that compares this again.
    pub reproduce: String,
}

impl Comparison {
    /// How many differences matter.
    #[must_use]
    pub fn mattering(&self) -> usize {
        let matters = |difference: &&Difference| difference.matters;
        self.differences.iter().filter(matters).count()
    }

    /// How many vectors were compared, over all pairs.
    #[must_use]
    pub fn compared(&self) -> usize {
        self.pairs.iter().map(|pair| pair.compared).sum()
    }
}

impl DifferenceKind {
    /// Every kind, in report order.
    pub const ALL: [Self; 8] = [
        Self::Verdict,
        Self::Revision,
        Self::Dropped,
        Self::Added,
        Self::Changed,
        Self::Reordered,
        Self::Order,
        Self::Respelled,
    ];

    /// Its name in files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Revision => "revision",
            Self::Dropped => "dropped",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
            Self::Order => "order",
            Self::Respelled => "respelled",
        }
    }
}

impl std::fmt::Display for DifferenceKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}
