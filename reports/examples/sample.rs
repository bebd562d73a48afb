//! Writes the reports of the tests' sample run, to look at after a change of a template:
//! `cargo run -p mcp-verdict-reports --example sample -- FOLDER`.

#[path = "../tests/reports/fixture.rs"]
mod fixture;

use std::{error::Error, path::PathBuf};

use mcp_verdict_reports::{Format, ReportSpec, TerminalOptions, terminal, write};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder")?);
    let run = fixture::run();
    let specs: Vec<ReportSpec> = Format::ALL
        .into_iter()
        .map(|format| ReportSpec {
            format,
            path: folder.join(format!("sample.{format}")),
        })
        .collect();
    write(&run, &specs)?;
    print!(
        "{}",
        terminal(
            &run,
            &TerminalOptions {
                color: true,
                width: 100,
                verbose: false
            }
        )
    );
    Ok(())
}
