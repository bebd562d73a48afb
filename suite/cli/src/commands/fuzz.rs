//! `mcp-verdict fuzz`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use indicatif::ProgressBar;
use mcp_verdict_engine::{
    fixtures::why_safe,
    plan::{self, Prepared, PreparedWay},
    run as engine,
    target::TargetSpec,
    time::rfc3339,
};
use mcp_verdict_fuzzer::{Bucket, Finished, Listener, ORACLES, Options, Progress, Taste, store};
use mcp_verdict_results::{
    self as results, CheckResult, Kind, Run, Suite, Summary, Target, Verdict,
};
use mcp_verdict_vectors::{CheckId, Library};

use crate::{
    arguments::{Fuzz, Selection},
    commands::run::{self, show, verdict_exit},
    exit::{Exit, Expected},
    output::{print, visible},
    selection::Selected,
    signals,
    style::Style,
    target,
};

/// Fuzzes a target, or the built-in mock server where none is named.
pub(crate) fn perform(arguments: &Fuzz, style: Style) -> anyhow::Result<Exit> {
    if arguments.client {
        return super::fuzz_client::perform(arguments, style);
    }
    let library = Selected::shipped()?;
    let earlier = earlier(&arguments.corpus)?;
    let spec = target::spec(&arguments.target)?;
    let begun = (SystemTime::now(), Instant::now());
    // The mock has threads of its own; what sends and reads has one, and hands nothing over to another.
    let serving = tokio::runtime::Runtime::new().context("start the runtime")?;
    let sending = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let (prepared, again, campaigns) = sending.block_on(signals::interruptible(async {
        let (prepared, mocks) = match &spec {
            Some(spec) => (target::prepare(spec).await?, Vec::new()),
            None => {
                let of = arguments.target.clone();
                serving
                    .spawn(async move { target::mock(&of).await })
                    .await??
            }
        };
        let again = match &earlier {
            Some(earlier) => replay(arguments, earlier, &prepared).await,
            None => Vec::new(),
        };
        let campaigns = fuzz(arguments, &library, &prepared, spec.as_ref()).await;
        target::stop(spec.as_ref()).await;
        drop(mocks);
        anyhow::Ok((prepared, again, campaigns?))
    }))??;
    let buckets: Vec<Bucket> = campaigns
        .iter()
        .flat_map(|(_, it)| it.buckets.clone())
        .collect();
    store(&arguments.corpus, &buckets).map_err(|error| Expected::usage(error.to_string()))?;
    let mut run = results(arguments, &prepared, &campaigns, begun);
    add_earlier(&mut run, again);
    show(&run, &arguments.reports, style)?;
    if let Some(earlier) = &earlier {
        print(&run::replayed(earlier, &run, style))?;
    }
    print(&told(arguments, &campaigns))?;
    let exit = verdict_exit(&run.summary, arguments.strict);
    let cut_short = campaigns.iter().any(|(_, it)| it.cut_short.is_some());
    Ok(match exit {
        Exit::Conformant if cut_short => Exit::Unreachable,
        exit => exit,
    })
}

/// What was found before, if anything was: the vectors in the folder of findings.
fn earlier(folder: &Path) -> Result<Option<Library>, Expected> {
    if !folder.join("fuzz").is_dir() {
        return Ok(None);
    }
    let selection = Selection {
        vectors: vec![folder.to_owned()],
        ..Selection::default()
    };
    Ok(Some(Selected::load(&selection)?.library))
}

/// Tries what was found before.
async fn replay(arguments: &Fuzz, earlier: &Library, prepared: &Prepared) -> Vec<CheckResult> {
    let options = engine::Options {
        selection: plan::Selection {
            patterns: vec!["fuzz".to_owned()],
        },
        seed: arguments.seed,
        timeout: patience(arguments),
        ..engine::Options::default()
    };
    // Nothing of it may concern this target.
    let outcome = engine::run(earlier, prepared, &options, &|_| {}).await;
    let results = outcome.map(|outcome| outcome.results.results);
    let mut results = results.unwrap_or_default();
    results.retain(|result| {
        let vector = earlier.vector(&CheckId(result.check.clone()));
        let found = vector.is_some_and(|vector| vector.found.is_some());
        found && result.verdict != Verdict::NotApplicable
    });
    results
}

/// Adds what was found before, so far as it was not found again.
fn add_earlier(run: &mut Run, earlier: Vec<CheckResult>) {
    let key = |it: &CheckResult| (it.check.clone(), it.revision.clone(), it.transport.clone());
    let found: BTreeSet<_> = run.results.iter().map(key).collect();
    let missing = earlier.into_iter().filter(|it| !found.contains(&key(it)));
    run.results.extend(missing);
    run.results.sort_by_key(key);
    run.summary = Summary::of(&run.results);
}

/// How long an answer may take.
fn patience(arguments: &Fuzz) -> Duration {
    let timeout = arguments.target.timeout;
    timeout.map_or(PATIENCE, Duration::from_millis)
}

