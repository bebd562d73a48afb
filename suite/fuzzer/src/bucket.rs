//! What was found: one bucket for all cases that show the same.

use mcp_verdict_results::CheckResult;

use crate::case::{Case, Mutation};

/// Something that is wrong with a target, with the smallest script that shows it.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The result, as a run of its vector gives it.
    pub result: CheckResult,
    /// The vector, as a file: nothing where the target was gone before it could be tried alone.
    pub vector: String,
    /// Which case showed it first.
    pub first_case: u64,
    /// Seconds from the beginning of the campaign to that case.
    pub first_seconds: f64,
    /// How many cases showed it, those that were not looked into included.
    pub cases: u64,
    /// How often it showed when it was tried again, and of how many trials.
    pub shown: (u32, u32),
    /// Bytes of what is sent to show it.
    pub bytes: usize,
    /// What makes two findings the same.
    pub(crate) key: String,
    /// What the cases were made of that showed it.
    pub(crate) kinds: Vec<Vec<Mutation>>,
    /// The oracle's name.
    pub(crate) oracle: String,
    /// What the oracle saw, without what differs from case to case.
    pub(crate) shape: String,
}

impl Bucket {
    /// What was broken: an oracle's name, or a rule's id.
    #[must_use]
    pub fn oracle(&self) -> &str {
        &self.oracle
    }

    /// Whether it shows every time.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.shown.0 == self.shown.1
    }

    /// Whether a case that raises the same suspicion is most likely one of these.
    pub(crate) fn is_likely(&self, oracle: &str, shape: &str, case: &Case) -> bool {
        let covers = |kinds: &Vec<Mutation>| kinds.iter().all(|kind| case.mutations.contains(kind));
        // What a rule says tells enough: what breaks it may have nothing to do with how a case is odd.
        let same = self.oracle.starts_with("rules/") || self.kinds.iter().any(covers);
        self.oracle == oracle && self.shape == shape && same
    }
}

/// What the cases of a bucket have in common: the bytes they come to, without marks and digits.
pub(crate) fn key(oracle: &str, shape: &str, cases: &[Case]) -> String {
    let mut key = format!("{oracle} {shape}");
    for step in cases.iter().flat_map(Case::steps) {
        let mut digits = false;
        for character in without_marks(&step.to_string()).chars() {
            let digit = character.is_ascii_digit();
            if !digit || !digits {
                key.push(if digit { '#' } else { character });
            }
            digits = digit;
        }
    }
    key
}

/// A short name for a key, the same in every campaign (32-bit FNV-1a: Fowler, Noll, Vo).
pub(crate) fn digest(key: &str) -> u32 {
    key.bytes().fold(0x811c_9dc5, |digest, byte| {
        (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// A text without the marks of cases, and without their labels.
fn without_marks(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(place) = rest.find("zqx") {
        plain.push_str(&rest[..place]);
        let after = &rest[place + 3..];
        let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        rest = after[digits..]
            .strip_prefix('q')
            .unwrap_or(&after[digits..]);
    }
    plain.push_str(rest);
    match plain.rfind("\"as\":\"c") {
        Some(place) => plain[..place].to_owned(),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::{Action, Layer, Sending},
        piece::Pieces,
        source::Mark,
    };

    fn case(number: u64, text: &str) -> Case {
        let mark = Mark(number << 8);
        Case {
            mark,
            layer: Layer::Structure,
            method: "ping".to_owned(),
            mutations: vec!["number"],
            actions: vec![Action::Message(Sending::of(Pieces::of(text)))],
        }
    }

    #[test]
    fn what_differs_by_marks_and_digits_is_the_same() {
        let key = |number, text: &str| key("exit", "left", &[case(number, text)]);
        let one = key(1, &format!(r#"{{"id":"{}","x":17}}"#, Mark(256)));
        assert_eq!(one, key(7, &format!(r#"{{"id":"{}","x":9}}"#, Mark(1799))));
        assert_ne!(one, key(1, &format!(r#"{{"id":"{}","y":17}}"#, Mark(256))));
        assert_ne!(digest(&one), digest(""));
    }
}
