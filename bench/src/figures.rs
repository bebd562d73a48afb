//! From what was counted to what a report shows.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer as _, V2DeflateSerializer},
};
use mcp_verdict_results::{
    Figures, Latency, OperationFigures, Range, Slot, Spread, Timeline as TimelineFigures,
};

use crate::{
    fleet::Stretch,
    plan::Plan,
    tally::{Latencies, OperationTally, Timeline, latencies},
};

/// What a stretch of load brought. In an open loop there is a lag.
pub(crate) fn figures(plan: &Plan, stretch: &Stretch, open_loop: bool) -> Figures {
    let tally = &stretch.tally;
    let elapsed = stretch.elapsed.as_secs_f64();
    let operations = plan.operations.iter().zip(&tally.operations);
    Figures {
        answered: tally.answered(),
        failed: tally.failed(),
        errors: tally.errors.clone(),
        elapsed_ms: elapsed * 1000.0,
        answered_per_second: per(tally.answered(), elapsed),
        latency: latency(&tally.latencies()),
        operations: operations
            .map(|(operation, tally)| of_operation(&operation.name, tally))
            .collect(),
        opening: (!tally.openings.is_empty()).then(|| latency(&tally.openings)),
        lag: open_loop.then(|| latency(&tally.lag)),
        late: tally.late,
        dropped: tally.dropped,
        unanswered_requests: tally.unanswered,
        sent_bytes: tally.sent_bytes,
        received_bytes: tally.received_bytes,
        memory_kib: stretch.memory_kib,
        timeline: of_timeline(&tally.timeline),
    }
}

/// All runs as one. Times between them do not count.
pub(crate) fn total(runs: &[Stretch], plan: &Plan, open_loop: bool) -> Figures {
    let [first, rest @ ..] = runs else {
        return Figures::default();
    };
    let mut all = first.clone();
    for run in rest {
        // Each run has a clock of its own, laid over the first one's here.
        let mut tally = run.tally.clone();
        tally.timeline.begin = all.tally.timeline.begin;
        all.tally.add(&tally);
        all.elapsed += run.elapsed;
        all.memory_kib = all
            .memory_kib
            .zip(run.memory_kib)
            .map(|((before, _), (_, after))| (before, after));
    }
    figures(plan, &all, open_loop)
}

/// How far runs are apart; `None` of a single one.
pub(crate) fn spread(runs: &[Figures]) -> Option<Spread> {
    (runs.len() > 1).then(|| Spread {
        answered_per_second: range(runs.iter().map(|it| it.answered_per_second)),
        p50_us: range(runs.iter().map(|it| it.latency.p50_us)),
        p99_us: range(runs.iter().map(|it| it.latency.p99_us)),
    })
}

fn range(values: impl Iterator<Item = f64>) -> Range {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    Range {
        min: values.first().copied().unwrap_or_default(),
        median: median(&values),
        max: values.last().copied().unwrap_or_default(),
    }
}

/// The median of values in ascending order; 0 of none.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

fn of_operation(name: &str, tally: &OperationTally) -> OperationFigures {
    OperationFigures {
        name: name.to_owned(),
        answered: tally.answered,
        failed: tally.failed,
        latency: latency(&tally.latencies),
        first_event: (!tally.first_event.is_empty()).then(|| latency(&tally.first_event)),
    }
}

/// A distribution with its log.
pub(crate) fn latency(histogram: &Latencies) -> Latency {
    let at = |quantile: f64| micros(histogram.value_at_quantile(quantile));
    if histogram.is_empty() {
        return Latency {
            histogram: log(histogram),
            ..Latency::default()
        };
    }
    Latency {
        count: histogram.len(),
        mean_us: histogram.mean() / 1000.0,
        deviation_us: histogram.stdev() / 1000.0,
        min_us: micros(histogram.min()),
        p50_us: at(0.5),
        p90_us: at(0.9),
        p95_us: at(0.95),
        p99_us: at(0.99),
        p999_us: at(0.999),
        p9999_us: at(0.9999),
        max_us: micros(histogram.max()),
        curve: curve(histogram),
        histogram: log(histogram),
    }
}