/// A way to reach the target, and what was found on it.
type Campaign = (PreparedWay, Finished);

/// Fuzzes one way after the other, each for its share of the time.
async fn fuzz(
    arguments: &Fuzz,
    library: &Library,
    prepared: &Prepared,
    spec: Option<&TargetSpec>,
) -> anyhow::Result<Vec<Campaign>> {
    let ways = ways(arguments, prepared);
    let count = u32::try_from(ways.len()).unwrap_or(1).max(1);
    let default = (arguments.time.is_none() && arguments.cases.is_none()).then_some(CASES);
    let cases = arguments.cases.or(default).unwrap_or(u64::MAX);
    let time = arguments.time.unwrap_or(match arguments.cases {
        Some(_) => Duration::from_secs(7 * 24 * 3600),
        None => TIME,
    });
    let options = Options {
        seed: arguments.seed,
        cases: cases.div_ceil(u64::from(count)),
        time: time / count,
        jobs: arguments.jobs.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        ),
        timeout: patience(arguments),
        taste: Taste {
            transport_level: arguments.transport_level,
            aggressive: arguments.aggressive,
        },
    };
    // The mock's own tools do no harm.
    let is_safe = |tool: &serde_json::Value| spec.is_none_or(|spec| why_safe(tool, spec).is_some());
    let mut campaigns = Vec::new();
    for way in ways {
        let bar = progress_bar(options.time);
        let name = format!("{} over {}", way.revision, way.transport);
        let progress =
            |progress: Progress| tell(&bar, &name, (options.cases, options.time), &progress);
        // What is found is not lost with the rest; who cannot write it is told at the end.
        let found = |bucket: &Bucket| drop(store(&arguments.corpus, std::slice::from_ref(bucket)));
        let listener = Listener {
            progress: &progress,
            found: &found,
        };
        let finished =
            mcp_verdict_fuzzer::run(library, prepared, way, &is_safe, &options, listener).await;
        bar.finish_and_clear();
        let finished = finished.map_err(|error| Expected {
            message: format!("open a session in {name}: {error}"),
            hint: None,
            exit: Exit::Unreachable,
        })?;
        campaigns.push((way.clone(), finished));
    }
    Ok(campaigns)
}

/// The newest revision of each era over each transport, unless revisions were named.
fn ways<'p>(arguments: &Fuzz, prepared: &'p Prepared) -> Vec<&'p PreparedWay> {
    let newer = |way: &PreparedWay| {
        let beside = |other: &&PreparedWay| {
            other.transport == way.transport
                && other.revision.era() == way.revision.era()
                && other.revision > way.revision
        };
        prepared.ways.iter().any(|other| beside(&other))
    };
    let mut ways: Vec<_> = prepared.ways.iter().collect();
    if arguments.target.revision.is_empty() {
        ways.retain(|way| !newer(way));
    }
    ways
}

pub(super) fn progress_bar(time: Duration) -> ProgressBar {
    let bar = run::bar_of("{bar:30} {elapsed} {msg}");
    bar.set_length(time.as_secs().max(1));
    bar
}

/// Shows how far a campaign of at most so many cases in so much time is.
pub(super) fn tell(
    bar: &ProgressBar,
    name: &str,
    (cases, time): (u64, Duration),
    progress: &Progress,
) {
    let share = if cases == u64::MAX {
        progress.elapsed.as_secs()
    } else {
        let by_cases = progress.cases.saturating_mul(time.as_secs()) / cases.max(1);
        by_cases.max(progress.elapsed.as_secs())
    };
    bar.set_position(share);
    let rate = rate(progress.cases, progress.elapsed);
    let doing = progress.doing.as_deref().unwrap_or(name);
    bar.set_message(format!(
        "{} cases, {rate:.0}/s, {} found: {doing}",
        progress.cases, progress.buckets
    ));
}

#[expect(clippy::cast_precision_loss, reason = "nobody sends that many cases")]
pub(super) fn rate(cases: u64, elapsed: Duration) -> f64 {
    cases as f64 / elapsed.as_secs_f64().max(0.001)
}

