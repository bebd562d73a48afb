//! The course of a benchmark, from the target to its figures.

use std::{
    fs, io,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use indicatif::ProgressBar;
use mcp_verdict_bench::{
    Demand, Fleet, FleetError, Load, Measured, NullHttp, Pacing, Plan, Progress, Ramp, Until,
    against, environment, find_limit, repeat, warnings,
};
use mcp_verdict_engine::{target::TargetSpec, time::rfc3339};
use mcp_verdict_reports::{benchmark_terminal, write_benchmark};
use mcp_verdict_results::{
    Benchmark, BenchmarkSide, Calibration, Figures, Objective, RateLimit, Ratio, Suite,
};
use mcp_verdict_transport::Address;
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::TransportKind;

use super::{
    flags,
    prepare::{Side, arrivals, load, plan, reach, told},
};
use crate::{
    arguments::Bench,
    commands::{compare, run},
    exit::{Exit, Expected},
    selection::Selected,
    signals,
    style::Style,
    target,
};

/// Puts a target under load, or two in turn.
pub(crate) fn perform(arguments: &Bench, style: Style) -> anyhow::Result<Exit> {
    let library = Selected::shipped()?;
    let baseline = arguments.baseline.as_deref().map(read_baseline);
    let baseline = baseline.transpose()?;
    let relative = arguments.objectives.iter().find(|it| it.is_relative());
    if let (Some(demand), None, None) = (relative, &baseline, &arguments.against) {
        return Err(Expected::usage(format!(
            "objective `{demand}` is relative, and there is nothing to be relative to"
        ))
        .hint("give --baseline FILE, a JSON report of an earlier run, or --against TARGET")
        .into());
    }
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let mut benchmark =
        runtime.block_on(signals::interruptible(measure(arguments, &library)))??;
    benchmark.objectives = objectives(arguments, &benchmark, baseline.as_ref());
    benchmark.warnings = warnings(&benchmark);
    show(&benchmark, arguments, style)?;
    Ok(exit_of(&benchmark))
}

/// Serves as the server that does nothing.
pub(crate) fn null() -> anyhow::Result<Exit> {
    mcp_verdict_bench::serve_lines(io::stdin().lock(), io::stdout().lock())?;
    Ok(Exit::Conformant)
}

/// Everything but what is demanded of it.
async fn measure(arguments: &Bench, library: &Library) -> anyhow::Result<Benchmark> {
    let begun = (SystemTime::now(), Instant::now());
    let environment = environment(flags::told(std::env::args().skip(1)));
    let a = reach(&arguments.target).await?;
    let b = match &arguments.against {
        Some(text) => Some(other(text, arguments, &a).await?),
        None => None,
    };
    let shape = Shape::of(arguments, &a)?;
    let calibration = calibrate(arguments, &shape, &a).await?;
    let bar = run::bar_of("{spinner} {elapsed} {msg}");
    let found = shape.put(arguments, library, &a, b.as_ref(), &bar).await;
    bar.finish_and_clear();
    a.stop().await;
    if let Some(b) = &b {
        b.stop().await;
    }
    let found = found?;
    let calibration = calibration.map(|it| shared(it, &found.sides[0].total));
    Ok(Benchmark {
        suite: Suite {
            name: "mcp-verdict bench".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: arguments.seed,
            started: rfc3339(begun.0),
            duration_ms: u64::try_from(begun.1.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        environment,
        plan: told(&shape.plan, &found.load, shape.repeat),
        sides: found.sides,
        calibration,
        ratios: found.ratios,
        limit: found.limit,
        objectives: Vec::new(),
        warnings: Vec::new(),
    })
}

/// B, which has to speak the revision of A.
async fn other(text: &str, arguments: &Bench, a: &Side) -> anyhow::Result<Side> {
    let mut target = compare::side(text)?;
    target.revision = vec![a.way.revision];
    target.header.clone_from(&arguments.target.header);
    target.ca_cert.clone_from(&arguments.target.ca_cert);
    target.insecure = arguments.target.insecure;
    target.timeout = arguments.target.timeout;
    reach(&target)
        .await
        .map_err(|error| match error.downcast::<Expected>() {
            Ok(expected) => Expected {
                message: format!("B: {}", expected.message),
                ..expected
            }
            .into(),
            Err(error) => error,
        })
}

/// What is done, how much of it, and how often.
struct Shape {
    plan: Plan,
    load: Load,
    repeat: usize,
}

/// What was found.
struct Found {
    sides: Vec<BenchmarkSide>,
    ratios: Vec<Ratio>,
    limit: Option<RateLimit>,
    /// The load that the figures are of.
    load: Load,
}

impl Shape {
    fn of(arguments: &Bench, a: &Side) -> Result<Self, Expected> {
        let (duration, repeat) = match (&arguments.against, arguments.find_limit) {
            (Some(_), _) => (BLOCK, PAIRS),
            (None, true) => (STEP, 1),
            (None, false) => (DURATION, 1),
        };
        Ok(Self {
            plan: plan(arguments, &a.way)?,
            load: load(&arguments.load, duration),
            repeat: arguments.load.repeat.map_or(repeat, usize::from),
        })
    }

    async fn put(
        &self,
        arguments: &Bench,
        library: &Library,
        a: &Side,
        b: Option<&Side>,
        bar: &ProgressBar,
    ) -> anyhow::Result<Found> {
        let tell = |letter: &str, number, progress| tell(bar, letter, number, progress);
        let mut fleet = open(a, &self.plan).await?;
        if arguments.find_limit {
            let limit = self.limit(arguments, &mut fleet, &tell).await?;
            let rate = limit.holds_at_per_second;
            let load = Load {
                pacing: rate.map_or(self.load.pacing, |rate| Pacing::Open {
                    rate,
                    arrivals: arrivals(&arguments.load),
                }),
                ..self.load
            };
            let measured = repeat(&mut fleet, &self.plan, &load, 1, &tell).await?;
            let side = side("A", a, measured, &fleet, library);
            fleet.close().await;
            return Ok(Found {
                sides: vec![side],
                ratios: Vec::new(),
                limit: Some(limit),
                load,
            });
        }
        let Some(b) = b else {
            let measured = repeat(&mut fleet, &self.plan, &self.load, self.repeat, &tell).await?;
            let side = side("A", a, measured, &fleet, library);
            fleet.close().await;
            return Ok(Found {
                sides: vec![side],
                ratios: Vec::new(),
                limit: None,
                load: self.load,
            });
        };
        let plan_b = Plan {
            connections: self.plan.connections,
            ..plan(arguments, &b.way)?
        };
        let mut second = open(b, &plan_b).await?;
        let both = [&mut fleet, &mut second];
        let (measured, ratios) = against(both, &self.plan, &self.load, self.repeat, &tell).await?;
        let [measured_a, measured_b] = measured;
        let sides = vec![
            side("A", a, measured_a, &fleet, library),
            side("B", b, measured_b, &second, library),
        ];
        fleet.close().await;
        second.close().await;
        Ok(Found {
            sides,
            ratios,
            limit: None,
            load: self.load,
        })
    }

    async fn limit(
        &self,
        arguments: &Bench,
        fleet: &mut Fleet,
        tell: &mcp_verdict_bench::Tell<'_>,
    ) -> anyhow::Result<RateLimit> {
        let mut demands = arguments.objectives.clone();
        if demands.is_empty() {
            demands.push(LIMIT_OBJECTIVE.parse::<Demand>()?);
        }
        // A short look at what it can do at all says where to begin.
        let look = Load {
            pacing: Pacing::Closed,
            warm_up: Duration::ZERO,
            until: Until::Elapsed(LOOK),
        };
        let looked = repeat(fleet, &self.plan, &look, 1, tell).await?;
        let ramp = Ramp {
            from_per_second: (looked.total.answered_per_second / 4.0).max(1.0),
            arrivals: arrivals(&arguments.load),
            load: self.load,
        };
        Ok(find_limit(fleet, &self.plan, &ramp, &demands, tell).await?)
    }
}

async fn open(side: &Side, plan: &Plan) -> Result<Fleet, Expected> {
    Fleet::open(side.endpoint(), plan)
        .await
        .map_err(|error| Expected {
            message: format!("{}: {error}", side.prepared.name),
            hint: match error {
                FleetError::Open { .. } => {
                    Some("a server may allow fewer sessions; try --connections 1".to_owned())
                }
                _ => None,
            },
            exit: Exit::Unreachable,
        })
}

fn side(
    letter: &str,
    side: &Side,
    measured: Measured,
    fleet: &Fleet,
    library: &Library,
) -> BenchmarkSide {
    let mut notes = side.prepared.notes.clone();
    if measured.lost > 0 {
        notes.push(format!(
            "{} connections were gone at the end",
            measured.lost
        ));
    }
    BenchmarkSide {
        letter: letter.to_owned(),
        name: side.prepared.name.clone(),
        transport: side.way.transport.to_string(),
        revision: side.way.revision.to_string(),
        info: side.way.peer().info,
        notes,
        runs: measured.runs,
        total: measured.total,
        spread: measured.spread,
        samples: fleet.judge(library),
    }
}

/// What the generator itself does against a server that does nothing, over the same transport.
async fn calibrate(
    arguments: &Bench,
    shape: &Shape,
    a: &Side,
) -> anyhow::Result<Option<Calibration>> {
    if arguments.no_calibration {
        return Ok(None);
    }
    let null = match a.way.transport {
        TransportKind::StreamableHttp => Some(NullHttp::start().context("start the null server")?),
        TransportKind::Stdio => None,
        _ => return Ok(None),
    };
    let address = match &null {
        Some(null) => Address::StreamableHttp {
            url: null.url().to_owned(),
        },
        None => target::own_command(&["null"]).context("find this program")?,
    };
    let server = match null {
        Some(_) => "a thread of ours",
        None => "children of ours",
    };
    let spec = TargetSpec::from_address("the null server", address.clone());
    let endpoint = mcp_verdict_bench::Endpoint {
        address,
        options: spec.options,
        revision: a.way.revision,
    };
    let until = match shape.load.until {
        Until::Requests(requests) => Until::Requests(requests.min(CALIBRATION_REQUESTS)),
        Until::Elapsed(duration) => Until::Elapsed(duration.min(CALIBRATION)),
    };
    let load = Load {
        pacing: Pacing::Closed,
        warm_up: shape.load.warm_up.min(CALIBRATION / 4),
        until,
    };
    let mut fleet = Fleet::open(endpoint, &shape.plan)
        .await
        .context("calibrate the load generator")?;
    let measured = repeat(&mut fleet, &shape.plan, &load, 1, &|_, _, _| ()).await?;
    fleet.close().await;
    Ok(Some(Calibration {
        server: format!("{server} over {}", a.way.transport),
        answered_per_second: measured.total.answered_per_second,
        latency: measured.total.latency,
        share_of_p50: 0.0,
        share_of_rate: 0.0,
    }))
}

/// With the shares that it has of what was measured.
fn shared(calibration: Calibration, figures: &Figures) -> Calibration {
    let share = |own: f64, all: f64| if all > 0.0 { own / all } else { 0.0 };
    Calibration {
        share_of_p50: share(calibration.latency.p50_us, figures.latency.p50_us),
        share_of_rate: share(figures.answered_per_second, calibration.answered_per_second),
        ..calibration
    }
}

fn objectives(
    arguments: &Bench,
    benchmark: &Benchmark,
    baseline: Option<&Benchmark>,
) -> Vec<Objective> {
    // What broke is how a limit is found; it is told there.
    if arguments.find_limit {
        return Vec::new();
    }
    let judged = benchmark.sides.last().into_iter();
    let base = match benchmark.sides.as_slice() {
        [a, _] => Some(&a.total),
        _ => baseline.and_then(|it| it.sides.first()).map(|it| &it.total),
    };
    judged
        .flat_map(|side| {
            arguments.objectives.iter().map(move |demand| {
                let held = demand.check(&side.total, base);
                Objective {
                    text: demand.to_string(),
                    side: side.letter.clone(),
                    measured: held.measured,
                    held: held.held,
                }
            })
        })
        .collect()
}

fn read_baseline(path: &Path) -> Result<Benchmark, Expected> {
    let failed =
        |why: String| Expected::usage(format!("read baseline `{}`: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text)
        .map_err(|error| failed(format!("it is no JSON report of `bench`: {error}")))
}

fn exit_of(benchmark: &Benchmark) -> Exit {
    let limit = benchmark.limit.as_ref();
    if benchmark.sides.iter().any(|side| side.total.answered == 0) {
        Exit::Unreachable
    } else if benchmark.objectives.iter().any(|it| !it.held)
        || limit.is_some_and(|limit| limit.holds_at_per_second.is_none())
    {
        Exit::NotConformant
    } else {
        Exit::Conformant
    }
}

fn show(benchmark: &Benchmark, arguments: &Bench, style: Style) -> anyhow::Result<()> {
    let reports = &arguments.reports;
    write_benchmark(benchmark, reports).map_err(|error| Expected::usage(error.to_string()))?;
    run::tell(reports, false, style, |options| {
        benchmark_terminal(benchmark, options)
    })
}

fn tell(bar: &ProgressBar, letter: &str, number: usize, progress: Progress) {
    /// What was told before: answers, and when.
    static BEFORE: Mutex<Option<(u64, Duration)>> = Mutex::new(None);
    let mut before = BEFORE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let (answered, elapsed) = before
        .filter(|(_, elapsed)| *elapsed < progress.elapsed)
        .unwrap_or_default();
    *before = Some((progress.answered, progress.elapsed));
    let seconds = progress.elapsed.saturating_sub(elapsed).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = progress.answered.saturating_sub(answered) as f64 / seconds.max(0.001);
    bar.tick();
    bar.set_message(format!(
        "{letter} run {number}: {} answered, {} failed, {rate:.0}/s",
        progress.answered, progress.failed
    ));
}

/// How long a run is unless something else is said.
const DURATION: Duration = Duration::from_secs(10);

/// How long one of two targets is measured before it is the other's turn.
const BLOCK: Duration = Duration::from_secs(2);

/// Pairs of such blocks.
const PAIRS: usize = 10;

/// How long each rate is tried.
const STEP: Duration = Duration::from_secs(3);

/// How long a first look is.
const LOOK: Duration = Duration::from_secs(1);

/// How long the generator is measured.
const CALIBRATION: Duration = Duration::from_secs(1);

/// How many requests it is measured with where requests are counted.
const CALIBRATION_REQUESTS: u64 = 2000;

/// What has to hold where a limit is searched and nothing was said.
const LIMIT_OBJECTIVE: &str = "error-rate < 1%";
