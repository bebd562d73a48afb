//! `mcp-verdict mock`.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::Context as _;
use mcp_verdict_mock::{
    Fault, Listen, MockConfig, PROXY_FAULTS, Proxy, ProxyConfig, ProxyError, ProxyFault, Served,
    StartError, Tls,
};
use mcp_verdict_wire::TransportKind;
use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    arguments::Mock,
    exit::{Exit, Expected},
};

/// Serves until the input ends (stdio), or until it is told to stop.
pub(crate) fn perform(arguments: &Mock) -> anyhow::Result<Exit> {
    if arguments.list_faults {
        let mut out = anstream::stdout().lock();
        let (for_fuzzing, for_checks): (Vec<&Fault>, Vec<&Fault>) =
            mcp_verdict_mock::faults().partition(|fault| fault.is_for_fuzzing());
        let (for_benchmarks, for_checks): (Vec<&Fault>, Vec<&Fault>) = for_checks
            .into_iter()
            .partition(|fault| fault.is_for_benchmarks());
        for fault in for_checks {
            writeln!(out, "{:40} {}", fault.name, fault.about)?;
        }
        writeln!(out, "\nFaults that `mcp-verdict fuzz` finds:")?;
        for fault in for_fuzzing {
            writeln!(out, "{:40} {}", fault.name, fault.about)?;
        }
        writeln!(out, "\nFaults that `mcp-verdict bench` shows:")?;
        for fault in for_benchmarks {
            writeln!(out, "{:40} {}", fault.name, fault.about)?;
        }
        writeln!(
            out,
            "\nFaults of --proxy, of responses; with toward=server of requests:"
        )?;
        for fault in PROXY_FAULTS {
            writeln!(out, "{:40} {}", fault.name, fault.about)?;
        }
        return Ok(Exit::Conformant);
    }
    if let Some(url) = &arguments.proxy {
        let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
        return runtime.block_on(proxy(arguments, url));
    }
    let config = MockConfig {
        faults: arguments.fault.clone(),
        ..MockConfig::default()
    };
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    match arguments.transport {
        Some(TransportKind::Stdio) if !arguments.tls => {
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
    mut config: MockConfig,
    transport: TransportKind,
) -> anyhow::Result<Exit> {
    let listen = listen(arguments.listen.as_deref(), transport)?;
    let mut certificate = None;
    if arguments.tls {
        let tls = Tls::for_loopback().map_err(|error| refused(&error))?;
        certificate = Some(written(&tls.certificate).context("write the certificate")?);
        config.tls = Some(tls);
    }
    let served = Served::start(&config, transport, &listen)
        .await
        .map_err(|error| refused(&error))?;
    let file = certificate.as_ref().map(|file| file.path());
    until_told(served.url(), file).await?;
    served.shutdown().await;
    Ok(Exit::Conformant)
}

/// A file with this certificate. It is removed when it is dropped.
fn written(certificate: &str) -> std::io::Result<NamedTempFile> {
    let mut named = tempfile::Builder::new();
    let mut file = named
        .prefix("mcp-verdict-mock-")
        .suffix(".pem")
        .tempfile()?;
    file.write_all(certificate.as_bytes())?;
    Ok(file)
}

/// Stands before another server.
async fn proxy(arguments: &Mock, url: &str) -> anyhow::Result<Exit> {
    let faults = arguments.fault.iter().map(|fault| {
        fault.parse::<ProxyFault>().map_err(|error| {
            Expected::usage(error.to_string())
                .hint("`mcp-verdict mock --list-faults` shows them, and what they take.")
        })
    });
    let faults = faults.collect::<Result<Vec<_>, _>>()?;
    let listen = match arguments.listen.as_deref() {
        None => (Ipv4Addr::LOCALHOST, 0).into(),
        Some(address) => socket(address)?,
    };
    let needs_tls = url
        .get(..6)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    let roots = arguments.ca_cert.as_deref();
    let tls = needs_tls
        .then(|| mcp_verdict_transport::tls_config(roots, arguments.insecure))
        .transpose()
        .map_err(|error| Expected::usage(error.to_string()))?;
    let config = ProxyConfig {
        url: url.to_owned(),
        faults,
        seed: arguments.seed,
        tls,
    };
    let proxy = Proxy::start(config, listen).await.map_err(|error| {
        let expected = Expected::usage(error.to_string());
        match error {
            ProxyError::Upstream(_) => {
                expected.hint("write it as --proxy http://127.0.0.1:3000/mcp")
            }
            ProxyError::NoEvents | ProxyError::Listen { .. } => expected,
        }
    })?;
    until_told(proxy.url().to_owned(), None).await?;
    proxy.shutdown().await;
    Ok(Exit::Conformant)
}

/// Says where the server is, and the file of its certificate, and waits until it is told to stop.
async fn until_told(url: String, certificate: Option<&Path>) -> anyhow::Result<()> {
    // Before anybody knows where it is, so that whoever ends it then is heard.
    let mut terminated = signal(SignalKind::terminate()).context("wait for a signal")?;
    println!("{url}");
    if let Some(file) = certificate {
        println!("{}", file.display());
    }
    std::io::stdout().flush()?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("wait for a signal")?,
        _ = terminated.recv() => {}
    }
    Ok(())
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
        (_, Some(address)) => socket(address).map(Listen::Socket),
    }
}

fn socket(address: &str) -> Result<SocketAddr, Expected> {
    address.parse().map_err(|_| {
        Expected::usage(format!("`{address}` is no address to listen on"))
            .hint("write it as --listen 127.0.0.1:3000")
    })
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
