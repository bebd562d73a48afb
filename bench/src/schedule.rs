//! When requests are meant to be sent, whatever became of those before: the open loop.

use std::time::{Duration, Instant};

use crate::random::Random;

/// How arrivals are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrivals {
    /// One after the other at the same distance.
    #[default]
    Constant,
    /// As independent clients do: distances are exponential.
    Poisson,
}

/// The times at which requests are meant to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    begin: Instant,
    end: Instant,
    /// A second.
    rate: f64,
    arrivals: Arrivals,
    random: Random,
    given: u64,
    at_seconds: f64,
}

impl Schedule {
    /// `rate` arrivals a second between `begin` and `end`.
    pub(crate) fn new(
        begin: Instant,
        end: Instant,
        rate: f64,
        arrivals: Arrivals,
        random: Random,
    ) -> Self {
        Self {
            begin,
            end,
            rate,
            arrivals,
            random,
            given: 0,
            at_seconds: 0.0,
        }
    }

    /// The next time; `None` when it is over.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 requests")]
        let at = match self.arrivals {
            // By multiplication, so that no error adds up.
            Arrivals::Constant => self.given as f64 / self.rate,
            Arrivals::Poisson => {
                self.at_seconds -= (1.0 - self.random.unit()).ln() / self.rate;
                self.at_seconds
            }
        };
        self.given += 1;
        let at = self.begin + Duration::try_from_secs_f64(at).ok()?;
        (at < self.end).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: Arrivals, rate: f64, seconds: u64) -> Vec<f64> {
        let begin = Instant::now();
        let end = begin + Duration::from_secs(seconds);
        let mut schedule = Schedule::new(begin, end, rate, arrivals, Random::new(1, 0));
        std::iter::from_fn(|| schedule.next())
            .map(|at| (at - begin).as_secs_f64())
            .collect()
    }

    #[test]
    fn a_constant_rate_has_equal_distances_and_no_drift() {
        let times = times(Arrivals::Constant, 3.0, 100);
        assert_eq!(times.len(), 300);
        for (number, time) in (0_u32..).zip(&times) {
            assert!((time - f64::from(number) / 3.0).abs() < 1e-6);
        }
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        let times = times(Arrivals::Poisson, 1000.0, 100);
        let distances: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let count = distances.len() as f64;
        let mean = distances.iter().sum::<f64>() / count;
        let variance = distances.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / count;
        assert!((mean * 1000.0 - 1.0).abs() < 0.02, "mean {mean}");
        // The deviation of an exponential distribution is its mean.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.02);
    }

    #[test]
    fn the_same_seed_gives_the_same_times() {
        assert_eq!(
            times(Arrivals::Poisson, 50.0, 4),
            times(Arrivals::Poisson, 50.0, 4)
        );
    }
}
