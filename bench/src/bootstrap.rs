//! How sure a ratio is: the percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
//! chapter 13) over pairs of blocks.

use crate::{figures::median, random::Random};

/// A ratio and where it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    /// B divided by A: the median of all pairs.
    pub(crate) ratio: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Pairs that have a ratio.
    pub(crate) pairs: usize,
}

/// B against A. `None` where no pair has a ratio.
pub(crate) fn ratio(pairs: &[(f64, f64)], seed: u64) -> Option<Interval> {
    let ratios: Vec<f64> = pairs
        .iter()
        .map(|(a, b)| b / a)
        .filter(|ratio| ratio.is_finite() && *ratio > 0.0)
        .collect();
    if ratios.is_empty() {
        return None;
    }
    let mut random = Random::new(seed, 0xB007);
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let draw = |_| {
                let place = random.below(ratios.len() as u64);
                ratios[usize::try_from(place).unwrap_or(0)]
            };
            middle(ratios.iter().map(draw).collect())
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list of some thousand"
    )]
    let at = |share: f64| medians[(share * (RESAMPLES - 1) as f64).round() as usize];
    Some(Interval {
        low: at(tail),
        high: at(1.0 - tail),
        pairs: ratios.len(),
        ratio: middle(ratios),
    })
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    median(&values)
}

/// How sure an interval is.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// Enough for the ends of an interval of 95 %.
const RESAMPLES: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_without_noise_is_certain() {
        let interval = ratio(&[(2.0, 3.0), (4.0, 6.0), (10.0, 15.0)], 1).expect("a ratio");
        for value in [interval.ratio, interval.low, interval.high] {
            assert!((value - 1.5).abs() < 1e-9);
        }
        assert_eq!(interval.pairs, 3);
    }

    #[test]
    fn an_interval_holds_the_truth_and_not_everything() {
        let mut random = Random::new(5, 0);
        let mut noisy = |value: f64| value * (0.9 + 0.2 * random.unit());
        let pairs: Vec<_> = (0..40).map(|_| (noisy(100.0), noisy(120.0))).collect();
        let interval = ratio(&pairs, 1).expect("a ratio");
        assert!(interval.low < 1.2 && 1.2 < interval.high, "{interval:?}");
        assert!(interval.low > 1.1 && interval.high < 1.3, "{interval:?}");
        assert!(interval.low <= interval.ratio && interval.ratio <= interval.high);
    }

    #[test]
    fn what_has_no_ratio_is_left_out() {
        assert_eq!(ratio(&[(0.0, 1.0), (0.0, 0.0)], 1), None);
        assert_eq!(ratio(&[], 1), None);
        assert_eq!(ratio(&[(0.0, 1.0), (1.0, 2.0)], 1).expect("one").pairs, 1);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let pairs = [(1.0, 2.0), (1.0, 3.0), (1.0, 2.5)];
        assert_eq!(ratio(&pairs, 9), ratio(&pairs, 9));
    }
}
