//! The acceptance zoo: bugs planted in the mock server that `mcp-verdict fuzz` has to find, to make small and to
//! replay.
//!
//! A few of them are found in every run of the tests. All of them, with the program's own settings, are found by
//!
//! ```text
//! cargo test --release -p mcp-verdict --test zoo -- --ignored --nocapture
//! ```
//!
//! which prints a table and takes a while, though each campaign ends as soon as its bug was found and made small.
//! `ZOO_SEEDS=1,2` and `ZOO_FAULTS=nul,head` narrow it down; `ZOO_PROGRAM` names a program that was built elsewhere,
//! and `ZOO_KEEP` a folder for what was found.

mod animals;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use animals::{Animal, ZOO};
use serde_json::Value;

/// One of each kind: bytes, values, an order of messages.
const FEW: [(&str, &str); 3] = [
    ("fuzz-byte-order-mark", "400"),
    ("fuzz-nul", "300"),
    ("fuzz-equal-ids", "400"),
];

#[test]
fn bugs_of_every_layer_are_found_and_replayed() {
    for (fault, cases) in FEW {
        let animal = ZOO.iter().find(|animal| animal.fault == fault).unwrap();
        let hunt = hunt(animal, 1, &["--cases", cases, "--revision", "2025-11-25"]);
        let found = hunt.found.as_ref();
        let found = found.unwrap_or_else(|| panic!("{fault} is not found:\n{}", hunt.printed));
        assert!(found.bytes < 2_000, "{fault}: {} bytes", found.bytes);
        assert!(hunt.fails_again, "{fault} does not show again");
        assert!(hunt.spares_others, "{fault} shows without its bug");
    }
}

#[test]
fn every_fault_for_fuzzing_is_in_the_zoo() {
    let faults = mcp_verdict_mock::faults().filter(|fault| fault.is_for_fuzzing());
    let faults: BTreeSet<&str> = faults.map(|fault| fault.name).collect();
    let zoo: BTreeSet<&str> = ZOO.iter().map(|animal| animal.fault).collect();
    assert_eq!(faults, zoo);
    assert!(zoo.len() >= 20);
}

