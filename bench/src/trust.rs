//! Why a figure may not be what it seems, each with its way out.

use mcp_verdict_results::{Benchmark, BenchmarkSide, Calibration, Figures, Verdict};

/// Everything that a reader of these figures has to know first.
#[must_use]
pub fn warnings(benchmark: &Benchmark) -> Vec<String> {
    let mut warnings = Vec::new();
    if benchmark.environment.build == "debug" {
        warnings.push(
            "this is a debug build of mcp-verdict: its figures are not to be quoted; build with --release"
                .to_owned(),
        );
    }
    busy(benchmark, &mut warnings);
    for side in &benchmark.sides {
        let mut told = Vec::new();
        errors(&side.total, &mut told);
        few(&side.total, &mut told);
        first_run(side, &mut told);
        rate(benchmark.plan.rate_per_second, &side.total, &mut told);
        samples(side, &mut told);
        let several = benchmark.sides.len() > 1;
        warnings.extend(told.into_iter().map(|text| match several {
            true => format!("{}: {text}", side.letter),
            false => text,
        }));
    }
    if let Some(calibration) = &benchmark.calibration {
        own(calibration, &mut warnings);
    }
    warnings
}

fn busy(benchmark: &Benchmark, warnings: &mut Vec<String>) {
    let environment = &benchmark.environment;
    if let Some(load) = environment.load_percent
        && load > environment.cores as u64 * 50
    {
        warnings.push(format!(
            "the machine was busy before: {:.2} waited for {} processors; use an idle one, or --against to compare side by side",
            number(load) / 100.0,
            environment.cores
        ));
    }
}

fn errors(figures: &Figures, warnings: &mut Vec<String>) {
    if figures.failed > 0 {
        let mut names: Vec<_> = figures.errors.iter().collect();
        names.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named: Vec<String> = names
            .iter()
            .take(NAMED_MAX)
            .map(|(name, count)| format!("{count} × {name}"))
            .collect();
        warnings.push(format!(
            "{} of {} requests failed: {}; they are no throughput",
            figures.failed,
            figures.failed + figures.answered,
            named.join(", ")
        ));
    }
    if figures.unanswered_requests > 0 {
        warnings.push(format!(
            "the server asked {} things back that our client does not answer here",
            figures.unanswered_requests
        ));
    }
}

fn few(figures: &Figures, warnings: &mut Vec<String>) {
    let count = figures.latency.count;
    if count < FEW {
        warnings.push(format!(
            "{count} requests are few: p99 rests on {} of them; use a longer --duration or more --requests",
            count / 100
        ));
    }
    if figures.elapsed_ms < 1000.0 {
        warnings.push(format!(
            "{:.0} ms are short; use a longer --duration",
            figures.elapsed_ms
        ));
    }
}

fn first_run(side: &BenchmarkSide, warnings: &mut Vec<String>) {
    let [first, rest @ ..] = side.runs.as_slice() else {
        return;
    };
    if rest.len() < 2 {
        return;
    }
    let rates = rest.iter().map(|run| run.answered_per_second);
    let (low, high) = rates.fold((f64::INFINITY, 0.0_f64), |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    let rate = first.answered_per_second;
    if rate < low * (1.0 - APART) || rate > high * (1.0 + APART) {
        warnings.push(format!(
            "the first run differs from all later ones: {rate:.0}/s, then {low:.0} to {high:.0}/s; use a longer --warm-up"
        ));
    }
    if high > low * (1.0 + 3.0 * APART) {
        warnings.push(format!(
            "runs are far apart: {low:.0} to {high:.0}/s; something else was going on"
        ));
    }
}

fn rate(rate: Option<f64>, figures: &Figures, warnings: &mut Vec<String>) {
    let Some(rate) = rate else { return };
    let seconds = figures.elapsed_ms / 1000.0;
    let sent = number(figures.answered + figures.failed) / seconds.max(f64::MIN_POSITIVE);
    if sent < rate * RATE_REACHED {
        warnings.push(format!(
            "the rate was not reached: {sent:.0} of {rate:.0} requests a second were sent; use more --connections, or a lower --rate"
        ));
    }
    if figures.dropped > 0 {
        warnings.push(format!(
            "{} requests were never sent: no connection was free within the time-out",
            figures.dropped
        ));
    }
    if let Some(lag) = &figures.lag
        && lag.p99_us > figures.latency.p99_us * OWN_SHARE
    {
        warnings.push(format!(
            "of the p99 of {:.3} ms up to {:.3} ms are our own: requests left late though a connection was free",
            figures.latency.p99_us / 1000.0,
            lag.p99_us / 1000.0
        ));
    }
}

fn samples(side: &BenchmarkSide, warnings: &mut Vec<String>) {
    for finding in &side.samples.findings {
        let means = match finding.verdict {
            Verdict::Fail => "break a MUST",
            _ => "are not as they should be",
        };
        warnings.push(format!(
            "{} of {} judged answers {means} ({}): {}; `mcp-verdict run` tells all",
            finding.samples, side.samples.judged, finding.rule, finding.message
        ));
    }
    if side.samples.judged == 0 && side.total.answered > 0 {
        warnings.push("no answer was judged".to_owned());
    }
}

fn own(calibration: &Calibration, warnings: &mut Vec<String>) {
    if calibration.share_of_rate > BOTTLENECK {
        warnings.push(format!(
            "the load generator may be the bottleneck: it reaches {:.0}/s against a server that does nothing, and the target {:.0} % of that",
            calibration.answered_per_second,
            calibration.share_of_rate * 100.0
        ));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Errors that a warning names.
const NAMED_MAX: usize = 3;

/// Below this count a 99th percentile rests on less than ten values.
const FEW: u64 = 1000;

/// How far rates are apart that differ.
const APART: f64 = 0.1;

/// What share of a rate has to be sent, that it counts as reached.
const RATE_REACHED: f64 = 0.98;

/// A share of a figure that is too much to be our own.
const OWN_SHARE: f64 = 0.2;

/// Nearer to its own limit the generator may be what is measured.
const BOTTLENECK: f64 = 0.8;
