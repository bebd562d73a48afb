//! Reports on their way into files.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use mcp_verdict_results::{Benchmark, Comparison, Run};

use crate::{
    benchmark_html, benchmark_json, benchmark_junit, comparison_html, comparison_json,
    comparison_junit, html, json, junit,
};

/// A form of report that can be written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One self-contained page for a browser.
    Html,
    /// Everything, for programs; see [`crate::SCHEMA`].
    Json,
    /// What CI systems read.
    Junit,
}

/// Which report goes where: `junit=PATH`, as on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSpec {
    /// Its form.
    pub format: Format,
    /// Its file. `-` is standard output.
    pub path: PathBuf,
}

/// A text that names no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// No `=`, or nothing after it.
    #[error("report `{spec}` names no file; write `{format}=PATH`")]
    NoPath {
        /// As given.
        spec: String,
        /// The format that it names.
        format: Format,
    },
    /// A path alone, whose extension tells the format that may be meant.
    #[error("report `{spec}` names no format; {}", hint(spec))]
    NoFormat {
        /// As given.
        spec: String,
    },
    /// A format that there is none of.
    #[error(
        "unknown report format `{format}`; known are html, json, junit{}",
        unknown_hint(format)
    )]
    UnknownFormat {
        /// As given.
        format: String,
    },
}

/// Why a report is not in its file.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system refuses.
    #[error("write report `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Two reports would go to the same file.
    #[error("write report `{}`: two reports are to go there", path.display())]
    SamePath {
        /// The file.
        path: PathBuf,
    },
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Html, Self::Json, Self::Junit];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Junit => "junit",
        }
    }

    /// Renders a run in this format.
    #[must_use]
    pub fn render(self, run: &Run) -> String {
        match self {
            Self::Html => html(run),
            Self::Json => json(run),
            Self::Junit => junit(run),
        }
    }

    /// Renders a benchmark in this format.
    #[must_use]
    pub fn render_benchmark(self, benchmark: &Benchmark) -> String {
        match self {
            Self::Html => benchmark_html(benchmark),
            Self::Json => benchmark_json(benchmark),
            Self::Junit => benchmark_junit(benchmark),
        }
    }

    /// Renders a comparison in this format.
    #[must_use]
    pub fn render_comparison(self, comparison: &Comparison) -> String {
        match self {
            Self::Html => comparison_html(comparison),
            Self::Json => comparison_json(comparison),
            Self::Junit => comparison_junit(comparison),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| SpecError::UnknownFormat {
                format: text.to_owned(),
            })
    }
}

impl FromStr for ReportSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((format, path)) = text.split_once('=') else {
            return Err(match text.parse() {
                Ok(format) => SpecError::NoPath {
                    spec: text.to_owned(),
                    format,
                },
                Err(_) => SpecError::NoFormat {
                    spec: text.to_owned(),
                },
            });
        };
        let format = format.parse()?;
        if path.is_empty() {
            return Err(SpecError::NoPath {
                spec: text.to_owned(),
                format,
            });
        }
        Ok(Self {
            format,
            path: PathBuf::from(path),
        })
    }
}

impl fmt::Display for ReportSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.format, self.path.display())
    }
}

/// Writes each report: beside its file first, then in its place, so that a reader sees the old
/// report or the new one whole. Missing folders are made.
///
/// # Errors
/// When a file cannot be written, or two reports would go to the same one. Reports that come before
/// it in the list are written then.
pub fn write(run: &Run, specs: &[ReportSpec]) -> Result<(), WriteError> {
    write_each(specs, &|format| format.render(run))
}

/// As [`write`], of a comparison.
///
/// # Errors
/// As for [`write`].
pub fn write_comparison(comparison: &Comparison, specs: &[ReportSpec]) -> Result<(), WriteError> {
    write_each(specs, &|format| format.render_comparison(comparison))
}

/// As [`write`], of a benchmark.
///
/// # Errors
/// As for [`write`].
pub fn write_benchmark(benchmark: &Benchmark, specs: &[ReportSpec]) -> Result<(), WriteError> {
    write_each(specs, &|format| format.render_benchmark(benchmark))
}

fn write_each(specs: &[ReportSpec], render: &dyn Fn(Format) -> String) -> Result<(), WriteError> {
    for (index, spec) in specs.iter().enumerate() {
        if specs[..index]
            .iter()
            .any(|earlier| earlier.path == spec.path)
        {
            return Err(WriteError::SamePath {
                path: spec.path.clone(),
            });
        }
    }
    for spec in specs {
        put(&spec.path, render(spec.format).as_bytes()).map_err(|source| WriteError::Io {
            path: spec.path.clone(),
            source,
        })?;
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path == Path::new("-") {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        return out.flush();
    }
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::Error::other("it is a folder")),
        // A pipe or a device such as /dev/stderr is written to, never replaced.
        Ok(there) if !there.is_file() => {
            OpenOptions::new().write(true).open(path)?.write_all(bytes)
        }
        _ => replace(path, bytes),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The file itself, where the path is a link to it.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("it names no file"))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&folder)?;
    let (mut file, temporary) = create_beside(&folder, &name.to_string_lossy())?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        // The first error is the one to tell; a file that is left over does no harm.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A new file in `folder`, under a name that no other has.
fn create_beside(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    let mut number = 0;
    loop {
        let path = folder.join(format!(".{name}.{}.{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < NAMES_MAX => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn hint(spec: &str) -> String {
    let format = match Path::new(spec)
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("html" | "htm") => Format::Html,
        Some("json") => Format::Json,
        Some("xml") => Format::Junit,
        _ => return "write `html=PATH`, `json=PATH` or `junit=PATH`".to_owned(),
    };
    format!("write `{format}={spec}`")
}

fn unknown_hint(format: &str) -> &'static str {
    match format {
        "xml" | "junit-xml" | "JUnit" => "; did you mean `junit`?",
        "htm" | "HTML" | "page" => "; did you mean `html`?",
        "JSON" | "jsonl" => "; did you mean `json`?",
        _ => "",
    }
}

/// Names to try for a temporary file: leftovers of runs with the same process id are few.
const NAMES_MAX: u32 = 100;
