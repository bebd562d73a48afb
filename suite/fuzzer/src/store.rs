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

#[cfg(test)]
mod tests {
    use std::fs;

    use mcp_verdict_vectors::{
        Known, Library,
        model::{CheckId, Found, Outcome, RequirementId, Step},
    };
    use mcp_verdict_wire::{Revision, TransportKind};

    use super::*;
    use crate::{
        case::{Action, Case, Layer, Sending},
        piece::{Piece, Pieces},
        source::Mark,
    };

    /// Pieces with everything in them that a file could get wrong.
    fn pieces() -> Pieces {
        let mut pieces =
            Pieces::of("a\u{0}\u{7f}\u{85}\u{feff}\u{2028}😀${x}$${y}\\ud800\"'\n\r\t# : -");
        pieces.0.push(Piece::repeated(b"[", 5000));
        pieces.0.push(Piece::repeated(b"\xff\xfe", 2));
        pieces
    }

    #[test]
    fn what_is_written_is_read_again_to_the_byte() {
        let case = Case {
            mark: Mark(256),
            layer: Layer::Bytes,
            method: "ping".to_owned(),
            mutations: Vec::new(),
            actions: vec![
                Action::Message(Sending::of(pieces())),
                Action::Message(Sending::of(Pieces::of("${a}\u{85}"))),
            ],
        };
        let mut steps = case.steps();
        steps.push(json!({"barrier": {}}));
        let script = Script {
            id: "fuzz/exit-1".to_owned(),
            title: "A title: with \"quotes\" #1".to_owned(),
            level: Level::Must,
            requirements: vec![RequirementId("json-rpc-2.0#5".to_owned())],
            revision: Revision::V2025_11_25,
            transport: TransportKind::Stdio,
            found: Found {
                by: "exit".to_owned(),
                verdict: Outcome::Fail,
                seed: 7,
            },
            steps,
        };
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("fuzz")).unwrap();
        let path = folder.path().join("fuzz/exit-1.yaml");
        fs::write(path, text(&script, &["a comment".to_owned()])).unwrap();
        let mut library = Library::embedded(&Known::default()).unwrap();
        library
            .with_dir(folder.path())
            .unwrap_or_else(|error| panic!("{}", error.render(false)));
        let vector = library.vector(&CheckId("fuzz/exit-1".to_owned())).unwrap();
        assert_eq!(vector.found, Some(script.found.clone()));
        assert_eq!(vector.steps, script.vector().unwrap().steps);
        let Step::SendRaw(sent) = &vector.steps[0] else {
            panic!("{:?}", vector.steps[0]);
        };
        assert_eq!(sent.parts.len(), 3);
        assert_eq!(sent.parts[1].times, 5000);
    }
}
