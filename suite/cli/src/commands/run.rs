//! `mcp-verdict run`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mcp_verdict_engine::{
    baseline::{Baseline, Difference},
    plan::{EmptyPlan, Plan, Prepared},
    run::{self as engine, Outcome, Progress},
};
use mcp_verdict_reports::{ReportSpec, TerminalOptions, terminal, write};
use mcp_verdict_results::{CheckResult, Run as Results, Summary, Verdict};
use mcp_verdict_vectors::{CheckId, Library};
use mcp_verdict_wire::transcript::Transcript;

use crate::{
    arguments::Run,
    exit::{Exit, Expected},
    output::{print, visible},
    selection::Selected,
    signals,
    style::{self, Style},
    target,
};

/// Judges a target, or the built-in mock server where none is named.
pub(crate) fn perform(arguments: &Run, style: Style) -> anyhow::Result<Exit> {
    let selected = Selected::load(&arguments.selection)?;
    let baseline = arguments
        .baseline
        .as_deref()
        .map(Baseline::read)
        .transpose()
        .map_err(|error| Expected::usage(error.to_string()))?;
    let spec = target::spec(&arguments.target)?;
    let mut reports = arguments.reports.clone();
    if spec.is_none() && reports.is_empty() && !arguments.dry_run {
        reports = default_reports();
    }
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let outcome = runtime.block_on(signals::interruptible(async {
        let (mut prepared, mocks) = match &spec {
            Some(spec) => (target::prepare(spec).await?, Vec::new()),
            None => target::mock(&arguments.target).await?,
        };
        prepared.reproduce.insert_str(0, &selected.again);
        let outcome = judge(arguments, &selected, &prepared).await;
        target::stop(spec.as_ref()).await;
        drop(mocks);
        outcome
    }))??;
    let Some(outcome) = outcome else {
        return Ok(Exit::Conformant);
    };
    if let Some(path) = &arguments.write_baseline {
        write_baseline(path, &outcome.results)?;
    }
    show(&outcome.results, &reports, style)?;
    print(&replayed(&selected.library, &outcome.results, style))?;
    let exit = match baseline {
        Some(baseline) => compare(
            &baseline.difference(&outcome.results),
            &outcome.results,
            style,
        )?,
        None => verdict_exit(&outcome.results.summary, arguments.strict),
    };
    Ok(match exit {
        Exit::Conformant if outcome.unfinished => Exit::Unreachable,
        exit => exit,
    })
}

/// What became of what a fuzzer found: each of its vectors on a line.
pub(super) fn replayed(library: &Library, run: &Results, style: Style) -> String {
    let mut text = String::new();
    for result in &run.results {
        let vector = library.vector(&CheckId(result.check.clone()));
        let Some(found) = vector.and_then(|vector| vector.found.as_ref()) else {
            continue;
        };
        let state = match result.verdict {
            Verdict::Fail | Verdict::Warn => style.error("STILL FAILS"),
            Verdict::Pass => "FIXED".to_owned(),
            Verdict::NotApplicable => continue,
            Verdict::Inconclusive | Verdict::Error => "NOT KNOWN".to_owned(),
        };
        text += &format!(
            "{state} {} ({} over {}; {}, found with seed {})\n",
            result.check,
            result.revision,
            result.transport,
            visible(&found.by),
            found.seed
        );
    }
    text
}

/// Runs the plan, or only prints it.
async fn judge(
    arguments: &Run,
    selected: &Selected,
    prepared: &Prepared,
) -> anyhow::Result<Option<Outcome>> {
    if arguments.dry_run {
        print_plan(selected, prepared)?;
        return Ok(None);
    }
    let mut options = engine::Options {
        selection: selected.selection.clone(),
        seed: arguments.seed,
        ..engine::Options::default()
    };
    if let Some(jobs) = arguments.jobs {
        options.jobs = usize::from(jobs);
    }
    options.cap = arguments.max_time.map(Duration::from_secs);
    if let Some(timeout) = arguments.target.timeout {
        options.timeout = Duration::from_millis(timeout);
    }
    let saver = arguments
        .transcript
        .as_deref()
        .map(Saver::new)
        .transpose()?;
    let bar = progress_bar();
    let told = |progress: Progress<'_>| match progress {
        Progress::Planned { total } => bar.set_length(total as u64),
        Progress::Started { check, way } => bar.set_message(format!("{check} ({way})")),
        Progress::Judged { result, transcript } => {
            bar.inc(1);
            announce(&bar, result);
            if let Some(saver) = &saver {
                saver.save(transcript);
            }
        }
        Progress::Skipped { .. } => bar.inc(1),
    };
    let outcome = engine::run(&selected.library, prepared, &options, &told).await;
    bar.finish_and_clear();
    if let Some(saver) = saver {
        saver.finish()?;
    }
    outcome.map(Some).map_err(|empty| empty_plan(&empty).into())
}

fn empty_plan(empty: &EmptyPlan) -> Expected {
    Expected {
        message: empty.to_string(),
        hint: None,
        exit: Exit::NothingSelected,
    }
}

fn print_plan(selected: &Selected, prepared: &Prepared) -> anyhow::Result<()> {
    let plan = Plan::of(&selected.library, prepared, &selected.selection)
        .map_err(|empty| empty_plan(&empty))?;
    let mut out = anstream::stdout().lock();
    for work in &plan.work {
        let way = &prepared.ways[work.way];
        let vector = &selected.library.vectors[work.vector];
        writeln!(
            out,
            "{} {:15} {}",
            way.revision,
            way.transport.to_string(),
            vector.id
        )?;
    }
    writeln!(
        out,
        "{} would run, {} would not",
        plan.work.len(),
        plan.planned.len()
    )?;
    Ok(())
}

