//! `mcp-verdict mock`.

use std::io::Write;

use anyhow::Context as _;
use mcp_verdict_mock::{MockConfig, Served, StartError};
use mcp_verdict_wire::TransportKind;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    arguments::Mock,
    exit::{Exit, Expected},
};

/// Serves until the input ends (stdio), or until it is told to stop.
pub(crate) fn perform(arguments: &Mock) -> anyhow::Result<Exit> {
    if arguments.list_faults {
        let mut out = anstream::stdout().lock();
        for fault in mcp_verdict_mock::faults() {
            writeln!(out, "{:40} {}", fault.name, fault.about)?;
        }
        return Ok(Exit::Conformant);
    }
    let config = MockConfig {
        faults: arguments.fault.clone(),
        ..MockConfig::default()
    };
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    match arguments.transport {
        Some(TransportKind::Stdio) => {
            let code = runtime
                .block_on(mcp_verdict_mock::serve_stdio(&config))
                .map_err(|error| refused(&error))?;
            // Standard input may still be read by a thread that nothing can interrupt.
            runtime.shutdown_background();
            std::process::exit(code);
        }
        Some(transport) => runtime.block_on(serve_http(arguments, config, transport)),
        None => Err(Expected::usage(
            "say which transport: --transport stdio, streamable-http or http+sse",
        )
        .into()),
    }
}

async fn serve_http(
    arguments: &Mock,
    config: MockConfig,
    transport: TransportKind,
) -> anyhow::Result<Exit> {
    let served = Served::http(&config, arguments.listen)
        .await
        .map_err(|error| refused(&error))?;
    let url = match transport {
        TransportKind::HttpSse => served.http_sse_url(),
        _ => served.streamable_http_url(),
    };
    println!("{url}");
    std::io::stdout().flush()?;
    let mut terminated = signal(SignalKind::terminate()).context("wait for a signal")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("wait for a signal")?,
        _ = terminated.recv() => {}
    }
    served.shutdown().await;
    Ok(Exit::Conformant)
}

fn refused(error: &StartError) -> Expected {
    let expected = Expected::usage(error.to_string());
    match error {
        StartError::UnknownFault { .. } => {
            expected.hint("`mcp-verdict mock --list-faults` shows them all.")
        }
        _ => expected,
    }
}
