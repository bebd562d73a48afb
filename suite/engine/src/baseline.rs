//! Baselines: the verdicts that a target is known to get, and what differs from them.
//!
//! A baseline says which verdicts it speaks of; of those it lists every one that is expected, each with a
//! reason. A result that is not listed is *new*; an entry that nothing matches any more is *stale*. Both
//! count, so a fixed bug turns a gate red just as a new one does.

use std::path::Path;

use mcp_verdict_results::{CheckResult, Run, Verdict};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A baseline file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The verdicts it speaks of. Results with others are not compared.
    #[serde(default = "failures")]
    pub verdicts: Vec<Verdict>,
    /// What is expected.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// One expected verdict, in some revisions and over some transports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The check's id.
    pub check: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The revisions; empty for every one that the target speaks.
    #[serde(default)]
    pub revisions: Vec<String>,
    /// The transports; empty for every one that was judged.
    #[serde(default)]
    pub transports: Vec<String>,
    /// It comes and goes, because a race in the target decides: it is not stale when it does not show.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub intermittent: bool,
    /// Why it is so: the clause, and what the target sends.
    pub reason: String,
}

/// What differs between a run and a baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Indices into the run's results: verdicts that no entry expects.
    pub new: Vec<usize>,
    /// Entries that no result matches, in the words of the file.
    pub stale: Vec<Known>,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("read baseline `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no baseline.
    #[error("read baseline `{path}`: {source}")]
    Parse {
        /// The file.
        path: String,
        /// What the TOML reader says, with line and column.
        source: Box<toml::de::Error>,
    },
}

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no baseline.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        read_toml(path)
    }

    /// The baseline that `run` fits, for the verdicts given. Reasons are what the run says, for a person
    /// to confirm.
    #[must_use]
    pub fn of(run: &Run, verdicts: Vec<Verdict>) -> Self {
        let mut known: Vec<Known> = Vec::new();
        for result in run
            .results
            .iter()
            .filter(|result| verdicts.contains(&result.verdict))
        {
            let same = known.iter_mut().find(|entry| {
                entry.check == result.check
                    && entry.verdict == result.verdict
                    && entry.transports == [result.transport.as_str()]
            });
            match same {
                Some(entry) => entry.revisions.push(result.revision.clone()),
                None => known.push(Known {
                    check: result.check.clone(),
                    verdict: result.verdict,
                    revisions: vec![result.revision.clone()],
                    transports: vec![result.transport.clone()],
                    intermittent: false,
                    reason: result.message.clone(),
                }),
            }
        }
        Self { verdicts, known }
    }

    /// What differs between this baseline and `run`.
    #[must_use]
    pub fn difference(&self, run: &Run) -> Difference {
        let compared = |result: &CheckResult| self.verdicts.contains(&result.verdict);
        let new = run
            .results
            .iter()
            .enumerate()
            .filter(|(_, result)| compared(result))
            .filter(|(_, result)| !self.known.iter().any(|entry| entry.expects(result)))
            .map(|(index, _)| index)
            .collect();
        let stale = self
            .known
            .iter()
            .filter(|entry| !entry.intermittent)
            .flat_map(|entry| entry.unmatched(run))
            .collect();
        Difference { new, stale }
    }

    /// As a TOML text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a baseline is plain data")
    }
}

impl Known {
    fn expects(&self, result: &CheckResult) -> bool {
        let in_scope = |scope: &[String], value: &String| scope.is_empty() || scope.contains(value);
        self.check == result.check
            && self.verdict == result.verdict
            && in_scope(&self.revisions, &result.revision)
            && in_scope(&self.transports, &result.transport)
    }

