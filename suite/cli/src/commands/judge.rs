//! `mcp-verdict judge`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use mcp_verdict_engine::{judge, rules, run::rfc3339};
use mcp_verdict_results::{Run, Suite, Summary, Target};
use mcp_verdict_wire::transcript::Transcript;

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
    let transcripts = read_all(&arguments.files)?;
    let Some(first) = transcripts.first() else {
        let message = "there is no transcript (*.jsonl) in what was given".to_owned();
        return Err(Expected {
            message,
            hint: None,
            exit: Exit::NothingSelected,
        }
        .into());
    };
    let mut results = judge::transcripts(&selected.library, rules::all(), &transcripts, &[]);
    results.retain(|result| selected.wants(&result.check));
    let run = Run {
        suite: Suite {
            name: "mcp-verdict".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: first.head.seed,
            started,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        target: Target {
            name: first.head.target.clone(),
            peers: Vec::new(),
            notes: vec![format!(
                "judged again from {} transcripts",
                transcripts.len()
            )],
        },
        summary: Summary::of(&results),
        results,
    };
    show(&run, &arguments.reports, style)?;
    if run.results.is_empty() {
        return Ok(Exit::NothingSelected);
    }
    Ok(verdict_exit(&run.summary, arguments.strict))
}

/// Reads files, and the `*.jsonl` files of folders, in the order of their names.
fn read_all(paths: &[PathBuf]) -> Result<Vec<Transcript>, Expected> {
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
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Transcript, Expected> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Transcript::from_json_lines(&text).map_err(|error| {
        Expected::usage(format!("read transcript `{}`: {error}", path.display()))
            .hint("Transcripts are what `mcp-verdict run --transcript DIR` saves.")
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Expected {
    Expected::usage(format!("read `{}`: {error}", path.display()))
}
