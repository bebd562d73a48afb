//! Findings as files: ordinary vectors, one for each bucket.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mcp_verdict_vectors::model::Level;
use serde_json::{Value, json};

use crate::{bucket::Bucket, script::Script};

/// A folder or file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write `{}`: {source}", path.display())]
pub struct StoreError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Writes the vectors of `buckets` below `folder`, by their ids. Gives the files, in order.
///
/// # Errors
/// When one cannot be written.
pub fn store(folder: &Path, buckets: &[Bucket]) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = Vec::new();
    for bucket in buckets.iter().filter(|bucket| !bucket.vector.is_empty()) {
        let path = folder.join(format!("{}.yaml", bucket.result.check));
        let failed = |source| StoreError {
            path: path.clone(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, &bucket.vector).map_err(failed)?;
        paths.push(path);
    }
    Ok(paths)
}

/// A script as the text of a vector file. JSON is YAML, so that nothing has to be escaped twice.
pub(crate) fn text(script: &Script, comment: &[String]) -> String {
    let mut text = String::new();
    for line in comment {
        text.push_str(&format!("# {line}\n"));
    }
    let level = match script.level {
        Level::Must => "MUST",
        Level::Should | Level::May => "SHOULD",
    };
    let requirements: Vec<&str> = script.requirements.iter().map(|id| id.0.as_str()).collect();
    let found =
        json!({"by": script.found.by, "verdict": script.found.verdict, "seed": script.found.seed});
    for (key, value) in [
        ("id", json!(script.id)),
        ("title", json!(script.title)),
        ("level", json!(level)),
        (
            "requirements",
            json!({script.revision.as_str(): requirements}),
        ),
        ("transports", json!([script.transport.as_str()])),
        ("session", json!("fresh")),
        ("found", found),
    ] {
        text.push_str(&format!("{key}: {}\n", spelled(&value)));
    }
    text.push_str("steps:\n");
    for step in &script.steps {
        text.push_str(&format!("  - {}\n", spelled(step)));
    }
    text
}

/// A value as JSON in the characters that YAML takes as they are (YAML 1.2.2, section 5.1): all others are escaped.
fn spelled(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        match character {
            ' '..='~' => text.push(character),
            other if u32::from(other) > 0xffff => {
                text.push_str(&format!("\\U{:08x}", u32::from(other)))
            }
            other => text.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
    }
    text
}
