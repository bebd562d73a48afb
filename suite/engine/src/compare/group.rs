//! What differs between two targets, told once for all the places where it shows in the same manner, and without
//! what differs between two runs of the same target.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_results::{
    Difference, DifferenceKind as Manner, ExchangePair, Kind, Noise, Place, Verdict,
};
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::{Revision, TransportKind, transcript::Transcript};
use serde_json::{Value, json};

use super::{
    diff::{self, Found},
    echo,
    facts::Facts,
};
use crate::{judge, plan::disturbs, rules};

/// The transcripts of one way of each target: of each vector those of the first, and those of the second, in the
/// order of the rounds in which they were made.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// The revision spoken.
    pub revision: Revision,
    /// The transport of the first.
    pub transport_a: TransportKind,
    /// The transport of the second.
    pub transport_b: TransportKind,
    /// By vector.
    pub exchanges: BTreeMap<String, [Vec<Transcript>; 2]>,
}

impl Rounds {
    fn place(&self, check: &str, pointer: &str) -> Place {
        Place {
            check: check.to_owned(),
            revision: self.revision.to_string(),
            transport_a: self.transport_a.to_string(),
            transport_b: self.transport_b.to_string(),
            pointer: pointer.to_owned(),
        }
    }
}

/// What there is to tell of a pair.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// What differs, in report order.
    pub differences: Vec<Difference>,
    /// What varies by itself.
    pub noise: BTreeSet<Noise>,
    /// The exchanges that differences point to.
    pub exchanges: Vec<ExchangePair>,
}

/// What differs between two targets: a pure function of what they did.
#[must_use]
pub fn differences(library: &Library, pairs: &[Rounds]) -> Told {
    let mut told = Told::default();
    let mut groups: BTreeMap<Group, Vec<Finding>> = BTreeMap::new();
    for rounds in pairs {
        let pair = Paired::of(library, rounds);
        told.noise.extend(pair.noise.iter().map(Variation::noise));
        for finding in pair.sound() {
            let group = Group::of(&finding.found);
            groups.entry(group).or_default().push(finding);
        }
    }
    let mut places = BTreeMap::new();
    for findings in groups.into_values() {
        let first = &findings[0];
        let key = (first.place.clone(), first.pair_number(pairs));
        let exchange = match places.get(&key.0.check).filter(|_| true) {
            Some((number, index)) if *number == key.1 => Some(*index),
            _ => exchange(first, pairs).map(|exchange| {
                told.exchanges.push(exchange);
                let index = told.exchanges.len() - 1;
                places.insert(key.0.check.clone(), (key.1, index));
                index
            }),
        };
        told.differences.push(difference(&findings, exchange));
    }
    let rank = |it: &Difference| (!it.matters, it.kind);
    told.differences.sort_by(|one, other| {
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.subject.cmp(&other.subject))
            .then_with(|| one.pointer.cmp(&other.pointer))
    });
    told
}

/// Vectors to be driven once more, so that what varies by itself is known: of each difference the first few.
pub(super) fn suspects(library: &Library, rounds: &Rounds) -> BTreeSet<String> {
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    for finding in Paired::of(library, rounds).findings {
        let checks = groups.entry(Group::of(&finding.found)).or_default();
        if checks.len() < CONFIRMATIONS && !checks.contains(&finding.place.check) {
            checks.push(finding.place.check);
        }
    }
    groups.into_values().flatten().collect()
}

/// What one transcript shows.
struct Seen {
    facts: Facts,
    verdicts: BTreeMap<String, (Kind, Verdict, String)>,
}

impl Seen {
    fn of(library: &Library, transcript: &Transcript) -> Self {
        let results =
            judge::transcripts(library, rules::all(), std::slice::from_ref(transcript), &[]);
        let verdicts = results
            .into_iter()
            .filter(|result| !echo::is_probe(&result.check))
            .map(|result| {
                let why = result.message;
                (result.check, (result.kind, result.verdict, why))
            })
            .collect();
        Self {
            facts: Facts::of(transcript),
            verdicts,
        }
    }

    /// What differs between this and `other`.
    fn against(&self, other: &Self, is_same: bool) -> Vec<Found> {
        let mut found = diff::transcripts(&self.facts, &other.facts, is_same);
        // What a transport owes to itself decides the verdict too, where nothing else differs.
        let owed = if found.iter().any(|it| it.matters) {
            None
        } else {
            found.iter().find_map(|it| it.owed)
        };
        for (check, (kind, verdict, why)) in &self.verdicts {
            let Some((_, counterpart, why_other)) = other.verdicts.get(check) else {
                continue;
            };
            let concerns = |verdict: &Verdict| match kind {
                Kind::Rule => matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail),
                Kind::Vector => *verdict != Verdict::NotApplicable || is_same,
            };
            if verdict == counterpart || !concerns(verdict) || !concerns(counterpart) {
                continue;
            }
            let shown = |verdict: &Verdict, why: &str| match verdict {
                Verdict::Pass => json!("pass"),
                _ => json!(format!("{verdict}: {why}")),
            };
            found.push(Found {
                manner: Manner::Verdict,
                subject: format!("check {check}"),
                source: format!("check {check}"),
                pointer: String::new(),
                general: format!("{verdict} > {counterpart}"),
                a: Some(shown(verdict, why)),
                b: Some(shown(counterpart, why_other)),
                matters: owed.is_none(),
                owed,
            });
        }
        found
    }
}

