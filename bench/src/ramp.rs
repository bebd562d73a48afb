//! The search for the highest rate at which objectives hold.

use mcp_verdict_results::{Figures, RateLimit, RateStep};

use crate::{
    figures::figures,
    fleet::{Fleet, FleetError},
    measure::Tell,
    objective::Demand,
    plan::{Load, Pacing, Plan},
    schedule::Arrivals,
};

/// Where the search begins, and how the load of one step is made.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    /// The first rate, requests a second.
    pub from_per_second: f64,
    /// How arrivals are spread.
    pub arrivals: Arrivals,
    /// Warm-up and length of each step; its pacing is not looked at.
    pub load: Load,
}

/// Raises the rate until a demand breaks, then goes half the way between what held and what did not, until they are
/// near each other.
///
/// # Errors
/// When the load generator fails.
pub async fn find_limit(
    fleet: &mut Fleet,
    plan: &Plan,
    ramp: &Ramp,
    demands: &[Demand],
    tell: &Tell<'_>,
) -> Result<RateLimit, FleetError> {
    let mut search = Search::from(ramp.from_per_second);
    let mut limit = RateLimit {
        objectives: demands.iter().map(ToString::to_string).collect(),
        ..RateLimit::default()
    };
    while let Some(rate) = search.next_rate() {
        let load = Load {
            pacing: Pacing::Open {
                rate,
                arrivals: ramp.arrivals,
            },
            ..ramp.load
        };
        let mut held = false;
        // A rate that broke once is tried again: something else may have been going on.
        for _ in 0..TRIES {
            let told = |progress| tell("A", limit.steps.len() + 1, progress);
            let stretch = fleet.run(&load, &told).await?;
            let step = step(rate, &figures(plan, &stretch, true), demands);
            held = step.broken.is_empty();
            limit.steps.push(step);
            if held {
                break;
            }
        }
        search.learn(rate, held);
    }
    limit.holds_at_per_second = search.holds;
    limit.breaks_at_per_second = search.breaks;
    Ok(limit)
}

fn step(rate: f64, figures: &Figures, demands: &[Demand]) -> RateStep {
    let mut broken: Vec<String> = demands
        .iter()
        .filter_map(|demand| {
            let held = demand.check(figures, None);
            (!held.held).then(|| format!("{demand}: {}", held.measured))
        })
        .collect();
    if figures.answered_per_second < rate * REACHED {
        broken.push(format!(
            "the rate was not reached: {:.1} of {rate:.1}/s were answered",
            figures.answered_per_second
        ));
    }
    RateStep {
        rate_per_second: rate,
        answered_per_second: figures.answered_per_second,
        p50_us: figures.latency.p50_us,
        p99_us: figures.latency.p99_us,
        failed: figures.failed + figures.dropped,
        broken,
    }
}

/// What is known of the limit.
#[derive(Clone, Copy, Debug)]
struct Search {
    first: f64,
    holds: Option<f64>,
    breaks: Option<f64>,
    tried: usize,
}

impl Search {
    fn from(first: f64) -> Self {
        Self {
            first,
            holds: None,
            breaks: None,
            tried: 0,
        }
    }

    /// The rate to try next; `None` when the limit is known, or cannot be.
    fn next_rate(&self) -> Option<f64> {
        if self.tried >= STEPS_MAX {
            return None;
        }
        match (self.holds, self.breaks) {
            (None, None) => Some(self.first),
            (Some(holds), None) => Some(holds * FACTOR),
            (None, Some(breaks)) => (breaks > 2.0 * RATE_MIN).then_some(breaks / (2.0 * FACTOR)),
            (Some(holds), Some(breaks)) => {
                (breaks > holds * NEAR).then_some(f64::midpoint(holds, breaks))
            }
        }
    }

    fn learn(&mut self, rate: f64, held: bool) {
        self.tried += 1;
        match held {
            true => self.holds = Some(self.holds.map_or(rate, |it| it.max(rate))),
            false => self.breaks = Some(self.breaks.map_or(rate, |it| it.min(rate))),
        }
    }
}

/// How often a rate is tried that breaks something.
const TRIES: usize = 2;

/// How much the rate is raised while everything holds.
const FACTOR: f64 = 1.6;

/// When two rates are near enough.
const NEAR: f64 = 1.06;

/// What share of a rate has to be answered, that it counts as reached.
const REACHED: f64 = 0.97;

/// Slower than this is not searched, in requests a second.
const RATE_MIN: f64 = 0.5;

/// Steps at most: enough to go from 1/s to a million, and to come near.
const STEPS_MAX: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    fn search(first: f64, limit: f64) -> Search {
        let mut search = Search::from(first);
        while let Some(rate) = search.next_rate() {
            search.learn(rate, rate <= limit);
        }
        search
    }

    #[test]
    fn the_limit_is_found_from_below_and_from_above() {
        for (first, limit) in [
            (1.0, 777.0),
            (100_000.0, 777.0),
            (777.0, 777.0),
            (10.0, 3e6),
        ] {
            let search = search(first, limit);
            let (holds, breaks) = (search.holds.expect("held"), search.breaks.expect("broke"));
            assert!(holds <= limit && limit < breaks, "{search:?}");
            assert!(breaks <= holds * NEAR, "{search:?}");
        }
    }

    #[test]
    fn a_search_that_finds_nothing_ends() {
        let never = search(100.0, 0.0);
        assert_eq!(never.holds, None);
        let always = search(100.0, f64::INFINITY);
        assert_eq!(always.breaks, None);
        assert_eq!(always.tried, STEPS_MAX);
    }
}
