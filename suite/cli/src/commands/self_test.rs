//! `mcp-verdict self-test`.

use std::{collections::BTreeMap, io::Write};

use anyhow::Context as _;
use mcp_verdict_engine::self_test::{Cell, Matrix, Trial, self_test};
use mcp_verdict_wire::TransportKind;

use crate::{
    arguments::{SelfTest, TargetArguments},
    exit::{Exit, Expected},
    output,
    selection::Selected,
    signals,
    style::Style,
    target,
};

/// Every check against each of its faults, and everything against the conformant mock.
pub(crate) fn perform(arguments: &SelfTest, style: Style) -> anyhow::Result<Exit> {
    let selected = Selected::load(&arguments.selection)?;
    // What fuzzing finds no check has to name.
    let for_checks = mcp_verdict_mock::faults()
        .filter(|fault| !fault.is_for_fuzzing() && !fault.is_for_benchmarks());
    let faults: Vec<&str> = for_checks.map(|fault| fault.name).collect();
    for name in &arguments.fault {
        if !faults.contains(&name.as_str()) {
            return Err(Expected::usage(format!("there is no fault named `{name}`"))
                .hint("`mcp-verdict mock --list-faults` shows them all.")
                .into());
        }
    }
    let wanted = |fault: &str| {
        arguments.fault.is_empty() || arguments.fault.iter().any(|name| name == fault)
    };
    let jobs = arguments.jobs.map_or(JOBS, usize::from);
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let matrix = runtime.block_on(signals::interruptible(async {
        let (prepared, mocks) = target::mock(&TargetArguments {
            transport: arguments.transport.clone(),
            ..TargetArguments::default()
        })
        .await?;
        let done = |fault: &str, transport| tracing::info!("{fault} over {transport}: done");
        let start = |transport, faults| target::start_mock(transport, faults);
        let matrix = self_test(&Trial {
            library: &selected.library,
            mock: &prepared,
            faults: &faults,
            wanted: &wanted,
            selection: &selected.selection,
            in_full: match arguments.transport.is_empty() {
                true => &IN_FULL,
                false => &arguments.transport,
            },
            start: &start,
            jobs,
            progress: &done,
        })
        .await
        .map_err(|empty| Expected {
            message: empty.to_string(),
            hint: None,
            exit: Exit::NothingSelected,
        });
        drop(mocks);
        matrix.map_err(anyhow::Error::from)
    }))??;
    if arguments.json {
        output::print(&(serde_json::to_string_pretty(&matrix)? + "\n"))?;
    } else {
        print(&matrix, style)?;
    }
    Ok(if matrix.is_clean() {
        Exit::Conformant
    } else {
        Exit::NotConformant
    })
}

/// One line for each check and fault, then what is not as it should be.
fn print(matrix: &Matrix, style: Style) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let mut rows: BTreeMap<(&str, &str), Vec<&Cell>> = BTreeMap::new();
    for cell in &matrix.cells {
        rows.entry((&cell.check, &cell.fault))
            .or_default()
            .push(cell);
    }
    for ((check, fault), cells) in &rows {
        let caught = cells.iter().filter(|cell| cell.is_caught()).count();
        let mark = if caught == cells.len() {
            "ok  "
        } else {
            "MISS"
        };
        let mut also: Vec<&str> = cells
            .iter()
            .flat_map(|cell| &cell.also)
            .map(String::as_str)
            .collect();
        also.sort_unstable();
        also.dedup();
        let aside = if also.is_empty() {
            String::new()
        } else {
            format!("  also: {}", also.join(", "))
        };
        let counts = format!("{caught}/{}", cells.len());
        writeln!(
            out,
            "{mark} {} {fault} {counts}{}",
            style.bold(check),
            style.dim(&aside)
        )?;
    }
    print_blemishes(&mut out, matrix, style)?;
    let caught = matrix.cells.iter().filter(|cell| cell.is_caught()).count();
    writeln!(
        out,
        "{caught} of {} cells caught, by {} pairs of check and fault; the conformant mock passes {} and spoils {}",
        matrix.cells.len(),
        rows.len(),
        matrix.passed,
        matrix.conformant.len()
    )
}

/// What is not as it should be.
fn print_blemishes(out: &mut impl Write, matrix: &Matrix, style: Style) -> std::io::Result<()> {
    for cell in matrix.missed() {
        writeln!(
            out,
            "{} {} with {} in {} over {}: {} instead of {}: {}",
            style.error("missed:"),
            cell.check,
            cell.fault,
            cell.revision,
            cell.transport,
            cell.actual,
            cell.expected,
            cell.message
        )?;
    }
    for blemish in &matrix.conformant {
        writeln!(
            out,
            "{} {} in {} over {}: {}: {}",
            style.error("conformant mock:"),
            blemish.check,
            blemish.revision,
            blemish.transport,
            blemish.verdict,
            blemish.message
        )?;
    }
    if !matrix.unnamed.is_empty() {
        writeln!(
            out,
            "faults that no check names: {}",
            matrix.unnamed.join(", ")
        )?;
    }
    Ok(())
}

/// Mock servers at a time, unless told otherwise: a fault's time is spent waiting for answers that do not come.
const JOBS: usize = 16;

/// The transports of the specification, and of the others one that stands for all: every fault takes seconds
/// over each.
const IN_FULL: [TransportKind; 4] = [
    TransportKind::Stdio,
    TransportKind::StreamableHttp,
    TransportKind::HttpSse,
    TransportKind::Tcp,
];