/// A difference in one place.
#[derive(Clone, Debug)]
struct Finding {
    place: Place,
    found: Found,
    /// Whether it was there in every later round; `None` if there was none.
    confirmed: Option<bool>,
}

impl Finding {
    fn pair_number(&self, pairs: &[Rounds]) -> usize {
        let is_its = |rounds: &Rounds| {
            let place = &self.place;
            rounds.revision.to_string() == place.revision
                && rounds.transport_a.to_string() == place.transport_a
                && rounds.transport_b.to_string() == place.transport_b
        };
        pairs.iter().position(is_its).unwrap_or(0)
    }
}

/// Differences of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    owed: Option<&'static str>,
    manner: Manner,
    subject: String,
    general: String,
}

impl Group {
    fn of(found: &Found) -> Self {
        Self {
            owed: found.owed,
            manner: found.manner,
            subject: found.subject.clone(),
            general: found.general.clone(),
        }
    }
}

/// Something that differs between two runs of the same target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Variation {
    source: String,
    general: String,
    is_presence: bool,
    is_of_another_type: bool,
    side: &'static str,
}

impl Variation {
    fn of(found: &Found, side: &'static str) -> Self {
        Self {
            source: found.source.clone(),
            general: found.general.clone(),
            is_presence: found.is_presence(),
            is_of_another_type: found.is_of_another_type(),
            side,
        }
    }

    fn noise(&self) -> Noise {
        Noise {
            subject: self.source.clone(),
            pointer: self.general.clone(),
            side: self.side.to_owned(),
        }
    }

    /// Whether this may be all that `found` shows.
    fn explains(&self, found: &Found) -> bool {
        let below = found
            .general
            .strip_prefix(&self.general)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // That an answer stays out now and then says nothing about those that come.
        let is_absence =
            self.is_presence && self.general.is_empty() && self.source.starts_with("answer to ");
        if is_absence && !found.general.is_empty() {
            return false;
        }
        let is_as_strong = self.is_presence
            || (!found.is_presence() && (self.is_of_another_type || !found.is_of_another_type()));
        let is_verdict = found.manner == Manner::Verdict;
        self.source == found.source && (below || is_verdict) && is_as_strong
    }
}

/// A pair of ways with what was found between them.
struct Paired {
    findings: Vec<Finding>,
    noise: BTreeSet<Variation>,
}

impl Paired {
    fn of(library: &Library, rounds: &Rounds) -> Self {
        let is_same = rounds.transport_a == rounds.transport_b;
        let mut pair = Self {
            findings: Vec::new(),
            noise: BTreeSet::new(),
        };
        let mut strays: [Vec<&String>; 2] = [Vec::new(), Vec::new()];
        for (check, sides) in &rounds.exchanges {
            let read = |transcripts: &Vec<Transcript>| -> Vec<Seen> {
                let read = transcripts.iter().map(|it| Seen::of(library, it));
                read.collect()
            };
            let [a, b] = [read(&sides[0]), read(&sides[1])];
            for (strays, side) in strays.iter_mut().zip([&a, &b]) {
                strays.extend(
                    side.iter()
                        .any(|seen| seen.facts.has_stray)
                        .then_some(check),
                );
            }
            let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else {
                continue;
            };
            for (side, name) in [(&a, "a"), (&b, "b")] {
                for again in &side[1..] {
                    let varying = side[0].against(again, true);
                    let varying = varying.iter().map(|found| Variation::of(found, name));
                    pair.noise.extend(varying);
                }
            }
            let later: Vec<BTreeSet<Group>> = a
                .iter()
                .zip(&b)
                .skip(1)
                .map(|(a, b)| {
                    let found = a.against(b, is_same).into_iter();
                    let group = |found: Found| Group {
                        owed: None,
                        ..Group::of(&found)
                    };
                    found.map(group).collect()
                })
                .collect();
            let vector = library.vectors.iter().find(|it| it.id.0 == *check);
            let is_disturbing = vector.is_some_and(disturbs);
            for mut found in first_a.against(first_b, is_same) {
                if is_disturbing && found.is_presence() {
                    found.matters = false;
                    found.owed = Some("the vector changes the server for all that come after it");
                }
                let group = Group {
                    owed: None,
                    ..Group::of(&found)
                };
                let confirmed =
                    (!later.is_empty()).then(|| later.iter().all(|it| it.contains(&group)));
                pair.findings.push(Finding {
                    place: rounds.place(check, &found.pointer),
                    found,
                    confirmed,
                });
            }
        }
        pair.strays(rounds, &strays);
        pair
    }

