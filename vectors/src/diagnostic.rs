//! What is wrong with a file of ours or a user's, as data, and how a person is shown it.

use std::{fmt, ops::Range, sync::Arc};

use annotate_snippets::{
    AnnotationKind, Level as Severity, Renderer, Snippet, normalize_untrusted_str,
};
use mcp_verdict_wire::Revision;

use crate::model::Level;

/// Why a library could not be loaded: everything that is wrong, in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The file, as shown to a person.
    pub source: String,
    /// The file's text; empty if it could not be read.
    pub text: Arc<str>,
    /// The bytes of `text` it is about.
    pub span: Range<usize>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The text is no YAML of the kind that is read here.
    BrokenYaml {
        /// What the reader says.
        message: String,
    },
    /// Two files have the same id.
    DuplicateId {
        /// The id.
        id: String,
        /// The file that had it first.
        first: String,
    },
    /// A mapping has a key twice, or a name is given twice.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The id is not the file's path.
    IdIsNotPath {
        /// What the id should be.
        path: String,
    },
    /// A value that does not fit its place.
    Invalid {
        /// What does not fit.
        message: String,
    },
    /// A key that must be there is not.
    MissingKey {
        /// The key.
        key: String,
    },
    /// A word that YAML and JSON read differently.
    NotJson {
        /// The word.
        text: String,
    },
    /// No statement of this revision supports the level.
    Unfounded {
        /// The level that is claimed.
        level: Level,
        /// The revisions.
        revisions: Vec<Revision>,
    },
    /// A name that nothing has.
    Unknown {
        /// What it names: a key, a step, a fault.
        what: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A statement that a revision does not have.
    UnknownRequirement {
        /// The anchor.
        id: String,
        /// The revisions that do not have it.
        revisions: Vec<Revision>,
        /// The anchors that the first of them has.
        known: Vec<String>,
    },
    /// The file or folder could not be read.
    Unreadable {
        /// Why.
        message: String,
    },
}

impl LoadError {
    /// All problems as the Rust compiler would show its own.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let shown = self.problems.iter().take(PROBLEMS_SHOWN_MAX);
        let mut text: String = shown.map(|problem| problem.render(color) + "\n").collect();
        let more = self.problems.len().saturating_sub(PROBLEMS_SHOWN_MAX);
        if more > 0 {
            text += &format!("and {more} more\n");
        }
        text
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.problems.first() else {
            return formatter.write_str("no problem");
        };
        write!(
            formatter,
            "{}:{}: {}",
            first.source,
            first.line(),
            first.kind.title()
        )?;
        match self.problems.len() {
            1 => Ok(()),
            count => write!(formatter, " (and {} more)", count - 1),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<Problem> for LoadError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl Problem {
    /// Its line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        line_of(&self.text, self.span.start)
    }

    /// As the Rust compiler would show it.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let title = normalize_untrusted_str(&self.kind.title());
        let label = normalize_untrusted_str(&self.kind.label());
        let path = normalize_untrusted_str(&self.source);
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut group = if self.text.is_empty() {
            Severity::ERROR
                .primary_title(title)
                .element(annotate_snippets::Origin::path(path))
        } else {
            let annotation = AnnotationKind::Primary.span(self.shown_span()).label(label);
            Severity::ERROR.primary_title(title).element(
                Snippet::source(&*self.text)
                    .path(path)
                    .annotation(annotation),
            )
        };
        if let Some(help) = self.kind.help() {
            group = group.element(Severity::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// The span within one line and within the text, from a character to another: where the reader knows only
    /// which character it is at, its place is taken for a byte's.
    fn shown_span(&self) -> Range<usize> {
        let start = self.text.floor_char_boundary(self.span.start);
        let end = self.text.floor_char_boundary(self.span.end.max(start));
        let line = self
            .text
            .get(start..end)
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default();
        let shown = line.trim_end().len();
        start..if shown == 0 {
            end.min(start)
        } else {
            start + shown
        }
    }
}

impl ProblemKind {
    /// The headline.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::BrokenYaml { message } => format!("this is not read as YAML: {message}"),
            Self::DuplicateId { id, .. } => format!("a second check with the id `{id}`"),
            Self::DuplicateKey { key } => format!("`{key}` is here twice"),
            Self::IdIsNotPath { .. } => "the id is not the file's path".to_owned(),
            Self::Invalid { message } => message.clone(),
            Self::MissingKey { key } => format!("`{key}` is missing"),
            Self::NotJson { text } if text.is_empty() => "a key without a value".to_owned(),
            Self::NotJson { text } => {
                format!("`{text}` means one thing in YAML and another in JSON")
            }
            Self::Unfounded { level, revisions } => {
                format!(
                    "nothing in {} supports the level {level}",
                    listed(revisions)
                )
            }
            Self::Unknown { what, name, .. } => format!("unknown {what} `{name}`"),
            Self::UnknownRequirement { id, revisions, .. } => {
                format!("there is no requirement `{id}` in {}", listed(revisions))
            }
            Self::Unreadable { message } => message.clone(),
        }
    }

    /// What stands at the caret.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::DuplicateId { first, .. } => format!("first used in {first}"),
            Self::DuplicateKey { .. } => "the second one".to_owned(),
            Self::IdIsNotPath { path } => format!("expected `{path}`"),
            Self::MissingKey { .. } => "in here".to_owned(),
            Self::NotJson { text } if text.is_empty() => "write `null`, `{}` or a value".to_owned(),
            Self::NotJson { text } => not_json_advice(text),
            Self::Unfounded { level, .. } => {
                format!("none of the statements named for it is a {level}")
            }
            Self::Unknown { name, known, .. }
            | Self::UnknownRequirement {
                id: name, known, ..
            } => match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "there is none".to_owned(),
                None if known.len() <= LISTED_MAX => format!("known: {}", known.join(", ")),
                None => "nothing has a name like this".to_owned(),
            },
            Self::BrokenYaml { .. } | Self::Invalid { .. } | Self::Unreadable { .. } => {
                String::new()
            }
        }
    }

    /// The way out, where the caret's label does not say it.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::IdIsNotPath { .. } => {
                Some("an id is the path below the folder of vectors, without `.yaml`")
            }
            Self::Unfounded { .. } => {
                Some("name the statement, lower the level, or leave the revision out")
            }
            Self::UnknownRequirement { id, .. } if id.starts_with("schema#") => {
                Some("`schema#NAME` is a definition of the official schema of every revision named")
            }
            Self::UnknownRequirement { .. } => {
                Some("the statements of a revision are in `requirements/REVISION.yaml`")
            }
            Self::Unknown { what: "fault", .. } => {
                Some("`mcp-verdict mock --list-faults` lists the faults there are")
            }
            Self::Unknown {
                what: "operator", ..
            } => Some("a member that really starts with `$` goes inside `{$exactly: …}`"),
            _ => None,
        }
    }
}