/// What was found as results: one for each bucket, and one for each oracle that found nothing.
fn results(
    arguments: &Fuzz,
    prepared: &Prepared,
    campaigns: &[Campaign],
    begun: (SystemTime, Instant),
) -> Run {
    let mut results: Vec<CheckResult> = Vec::new();
    for (way, finished) in campaigns {
        let found: BTreeSet<&str> = finished.buckets.iter().map(Bucket::oracle).collect();
        for (name, title) in ORACLES.iter().filter(|(name, _)| !found.contains(name)) {
            results.push(passed(way, finished, name, title));
        }
        if !found.iter().any(|name| name.starts_with("rules/")) {
            results.push(passed(
                way,
                finished,
                "rules",
                "Every rule holds, whatever was sent",
            ));
        }
        for bucket in &finished.buckets {
            let mut result = bucket.result.clone();
            let of = |what: &str| result.reproduce.replacen("mcp-verdict run", what, 1);
            let folder = shown(&arguments.corpus);
            result.reproduce = of(&format!("mcp-verdict run --vectors {folder}"));
            results.push(result);
        }
    }
    results.sort_by(|one, other| {
        let key = |it: &CheckResult| (it.check.clone(), it.revision.clone(), it.transport.clone());
        key(one).cmp(&key(other))
    });
    let mut notes = prepared.notes.clone();
    for (way, finished) in campaigns {
        notes.push(summary(way, finished));
    }
    Run {
        suite: Suite {
            name: "mcp-verdict fuzz".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: arguments.seed,
            started: rfc3339(begun.0),
            duration_ms: millis(begun.1.elapsed()),
        },
        target: Target {
            name: prepared.name.clone(),
            peers: campaigns.iter().map(|(way, _)| way.peer()).collect(),
            notes,
        },
        summary: Summary::of(&results),
        results,
        campaigns: campaigns
            .iter()
            .map(|(way, finished)| results::Campaign {
                revision: way.revision.to_string(),
                transport: way.transport.to_string(),
                cases: finished.cases,
                duration_ms: millis(finished.elapsed),
                unconfirmed: finished.unconfirmed,
                cut_short: finished.cut_short.clone(),
                coverage: coverage(&finished.coverage),
            })
            .collect(),
    }
}

pub(super) fn coverage(of: &BTreeMap<(String, String), u64>) -> Vec<results::Coverage> {
    let told = of
        .iter()
        .map(|((method, change), cases)| results::Coverage {
            method: method.clone(),
            change: change.clone(),
            cases: *cases,
        });
    told.collect()
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn passed(way: &PreparedWay, finished: &Finished, name: &str, title: &str) -> CheckResult {
    CheckResult {
        check: format!("fuzz/{name}"),
        title: title.to_owned(),
        area: "fuzz".to_owned(),
        kind: Kind::Vector,
        revision: way.revision.to_string(),
        transport: way.transport.to_string(),
        level: "MUST".to_owned(),
        verdict: Verdict::Pass,
        requirements: Vec::new(),
        message: format!("in {} cases", finished.cases),
        expected: None,
        actual: None,
        evidence: Vec::new(),
        exchange: Vec::new(),
        reproduce: String::new(),
        duration_ms: finished.elapsed.as_secs_f64() * 1000.0,
    }
}

/// One line about one campaign.
fn summary(way: &PreparedWay, finished: &Finished) -> String {
    let methods: BTreeSet<&str> = finished
        .coverage
        .keys()
        .map(|(it, _)| it.as_str())
        .collect();
    let kinds: BTreeSet<&str> = finished
        .coverage
        .keys()
        .map(|(_, it)| it.as_str())
        .collect();
    let mut text = format!(
        "{} over {}: {} cases in {:.1} s ({:.0} a second), {} pairs of {} methods and {} kinds of change, {} found",
        way.revision,
        way.transport,
        finished.cases,
        finished.elapsed.as_secs_f64(),
        rate(finished.cases, finished.elapsed),
        finished.coverage.len(),
        methods.len(),
        kinds.len(),
        finished.buckets.len(),
    );
    add_end(
        &mut text,
        finished.unconfirmed,
        finished.cut_short.as_deref(),
    );
    text
}

/// Adds to a line about a campaign what came to nothing, and why it ended before its time.
pub(super) fn add_end(text: &mut String, unconfirmed: u64, cut_short: Option<&str>) {
    if unconfirmed > 0 {
        let _ = write!(text, ", {unconfirmed} suspicions did not show again");
    }
    if let Some(why) = cut_short {
        let _ = write!(text, "; {why}");
    }
}

/// What a person wants to know of the findings beside their verdicts.
fn told(arguments: &Fuzz, campaigns: &[Campaign]) -> String {
    let mut text = String::new();
    for (way, finished) in campaigns {
        for bucket in &finished.buckets {
            let (shown, of) = bucket.shown;
            let _ = writeln!(
                text,
                "{:5} {} ({} over {}): case {} after {:.1} s, {} cases, {} bytes, shows in {shown} of {of} trials",
                bucket.result.verdict.to_string(),
                bucket.result.check,
                way.revision,
                way.transport,
                bucket.first_case,
                bucket.first_seconds,
                bucket.cases,
                bucket.bytes,
            );
        }
        let _ = writeln!(text, "{}", visible(&summary(way, finished)));
    }
    let _ = writeln!(text, "seed {}", arguments.seed);
    if campaigns.iter().any(|(_, it)| !it.buckets.is_empty()) {
        let folder = shown(&arguments.corpus);
        let _ = writeln!(
            text,
            "vectors: {folder} (mcp-verdict run --vectors {folder} --check fuzz …)"
        );
    }
    text
}

pub(super) fn shown(path: &Path) -> String {
    visible(&path.display().to_string())
}

/// Cases that are sent unless something else is said.
pub(super) const CASES: u64 = 20_000;

/// How long it takes at most unless something else is said.
pub(super) const TIME: Duration = Duration::from_secs(60);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