    /// Responses of other sessions: when they come depends on what else goes on, so they are looked for all over.
    fn strays(&mut self, rounds: &Rounds, [a, b]: &[Vec<&String>; 2]) {
        let (manner, checks) = match (a.is_empty(), b.is_empty()) {
            (true, false) => (Manner::Added, b),
            (false, true) => (Manner::Dropped, a),
            _ => return,
        };
        let subject = "response that answers no request of the session".to_owned();
        for check in checks {
            let found = Found {
                manner,
                subject: subject.clone(),
                source: subject.clone(),
                pointer: String::new(),
                general: String::new(),
                a: (manner == Manner::Dropped).then(|| json!("there")),
                b: (manner == Manner::Added).then(|| json!("there")),
                matters: true,
                owed: None,
            };
            let place = rounds.place(check, "");
            self.findings.push(Finding {
                place,
                found,
                confirmed: None,
            });
        }
    }

    /// The findings that are not explained by what varies by itself, and that show each time. Where one did not
    /// show again, others of its kind that nobody looked at twice are not believed either.
    fn sound(&self) -> impl Iterator<Item = Finding> {
        let shaky: BTreeSet<Group> = self
            .findings
            .iter()
            .filter(|finding| finding.confirmed == Some(false))
            .map(|finding| Group::of(&finding.found))
            .collect();
        self.findings
            .iter()
            .filter(move |finding| match finding.confirmed {
                Some(confirmed) => confirmed,
                None => !shaky.contains(&Group::of(&finding.found)),
            })
            .filter(|finding| !self.noise.iter().any(|it| it.explains(&finding.found)))
            .cloned()
    }
}

fn difference(findings: &[Finding], exchange: Option<usize>) -> Difference {
    let found = &findings[0].found;
    let mut places: Vec<Place> = findings.iter().map(|it| it.place.clone()).collect();
    places.sort();
    places.dedup();
    let is_verdict = found.manner == Manner::Verdict;
    Difference {
        kind: found.manner,
        subject: found.subject.clone(),
        pointer: if is_verdict {
            String::new()
        } else {
            found.general.clone()
        },
        matters: found.matters,
        message: message(found),
        a: found.a.as_ref().map(|value| shown(value, is_verdict)),
        b: found.b.as_ref().map(|value| shown(value, is_verdict)),
        places,
        exchange,
    }
}

/// One line for a person.
fn message(found: &Found) -> String {
    let whole = found.general.is_empty();
    let told = match found.manner {
        Manner::Verdict => "the verdict is another".to_owned(),
        Manner::Revision => "only one of them speaks this revision".to_owned(),
        Manner::Dropped if whole => "nothing of the kind comes from B".to_owned(),
        Manner::Added if whole => "nothing of the kind comes from A".to_owned(),
        Manner::Dropped => "the member or item is missing on B".to_owned(),
        Manner::Added => "the member or item is only on B".to_owned(),
        Manner::Changed if found.is_of_another_type() => "the type is another".to_owned(),
        Manner::Changed => "the value is another".to_owned(),
        Manner::Reordered => "the items are in another order".to_owned(),
        Manner::Order => "messages come in another order".to_owned(),
        Manner::Respelled if found.a.as_ref().is_some_and(Value::is_array) => {
            "the members are in another order".to_owned()
        }
        Manner::Respelled => "the number is written in another way".to_owned(),
    };
    match found.owed {
        Some(why) => format!("{told} ({why})"),
        None => told,
    }
}

/// A value as a report shows it.
fn shown(value: &Value, is_plain: bool) -> String {
    let text = match value {
        Value::String(text) if is_plain => text.clone(),
        _ => value.to_string(),
    };
    if text.len() <= SHOWN_BYTES_MAX {
        return text;
    }
    let kept = text.floor_char_boundary(SHOWN_BYTES_MAX);
    format!("{} … ({} more bytes)", &text[..kept], text.len() - kept)
}

/// What went over both wires where a difference was seen first.
fn exchange(finding: &Finding, pairs: &[Rounds]) -> Option<ExchangePair> {
    let place = &finding.place;
    let rounds = pairs.get(finding.pair_number(pairs))?;
    let [a, b] = rounds.exchanges.get(&place.check)?;
    Some(ExchangePair {
        check: place.check.clone(),
        revision: place.revision.clone(),
        transport_a: place.transport_a.clone(),
        transport_b: place.transport_b.clone(),
        a: judge::exchange(a.first()?),
        b: judge::exchange(b.first()?),
        reproduce: String::new(),
    })
}

/// As often is a difference looked at again.
const CONFIRMATIONS: usize = 3;

/// As much of a value is told.
const SHOWN_BYTES_MAX: usize = 600;
