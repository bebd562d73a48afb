//! What can be wrong with what the user says about the target.

use std::path::PathBuf;

use crate::target::UrlError;

/// A mistake of the user's, and the way out. The program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `--bearer-env` names a variable that is not there.
    #[error("the environment variable `{variable}` is not set, or empty")]
    BearerVariable {
        /// The variable.
        variable: String,
    },
    /// An entry of a client's configuration does not say how to reach its server.
    #[error("server `{server}` in `{}`: {why}", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The server.
        server: String,
        /// What is wrong.
        why: String,
    },
    /// A header that cannot be sent. Its value is not shown.
    #[error("`{name}` is no header that can be sent")]
    Header {
        /// Its name, or what was given in its place.
        name: String,
    },
    /// The file is no JSON.
    #[error("read `{}`: line {line}, column {column}: {why}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the JSON reader says.
        why: String,
    },
    /// There is no command.
    #[error("no command is given")]
    NoCommand,
    /// The configuration has no server of that name.
    #[error("`{}` has no server `{name}`", path.display())]
    NoServer {
        /// The file.
        path: PathBuf,
        /// As asked for.
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// The file has no servers.
    #[error("`{}` describes no server", path.display())]
    NoServers {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A `${…}` that stands for nothing.
    #[error("`{reference}` in `{}` stands for nothing: the environment variable `{variable}` is not set", path.display())]
    Reference {
        /// The file.
        path: PathBuf,
        /// As written.
        reference: String,
        /// What would have to be set.
        variable: String,
    },
    /// The configuration has several servers, and none was chosen.
    #[error("`{}` describes {} servers", path.display(), names.len())]
    SeveralServers {
        /// The file.
        path: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// `--start` without an address that the command could serve.
    #[error("--start goes with the URL that the command serves")]
    StartWithoutUrl,
    /// A target file is not what it should be. The text shows where.
    #[error("read target file `{}`\n{text}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Line, caret and reason.
        text: String,
        /// What to write instead, if it can be told.
        hint: Option<String>,
    },
    /// More than one target.
    #[error("two targets are given: {first} and {second}")]
    TwoTargets {
        /// One of them.
        first: &'static str,
        /// Another.
        second: &'static str,
    },
    /// No address of an HTTP server.
    #[error("`{given}` is no address of a server: {error}")]
    Url {
        /// As given.
        given: String,
        /// What is wrong.
        error: UrlError,
    },
}

impl ConfigError {
    /// The way out, if there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Entry { .. } => {
                "an entry holds `command` (with `args`, `env`, `cwd`), or `url` (with `type`, `headers`)"
                    .to_owned()
            }
            Self::Header { .. } => "write it as --header 'NAME: VALUE'".to_owned(),
            Self::NoCommand => "write the command that starts the server after `--`".to_owned(),
            Self::NoServer { known, .. } if known.is_empty() => return None,
            Self::NoServer { known, name, .. } => {
                let known_list = known.join(", ");
                match closest(name, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`? It has {known_list}"),
                    None => format!("it has {known_list}"),
                }
            }
            Self::NoServers { .. } => {
                "servers are looked for under `mcpServers`, `servers` and `mcp.servers`".to_owned()
            }
            Self::Reference { variable, .. } => format!("set it: {variable}=… mcp-verdict …"),
            Self::SeveralServers { names, .. } => {
                format!("choose one with --server: {}", names.join(", "))
            }
            Self::StartWithoutUrl => {
                "a server on standard streams is started by the command after `--`".to_owned()
            }
            Self::Toml { hint, .. } => return hint.clone(),
            Self::TwoTargets { .. } => "give one of them".to_owned(),
            Self::Url { given, error: UrlError::Scheme } => {
                let host = given.split(['/', ':']).next().unwrap_or_default();
                if given.contains("://") || !(given.contains(':') || host.contains('.')) {
                    "a URL begins with http:// or https://; a command stands after `--`".to_owned()
                } else {
                    format!("did you mean http://{given}? A command stands after `--`")
                }
            }
            Self::BearerVariable { .. } | Self::Json { .. } | Self::Read { .. } | Self::Url { .. } => {
                return None;
            }
        })
    }

    /// The exit code: wrong usage, or a file that cannot be read as what it should be.
    pub const EXIT_CODE: u8 = 2;
}

/// The known word that `word` was probably meant to be.
pub(crate) fn closest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let near = known
        .map(|candidate| (distance(word, candidate), candidate))
        .min()?;
    let length = word.chars().count();
    (near.0 < length && near.0 <= 2 + length / 8).then_some(near.1)
}

/// Levenshtein's distance. Both words are short: names that a person typed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(WORD_CHARACTERS_MAX).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, character) in one.chars().take(WORD_CHARACTERS_MAX).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

/// Words are compared up to here.
const WORD_CHARACTERS_MAX: usize = 64;
