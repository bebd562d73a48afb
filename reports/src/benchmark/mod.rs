//! A benchmark, rendered.

mod chart;
mod html;
mod json;
mod junit;
mod terminal;

use mcp_verdict_results::{Benchmark, BenchmarkPlan, BenchmarkSide};

pub use html::benchmark_html;
pub use json::{BENCHMARK_SCHEMA, benchmark_json};
pub use junit::benchmark_junit;
pub use terminal::benchmark_terminal;

use crate::text;

/// What came of it, in one line.
fn headline(benchmark: &Benchmark) -> String {
    let broken = benchmark.objectives.iter().filter(|it| !it.held).count();
    let rate = |side: &BenchmarkSide| {
        format!(
            "{} answers a second, p50 {}, p99 {}",
            number(side.total.answered_per_second),
            time(side.total.latency.p50_us),
            time(side.total.latency.p99_us)
        )
    };
    let measured = match (benchmark.sides.as_slice(), &benchmark.limit) {
        (_, Some(limit)) => match limit.holds_at_per_second {
            Some(rate) => format!("Holds up to {} requests a second", number(rate)),
            None => "Holds at no rate".to_owned(),
        },
        ([_, _], None) => match benchmark.ratios.first() {
            Some(ratio) => format!("B answers {:.3} times as many requests as A", ratio.ratio),
            None => "A and B cannot be compared".to_owned(),
        },
        ([side, ..], None) => rate(side),
        ([], None) => "Nothing was measured".to_owned(),
    };
    match broken {
        0 => measured,
        _ => format!(
            "{}: {measured}",
            text::count(broken, "objective does not hold", "objectives do not hold")
        ),
    }
}

/// How load was put on, in one line.
fn load(plan: &BenchmarkPlan) -> String {
    let pacing = match (plan.rate_per_second, &plan.arrivals) {
        (Some(rate), Some(arrivals)) => {
            format!("open loop, {} requests a second ({arrivals})", number(rate))
        }
        _ => "closed loop".to_owned(),
    };
    let until = match (plan.duration_ms, plan.requests) {
        (_, Some(requests)) => text::count(
            usize::try_from(requests).unwrap_or(usize::MAX),
            "request",
            "requests",
        ),
        (Some(duration_ms), None) => span(duration_ms),
        (None, None) => "no time".to_owned(),
    };
    let runs = match plan.repeat {
        1 => String::new(),
        repeat => format!("{repeat} × "),
    };
    format!(
        "{pacing}, {}, {}, {runs}{until} after {} of warm-up",
        text::count(plan.connections, "connection", "connections"),
        text::count(plan.threads, "thread", "threads"),
        span(plan.warm_up_ms)
    )
}

/// One target with how it was reached, in one line.
fn reached(side: &BenchmarkSide) -> String {
    let info = side.info.as_ref();
    let text = |name: &str| info.and_then(|it| it.get(name)?.as_str());
    let named = match (text("name"), text("version")) {
        (Some(name), Some(version)) => format!(" ({name} {version})"),
        (Some(name), None) => format!(" ({name})"),
        _ => String::new(),
    };
    format!(
        "{}{named}, {} over {}",
        side.name, side.revision, side.transport
    )
}

#[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
fn span(milliseconds: u64) -> String {
    match milliseconds {
        whole if whole.is_multiple_of(1000) => format!("{} s", whole / 1000),
        _ => text::duration(milliseconds as f64),
    }
}

/// A number with three or four digits that count.
fn number(value: f64) -> String {
    match value {
        large if large >= 1000.0 => format!("{large:.0}"),
        medium if medium >= 10.0 => format!("{medium:.1}"),
        small => format!("{small:.2}"),
    }
}

/// A time with its unit.
fn time(microseconds: f64) -> String {
    match microseconds {
        long if long >= 1e6 => format!("{:.2} s", long / 1e6),
        medium if medium >= 1e4 => format!("{:.1} ms", medium / 1e3),
        short if short >= 1e3 => format!("{:.2} ms", short / 1e3),
        shortest => format!("{shortest:.0} µs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_a_unit() {
        assert_eq!(time(950.4), "950 µs");
        assert_eq!(time(1234.0), "1.23 ms");
        assert_eq!(time(45_678.0), "45.7 ms");
        assert_eq!(time(1_234_567.0), "1.23 s");
        assert_eq!(number(12_345.6), "12346");
        assert_eq!(number(0.5), "0.50");
        assert_eq!(span(10_000), "10 s");
    }
}
