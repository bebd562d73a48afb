//! What runs: for each way to reach a target, which vectors, and why not the others.

use std::{collections::BTreeMap, time::Duration};

use mcp_verdict_results::{Peer, Verdict};
use mcp_verdict_transport::{Address, Options};
use mcp_verdict_vectors::{
    Library,
    model::{Step, Vector},
};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::Value;

use crate::{draft, fixtures::modest, judge::Planned, native, view::declares};

/// A target, ready to be judged: reached, asked what it speaks, its fixtures found.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its address or command as a person would type it, without secrets.
    pub name: String,
    /// How it is named on a command line that runs a check again, without secrets: `-- npx server`.
    pub reproduce: String,
    /// What the user set for every connection.
    pub options: Options,
    /// The ways to reach it.
    pub ways: Vec<PreparedWay>,
    /// What a person should know about it.
    pub notes: Vec<String>,
}

/// One way to reach a target.
#[derive(Clone, Debug)]
pub struct PreparedWay {
    /// Where.
    pub address: Address,
    /// Over which transport.
    pub transport: TransportKind,
    /// In which revision.
    pub revision: Revision,
    /// What it says of itself.
    pub server_info: Option<Value>,
    /// What it declares that it can do.
    pub capabilities: Value,
    /// Whether it hands out session ids.
    pub session_id: bool,
    /// Fixtures by variable name: that of the fixture, with `_` for `-`.
    pub bindings: BTreeMap<String, Value>,
    /// Fixtures that were looked for and not found, with how to bind them.
    pub missing: BTreeMap<String, String>,
    /// Its tools as it lists them.
    pub tools: Vec<Value>,
}

/// Which checks are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids, the beginnings of ids up to a `/`, or globs with `*` and `?`. Empty for every check.
    pub patterns: Vec<String>,
}

/// What runs, and what does not.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What runs, by way, then by check.
    pub work: Vec<Work>,
    /// What does not, and why.
    pub planned: Vec<Planned>,
}

/// One vector to be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Index into the target's ways.
    pub way: usize,
    /// Index into the library's vectors.
    pub vector: usize,
}

/// Why nothing runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmptyPlan {
    /// The selection names no check.
    #[error("no check is called {}{}", patterns.join(" or "), close(closest))]
    NoSuchCheck {
        /// What was asked for.
        patterns: Vec<String>,
        /// Ids that may have been meant.
        closest: Vec<String>,
    },
    /// There is no way to reach the target.
    #[error("there is no transport and revision in which the target can be judged")]
    NoWay,
    /// None of the checks asked for can be run against this target.
    #[error("none of the {count} checks asked for can run against this target; the first: {first}")]
    NothingApplies {
        /// How many were asked for.
        count: usize,
        /// Why the first of them cannot.
        first: String,
    },
}

impl Selection {
    /// Whether the check with this id is asked for.
    #[must_use]
    pub fn wants(&self, id: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| covers(pattern, id))
    }
}

impl PreparedWay {
    /// What a report says of it.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer {
            transport: self.transport.to_string(),
            revision: self.revision.to_string(),
            info: self.server_info.as_ref().map(modest),
            capabilities: modest(&self.capabilities),
            fixtures: self
                .bindings
                .iter()
                .map(|(name, value)| (name.clone(), modest(value)))
                .collect(),
            missing_fixtures: self
                .missing
                .iter()
                .map(|(fixture, how)| format!("{fixture}: {how}"))
                .collect(),
        }
    }
}

impl Plan {
    /// Plans what `selection` asks for.
    ///
    /// # Errors
    /// When nothing would run: an empty run is no success.
    pub fn of(
        library: &Library,
        target: &Prepared,
        selection: &Selection,
    ) -> Result<Self, EmptyPlan> {
        if target.ways.is_empty() {
            return Err(EmptyPlan::NoWay);
        }
        let chosen = chosen(library, selection)?;
        let mut plan = Self::default();
        for (number, way) in target.ways.iter().enumerate() {
            for &index in &chosen {
                let vector = &library.vectors[index];
                match why_not(vector, way) {
                    None => plan.work.push(Work {
                        way: number,
                        vector: index,
                    }),
                    Some((verdict, reason)) => plan.planned.push(Planned {
                        check: vector.id.clone(),
                        revision: way.revision,
                        transport: way.transport,
                        verdict,
                        reason,
                    }),
                }
            }
        }
        match (plan.work.is_empty(), plan.planned.first()) {
            (true, first) => Err(EmptyPlan::NothingApplies {
                count: chosen.len(),
                first: first.map_or_else(String::new, |planned| {
                    format!("`{}`: {}", planned.check, planned.reason)
                }),
            }),
            (false, _) => Ok(plan),
        }
    }
}

/// The vectors asked for. Where only rules are asked for, all vectors run for them to observe.
fn chosen(library: &Library, selection: &Selection) -> Result<Vec<usize>, EmptyPlan> {
    let vectors: Vec<usize> = (0..library.vectors.len())
        .filter(|index| selection.wants(&library.vectors[*index].id.0))
        .collect();
    if !vectors.is_empty() {
        return Ok(vectors);
    }
    if library.rules.iter().any(|rule| selection.wants(&rule.id.0)) {
        return Ok((0..library.vectors.len()).collect());
    }
    let ids = library.vectors.iter().map(|vector| vector.id.0.as_str());
    let ids = ids.chain(library.rules.iter().map(|rule| rule.id.0.as_str()));
    Err(EmptyPlan::NoSuchCheck {
        patterns: selection
            .patterns
            .iter()
            .map(|pattern| format!("`{pattern}`"))
            .collect(),
        closest: closest(&selection.patterns, ids),
    })
}