#[test]
#[ignore = "takes as long as its seeds and faults do"]
fn the_whole_zoo() {
    let seeds = listed("ZOO_SEEDS").unwrap_or_else(|| (1..=5).map(|it| it.to_string()).collect());
    let wanted = listed("ZOO_FAULTS");
    let is_wanted = |animal: &&Animal| {
        let name = animal.fault.trim_start_matches("fuzz-");
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|it| it == name))
    };
    println!("{HEAD}");
    let mut missed = String::new();
    for animal in ZOO.iter().filter(is_wanted) {
        let hunts: Vec<Hunt> = seeds
            .iter()
            .map(|seed| hunt(animal, seed.parse().unwrap(), &[]))
            .collect();
        println!("{}", row(animal, &hunts));
        for (seed, hunt) in seeds.iter().zip(&hunts).filter(|(_, hunt)| !hunt.is_good()) {
            let _ = writeln!(
                missed,
                "{} with seed {seed}:\n{}",
                animal.fault, hunt.printed
            );
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

/// What came of one campaign.
struct Hunt {
    found: Option<Find>,
    /// The vector fails again with the bug.
    fails_again: bool,
    /// And passes without it.
    spares_others: bool,
    printed: String,
}

/// A vector that was found.
struct Find {
    check: String,
    case: u64,
    /// From the start of the program until the vector was there, small and confirmed.
    seconds: f64,
    steps: u64,
    bytes: u64,
}

impl Hunt {
    fn is_good(&self) -> bool {
        self.found.is_some() && self.fails_again && self.spares_others
    }
}

fn hunt(animal: &Animal, seed: u64, flags: &[&str]) -> Hunt {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = folder.path().join("found");
    let faulty = Served::start(animal, Some(animal.fault));
    let seed = seed.to_string();
    let mut fuzz = Command::new(program());
    fuzz.args(["fuzz", "--seed", &seed, "--corpus"])
        .arg(&corpus);
    fuzz.args(flags).args(faulty.target());
    let (found, mut printed) = campaign(fuzz, animal, &corpus, folder.path());
    // The one that was fuzzed may be tired.
    drop(faulty);
    let replayed = |fault| -> Vec<Value> {
        let Some(find) = &found else {
            return Vec::new();
        };
        let served = Served::start(animal, fault);
        replay(&served, &corpus, &find.check, folder.path())
    };
    let verdicts = |results: &[Value]| -> Vec<String> {
        let verdict = |result: &Value| result["verdict"].as_str().map(str::to_owned);
        results.iter().filter_map(verdict).collect()
    };
    let (with, without) = (replayed(Some(animal.fault)), replayed(None));
    let bad = |verdict: &String| verdict == "fail" || verdict == "warn";
    let (with, without) = (verdicts(&with), verdicts(&without));
    let _ = writeln!(printed, "replayed: {with:?}, without the bug: {without:?}");
    keep(animal, &seed, &corpus);
    Hunt {
        found,
        fails_again: with.iter().any(bad),
        spares_others: without.iter().any(|it| it == "pass") && !without.iter().any(bad),
        printed,
    }
}

/// Runs a campaign until a vector about the bug is there, or to its end. Gives what it printed, too.
fn campaign(
    mut fuzz: Command,
    animal: &Animal,
    corpus: &Path,
    folder: &Path,
) -> (Option<Find>, String) {
    let log = folder.join("printed.txt");
    let output = fs::File::create(&log).expect("a file in the folder");
    let begun = Instant::now();
    let errors = output.try_clone().expect("the file can be shared");
    let mut fuzz = fuzz.stdout(output).stderr(errors).spawn();
    let fuzz = fuzz.as_mut().expect("the program starts");
    let path = loop {
        let ended = fuzz.try_wait().expect("it can be asked").is_some();
        let path = shown_as(animal, corpus);
        if ended || path.is_some() {
            break path;
        }
        thread::sleep(LOOKED_AT_EVERY);
    };
    let seconds = begun.elapsed().as_secs_f64();
    if path.is_some() {
        // It ends what it started.
        let mut kill = Command::new("kill");
        let _ = kill.args(["-INT", &fuzz.id().to_string()]).output();
    }
    fuzz.wait().expect("it ends");
    let printed = fs::read(&log).unwrap_or_default();
    let found = path.and_then(|path| find(corpus, &path, seconds));
    (found, String::from_utf8_lossy(&printed).into_owned())
}

/// The first vector that is about the bug.
fn shown_as(animal: &Animal, corpus: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(corpus.join("fuzz")).ok()?;
    let mut paths = files.flatten().map(|file| file.path());
    paths.find(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        animal.shows_as.iter().any(|it| name.contains(it))
    })
}

/// Copies what was found to the folder that `ZOO_KEEP` names, if it names one.
fn keep(animal: &Animal, seed: &str, corpus: &Path) {
    let Some(folder) = std::env::var_os("ZOO_KEEP") else {
        return;
    };
    let Some(path) = shown_as(animal, corpus) else {
        return;
    };
    let to = Path::new(&folder).join(format!("{}-{seed}.yaml", animal.fault));
    fs::copy(path, to).expect("the folder of `ZOO_KEEP` is there");
}

/// The results of a vector that was found, on a server.
fn replay(served: &Served, corpus: &Path, check: &str, folder: &Path) -> Vec<Value> {
    let report = folder.join("report.json");
    let mut run = Command::new(program());
    run.args(["run", "--check", "fuzz", "--vectors"])
        .arg(corpus);
    run.arg("--report")
        .arg(format!("json={}", report.display()));
    run.args(served.target());
    run.output().expect("the program starts");
    let text = fs::read(&report).unwrap_or_default();
    let report: Value = serde_json::from_slice(&text).unwrap_or_default();
    let results = report["results"].as_array().cloned().unwrap_or_default();
    results
        .into_iter()
        .filter(|result| result["check"] == check)
        .collect()
}

/// What the comments of a vector say of how it was found.
fn find(corpus: &Path, path: &Path, seconds: f64) -> Option<Find> {
    let text = fs::read_to_string(path).ok()?;
    let number = |before: &str, after: &str| -> Option<u64> {
        let comments = text.lines().filter(|line| line.starts_with('#'));
        let rest = comments
            .filter_map(|line| line.split_once(before))
            .next()?
            .1;
        rest.split_once(after)?.0.trim().parse().ok()
    };
    let check = path.strip_prefix(corpus).ok()?.with_extension("");
    Some(Find {
        check: check.display().to_string(),
        case: number(": case ", ".")?,
        seconds,
        steps: number("Sent: ", " steps")?,
        bytes: number(" steps, ", " bytes")?,
    })
}

/// A mock server: over stdio how to start it, else one that listens until this is dropped.
struct Served {
    child: Option<Child>,
    target: Vec<String>,
}

impl Served {
    fn start(animal: &Animal, fault: Option<&str>) -> Self {
        let program = program().display().to_string();
        let mut arguments = vec!["mock", "--transport", animal.transport];
        arguments.extend(fault.iter().flat_map(|fault| ["--fault", fault]));
        if animal.transport == "stdio" {
            let words = ["--".to_owned(), program].into_iter();
            let target = words
                .chain(arguments.into_iter().map(str::to_owned))
                .collect();
            return Self {
                child: None,
                target,
            };
        }
        let mut child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mock server starts");
        let mut url = String::new();
        let output = child.stdout.as_mut().expect("its output is a pipe");
        BufReader::new(output)
            .read_line(&mut url)
            .expect("it says where it is");
        let target = vec![url.trim().to_owned()];
        Self {
            child: Some(child),
            target,
        }
    }

    fn target(&self) -> &[String] {
        &self.target
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().expect("it can be ended");
            child.wait().expect("it ends");
        }
    }
}

