//! What is demanded of figures: `p99 < 50ms`, `errors = 0`, `throughput > 500/s`, or against other figures
//! `p99 < 1.1x`.

use std::{fmt, str::FromStr};

use mcp_verdict_results::Figures;

/// One demand.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    text: String,
    metric: Metric,
    relation: Relation,
    bound: Bound,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    P50,
    P90,
    P95,
    P99,
    P999,
    P9999,
    Mean,
    Max,
    Errors,
    ErrorRate,
    Throughput,
    Dropped,
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// In the metric's own unit: microseconds, a count, a rate, a share.
    Absolute(f64),
    /// Times what other figures have.
    Relative(f64),
}

/// What came of a demand.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What was measured, for a person.
    pub measured: String,
    /// Whether it held.
    pub held: bool,
}

/// A text that is no demand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// There is no relation in it.
    #[error("objective `{0}` has no relation; write it as `p99 < 50ms`")]
    NoRelation(String),
    /// The metric is none.
    #[error(
        "objective `{text}`: nothing is called `{metric}`; known are p50, p90, p95, p99, p99.9, p99.99, mean, max, errors, error-rate, throughput, dropped, late"
    )]
    UnknownMetric {
        /// The whole.
        text: String,
        /// What stands for the metric.
        metric: String,
    },
    /// The bound cannot be read in the metric's unit.
    #[error("objective `{text}`: `{bound}` is not {unit}, nor a factor such as 1.1x")]
    Bound {
        /// The whole.
        text: String,
        /// What stands for the bound.
        bound: String,
        /// What it should be.
        unit: &'static str,
    },
}

impl Metric {
    const NAMES: [(&'static str, Self); 13] = [
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
        ("p99.9", Self::P999),
        ("p99.99", Self::P9999),
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("errors", Self::Errors),
        ("error-rate", Self::ErrorRate),
        ("throughput", Self::Throughput),
        ("dropped", Self::Dropped),
        ("late", Self::Late),
    ];

    fn of(self, figures: &Figures) -> f64 {
        let latency = &figures.latency;
        match self {
            Self::P50 => latency.p50_us,
            Self::P90 => latency.p90_us,
            Self::P95 => latency.p95_us,
            Self::P99 => latency.p99_us,
            Self::P999 => latency.p999_us,
            Self::P9999 => latency.p9999_us,
            Self::Mean => latency.mean_us,
            Self::Max => latency.max_us,
            // What was never sent was not answered either.
            Self::Errors => count(figures.failed + figures.dropped),
            Self::ErrorRate => {
                let bad = figures.failed + figures.dropped;
                count(bad) / count((figures.answered + bad).max(1))
            }
            Self::Throughput => figures.answered_per_second,
            Self::Dropped => count(figures.dropped),
            Self::Late => count(figures.late),
        }
    }

    const fn is_latency(self) -> bool {
        !matches!(
            self,
            Self::Errors | Self::ErrorRate | Self::Throughput | Self::Dropped | Self::Late
        )
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Errors | Self::Dropped | Self::Late => "a count",
            Self::ErrorRate => "a share such as 0.1%",
            Self::Throughput => "a rate such as 500/s",
            _ => "a time such as 50ms",
        }
    }

    /// A bound without a factor, in this metric's unit.
    fn read(self, bound: &str) -> Option<f64> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        match self {
            Self::Errors | Self::Dropped | Self::Late => number(bound),
            Self::ErrorRate => Some(number(bound.strip_suffix('%')?)? / 100.0),
            Self::Throughput => number(bound.strip_suffix("/s").unwrap_or(bound)),
            _ => {
                let units = [("us", 1.0), ("µs", 1.0), ("ms", 1e3), ("s", 1e6)];
                units
                    .iter()
                    .find_map(|(unit, factor)| Some(number(bound.strip_suffix(unit)?)? * factor))
            }
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Errors | Self::Dropped | Self::Late => format!("{value:.0}"),
            Self::ErrorRate => format!("{:.3}%", value * 100.0),
            Self::Throughput => format!("{value:.1}/s"),
            _ if value >= 1e6 => format!("{:.3}s", value / 1e6),
            _ if value >= 1e3 => format!("{:.3}ms", value / 1e3),
            _ => format!("{value:.1}us"),
        }
    }
}

impl Demand {
    /// Whether it needs other figures to be held against.
    #[must_use]
    pub const fn is_relative(&self) -> bool {
        matches!(self.bound, Bound::Relative(_))
    }

