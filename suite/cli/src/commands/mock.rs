//! `mcp-verdict mock`.

use std::{io::Write, net::Ipv4Addr};

use anyhow::Context as _;
use mcp_verdict_mock::{Listen, MockConfig, Served, StartError};
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
        Some(transport) => runtime.block_on(serve(arguments, config, transport)),
        None => Err(Expected::usage("say which transport with --transport").into()),
    }
}

async fn serve(
    arguments: &Mock,
    config: MockConfig,
    transport: TransportKind,
) -> anyhow::Result<Exit> {
    let listen = listen(arguments.listen.as_deref(), transport)?;
    let served = Served::start(&config, transport, &listen)
        .await
        .map_err(|error| refused(&error))?;
    println!("{}", served.url());
    std::io::stdout().flush()?;
    let mut terminated = signal(SignalKind::terminate()).context("wait for a signal")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("wait for a signal")?,
        _ = terminated.recv() => {}
    }
    served.shutdown().await;
    Ok(Exit::Conformant)
}

/// Where to listen: what is asked for, or any free port of this machine.
fn listen(asked: Option<&str>, transport: TransportKind) -> Result<Listen, Expected> {
    match (transport, asked) {
        (TransportKind::Unix, Some(path)) => {
            Ok(Listen::Path(path.trim_start_matches("unix:").into()))
        }
        (TransportKind::Unix, None) => Err(Expected::usage("say where the socket shall be")
            .hint("add --listen PATH, where there is nothing yet")),
        (_, None) => Ok(Listen::Socket((Ipv4Addr::LOCALHOST, 0).into())),
        (_, Some(address)) => address.parse().map(Listen::Socket).map_err(|_| {
            Expected::usage(format!("`{address}` is no address to listen on"))
                .hint("write it as --listen 127.0.0.1:3000")
        }),
    }
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
