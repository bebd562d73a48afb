//! `mcp-verdict inspect`.

use anyhow::Context as _;
use mcp_verdict_engine::{inspect::Inspection, probe::discover};

use crate::{
    arguments::Inspect,
    exit::{Exit, Expected},
    output::{print, visible},
    signals, target,
};

/// What the target speaks and offers, and which fixtures are missing.
pub(crate) fn perform(arguments: &Inspect) -> anyhow::Result<Exit> {
    let spec = target::spec(&arguments.target)?.ok_or_else(|| {
        Expected::usage("which target?")
            .hint("Give a URL, a command after `--`, --config FILE, or -f FILE; `mcp-verdict inspect --help` tells more.")
    })?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let discovery = runtime
        .block_on(signals::interruptible(async {
            let discovery = discover(&spec).await;
            target::stop(Some(&spec)).await;
            discovery
        }))?
        .map_err(|error| target::unreachable(&error))?;
    let inspection = Inspection::of(&spec, &discovery);
    if arguments.json {
        print(&(serde_json::to_string_pretty(&inspection)? + "\n"))?;
    } else {
        print(&visible(&inspection.to_string()))?;
    }
    Ok(Exit::Conformant)
}
