//! A finding in a file: the plan that shows it, and what it shows.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mcp_verdict_wire::TransportKind;
use serde_json::{Value, json};

use super::{campaign::ClientBucket, plan::Plan};

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The oracle's name.
    pub oracle: String,
    /// What was seen, without what differs from visit to visit.
    pub shape: String,
    /// What was seen.
    pub message: String,
    /// The seed of the campaign.
    pub seed: u64,
    /// How the client got its server.
    pub transport: TransportKind,
    /// What was changed.
    pub plan: Plan,
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    /// It is no finding.
    #[error("read `{}`: {why}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system refuses.
    #[error("open `{}`: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Finding {
    /// What a campaign over this transport found.
    #[must_use]
    pub fn of(bucket: &ClientBucket, seed: u64, transport: TransportKind) -> Self {
        Self {
            oracle: bucket.oracle.to_owned(),
            shape: bucket.shape.clone(),
            message: bucket.message.clone(),
            seed,
            transport,
            plan: bucket.plan.clone(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When there is none, or it holds something else.
    pub fn read(path: &Path) -> Result<Self, FindingError> {
        let bytes = fs::read(path).map_err(|source| FindingError::File {
            path: path.to_owned(),
            source,
        })?;
        let content = |why: String| FindingError::Content {
            path: path.to_owned(),
            why,
        };
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| content(error.to_string()))?;
        if value["format"] != FORMAT {
            return Err(content(format!("it has no `\"format\": {FORMAT}`")));
        }
        Self::from_json(&value)
            .ok_or_else(|| content("a member is missing, or of another type".to_owned()))
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self {
            oracle: text("oracle")?,
            shape: text("shape")?,
            message: text("message")?,
            seed: value["seed"].as_u64()?,
            transport: value["transport"].as_str()?.parse().ok()?,
            plan: Plan::from_json(&value["changes"])?,
        })
    }

    /// Writes it below a folder, by a name that is the same whenever the same is found. Gives the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, FindingError> {
        let path = folder.join(self.file());
        let failed = |source| FindingError::File {
            path: path.clone(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let value = json!({
            "format": FORMAT,
            "oracle": self.oracle,
            "shape": self.shape,
            "message": self.message,
            "seed": self.seed,
            "transport": self.transport.as_str(),
            "changes": self.plan.to_json(),
        });
        fs::write(&path, format!("{value:#}\n")).map_err(failed)?;
        Ok(path)
    }

    /// Its file below the folder: the oracle, and a number of the shape (FNV-1a).
    #[must_use]
    pub fn file(&self) -> String {
        let mut number: u32 = 0x811c_9dc5;
        for byte in self.shape.bytes() {
            number = (number ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        format!("{}-{number:08x}.json", self.oracle)
    }
}

/// The number of the format of these files.
const FORMAT: u64 = 1;
