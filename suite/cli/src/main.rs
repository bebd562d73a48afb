//! The program `mcp-verdict`: reads the command line, calls the engine, and shows what came of it.

mod arguments;
mod commands;
mod exit;
mod output;
mod selection;
mod signals;
mod style;
mod target;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    arguments::{Arguments, Command},
    exit::{Exit, Expected},
    output::{complain, visible},
    style::Style,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let style = Style::of(arguments.color);
    log(arguments.verbose);
    // Someone else may have chosen a provider already; any one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let performed = perform(arguments.command, arguments.verbose, style);
    // Targets may have started what left their groups.
    mcp_verdict_transport::kill_descendants();
    match performed {
        Ok(exit) => exit.into(),
        Err(error) => report(&error, style).into(),
    }
}

fn perform(command: Command, verbose: u8, style: Style) -> anyhow::Result<Exit> {
    match command {
        Command::Run(run) => commands::run::perform(&run, style),
        Command::Compare(compare) => commands::compare::perform(&compare, verbose > 0, style),
        Command::Fuzz(fuzz) => commands::fuzz::perform(&fuzz, style),
        Command::Bench(bench) => commands::bench::perform(&bench, style),
        Command::Inspect(inspect) => commands::inspect::perform(&inspect),
        Command::Judge(judge) => commands::judge::perform(&judge, style),
        Command::Validate(validate) => commands::validate::perform(&validate),
        Command::Mock(mock) => commands::mock::perform(&mock),
        Command::Relay(relay) => commands::relay::perform(&relay),
        Command::Null(_) => commands::bench::null(),
        Command::SelfTest(self_test) => commands::self_test::perform(&self_test, style),
        Command::List(list) => commands::list::perform(&list, style),
    }
}

/// Says what went wrong, and gives the exit code for it.
fn report(error: &anyhow::Error, style: Style) -> Exit {
    if is_closed_pipe(error) {
        // Whoever read our output has seen enough.
        return Exit::Conformant;
    }
    let label = style.error("error:");
    if let Some(expected) = error.downcast_ref::<Expected>() {
        complain(&format!("{label} {}\n", visible(&expected.message)));
        if let Some(hint) = &expected.hint {
            complain(&format!("\n{}\n", visible(hint)));
        }
        return expected.exit;
    }
    complain(&format!("{label} {}\n", visible(&format!("{error:#}"))));
    if is_full_disk(error) {
        return Exit::Usage;
    }
    complain("\nThis is a bug of mcp-verdict. Please report it with the command that led to it.\n");
    Exit::Internal
}

/// Whether nobody reads our output any more.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Standard output leads to where there is no room: nothing of ours is wrong.
fn is_full_disk(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
    })
}

/// Logs go to standard error: nothing by default, more with each `-v`, and as `MCP_VERDICT_LOG` says.
fn log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var("MCP_VERDICT_LOG")
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