    /// The parts of this entry that nothing in `run` matches: each revision and transport named must
    /// show the verdict somewhere, as far as the run went there.
    fn unmatched(&self, run: &Run) -> Option<Self> {
        let reached = |result: &&CheckResult| result.check == self.check;
        let seen = |revision: Option<&String>, transport: Option<&String>| {
            let here = |result: &CheckResult| {
                revision.is_none_or(|revision| *revision == result.revision)
                    && transport.is_none_or(|transport| *transport == result.transport)
            };
            let there = run
                .results
                .iter()
                .filter(reached)
                .filter(|result| here(result));
            let went = run.target.peers.iter().any(|peer| {
                revision.is_none_or(|revision| *revision == peer.revision)
                    && transport.is_none_or(|transport| *transport == peer.transport)
            });
            !went
                || there
                    .into_iter()
                    .any(|result| result.verdict == self.verdict)
        };
        let revisions: Vec<String> = self
            .revisions
            .iter()
            .filter(|revision| !seen(Some(revision), None))
            .cloned()
            .collect();
        let transports: Vec<String> = self
            .transports
            .iter()
            .filter(|transport| !seen(None, Some(transport)))
            .cloned()
            .collect();
        let whole = self.revisions.is_empty() && self.transports.is_empty() && !seen(None, None);
        (whole || !revisions.is_empty() || !transports.is_empty()).then(|| Self {
            revisions,
            transports,
            ..self.clone()
        })
    }
}

impl Difference {
    /// Whether the run is as the baseline says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.stale.is_empty()
    }
}

/// What a baseline speaks of unless it says otherwise.
fn failures() -> Vec<Verdict> {
    vec![Verdict::Fail]
}

/// Reads a file of expectations.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, BaselineError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| BaselineError::Read {
        path: name.clone(),
        source,
    })?;
    toml::from_str(&text).map_err(|source| BaselineError::Parse {
        path: name,
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use mcp_verdict_results::Summary;
    use serde_json::json;

    use super::*;

    /// A run in two revisions over one transport: the verdicts of `check` in each.
    fn run(verdicts: [Verdict; 2]) -> Run {
        let revisions = ["2025-06-18", "2025-11-25"];
        let peers = revisions.map(|revision| {
            json!({"transport": "stdio", "revision": revision, "info": null, "capabilities": {},
                   "fixtures": {}, "missing_fixtures": []})
        });
        let results = [0, 1].map(|index| {
            json!({"check": "a/b", "title": "", "area": "a", "kind": "vector", "transport": "stdio",
                   "revision": revisions[index], "level": "MUST", "verdict": verdicts[index],
                   "requirements": [], "message": "why", "expected": null, "actual": null,
                   "evidence": [], "exchange": [], "reproduce": "", "duration_ms": 0.0})
        });
        let run = json!({
            "suite": {"name": "", "version": "", "seed": 0, "started": "", "duration_ms": 0},
            "target": {"name": "", "peers": peers, "notes": []},
            "summary": Summary::of(&[]),
            "results": results,
        });
        serde_json::from_value(run).expect("a run")
    }

    #[test]
    fn a_run_fits_the_baseline_made_of_it() {
        let run = run([Verdict::Fail, Verdict::Warn]);
        let baseline = Baseline::of(&run, vec![Verdict::Fail, Verdict::Warn]);
        assert!(baseline.difference(&run).is_empty());
        let again: Baseline = toml::from_str(&baseline.to_toml()).expect("a baseline");
        assert_eq!(again, baseline);
    }

    #[test]
    fn worse_is_new_and_better_is_stale() {
        let baseline = Baseline::of(&run([Verdict::Fail, Verdict::Pass]), failures());
        let worse = baseline.difference(&run([Verdict::Fail, Verdict::Fail]));
        assert_eq!((worse.new, worse.stale), (vec![1], vec![]));
        let better = baseline.difference(&run([Verdict::Pass, Verdict::Pass]));
        assert_eq!((better.new, better.stale), (vec![], baseline.known));
    }

    #[test]
    fn what_comes_and_goes_may_come_and_may_go_but_nowhere_else() {
        let mut baseline = Baseline::of(&run([Verdict::Fail, Verdict::Pass]), failures());
        baseline.known[0].intermittent = true;
        for fits in [Verdict::Fail, Verdict::Pass] {
            assert!(baseline.difference(&run([fits, Verdict::Pass])).is_empty());
        }
        let elsewhere = baseline.difference(&run([Verdict::Pass, Verdict::Fail]));
        assert_eq!((elsewhere.new, elsewhere.stale), (vec![1], vec![]));
    }
}
