//! `mcp-verdict list --requirements`.

use std::{collections::BTreeMap, io::Write};

use mcp_verdict_vectors::model::{Awaits, CheckId, Coverage, Level, Requirement};
use mcp_verdict_wire::Revision;
use serde_json::{Value, json};

use crate::{arguments::List, exit::Exit, selection::Selected, style::Style};

/// A statement, and what tests it.
struct Row<'a> {
    revision: Revision,
    statement: &'a Requirement,
    coverage: Coverage,
}

/// Every statement in the order of the specification, one revision after the other. With checks selected only
/// those that one of them tests.
pub(crate) fn perform(arguments: &List, selected: &Selected, style: Style) -> anyhow::Result<Exit> {
    let revisions = Revision::ALL
        .into_iter()
        .filter(|revision| arguments.revision.is_none_or(|only| only == *revision));
    let rows: Vec<Row<'_>> = revisions
        .flat_map(|revision| rows(selected, revision))
        .filter(|row| arguments.selection.checks.is_empty() || is_wanted(selected, row))
        .collect();
    let mut out = anstream::stdout().lock();
    if arguments.json {
        let all: Vec<Value> = rows.iter().map(Row::as_json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        for row in &rows {
            let level = style.dim(&format!(
                "{} {:6}",
                row.revision,
                row.statement.level.to_string()
            ));
            let (state, detail) = row.told();
            writeln!(
                out,
                "{level} {state:13} {}",
                style.bold(&row.statement.id.0)
            )?;
            writeln!(out, "{:33}{}", "", row.statement.says)?;
            if !detail.is_empty() {
                writeln!(out, "{:33}{}", "", style.dim(&detail))?;
            }
        }
        for line in summary(&rows) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(if rows.is_empty() {
        Exit::NothingSelected
    } else {
        Exit::Conformant
    })
}

fn rows(selected: &Selected, revision: Revision) -> impl Iterator<Item = Row<'_>> {
    let all = selected.library.coverage(revision).into_iter();
    all.map(move |(statement, coverage)| Row {
        revision,
        statement,
        coverage,
    })
}

fn is_wanted(selected: &Selected, row: &Row<'_>) -> bool {
    let wanted = |check: &CheckId| selected.wants(&check.0);
    matches!(&row.coverage, Coverage::Tested(checks) if checks.iter().any(wanted))
}

impl Row<'_> {
    /// Its state in a word, and the checks or the reason.
    fn told(&self) -> (&'static str, String) {
        match &self.coverage {
            Coverage::Awaits(Awaits::Authorization) => ("authorization", String::new()),
            Coverage::Awaits(Awaits::Tasks) => ("tasks", String::new()),
            Coverage::Client => ("client", String::new()),
            Coverage::Open => ("open", String::new()),
            Coverage::Permission => ("permission", String::new()),
            Coverage::Tested(checks) => {
                let names: Vec<&str> = checks.iter().map(|check| check.0.as_str()).collect();
                ("tested", names.join(", "))
            }
            Coverage::Untestable(why) => ("untestable", why.clone()),
        }
    }

    fn as_json(&self) -> Value {
        let statement = self.statement;
        let mut row = json!({
            "revision": self.revision, "id": statement.id, "level": statement.level,
            "binds": statement.binds, "says": statement.says, "state": self.told().0,
        });
        match &self.coverage {
            Coverage::Tested(checks) => row["checks"] = json!(checks),
            Coverage::Untestable(why) => row["because"] = json!(why),
            _ => {}
        }
        row
    }
}

/// How many statements of each revision are in which state, and which share is tested.
fn summary(rows: &[Row<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    for revision in Revision::ALL {
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        let here: Vec<&Row<'_>> = rows.iter().filter(|row| row.revision == revision).collect();
        for row in &here {
            *states.entry(row.told().0).or_default() += 1;
        }
        if here.is_empty() {
            continue;
        }
        let musts = here.iter().filter(|row| row.statement.level == Level::Must);
        let tested = |row: &&&Row<'_>| row.told().0 == "tested";
        let parts: Vec<String> = states
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        lines.push(format!(
            "{revision}: {} statements, {}% tested ({}% of the MUSTs): {}",
            here.len(),
            percent(here.iter().filter(tested).count(), here.len()),
            percent(musts.clone().filter(tested).count(), musts.count()),
            parts.join(", ")
        ));
    }
    lines
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or_default()
}