/// Revisions in a row.
fn listed(revisions: &[Revision]) -> String {
    revisions
        .iter()
        .map(|revision| revision.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// How to write what was probably meant.
fn not_json_advice(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "~" | "null" => format!("write `null`, or `\"{text}\"` for the string"),
        "true" | "yes" | "on" | "y" => format!("write `true`, or `\"{text}\"` for the string"),
        "false" | "no" | "off" | "n" => format!("write `false`, or `\"{text}\"` for the string"),
        _ => format!("write it as JSON would, or `\"{text}\"` for the string"),
    }
}

/// The line, from 1, that a byte stands in.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    let before = text
        .as_bytes()
        .get(..offset.min(text.len()))
        .unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The known name that was probably meant.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let length = name.chars().count();
    let limit = (length / 3).max(1);
    known
        .iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (distance(name, candidate), candidate.as_str()))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out, replaced or swapped to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for (index, row) in rows.iter_mut().enumerate() {
        row[0] = index;
    }
    rows[0] = (0..=to.len()).collect();
    for i in 1..=from.len() {
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[from.len()][to.len()]
}

/// So many names still fit beside a caret.
const LISTED_MAX: usize = 12;

/// Problems shown at once: more than anyone mends before trying again.
const PROBLEMS_SHOWN_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_letters_are_one_step_apart() {
        assert_eq!(distance("sned", "send"), 1);
        assert_eq!(distance("send", "send"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("metod", "method"), 1);
    }

    #[test]
    fn a_name_far_from_all_others_gets_no_suggestion() {
        let known = ["request".to_owned(), "notify".to_owned()];
        assert_eq!(nearest("requst", &known), Some("request"));
        assert_eq!(nearest("banana", &known), None);
    }

    #[test]
    fn control_characters_in_a_file_do_not_reach_the_terminal() {
        let problem = Problem {
            kind: ProblemKind::Invalid {
                message: "\u{1b}[31mred".to_owned(),
            },
            source: "a\u{1b}.yaml".to_owned(),
            text: "x: \"\u{1b}[2J\"".into(),
            span: 3..9,
        };
        assert!(!problem.render(false).contains('\u{1b}'));
    }

    #[test]
    fn a_span_that_fits_no_text_does_no_harm() {
        for span in [0..0, 5..900, 900..901, 3..3, 4..4, 4..5, 0..4] {
            let kind = ProblemKind::MissingKey {
                key: "id".to_owned(),
            };
            let problem = Problem {
                kind,
                source: "a.yaml".to_owned(),
                text: "x: é\n".into(),
                span,
            };
            assert!(problem.render(false).contains("`id` is missing"));
        }
    }
}