/// Quantiles at equal distances of a logarithmic axis, as far as there are enough values to speak of them.
fn curve(histogram: &Latencies) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for step in 0..=CURVE_STEPS {
        // From 0 % by 1 - 10^-x: 90 %, 99 %, 99.9 % are at equal distances.
        let left = 10_f64.powf(-f64::from(step) / CURVE_STEPS_A_DECADE);
        let quantile = 1.0 - left;
        points.push((
            quantile * 100.0,
            micros(histogram.value_at_quantile(quantile)),
        ));
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        if left * (histogram.len() as f64) < 1.0 {
            break;
        }
    }
    points
}

/// The log of a histogram, in base64.
fn log(histogram: &Latencies) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a vector can be written to");
    STANDARD.encode(bytes)
}

/// The histogram that a log holds; `None` where it holds none. Logs of several runs can be added up.
#[must_use]
pub fn read_log(log: &str) -> Option<Histogram<u64>> {
    let bytes = STANDARD.decode(log).ok()?;
    let read: Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .ok()?;
    let mut histogram = latencies();
    histogram.add(read).ok()?;
    Some(histogram)
}

fn of_timeline(timeline: &Timeline) -> TimelineFigures {
    let slots = timeline.slots.iter().map(|slot| {
        let at = |quantile| whole(slot.latencies_us.value_at_quantile(quantile));
        Slot {
            answered: slot.answered,
            failed: slot.failed,
            p50_us: at(0.5),
            p99_us: at(0.99),
            max_us: at(1.0),
        }
    });
    TimelineFigures {
        slot_ms: timeline.slot.as_secs_f64() * 1000.0,
        slots: slots.collect(),
    }
}

fn micros(nanoseconds: u64) -> f64 {
    whole(nanoseconds) / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "three digits are exact")]
fn whole(number: u64) -> f64 {
    number as f64
}

/// So many in so many seconds; 0 in none.
#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
pub(crate) fn per(count: u64, seconds: f64) -> f64 {
    match seconds > 0.0 {
        true => count as f64 / seconds,
        false => 0.0,
    }
}

/// Points of a curve for each further nine.
const CURVE_STEPS_A_DECADE: f64 = 12.0;

/// Points of a curve at most: up to 99.9999 %.
const CURVE_STEPS: u32 = 72;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tally::{merge, record};

    fn of(values_us: &[u64]) -> Latencies {
        let mut histogram = latencies();
        for value in values_us {
            record(&mut histogram, Duration::from_micros(*value));
        }
        histogram
    }

    #[test]
    fn logs_add_up_without_loss() {
        let (one, two) = (of(&[100, 200, 1_000_000]), of(&[5, 200, 300]));
        let mut read = read_log(&latency(&one).histogram).expect("a log");
        assert_eq!(read, one);
        read.add(read_log(&latency(&two).histogram).expect("a log"))
            .expect("it grows");
        let mut whole = one;
        merge(&mut whole, &two);
        assert_eq!(read, whole);
        assert_eq!(read_log("no log"), None);
        assert_eq!(read_log("AAAA"), None);
    }

    #[test]
    fn percentiles_are_those_of_the_values_to_three_digits() {
        let values: Vec<u64> = (1..=1000).collect();
        let latency = latency(&of(&values));
        for (measured, expected) in [
            (latency.p50_us, 500.0),
            (latency.p99_us, 990.0),
            (latency.max_us, 1000.0),
            (latency.mean_us, 500.5),
        ] {
            assert!((measured / expected - 1.0).abs() < 0.002, "{measured}");
        }
        assert!(
            latency
                .curve
                .is_sorted_by(|one, two| one.0 < two.0 && one.1 <= two.1)
        );
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < 1e-9);
    }
}
