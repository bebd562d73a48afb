//! Every requirement, vector and rule there is: those that ship with the program, and a user's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mcp_verdict_wire::Revision;

use crate::{
    diagnostic::{LoadError, Problem, ProblemKind},
    ledger::Ledger,
    load::{self, File},
    model::{CheckId, Coverage, Requirement, RequirementId, RuleText, Vector},
};

/// What other crates know and vectors name. `None`: names of this kind are not checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The faults of the mock server and the mock client.
    pub faults: Option<&'a [&'a str]>,
    /// The fixtures that can be found; absent ones are taken from [`FIXTURES`].
    pub fixtures: Option<&'a [&'a str]>,
}

/// Requirements, vectors and rules, all checked.
#[derive(Clone, Debug)]
pub struct Library {
    /// Sorted by id.
    pub vectors: Vec<Vector>,
    /// Sorted by id.
    pub rules: Vec<RuleText>,
    ledger: Ledger,
    names: Names,
    /// Each id and the file that has it.
    ids: BTreeMap<CheckId, String>,
    /// Vectors that rules name, and the problem with each if it is not there.
    named: Vec<(CheckId, Problem)>,
    /// The same for rules that vectors look at.
    watched: Vec<(CheckId, Problem)>,
}

impl Library {
    /// Reads what ships with the program.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in it.
    pub fn embedded(known: &Known<'_>) -> Result<Self, LoadError> {
        Self::from_files(SHIPPED, known)
    }

    /// Reads pairs of a path such as `requirements/2025-11-25.yaml` and the file's text.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in them.
    pub fn from_files(files: &[(&str, &str)], known: &Known<'_>) -> Result<Self, LoadError> {
        let mut library = Self {
            vectors: Vec::new(),
            rules: Vec::new(),
            ledger: Ledger::default(),
            names: Names::of(known),
            ids: BTreeMap::new(),
            named: Vec::new(),
            watched: Vec::new(),
        };
        let mut problems = Vec::new();
        let (requirements, checks): (Vec<_>, Vec<_>) = files
            .iter()
            .partition(|(path, _)| path.starts_with("requirements/"));
        for (path, text) in requirements {
            let name = path
                .trim_start_matches("requirements/")
                .trim_end_matches(".yaml");
            let source = format!("vectors/{path}");
            if let Err(error) = library.ledger.read(name, &source, text) {
                problems.extend(error.problems);
            }
        }
        for (path, text) in checks {
            let source = format!("vectors/{path}");
            problems.extend(library.take(path.trim_end_matches(".yaml"), &source, text));
        }
        library.finish(problems)?;
        Ok(library)
    }

    /// Adds the vectors in a folder and the folders below it. On an error nothing is added.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in them, or that there are none.
    pub fn with_dir(&mut self, dir: &Path) -> Result<(), LoadError> {
        let mut paths = Vec::new();
        collect(dir, 0, &mut paths)?;
        if paths.is_empty() {
            return Err(unreadable(dir, "there is no `.yaml` file in this folder"));
        }
        paths.sort();
        let mut grown = self.clone();
        let mut problems = Vec::new();
        for path in paths {
            let source = path.display().to_string();
            let name = path.strip_prefix(dir).unwrap_or(&path).with_extension("");
            let name = name.to_string_lossy().replace('\\', "/");
            match read(&path) {
                Ok(text) => problems.extend(grown.take(&name, &source, &text)),
                Err(error) => problems.extend(error.problems),
            }
        }
        grown.finish(problems)?;
        *self = grown;
        Ok(())
    }

    /// The statement with this anchor in this revision, or in a standard beneath it.
    #[must_use]
    pub fn requirement(&self, revision: Revision, id: &RequirementId) -> Option<&Requirement> {
        self.ledger.find(revision, id)
    }

    /// The statements of a revision, in the specification's order.
    #[must_use]
    pub fn requirements(&self, revision: Revision) -> &[Requirement] {
        self.ledger.of(revision)
    }

    /// The statements of the standards beneath every revision.
    #[must_use]
    pub fn foundations(&self) -> &[Requirement] {
        self.ledger.foundations()
    }

    /// The statements of a revision, in the specification's order, and what tests each.
    #[must_use]
    pub fn coverage(&self, revision: Revision) -> Vec<(&Requirement, Coverage)> {
        let vectors = self.vectors.iter();
        let vectors = vectors.map(|vector| (&vector.id, &vector.requirements));
        let rules = self.rules.iter().map(|rule| (&rule.id, &rule.requirements));
        let mut tested: BTreeMap<&RequirementId, Vec<CheckId>> = BTreeMap::new();
        for (check, requirements) in vectors.chain(rules) {
            for id in requirements.get(&revision).into_iter().flatten() {
                tested.entry(id).or_default().push(check.clone());
            }
        }
        let all = self.requirements(revision).iter();
        all.map(|entry| (entry, entry.coverage(tested.remove(&entry.id))))
            .collect()
    }

    /// The vector with this id.
    #[must_use]
    pub fn vector(&self, id: &CheckId) -> Option<&Vector> {
        self.vectors
            .binary_search_by(|vector| vector.id.cmp(id))
            .ok()
            .map(|at| &self.vectors[at])
    }

    /// The rule with this id.
    #[must_use]
    pub fn rule(&self, id: &CheckId) -> Option<&RuleText> {
        self.rules
            .binary_search_by(|rule| rule.id.cmp(id))
            .ok()
            .map(|at| &self.rules[at])
    }

