//! The options of `mcp-verdict bench`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use mcp_verdict_bench::Demand;
use mcp_verdict_reports::ReportSpec;

use super::TargetArguments;

#[derive(Debug, Args)]
#[command(after_help = BENCH_HELP)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    #[command(flatten)]
    pub(crate) load: LoadArguments,
    #[command(flatten)]
    pub(crate) mix: MixArguments,
    /// Another server, as for `compare`: both are put under load in turn, and B is told as a ratio to A.
    #[arg(long, value_name = "TARGET", conflicts_with = "find_limit")]
    pub(crate) against: Option<String>,
    /// Raise the rate until an --objective breaks. Default: error-rate < 1%, and what was asked for is answered.
    #[arg(long, conflicts_with_all = ["rate", "requests", "repeat"])]
    pub(crate) find_limit: bool,
    /// What has to hold, such as 'p99 < 50ms', 'errors = 0', 'throughput > 500/s', or against --baseline or A
    /// 'p99 < 1.1x'; repeatable.
    #[arg(long = "objective", value_name = "OBJECTIVE")]
    pub(crate) objectives: Vec<Demand>,
    /// A JSON report of an earlier run, for objectives with a factor.
    #[arg(long, value_name = "FILE", conflicts_with = "against")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write a report: json=PATH, junit=PATH or html=PATH; repeatable.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(crate) reports: Vec<ReportSpec>,
    /// Do not measure first what the load generator itself can do.
    #[arg(long)]
    pub(crate) no_calibration: bool,
    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// How much, how fast and how long.
#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// How many connections, each with a session of its own; on stdio how many children. Default: 16, on stdio 1.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) connections: Option<u16>,
    /// How many threads send. Default: the number of cores, at most one for each connection.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Send so many requests a second, whether or not those before were answered; latencies count from when a request
    /// was meant to be sent. Without it each connection sends as soon as it has its answer.
    #[arg(short, long, value_name = "PER_SECOND", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// With --rate: how requests are spread.
    #[arg(long, value_enum, default_value_t = Spread::Constant)]
    pub(crate) arrivals: Spread,
    /// How long each run is: 500ms, 10s, 5m. Default: 10s; with --against 2s, with --find-limit 3s for a step.
    #[arg(short, long, value_name = "DURATION", value_parser = span, conflicts_with = "requests")]
    pub(crate) duration: Option<Duration>,
    /// How many requests each run has, in place of --duration.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// What is sent before each run and not counted. Default: 1s; 0s with --requests.
    #[arg(long, value_name = "DURATION", value_parser = span_or_nothing)]
    pub(crate) warm_up: Option<Duration>,
    /// How many runs, or with --against pairs of them. Default: 1, with --against 10.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) repeat: Option<u16>,
}

/// What is sent.
#[derive(Debug, Args)]
pub(crate) struct MixArguments {
    /// Call this tool, with these arguments or the least that its schema accepts; repeatable. You say that it may be
    /// called: it is not asked whether it is safe.
    #[arg(long, value_name = "TOOL[=JSON]")]
    pub(crate) call: Vec<String>,
    /// How long the text is that stands for {payload} in arguments, or that is made up, in bytes.
    #[arg(long, value_name = "BYTES", requires = "call", value_parser = clap::value_parser!(u32).range(0..=8_388_608))]
    pub(crate) payload: Option<u32>,
    /// Ping (up to 2025-11-25). The default there.
    #[arg(long)]
    pub(crate) ping: bool,
    /// Ask what the server is (from 2026-07-28 on). The default there.
    #[arg(long)]
    pub(crate) discover: bool,
    /// Ask for a list: tools, prompts, resources or templates; repeatable.
    #[arg(long, value_name = "WHAT")]
    pub(crate) list: Vec<String>,
    /// Read a resource; repeatable.
    #[arg(long, value_name = "URI")]
    pub(crate) read: Vec<String>,
    /// Close the session and open another. On stdio that is the cold start of the server.
    #[arg(long)]
    pub(crate) session: bool,
    /// A file that says what is sent, and how often each.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["call", "ping", "discover", "list", "read", "session"])]
    pub(crate) mix: Option<PathBuf>,
}

/// How requests are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Spread {
    /// At equal distances.
    Constant,
    /// As independent clients do.
    Poisson,
}

/// Serves as the server that does nothing, on standard streams.
#[derive(Debug, Args)]
pub(crate) struct Null {}

/// Shown at the end of `bench --help`.
const BENCH_HELP: &str = "\
Examples:
  mcp-verdict bench http://127.0.0.1:3000/mcp --call echo --payload 200
  mcp-verdict bench http://127.0.0.1:3000/mcp --rate 500 --arrivals poisson
  mcp-verdict bench --objective 'p99 < 50ms' -- node server.js
  mcp-verdict bench http://127.0.0.1:3000/mcp --find-limit
  mcp-verdict bench http://127.0.0.1:3000/mcp --against 'node old.js'

A mix, for --mix:
  [[operation]]
  call = 'echo'
  arguments = {text = '{payload}'}
  payload = 200
  weight = 3
  [[operation]]
  list = 'tools'             # or read = URI, ping, discover or session = true

Every answer's id and status are checked; some are given to the judge. What is
no good answer is an error, not throughput. Latencies are told for answers and
for what timed out.

Exit codes:
   0  measured; every objective holds
   1  an objective does not hold
   2  wrong usage, or a file that cannot be read
   3  the target could not be reached, or answered nothing";

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).parse::<f64>();
    match number {
        Ok(rate) if (0.01..=10_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of requests a second, from 0.01 on".to_owned()),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    match span_or_nothing(text)? {
        Duration::ZERO => Err("nothing can be measured in no time".to_owned()),
        span => Ok(span),
    }
}

/// A number of milliseconds, seconds, minutes or hours.
fn span_or_nothing(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is written as 500ms, 10s, 5m or 1h".to_owned();
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(factor) {
        Some(milliseconds @ 0..=MILLISECONDS_MAX) => Ok(Duration::from_millis(milliseconds)),
        _ => Err("a duration is at most a week".to_owned()),
    }
}

/// A week.
const MILLISECONDS_MAX: u64 = 7 * 24 * 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit() {
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(span("10"), Ok(Duration::from_secs(10)));
        assert_eq!(span("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(span_or_nothing("0s"), Ok(Duration::ZERO));
        for wrong in [
            "0s",
            "",
            "s",
            "5d",
            "-1s",
            "99999999h",
            "18446744073709551615s",
        ] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_positive() {
        assert_eq!(rate("500/s"), Ok(500.0));
        for wrong in ["0", "-1", "NaN", "inf", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
