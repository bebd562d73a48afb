//! `mcp-verdict fuzz --client`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use mcp_verdict_engine::{judge, target::shell_words, time::rfc3339};
use mcp_verdict_fuzzer::{
    Taste,
    client::{
        CLIENT_ORACLES, ClientBucket, ClientCampaign, ClientCommand, ClientError, ClientFinished,
        ClientOptions, Finding,
    },
};
use mcp_verdict_results::{Campaign, CheckResult, Kind, Run, Suite, Summary, Target, Verdict};
use mcp_verdict_vectors::{Library, model::RequirementId};
use mcp_verdict_wire::{Revision, TransportKind};

use super::fuzz::{CASES, TIME, add_end, coverage, millis, progress_bar, rate, shown, tell};
use crate::{
    arguments::Fuzz,
    commands::run::{show, verdict_exit},
    exit::{Exit, Expected},
    output::{print, visible},
    selection::Selected,
    signals,
    style::Style,
};

/// Fuzzes a client, or runs findings about one again.
pub(crate) fn perform(arguments: &Fuzz, style: Style) -> anyhow::Result<Exit> {
    let library = Selected::shipped()?;
    let command = command(arguments)?;
    let findings = findings(&arguments.replay)?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let begun = (SystemTime::now(), Instant::now());
    let work = async {
        let bound = arguments.target.timeout.map(Duration::from_millis);
        let campaign = ClientCampaign::prepare(command.clone(), bound).await?;
        let mut report = Report {
            arguments,
            library: &library,
            revision: campaign.revision().to_owned(),
            transport: command.transport(),
            results: Vec::new(),
            notes: Vec::new(),
            campaigns: Vec::new(),
            told: String::new(),
            cut_short: false,
        };
        if findings.is_empty() {
            let finished = fuzz(arguments, &campaign, &mut report).await?;
            report.add(&finished)?;
        } else {
            report.replay(&campaign, &findings).await?;
        }
        Ok::<_, anyhow::Error>(report)
    };
    let report = runtime
        .block_on(signals::interruptible(work))?
        .map_err(expected)?;
    let (told, cut_short) = (report.told.clone(), report.cut_short);
    let run = report.run(begun);
    show(&run, &arguments.reports, style)?;
    if !arguments.reports.iter().any(|it| it.path == Path::new("-")) {
        print(&told)?;
    }
    Ok(match verdict_exit(&run.summary, arguments.strict) {
        Exit::Conformant if cut_short => Exit::Unreachable,
        exit => exit,
    })
}

/// A client that does not work is not a bug of ours.
fn expected(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<ClientError>() {
        Ok(error) => Expected {
            message: error.to_string(),
            hint: None,
            exit: Exit::Unreachable,
        }
        .into(),
        Err(error) => error,
    }
}

fn command(arguments: &Fuzz) -> Result<ClientCommand, Expected> {
    let target = &arguments.target;
    if target.command.is_empty()
        || target.url.is_some()
        || target.config.is_some()
        || target.file.is_some()
        || !target.header.is_empty()
        || target.bearer_env.is_some()
        || target.start.is_some()
    {
        return Err(
            Expected::usage("a client is a command after `--`, and nothing else")
                .hint("mcp-verdict fuzz --client -- node client.js {url}"),
        );
    }
    let transport = match target.transport.as_slice() {
        [] => TransportKind::StreamableHttp,
        [one @ (TransportKind::StreamableHttp | TransportKind::HttpSse | TransportKind::Ws)] => {
            *one
        }
        _ => {
            return Err(Expected::usage(
                "a client is served over one of streamable-http, http+sse and ws, or starts {server} itself",
            ));
        }
    };
    let program = std::env::current_exe()
        .map_err(|error| Expected::usage(format!("find ourselves: {error}")))?;
    Ok(ClientCommand {
        words: target.command.clone(),
        transport,
        revisions: match target.revision.as_slice() {
            [] => Revision::ALL.to_vec(),
            some => some.to_vec(),
        },
        relay: vec![program.display().to_string(), "relay".to_owned()],
    })
}

