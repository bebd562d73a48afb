//! From flags to a target that is ready to be judged.

use std::{any::Any, collections::BTreeMap, io, path::Path, time::Duration};

use anyhow::Context as _;
use mcp_verdict_engine::{
    plan::Prepared,
    probe::{ProbeError, discover},
    self_test::{Started, Starting},
    target::{Flags, TargetSpec},
};
use mcp_verdict_mock::{Listen, MockConfig, Served};
use mcp_verdict_transport::Address;
use mcp_verdict_wire::{Revision, TransportKind};

use crate::{
    arguments::TargetArguments,
    commands::compare::words,
    exit::{Exit, Expected},
};

/// The target that the flags name; `None` when they name none.
pub(crate) fn spec(arguments: &TargetArguments) -> Result<Option<TargetSpec>, Expected> {
    let flags = Flags {
        url: arguments.url.clone(),
        command: arguments.command.clone(),
        config: arguments.config.clone(),
        server: arguments.server.clone(),
        file: arguments.file.clone(),
        headers: arguments.header.clone(),
        bearer_env: arguments.bearer_env.clone(),
        ca_cert: arguments.ca_cert.clone(),
        insecure: arguments.insecure,
        revisions: arguments.revision.clone(),
        transports: arguments.transport.clone(),
        start: started(arguments)?,
        timeout: arguments.timeout.map(Duration::from_millis),
    };
    TargetSpec::from_flags(&flags, &|name| std::env::var(name).ok()).map_err(|error| {
        let expected = Expected::usage(error.to_string());
        match error.hint() {
            Some(hint) => expected.hint(hint),
            None => expected,
        }
    })
}

/// The words of `--start`.
fn started(arguments: &TargetArguments) -> Result<Vec<String>, Expected> {
    let Some(text) = &arguments.start else {
        return Ok(Vec::new());
    };
    match words(text) {
        Some(words) if !words.is_empty() => Ok(words),
        Some(_) => Err(Expected::usage("--start names no command")),
        None => Err(Expected::usage(format!(
            "a quotation mark is not closed in `{text}`"
        ))),
    }
}

/// Finds out what the target speaks and offers; starts it before, if it is ours to start.
pub(crate) async fn prepare(spec: &TargetSpec) -> Result<Prepared, Expected> {
    if let Some(server) = &spec.options.server {
        server.up().await.map_err(|error| Expected {
            message: spec.options.redactor.text(&error.to_string()),
            hint: None,
            exit: Exit::Unreachable,
        })?;
    }
    discover(spec)
        .await
        .map(|discovery| discovery.prepared(spec))
        .map_err(|error| unreachable(&error))
}

/// Ends a server that was started for this, in good order.
pub(crate) async fn stop(spec: Option<&TargetSpec>) {
    if let Some(server) = spec.and_then(|spec| spec.options.server.as_ref()) {
        server.stop().await;
    }
}

/// A target that cannot be judged, as an error with its way out.
pub(crate) fn unreachable(error: &ProbeError) -> Expected {
    let exit = if error.exit_code() == 2 {
        Exit::Usage
    } else {
        Exit::Unreachable
    };
    Expected {
        message: error.to_string(),
        hint: error.hint(),
        exit,
    }
}

/// Mock servers that live as long as this.
pub(crate) type Mocks = Vec<Box<dyn Any + Send>>;

/// The built-in mock server, over the transports and in the revisions asked for.
pub(crate) async fn mock(arguments: &TargetArguments) -> anyhow::Result<(Prepared, Mocks)> {
    let wanted = |transport: &TransportKind| {
        arguments.transport.is_empty() || arguments.transport.contains(transport)
    };
    let mut mocks = Mocks::new();
    let mut whole: Option<Prepared> = None;
    for transport in TransportKind::ALL.into_iter().filter(wanted) {
        let speakable = |revision: &Revision| {
            arguments.revision.is_empty() || arguments.revision.contains(revision)
        };
        if !Revision::ALL
            .iter()
            .filter(|revision| speakable(revision))
            .any(|revision| transport.carries(*revision))
        {
            continue;
        }
        let started = start_mock(transport, Vec::new())
            .await
            .context("start the mock server")?;
        let mut spec = TargetSpec::from_address(MOCK_NAME, started.address);
        spec.declared.revisions.clone_from(&arguments.revision);
        let prepared = prepare(&spec).await?;
        mocks.push(started.guard);
        match &mut whole {
            Some(whole) => {
                whole.ways.extend(prepared.ways);
                whole.notes.extend(prepared.notes);
            }
            None => whole = Some(prepared),
        }
    }
    let mut whole = whole
        .ok_or_else(|| Expected::usage("no transport asked for carries a revision asked for"))?;
    // Without a target the program judges its mock again.
    whole.reproduce = String::new();
    Ok((whole, mocks))
}

/// Starts one mock server: a child of this program for stdio, a listener in this process for HTTP.
pub(crate) fn start_mock(transport: TransportKind, faults: Vec<String>) -> Starting<'static> {
    Box::pin(async move {
        if transport == TransportKind::Stdio {
            return Ok(Started {
                address: mock_command(&faults)?,
                guard: Box::new(()),
            });
        }
        let config = MockConfig {
            faults,
            ..MockConfig::default()
        };
        // Holds the socket of a Unix listener; of no use to others.
        let folder = tempfile::tempdir()?;
        let listen = match transport {
            TransportKind::Unix => Listen::Path(folder.path().join("mock")),
            _ => Listen::default(),
        };
        let served = Served::start(&config, transport, &listen)
            .await
            .map_err(io::Error::other)?;
        let address = TargetSpec::address_of(&served.url(), transport).map_err(io::Error::other)?;
        Ok(Started {
            address,
            guard: Box::new((served, folder)),
        })
    })
}

fn mock_command(faults: &[String]) -> io::Result<Address> {
    let flags = faults.iter().flat_map(|fault| ["--fault", fault.as_str()]);
    let words: Vec<&str> = ["mock", "--transport", "stdio"]
        .into_iter()
        .chain(flags)
        .collect();
    own_command(&words)
}

/// This program with other arguments, as a server to start.
pub(crate) fn own_command(words: &[&str]) -> io::Result<Address> {
    // On Linux this link still leads to the program when its file was replaced meanwhile.
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() {
        own.to_owned()
    } else {
        std::env::current_exe()?
    };
    Ok(Address::Command {
        program: program.to_string_lossy().into_owned(),
        arguments: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: BTreeMap::new(),
        directory: None,
    })
}

/// What reports call the built-in mock server.
pub(crate) const MOCK_NAME: &str = "the built-in mock server";