/// On a terminal only; nothing is drawn elsewhere.
pub(crate) fn progress_bar() -> ProgressBar {
    bar_of("{bar:30} {pos}/{len} {elapsed} {msg}")
}

/// As [`progress_bar`], with what it shows.
pub(crate) fn bar_of(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

/// Failures are told while the run goes on.
fn announce(bar: &ProgressBar, result: &CheckResult) {
    if matches!(result.verdict, Verdict::Fail | Verdict::Error) {
        bar.println(format!(
            "{:5} {} ({} over {})",
            result.verdict.to_string(),
            result.check,
            result.revision,
            result.transport
        ));
    }
}

/// Where reports go when nothing was said and the mock server is judged.
fn default_reports() -> Vec<ReportSpec> {
    [
        "html=mcp-verdict-report/report.html",
        "junit=mcp-verdict-report/junit.xml",
        "json=mcp-verdict-report/report.json",
    ]
    .into_iter()
    .filter_map(|spec| spec.parse().ok())
    .collect()
}

/// Prints the summary, writes the reports, and says where they are. That nobody reads the summary to its end
/// changes nothing about the verdicts.
pub(crate) fn show(run: &Results, reports: &[ReportSpec], style: Style) -> anyhow::Result<()> {
    write(run, reports).map_err(|error| Expected::usage(format!("{error}")))?;
    tell(reports, false, style, |options| terminal(run, options))
}

/// Prints what `told` says for the terminal, and where the reports are.
pub(super) fn tell(
    reports: &[ReportSpec],
    verbose: bool,
    style: Style,
    told: impl FnOnce(&TerminalOptions) -> String,
) -> anyhow::Result<()> {
    // A report on standard output has it for itself.
    if reports.iter().any(|report| report.path == Path::new("-")) {
        return Ok(());
    }
    let mut text = told(&TerminalOptions {
        color: style.stdout(),
        width: style::width(),
        verbose,
    });
    for report in reports {
        text += &format!("{} report: {}\n", report.format, report.path.display());
    }
    print(&text)
}

/// The exit code that the verdicts ask for.
pub(crate) fn verdict_exit(summary: &Summary, strict: bool) -> Exit {
    if summary.fail > 0 || (strict && summary.warn > 0) {
        Exit::NotConformant
    } else if summary.error > 0 {
        Exit::Internal
    } else {
        Exit::Conformant
    }
}

fn write_baseline(path: &Path, run: &Results) -> anyhow::Result<()> {
    let verdicts = vec![
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Inconclusive,
        Verdict::Error,
    ];
    let text = Baseline::of(run, verdicts).to_toml();
    fs::write(path, text).map_err(|error| {
        Expected::usage(format!("write baseline `{}`: {error}", path.display()))
    })?;
    Ok(())
}

/// Prints how the run differs from its baseline. An `error` of ours is never expected.
fn compare(difference: &Difference, run: &Results, style: Style) -> anyhow::Result<Exit> {
    let mut text = String::new();
    for index in &difference.new {
        let result = &run.results[*index];
        text += &format!(
            "{} {} is {} in {} over {}: {}\n",
            style.error("not in the baseline:"),
            result.check,
            result.verdict,
            result.revision,
            result.transport,
            visible(&result.message)
        );
    }
    for known in &difference.stale {
        let list = |scope: &[String]| {
            if scope.is_empty() {
                "all".to_owned()
            } else {
                scope.join(", ")
            }
        };
        text += &format!(
            "{} {} is no longer {} (revisions: {}; transports: {})\n",
            style.error("in the baseline, but not seen:"),
            known.check,
            known.verdict,
            list(&known.revisions),
            list(&known.transports)
        );
    }
    let exit = match (difference.is_empty(), run.summary.error) {
        (true, 0) => {
            text += "as the baseline says\n";
            Exit::Conformant
        }
        (true, _) => Exit::Internal,
        (false, _) => Exit::NotConformant,
    };
    print(&text)?;
    Ok(exit)
}

/// Writes transcripts as they come.
struct Saver<'p> {
    folder: &'p Path,
    failed: Mutex<Option<(PathBuf, std::io::Error)>>,
}

impl<'p> Saver<'p> {
    fn new(folder: &'p Path) -> Result<Self, Expected> {
        fs::create_dir_all(folder).map_err(|error| {
            Expected::usage(format!("create folder `{}`: {error}", folder.display()))
        })?;
        Ok(Self {
            folder,
            failed: Mutex::new(None),
        })
    }

    fn save(&self, transcript: &Transcript) {
        let head = &transcript.head;
        let name = format!(
            "{}@{}@{}.jsonl",
            head.check.replace('/', "."),
            head.revision,
            head.transport
        );
        let path = self.folder.join(name);
        if let Err(error) = fs::write(&path, transcript.to_json_lines())
            && let Ok(mut failed) = self.failed.lock()
        {
            failed.get_or_insert((path, error));
        }
    }

    fn finish(self) -> Result<(), Expected> {
        match self.failed.into_inner() {
            Ok(Some((path, error))) => Err(Expected::usage(format!(
                "save transcript `{}`: {error}",
                path.display()
            ))),
            _ => Ok(()),
        }
    }
}