/// The findings in these files, and in the files of these folders.
fn findings(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Finding)>, Expected> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = paths.iter().rev().cloned().collect();
    while let Some(path) = waiting.pop() {
        if !path.is_dir() {
            let finding =
                Finding::read(&path).map_err(|error| Expected::usage(error.to_string()))?;
            found.push((path, finding));
            continue;
        }
        let entries = fs::read_dir(&path)
            .map_err(|error| Expected::usage(format!("open `{}`: {error}", path.display())))?;
        let mut within: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        within.retain(|it| it.is_dir() || it.extension().is_some_and(|it| it == "json"));
        within.sort();
        waiting.extend(within.into_iter().rev());
    }
    match found.is_empty() && !paths.is_empty() {
        true => Err(Expected::usage("there is no finding to run again")),
        false => Ok(found),
    }
}

async fn fuzz(
    arguments: &Fuzz,
    campaign: &ClientCampaign,
    report: &mut Report<'_>,
) -> Result<ClientFinished, ClientError> {
    let time = arguments.time.unwrap_or(match arguments.cases {
        Some(_) => Duration::from_secs(7 * 24 * 3600),
        None => TIME,
    });
    let default = arguments.time.map_or(CASES, |_| u64::MAX);
    let options = ClientOptions {
        seed: arguments.seed,
        cases: arguments.cases.unwrap_or(default),
        time,
        jobs: arguments.jobs.map_or_else(
            // Much of a visit is waiting, above all for clients that hang.
            || 2 * std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        ),
        taste: Taste {
            transport_level: arguments.transport_level,
            aggressive: arguments.aggressive,
        },
    };
    report.notes.push(format!(
        "{} messages and responses can be changed; a visit may take {:.1} s",
        campaign.changeable(),
        campaign.bound().as_secs_f64()
    ));
    let bar = progress_bar(options.time);
    let name = format!("client over {}", report.transport);
    let progress = |it| tell(&bar, &name, (options.cases, options.time), &it);
    let finished = campaign.run(&options, &progress).await;
    bar.finish_and_clear();
    finished
}

/// What is told of a campaign, or of findings that were run again.
struct Report<'r> {
    arguments: &'r Fuzz,
    library: &'r Library,
    revision: String,
    transport: TransportKind,
    results: Vec<CheckResult>,
    notes: Vec<String>,
    campaigns: Vec<Campaign>,
    told: String,
    cut_short: bool,
}

