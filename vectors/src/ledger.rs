//! The normative statements of every revision, and of the standards beneath them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use mcp_verdict_wire::Revision;

use crate::{
    decode::decode,
    diagnostic::{LoadError, Problem, ProblemKind},
    model::{Binds, Level, Requirement, RequirementId},
    node::{Node, options},
    schemas::defined,
};

/// Every statement that checks may rest on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// In file order, by revision.
    by_revision: HashMap<Revision, Vec<Requirement>>,
    /// Where each stands in its list.
    places: HashMap<(Revision, RequirementId), usize>,
    /// Statements of other standards, the same for every revision.
    foundations: Vec<Requirement>,
    /// Where each stands in that list.
    foundation_places: HashMap<RequirementId, usize>,
    /// What the official schema requires of the definitions that checks name.
    definitions: HashMap<(Revision, RequirementId), Requirement>,
}

impl Ledger {
    /// Takes in `requirements/NAME.yaml`, where `NAME` is a revision or one of [`FOUNDATIONS`].
    pub(crate) fn read(&mut self, name: &str, source: &str, text: &str) -> Result<(), LoadError> {
        let problem = |(kind, span)| {
            let (source, text) = (source.to_owned(), Arc::from(text));
            LoadError::from(Problem {
                kind,
                source,
                text,
                span,
            })
        };
        let entries = entries(text).map_err(problem)?;
        let mut seen = HashSet::new();
        for (index, entry) in entries.iter().enumerate() {
            let complaint = if !seen.insert(&entry.id) {
                ProblemKind::DuplicateKey {
                    key: entry.id.0.clone(),
                }
            } else if entry.says.trim().is_empty() || entry.says.contains('\n') {
                ProblemKind::Invalid {
                    message: "`says` is one line of text".to_owned(),
                }
            } else {
                continue;
            };
            let span = Node::parse(text).map_or(0..0, |node| node.place(&format!("/{index}/id")));
            return Err(problem((complaint, span)));
        }
        if FOUNDATIONS.contains(&name) {
            for entry in entries {
                let place = self.foundations.len();
                self.foundation_places.insert(entry.id.clone(), place);
                self.foundations.push(entry);
            }
            return Ok(());
        }
        let Ok(revision) = name.parse::<Revision>() else {
            let known = Revision::ALL.iter().map(ToString::to_string).collect();
            let kind = ProblemKind::Unknown {
                what: "revision",
                name: name.to_owned(),
                known,
            };
            return Err(problem((kind, 0..0)));
        };
        for (place, entry) in entries.iter().enumerate() {
            self.places.insert((revision, entry.id.clone()), place);
        }
        self.by_revision.insert(revision, entries);
        Ok(())
    }

    /// The statement of a revision, or of a standard beneath it.
    pub(crate) fn find(&self, revision: Revision, id: &RequirementId) -> Option<&Requirement> {
        let key = (revision, id.clone());
        let place = self.places.get(&key).copied();
        let own = place.and_then(|place| self.by_revision.get(&revision)?.get(place));
        own.or_else(|| self.definitions.get(&key)).or_else(|| {
            self.foundation_places
                .get(id)
                .and_then(|place| self.foundations.get(*place))
        })
    }

    /// The statements of one revision, in the specification's order.
    pub(crate) fn of(&self, revision: Revision) -> &[Requirement] {
        self.by_revision.get(&revision).map_or(&[], Vec::as_slice)
    }

    /// The statements of the standards beneath.
    pub(crate) fn foundations(&self) -> &[Requirement] {
        &self.foundations
    }

    /// Makes `schema#NAME` known, where the revision has that definition: whatever the official schema
    /// requires of it is a MUST.
    pub(crate) fn admit(&mut self, revision: Revision, id: &RequirementId) {
        let Some(name) = schema_definition(id) else {
            return;
        };
        let key = (revision, id.clone());
        if self.definitions.contains_key(&key) || !defined(revision).any(|known| known == name) {
            return;
        }
        let says = format!("A {name} is as the schema of the revision describes it.");
        let requirement = Requirement {
            id: id.clone(),
            level: Level::Must,
            binds: Binds::Both,
            says,
            untestable: None,
            awaits: None,
            doubt: None,
        };
        self.definitions.insert(key, requirement);
    }

    /// Every name that a check of this revision could mean by `id`, for suggestions.
    pub(crate) fn names(&self, revision: Revision, id: &RequirementId) -> Vec<String> {
        if schema_definition(id).is_some() {
            return defined(revision)
                .map(|name| format!("{SCHEMA}{name}"))
                .collect();
        }
        let all = self.of(revision).iter().chain(&self.foundations);
        all.map(|entry| entry.id.0.clone()).collect()
    }
}

/// The `NAME` of `schema#NAME`.
fn schema_definition(id: &RequirementId) -> Option<&str> {
    id.0.strip_prefix(SCHEMA)
}

/// Reads the list. The short way knows no places; a mistake is read again the long way.
fn entries(text: &str) -> Result<Vec<Requirement>, (ProblemKind, std::ops::Range<usize>)> {
    if let Ok(entries) = serde_saphyr::from_str_with_options(text, options()) {
        return Ok(entries);
    }
    decode(&Node::parse(text)?)
}

/// The files of standards that hold for every revision.
const FOUNDATIONS: [&str; 3] = ["foundations", "websocket", "ws-draft"];

/// What a requirement starts with that is a definition of the official schema.
const SCHEMA: &str = "schema#";
