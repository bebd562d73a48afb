//! Where everything random comes from.

use std::fmt;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// A source of choices. The same seed and number make the same choices.
#[derive(Debug)]
pub struct Source {
    runner: TestRunner,
}

impl Source {
    /// The choices of case `number` of the campaign with this seed.
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&spread(seed).to_le_bytes());
        bytes[8..16].copy_from_slice(&spread(number ^ spread(seed)).to_le_bytes());
        // The first choices of a generator that mixes less follow from one another: with some seeds whole kinds of
        // cases would never come up.
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self {
            runner: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    /// A value of a strategy; `None` where it refuses to make one.
    pub fn draw<S: Strategy>(&mut self, strategy: S) -> Option<S::Value> {
        let tree = strategy.new_tree(&mut self.runner).ok()?;
        Some(tree.current())
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.draw(0..limit.max(1)).unwrap_or(0)
    }

    /// True in one of `of` cases.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    /// One of several, which are not none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// One of several, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, of: &[(usize, T)]) -> T {
        let sum: usize = of.iter().map(|(weight, _)| weight).sum();
        let mut place = self.below(sum);
        for (weight, value) in of {
            if place < *weight {
                return *value;
            }
            place -= weight;
        }
        of[0].1
    }
}

/// Spreads a small number over all bits (the finalizer of `SplitMix64`: Steele, Lea, Flood, OOPSLA 2014).
fn spread(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// What shows up again wherever a case's own texts are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub u64);

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{:x}{SUFFIX}", self.0)
    }
}

/// The marks in a text, in order.
#[must_use]
pub fn marks_in(bytes: &[u8]) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut rest = bytes;
    while let Some(place) = memchr::memmem::find(rest, PREFIX.as_bytes()) {
        rest = &rest[place + PREFIX.len()..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let length = digits.count().min(16);
        let number = std::str::from_utf8(&rest[..length]).ok();
        if rest.get(length) == Some(&(SUFFIX as u8))
            && let Some(number) = number.and_then(|text| u64::from_str_radix(text, 16).ok())
        {
            marks.push(Mark(number));
        }
    }
    marks
}

/// What a mark begins with. No word of any language has it.
const PREFIX: &str = "zqx";

/// What a mark ends with.
const SUFFIX: char = 'q';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_number_make_the_same_choices() {
        let choices = |seed, number| {
            let mut source = Source::of(seed, number);
            (0..8).map(|_| source.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(choices(1, 2), choices(1, 2));
        assert_ne!(choices(1, 2), choices(1, 3));
        assert_ne!(choices(1, 2), choices(2, 2));
        assert_ne!(choices(1, 2), choices(2, 1));
    }

    #[test]
    fn first_choices_do_not_follow_from_one_another() {
        for seed in 0..20 {
            let mut seen = [0; 12];
            for number in 0..600 {
                let mut source = Source::of(seed, number);
                let place = source.below(3) * 4 + source.below(2) * 2 + source.below(2);
                seen[place] += 1;
            }
            // Each of them 50 times, give or take.
            assert!(
                seen.iter().all(|times| (15..100).contains(times)),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn marks_are_found_in_whatever_is_around_them() {
        let text = format!("a{}b zqx zqxffq{}", Mark(17), Mark(u64::MAX));
        assert_eq!(
            marks_in(text.as_bytes()),
            [Mark(17), Mark(255), Mark(u64::MAX)]
        );
        assert!(marks_in(b"zqx12").is_empty());
    }
}