impl Report<'_> {
    fn add(&mut self, finished: &ClientFinished) -> Result<(), Expected> {
        let found: BTreeSet<&str> = finished.buckets.iter().map(|it| it.oracle).collect();
        for (name, title) in CLIENT_ORACLES
            .iter()
            .filter(|(name, _)| !found.contains(name))
        {
            let message = format!("in {} visits", finished.cases);
            let passed = self.result(&format!("fuzz/{name}"), title, Verdict::Pass, message);
            self.results.push(passed);
        }
        for bucket in &finished.buckets {
            let finding = Finding::of(bucket, self.arguments.seed, self.transport);
            let path = finding
                .write(&self.arguments.corpus)
                .map_err(|error| Expected::usage(error.to_string()))?;
            let message = bucket.message.clone();
            self.add_bucket(bucket, &finding, &path, message);
            let (times, of) = bucket.shown;
            let _ = writeln!(
                self.told,
                "{:5} {}: {}; visit {} after {:.1} s, {} visits, {} bytes, shows in {times} of {of} trials",
                bucket.verdict.to_string(),
                shown(&path),
                visible(&bucket.plan.kinds()),
                bucket.first_case,
                bucket.first_seconds,
                bucket.cases,
                bucket.plan.weight(),
            );
        }
        let summary = self.summary(finished);
        self.cut_short = finished.cut_short.is_some();
        let _ = writeln!(self.told, "{}", visible(&summary));
        let _ = writeln!(self.told, "seed {}", self.arguments.seed);
        self.notes.push(summary);
        self.campaigns.push(Campaign {
            revision: self.revision.clone(),
            transport: self.transport.to_string(),
            cases: finished.cases,
            duration_ms: millis(finished.elapsed),
            unconfirmed: finished.unconfirmed,
            cut_short: finished.cut_short.clone(),
            coverage: coverage(&finished.coverage),
        });
        Ok(())
    }

    async fn replay(
        &mut self,
        campaign: &ClientCampaign,
        findings: &[(PathBuf, Finding)],
    ) -> anyhow::Result<()> {
        for (path, finding) in findings {
            if finding.transport != self.transport {
                self.notes.push(format!(
                    "{} was found over {}, and is run over {}",
                    path.display(),
                    finding.transport,
                    self.transport
                ));
            }
            let (bucket, of) = campaign.replay(&finding.oracle, &finding.plan).await?;
            let line = match bucket {
                Some(bucket) => {
                    let message = format!(
                        "STILL FAILS in {} of {of} trials: {}",
                        bucket.shown.0, bucket.message
                    );
                    self.add_bucket(&bucket, finding, path, message.clone());
                    message
                }
                None => {
                    let message = format!("FIXED: it did not show in {of} trials");
                    let check = check_of(finding);
                    let title = title_of(&finding.oracle);
                    let passed = self.result(&check, title, Verdict::Pass, message.clone());
                    self.results.push(passed);
                    message
                }
            };
            let _ = writeln!(self.told, "{}: {}", shown(path), visible(&line));
        }
        Ok(())
    }

    fn add_bucket(
        &mut self,
        bucket: &ClientBucket,
        finding: &Finding,
        path: &Path,
        message: String,
    ) {
        let title = title_of(bucket.oracle);
        let mut result = self.result(&check_of(finding), title, bucket.verdict, message);
        let revision: Revision = self.revision.parse().unwrap_or(Revision::V2026_07_28);
        let of =
            |id: &&str| judge::clause(self.library, revision, &RequirementId((*id).to_owned()));
        result.requirements = bucket.requirements.iter().map(of).collect();
        result.exchange.clone_from(&bucket.exchange);
        result.evidence = vec![result.exchange.len().saturating_sub(1)];
        result.actual = Some(format!("changed: {}", bucket.plan.kinds()));
        result.reproduce = format!(
            "mcp-verdict fuzz --client {}--replay {} -- {}",
            match self.transport {
                TransportKind::HttpSse | TransportKind::Ws =>
                    format!("--transport {} ", self.transport),
                _ => String::new(),
            },
            shell_words(&[path.display().to_string()]),
            shell_words(&self.arguments.target.command)
        );
        self.results.push(result);
    }

    fn result(&self, check: &str, title: &str, verdict: Verdict, message: String) -> CheckResult {
        let is_must = ["fuzz/client/message", "fuzz/client/id"]
            .iter()
            .any(|must| check.starts_with(must));
        CheckResult {
            check: check.to_owned(),
            title: title.to_owned(),
            area: "fuzz".to_owned(),
            kind: Kind::Vector,
            revision: self.revision.clone(),
            transport: self.transport.to_string(),
            level: if is_must { "MUST" } else { "SHOULD" }.to_owned(),
            verdict,
            requirements: Vec::new(),
            message,
            expected: None,
            actual: None,
            evidence: Vec::new(),
            exchange: Vec::new(),
            reproduce: String::new(),
            duration_ms: 0.0,
        }
    }

    fn summary(&self, finished: &ClientFinished) -> String {
        let ends = finished
            .ends
            .iter()
            .map(|(how, times)| format!("{times} {how}"));
        let mut text = format!(
            "{} over {}: {} visits in {:.1} s ({:.1} a second): {}; {} pairs of messages and changes, {} found",
            self.revision,
            self.transport,
            finished.cases,
            finished.elapsed.as_secs_f64(),
            rate(finished.cases, finished.elapsed),
            ends.collect::<Vec<_>>().join(", "),
            finished.coverage.len(),
            finished.buckets.len(),
        );
        add_end(
            &mut text,
            finished.unconfirmed,
            finished.cut_short.as_deref(),
        );
        text
    }

    fn run(mut self, begun: (SystemTime, Instant)) -> Run {
        self.results
            .sort_by(|one, other| one.check.cmp(&other.check));
        Run {
            suite: Suite {
                name: "mcp-verdict fuzz --client".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                seed: self.arguments.seed,
                started: rfc3339(begun.0),
                duration_ms: millis(begun.1.elapsed()),
            },
            target: Target {
                name: shell_words(&self.arguments.target.command),
                peers: Vec::new(),
                notes: self.notes,
            },
            summary: Summary::of(&self.results),
            results: self.results,
            campaigns: self.campaigns,
        }
    }
}

/// The check of a finding: what its file is called.
fn check_of(finding: &Finding) -> String {
    let file = finding.file();
    format!("fuzz/{}", file.strip_suffix(".json").unwrap_or(&file))
}

fn title_of(oracle: &str) -> &'static str {
    let found = CLIENT_ORACLES.iter().find(|(name, _)| *name == oracle);
    found.map_or("The client does what it should", |(_, title)| title)
}