    /// Whether it holds. A relative one without figures to hold against does not: what was not compared never passes.
    /// Neither does one about latencies where nothing was answered.
    #[must_use]
    pub fn check(&self, figures: &Figures, other: Option<&Figures>) -> Held {
        let value = self.metric.of(figures);
        let mut measured = self.metric.show(value);
        let bound = match (self.bound, other) {
            (Bound::Absolute(bound), _) => Some(bound),
            (Bound::Relative(factor), Some(other)) => {
                let base = self.metric.of(other);
                measured = format!(
                    "{measured} ({:.3}x of {})",
                    value / base,
                    self.metric.show(base)
                );
                Some(base * factor)
            }
            (Bound::Relative(_), None) => None,
        };
        let nothing = figures.answered + figures.failed == 0
            || (self.metric.is_latency() && figures.latency.count == 0);
        if nothing {
            measured = "nothing was answered".to_owned();
        }
        Held {
            measured,
            held: !nothing && bound.is_some_and(|bound| self.relation.holds(value, bound)),
        }
    }
}

impl Relation {
    const NAMES: [(&'static str, Self); 5] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        (">", Self::More),
        ("=", Self::Equal),
    ];

    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Equal => (value - bound).abs() <= f64::EPSILON * bound.abs(),
            Self::AtLeast => value >= bound,
            Self::More => value > bound,
        }
    }
}

impl FromStr for Demand {
    type Err = DemandError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Relation::NAMES.iter().find_map(|(name, relation)| {
            let (metric, bound) = text.split_once(name)?;
            Some((metric.trim(), *relation, bound.trim()))
        });
        let (name, relation, bound) =
            found.ok_or_else(|| DemandError::NoRelation(text.to_owned()))?;
        let metric = Metric::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, metric)| *metric)
            .ok_or_else(|| DemandError::UnknownMetric {
                text: text.to_owned(),
                metric: name.to_owned(),
            })?;
        let relative = bound
            .strip_suffix('x')
            .and_then(|factor| factor.trim().parse().ok())
            .map(Bound::Relative);
        let bound = relative
            .or_else(|| metric.read(bound).map(Bound::Absolute))
            .filter(|it| match it {
                Bound::Absolute(number) | Bound::Relative(number) => number.is_finite(),
            })
            .ok_or_else(|| DemandError::Bound {
                text: text.to_owned(),
                bound: bound.to_owned(),
                unit: metric.unit(),
            })?;
        Ok(Self {
            text: text.trim().to_owned(),
            metric,
            relation,
            bound,
        })
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use mcp_verdict_results::Latency;

    use super::*;

    fn figures() -> Figures {
        Figures {
            answered: 998,
            failed: 2,
            answered_per_second: 500.0,
            latency: Latency {
                count: 998,
                p50_us: 900.0,
                p99_us: 49_000.0,
                ..Latency::default()
            },
            ..Figures::default()
        }
    }

    fn holds(text: &str, other: Option<&Figures>) -> bool {
        let demand: Demand = text.parse().expect(text);
        demand.check(&figures(), other).held
    }

    #[test]
    fn a_demand_is_held_against_its_figure() {
        for (text, expected) in [
            ("p99 < 50ms", true),
            ("p99<49ms", false),
            ("p99 <= 49ms", true),
            ("p50 < 0.9ms", false),
            ("p50 < 901us", true),
            ("errors = 0", false),
            ("errors <= 2", true),
            ("error-rate < 0.2%", false),
            ("error-rate <= 0.2 %", true),
            ("throughput > 499/s", true),
            ("throughput >= 501", false),
            ("dropped = 0", true),
        ] {
            assert_eq!(holds(text, None), expected, "{text}");
        }
    }

    #[test]
    fn a_relative_demand_needs_something_to_be_relative_to() {
        let slower = Figures {
            answered_per_second: 600.0,
            ..figures()
        };
        assert!(holds("p99 < 1.1x", Some(&slower)));
        assert!(!holds("p99 < 1x", Some(&slower)));
        assert!(!holds("throughput > 0.9x", Some(&slower)));
        assert!(!holds("p99 < 1.1x", None));
    }

    #[test]
    fn of_nothing_nothing_holds() {
        for text in ["p99 < 1s", "errors = 0", "max < 1s", "dropped = 0"] {
            let demand: Demand = text.parse().expect(text);
            assert!(!demand.check(&Figures::default(), None).held, "{text}");
        }
    }

    #[test]
    fn what_is_no_demand_is_told() {
        for (text, told) in [
            ("p99", "no relation"),
            ("p98 < 5ms", "nothing is called `p98`"),
            ("p99 < 5", "a time such as 50ms"),
            ("throughput > 5ms", "a rate such as"),
            ("errors = NaN", "a count"),
            ("error-rate < 1", "a share"),
        ] {
            let error = text.parse::<Demand>().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