    /// Takes in one vector or rule.
    fn take(&mut self, path: &str, source: &str, text: &str) -> Vec<Problem> {
        let file = File { path, source, text };
        let id = if path.starts_with("rules/") {
            match load::rule(file, &mut self.ledger, &self.names) {
                Ok(read) => {
                    self.rules.push(read.rule);
                    self.named.extend(read.named);
                    &self.rules[self.rules.len() - 1].id
                }
                Err(problems) => return problems,
            }
        } else {
            match load::vector(file, &mut self.ledger, &self.names) {
                Ok(read) => {
                    self.vectors.push(read.vector);
                    self.watched.extend(read.watched);
                    &self.vectors[self.vectors.len() - 1].id
                }
                Err(problems) => return problems,
            }
        };
        match self.ids.insert(id.clone(), source.to_owned()) {
            None => Vec::new(),
            Some(first) => {
                let kind = ProblemKind::DuplicateId {
                    id: id.0.clone(),
                    first,
                };
                let start = text.find("id:").map_or(0, |at| at + 3);
                let start = start + text[start..].len() - text[start..].trim_start().len();
                vec![file.problem((kind, start..start + id.0.len()))]
            }
        }
    }

    /// Sorts what was read, unless something is wrong.
    fn finish(&mut self, mut problems: Vec<Problem>) -> Result<(), LoadError> {
        self.vectors.sort_by(|one, other| one.id.cmp(&other.id));
        self.rules.sort_by(|one, other| one.id.cmp(&other.id));
        let refused: BTreeSet<String> = problems.iter().map(|it| it.source.clone()).collect();
        // A file that was refused is there all the same.
        let is_refused = |id: &CheckId| refused.contains(&format!("vectors/{id}.yaml"));
        let ids: Vec<String> = self.vectors.iter().map(|it| it.id.0.clone()).collect();
        for (id, problem) in std::mem::take(&mut self.named) {
            if self.vector(&id).is_none() && !is_refused(&id) {
                problems.push(with_known(problem, &ids));
            }
        }
        let ids: Vec<String> = self.rules.iter().map(|it| it.id.0.clone()).collect();
        for (id, problem) in std::mem::take(&mut self.watched) {
            if self.rule(&id).is_none() && !is_refused(&id) {
                problems.push(with_known(problem, &ids));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(LoadError { problems })
        }
    }
}

/// The same problem, with the names that there are.
fn with_known(mut problem: Problem, ids: &[String]) -> Problem {
    if let ProblemKind::Unknown { known, .. } = &mut problem.kind {
        *known = ids.to_vec();
    }
    problem
}

/// The names of one kind that can be checked.
#[derive(Clone, Debug)]
pub(crate) struct NameSet(Option<BTreeSet<String>>);

impl NameSet {
    /// The problem with a name that is not among those known.
    pub(crate) fn miss(&self, what: &'static str, name: &str) -> Option<ProblemKind> {
        let known = self.0.as_ref().filter(|known| !known.contains(name))?;
        let known = known.iter().cloned().collect();
        Some(ProblemKind::Unknown {
            what,
            name: name.to_owned(),
            known,
        })
    }
}

/// The names that other crates own.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) faults: NameSet,
    pub(crate) fixtures: NameSet,
}

impl Names {
    fn of(known: &Known<'_>) -> Self {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            faults: NameSet(known.faults.map(set)),
            fixtures: NameSet(Some(set(known.fixtures.unwrap_or(&FIXTURES)))),
        }
    }
}

/// Finds the YAML files at and below a folder.
fn collect(dir: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(unreadable(
            dir,
            "folders are nested too deeply; do links lead in a circle?",
        ));
    }
    let failed = |error: std::io::Error| unreadable(dir, &format!("cannot read: {error}"));
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, depth + 1, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            paths.push(path);
        }
        if paths.len() > FILES_MAX {
            return Err(unreadable(dir, &format!("more than {FILES_MAX} files")));
        }
    }
    Ok(())
}

/// Reads a file of bounded size.
fn read(path: &Path) -> Result<String, LoadError> {
    let failed = |error: std::io::Error| unreadable(path, &format!("cannot read: {error}"));
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(unreadable(path, "it is no file"));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(unreadable(
            path,
            &format!("larger than {FILE_BYTES_MAX} bytes"),
        ));
    }
    fs::read_to_string(path).map_err(failed)
}

/// A file or folder that cannot be read.
fn unreadable(path: &Path, message: &str) -> LoadError {
    LoadError::from(Problem {
        kind: ProblemKind::Unreadable {
            message: message.to_owned(),
        },
        source: path.display().to_string(),
        text: Arc::from(""),
        span: 0..0,
    })
}

/// The YAML files that ship with the program: path below `vectors/`, and text.
pub const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The fixtures that `FORMAT.md` lists.
#[rustfmt::skip]
pub const FIXTURES: [&str; 34] = [
    "tool-any", "tool-text", "tool-image", "tool-audio", "tool-embedded-resource",
    "tool-resource-link", "tool-mixed", "tool-structured", "tool-required-argument", "tool-error",
    "tool-progress", "tool-slow", "tool-logging", "tool-sampling", "tool-elicitation", "tool-roots",
    "tool-tools-changed", "tool-prompts-changed", "tool-resources-changed",
    "tool-resource-updated", "tool-stream-drop", "tool-request-state", "tool-header-string",
    "tool-header-integer", "resource-text", "resource-binary",
    "resource-template", "prompt-any", "prompt-arguments", "prompt-image",
    "prompt-embedded-resource", "prompt-required-argument", "completion-prompt",
    "completion-resource",
];

/// Folders of vectors are a few deep; links that lead in a circle have no end.
const FOLDER_DEPTH_MAX: usize = 16;

/// More files than anyone writes by hand.
const FILES_MAX: usize = 10_000;

/// A vector is a page of text; one with a large body in it stays below this.
const FILE_BYTES_MAX: u64 = 1 << 20;