/// Why a vector does not run, and what that means.
fn why_not(vector: &Vector, way: &PreparedWay) -> Option<(Verdict, String)> {
    let not_applicable = |reason: String| Some((Verdict::NotApplicable, reason));
    if !vector.requirements.contains_key(&way.revision) {
        return not_applicable(format!("this is not about revision {}", way.revision));
    }
    if !vector.transports.is_empty() && !vector.transports.contains(&way.transport) {
        return not_applicable(format!("this is not about {}", way.transport));
    }
    if let Some(reason) = inexpressible(vector, way) {
        return not_applicable(reason);
    }
    if let Some(missing) = vector
        .needs
        .capabilities
        .iter()
        .find(|path| !declares(&way.capabilities, path))
    {
        return not_applicable(format!("the target does not declare `{missing}`"));
    }
    if vector.needs.session_id && !way.session_id {
        return not_applicable("the target hands out no session id".to_owned());
    }
    let unbound = |fixture: &&String| !way.bindings.contains_key(&fixture.replace('-', "_"));
    let missing: Vec<String> = vector
        .needs
        .fixtures
        .iter()
        .filter(unbound)
        .map(|fixture| match way.missing.get(fixture) {
            Some(how) => format!("`{fixture}` ({how})"),
            None => format!("`{fixture}` (bind it under `[fixtures.{fixture}]`)"),
        })
        .collect();
    (!missing.is_empty()).then(|| {
        (
            Verdict::Inconclusive,
            format!("the target has no known fixture {}", missing.join(", ")),
        )
    })
}

/// Why a vector about every transport, or many, cannot be expressed over that of `way`.
pub(crate) fn inexpressible(vector: &Vector, way: &PreparedWay) -> Option<String> {
    native::inexpressible(vector, way).or_else(|| draft::inexpressible(vector, way))
}

/// Whether a vector changes what other sessions of the same server see, so that it must run alone.
pub(crate) fn disturbs(vector: &Vector) -> bool {
    vector
        .needs
        .fixtures
        .iter()
        .any(|fixture| fixture.ends_with("-changed") || fixture.ends_with("-updated"))
        || vector
            .steps
            .iter()
            .any(|step| matches!(step, Step::Signal(_)))
}

/// Whether a vector sends what no client would.
pub(crate) fn is_wild(vector: &Vector) -> bool {
    let is_raw = |step: &Step| match step {
        Step::SendRaw(raw) => raw
            .text
            .as_deref()
            .is_none_or(|text| text.contains("\\ud800") || !vector.faults.is_empty()),
        _ => false,
    };
    vector.steps.iter().any(is_raw)
}

/// How long a vector is likely to do nothing but wait: in its windows, and for the tools it calls that take their
/// time. Only when and beside what it runs comes of it, so a guess will do.
pub(crate) fn patience(vector: &Vector) -> Duration {
    let windows = vector.steps.iter().map(|step| match step {
        Step::Window(window) => window.ms,
        _ => 0,
    });
    let tools = vector
        .needs
        .fixtures
        .iter()
        .map(|fixture| match fixture.as_str() {
            "tool-slow" => 1000,
            "tool-progress" | "tool-stream-drop" => 500,
            _ => 0,
        });
    Duration::from_millis(windows.chain(tools).sum())
}

/// Whether `pattern` covers `id`.
fn covers(pattern: &str, id: &str) -> bool {
    if pattern.contains(['*', '?']) {
        return glob(pattern.as_bytes(), id.as_bytes());
    }
    let below = id.strip_prefix(pattern.trim_end_matches('/'));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Matches `*` (any characters) and `?` (one), in time linear in both for each star.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, eaten)) => {
                    star = Some((place, eaten + 1));
                    at = place + 1;
                    from = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Ids that share the most words with what was asked for.
fn closest<'i>(patterns: &[String], ids: impl Iterator<Item = &'i str>) -> Vec<String> {
    let words = |text: &str| -> Vec<String> {
        text.split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| word.len() > 2)
            .map(str::to_lowercase)
            .collect()
    };
    let asked: Vec<String> = patterns.iter().flat_map(|pattern| words(pattern)).collect();
    let mut scored: Vec<(usize, &str)> = ids
        .map(|id| {
            let has = words(id);
            (asked.iter().filter(|word| has.contains(word)).count(), id)
        })
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    scored
        .into_iter()
        .take(SUGGESTIONS_MAX)
        .map(|(_, id)| id.to_owned())
        .collect()
}

fn close(closest: &[String]) -> String {
    match closest {
        [] => "; `mcp-verdict list` shows them all".to_owned(),
        ids => format!(
            "; did you mean {}?",
            ids.iter()
                .map(|id| format!("`{id}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    }
}

/// Ids suggested for one that does not exist.
const SUGGESTIONS_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_an_id_a_folder_or_a_glob() {
        assert!(covers("server/tools/list", "server/tools/list"));
        assert!(covers("server/tools", "server/tools/list"));
        assert!(covers("server/tools/", "server/tools/list"));
        assert!(!covers("server/tool", "server/tools/list"));
        assert!(covers("*/list*", "server/tools/list-pages"));
        assert!(covers("server/*/list", "server/tools/list"));
        assert!(covers("server/tools/l?st", "server/tools/list"));
        assert!(!covers("*/call", "server/tools/list"));
        assert!(covers("**", ""));
        assert!(!covers("?", ""));
    }

    #[test]
    fn an_unknown_check_is_answered_with_those_that_sound_alike() {
        let ids = [
            "server/tools/list",
            "server/tools/call",
            "lifecycle/initialize",
        ];
        let found = closest(&["tools/cal-list".to_owned()], ids.into_iter());
        assert_eq!(found, ["server/tools/list", "server/tools/call"]);
    }
}
