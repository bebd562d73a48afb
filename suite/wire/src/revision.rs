//! The revisions of the specification, and the two eras they fall into.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A published revision of the Model Context Protocol, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// 2024-11-05.
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// 2025-03-26.
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// 2025-06-18.
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// 2025-11-25.
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// 2026-07-28.
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

/// How a revision opens a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Era {
    /// A session opened by `initialize`: up to 2025-11-25.
    Legacy,
    /// Stateless, every request carries its metadata: 2026-07-28.
    Modern,
}

/// A text that names no revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown revision `{0}`; known are 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28"
)]
pub struct UnknownRevision(pub String);

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The date that names it, as `protocolVersion` spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era it belongs to.
    #[must_use]
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            _ => Era::Legacy,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Revision {
    type Err = UnknownRevision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|revision| revision.as_str() == text)
            .ok_or_else(|| UnknownRevision(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_revision_is_read_by_its_name_and_stored_under_it() {
        for revision in Revision::ALL {
            assert_eq!(revision.to_string().parse(), Ok(revision));
            let stored = serde_json::to_string(&revision).unwrap();
            assert_eq!(stored, format!("\"{revision}\""));
            assert_eq!(serde_json::from_str::<Revision>(&stored).unwrap(), revision);
        }
    }

    #[test]
    fn revisions_are_in_order_and_the_last_alone_is_modern() {
        assert!(Revision::ALL.is_sorted_by(|earlier, later| earlier < later));
        let modern: Vec<_> = Revision::ALL
            .into_iter()
            .filter(|revision| revision.era() == Era::Modern)
            .collect();
        assert_eq!(modern, [Revision::V2026_07_28]);
    }

    #[test]
    fn other_texts_name_no_revision() {
        for text in ["", "draft", "2025-11-25 ", "2025-11-26", "V2025_11_25"] {
            assert_eq!(
                text.parse::<Revision>(),
                Err(UnknownRevision(text.to_owned()))
            );
        }
        let message = UnknownRevision("x".into()).to_string();
        for revision in Revision::ALL {
            assert!(message.contains(revision.as_str()), "{message}");
        }
    }
}
