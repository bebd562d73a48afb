//! `mcp-verdict judge`.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use mcp_verdict_engine::{judge, rules, time::rfc3339};
use mcp_verdict_results::{Run, Suite, Summary, Target};
use mcp_verdict_wire::{limits::TRANSCRIPT_BYTES_MAX, transcript::Transcript};

use crate::{
    arguments::Judge,
    commands::run::{show, verdict_exit},
    exit::{Exit, Expected},
    selection::Selected,
    style::Style,
};

/// The verdicts of saved transcripts.
pub(crate) fn perform(arguments: &Judge, style: Style) -> anyhow::Result<Exit> {
    let (begun, started) = (Instant::now(), rfc3339(SystemTime::now()));
    let selected = Selected::load(&arguments.selection)?;
    let files = files(&arguments.files)?;
    let mut judge = judge::Judge::new(&selected.library, rules::all());
    let mut first = None;
    for file in &files {
        let transcript = read(file)?;
        judge.add(&transcript);
        first.get_or_insert(transcript.head);
    }
    let Some(first) = first else {
        let message = "there is no transcript (*.jsonl) in what was given".to_owned();
        return Err(Expected {
            message,
            hint: None,
            exit: Exit::NothingSelected,
        }
        .into());
    };
    let results = judge.finish(|check| selected.wants(check));
    let run = Run {
        suite: Suite {
            name: "mcp-verdict".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: first.seed,
            started,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        target: Target {
            name: first.target,
            peers: Vec::new(),
            notes: vec![format!("judged again from {} transcripts", files.len())],
        },
        summary: Summary::of(&results),
        results,
        campaigns: Vec::new(),
    };
    show(&run, &arguments.reports, style)?;
    if run.results.is_empty() {
        return Ok(Exit::NothingSelected);
    }
    Ok(verdict_exit(&run.summary, arguments.strict))
}

/// Files, and the `*.jsonl` files of folders, in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Expected> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
            let mut inside: Vec<PathBuf> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| {
                    path.extension()
                        .is_some_and(|extension| extension == "jsonl")
                })
                .collect();
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Transcript, Expected> {
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| unreadable(path, &error))?;
    let strange = |why: &dyn std::fmt::Display| {
        Expected::usage(format!("read transcript `{}`: {why}", path.display()))
            .hint("Transcripts are what `mcp-verdict run --transcript DIR` saves.")
    };
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(strange(&format!(
            "it is longer than {FILE_BYTES_MAX} bytes"
        )));
    }
    Transcript::from_json_lines(&text).map_err(|error| strange(&error))
}

/// Twice what a transcript holds: some bytes take more room as JSON.
const FILE_BYTES_MAX: u64 = 2 * TRANSCRIPT_BYTES_MAX as u64;

fn unreadable(path: &Path, error: &std::io::Error) -> Expected {
    Expected::usage(format!("read `{}`: {error}", path.display()))
}
