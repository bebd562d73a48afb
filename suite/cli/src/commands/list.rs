//! `mcp-verdict list`.

use std::{collections::BTreeMap, io::Write};

use mcp_verdict_vectors::model::{CheckId, Level, RequirementId};
use mcp_verdict_wire::Revision;
use serde_json::json;

use crate::{arguments::List, exit::Exit, selection::Selected, style::Style};

/// A check, as far as a list tells of it.
struct Row<'a> {
    id: &'a CheckId,
    title: &'a str,
    level: Level,
    requirements: &'a BTreeMap<Revision, Vec<RequirementId>>,
    kind: &'static str,
    faults: Vec<&'a str>,
}

/// Every check in the order of ids, vectors before rules.
pub(crate) fn perform(arguments: &List, style: Style) -> anyhow::Result<Exit> {
    let selected = Selected::load(&arguments.selection)?;
    if arguments.requirements {
        return super::requirements::perform(arguments, &selected, style);
    }
    let rows: Vec<Row<'_>> = rows(&selected)
        .into_iter()
        .filter(|row| selected.wants(&row.id.0))
        .filter(|row| {
            arguments
                .revision
                .is_none_or(|revision| row.requirements.contains_key(&revision))
        })
        .collect();
    if rows.is_empty() {
        anstream::eprintln!(
            "{} no check is selected; `mcp-verdict list` shows them all",
            style.error("error:")
        );
    }
    let mut out = anstream::stdout().lock();
    if arguments.json {
        let checks: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "check": row.id, "kind": row.kind, "title": row.title, "level": row.level,
                    "requirements": row.requirements, "faults": row.faults,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&checks)?)?;
    } else {
        for row in &rows {
            let level = style.dim(&format!("{:6}", row.level.to_string()));
            writeln!(out, "{level} {}  {}", style.bold(&row.id.0), row.title)?;
        }
        writeln!(out, "{} checks", rows.len())?;
    }
    Ok(if rows.is_empty() {
        Exit::NothingSelected
    } else {
        Exit::Conformant
    })
}

fn rows(selected: &Selected) -> Vec<Row<'_>> {
    let vectors = selected.library.vectors.iter().map(|vector| Row {
        id: &vector.id,
        title: &vector.title,
        level: vector.level,
        requirements: &vector.requirements,
        kind: "vector",
        faults: vector
            .faults
            .iter()
            .map(|case| case.fault.as_str())
            .collect(),
    });
    let rules = selected.library.rules.iter().map(|rule| Row {
        id: &rule.id,
        title: &rule.title,
        level: rule.level,
        requirements: &rule.requirements,
        kind: "rule",
        faults: rule.faults.iter().map(|case| case.fault.as_str()).collect(),
    });
    vectors.chain(rules).collect()
}