/// One row of the table: the median over all seeds where it was found.
fn row(animal: &Animal, hunts: &[Hunt]) -> String {
    let finds: Vec<&Find> = hunts
        .iter()
        .filter_map(|hunt| hunt.found.as_ref())
        .collect();
    let good = hunts.iter().filter(|hunt| hunt.is_good()).count();
    let cases = median(finds.iter().map(|find| find.case as f64).collect());
    let seconds = median(finds.iter().map(|find| find.seconds).collect());
    let steps = median(finds.iter().map(|find| find.steps as f64).collect());
    let bytes = median(finds.iter().map(|find| find.bytes as f64).collect());
    let shown: BTreeSet<&str> = finds.iter().map(|find| kind(&find.check)).collect();
    let shown = Vec::from_iter(shown).join(" ");
    format!(
        "| {} | {} | {}/{} | {good} | {cases:.0} | {seconds:.1} | {steps:.0} | {bytes:.0} | {shown} |",
        animal.fault,
        animal.transport,
        finds.len(),
        hunts.len(),
    )
}

/// A check without its folder and digest.
fn kind(check: &str) -> &str {
    let name = check.trim_start_matches("fuzz/");
    name.rsplit_once('-').map_or(name, |(name, _)| name)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn listed(variable: &str) -> Option<Vec<String>> {
    let text = std::env::var(variable).ok()?;
    Some(text.split(',').map(str::to_owned).collect())
}

fn program() -> PathBuf {
    let elsewhere = std::env::var_os("ZOO_PROGRAM");
    elsewhere.map_or_else(|| env!("CARGO_BIN_EXE_mcp-verdict").into(), PathBuf::from)
}

/// How often a campaign is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(50);

const HEAD: &str = "\
| bug | transport | found | replayed | cases | seconds | steps | bytes | shows as |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |";
