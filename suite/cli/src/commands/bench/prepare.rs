//! From flags to a target that can be put under load.

use std::time::Duration;

use mcp_verdict_bench::{Endpoint, Load, Operation, Pacing, Plan, Until, operations};
use mcp_verdict_engine::{
    plan::{Prepared, PreparedWay},
    target::TargetSpec,
};
use mcp_verdict_results::{BenchmarkPlan, PlannedOperation};
use mcp_verdict_wire::TransportKind;

use crate::{
    arguments::{Bench, LoadArguments, Spread, TargetArguments},
    exit::{Exit, Expected},
    target::{self, Mocks},
};

use super::asks::asks;

/// A target, and the one way in which it is measured.
pub(super) struct Side {
    pub(super) prepared: Prepared,
    pub(super) way: PreparedWay,
    /// What says how it is started; the mock is ours.
    spec: Option<TargetSpec>,
    /// Kept as long as it is measured.
    pub(super) _mocks: Mocks,
}

impl Side {
    /// Ends what was started for it.
    pub(super) async fn stop(&self) {
        target::stop(self.spec.as_ref()).await;
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint {
            address: self.way.address.clone(),
            options: self.prepared.options.clone(),
            revision: self.way.revision,
        }
    }
}

/// Finds out what the target speaks, and how it is to be measured.
pub(super) async fn reach(arguments: &TargetArguments) -> anyhow::Result<Side> {
    let spec = target::spec(arguments)?;
    let (prepared, mocks) = match &spec {
        Some(spec) => (target::prepare(spec).await?, Mocks::new()),
        None => mock(arguments).await?,
    };
    let way = way(&prepared)?.clone();
    Ok(Side {
        prepared,
        way,
        spec,
        _mocks: mocks,
    })
}

/// The built-in mock server, over the transport asked for.
async fn mock(arguments: &TargetArguments) -> anyhow::Result<(Prepared, Mocks)> {
    let asked = arguments.transport.first().copied();
    let transport = asked.unwrap_or(TransportKind::StreamableHttp);
    let started = target::start_mock(transport, Vec::new()).await?;
    let mut spec = TargetSpec::from_address(target::MOCK_NAME, started.address);
    spec.declared.revisions.clone_from(&arguments.revision);
    let prepared = target::prepare(&spec).await?;
    Ok((prepared, vec![started.guard]))
}

/// The newest revision over the first transport that we can put under load.
fn way(prepared: &Prepared) -> Result<&PreparedWay, Expected> {
    let rank = |transport| LOADED.iter().position(|known| *known == transport);
    let ways = prepared.ways.iter();
    let ways = ways.filter_map(|way| Some((rank(way.transport)?, way)));
    let best = ways.min_by_key(|(rank, way)| (*rank, std::cmp::Reverse(way.revision)));
    best.map(|(_, way)| way).ok_or_else(|| Expected {
        message: "the target speaks nothing that load can be put on".to_owned(),
        hint: Some(format!(
            "load is put on {}",
            LOADED.map(TransportKind::as_str).join(", ")
        )),
        exit: Exit::Unreachable,
    })
}

/// What is sent to a target, and over how many connections.
pub(super) fn plan(arguments: &Bench, way: &PreparedWay) -> Result<Plan, Expected> {
    let asks = asks(&arguments.mix, way.revision)?;
    let operations = operations(&asks, way.revision, &way.tools)
        .map_err(|error| Expected::usage(error.to_string()))?;
    let default = match way.transport {
        TransportKind::Stdio => 1,
        _ => CONNECTIONS,
    };
    let connections = arguments.load.connections.map_or(default, usize::from);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.load.threads.map_or(cores, usize::from);
    let timeout = arguments.target.timeout;
    Ok(Plan {
        operations,
        connections,
        threads: threads.min(connections),
        timeout: timeout.map_or(PATIENCE, Duration::from_millis),
        seed: arguments.seed,
        sample_every: SAMPLE_EVERY,
    })
}

/// How much load one run is. `duration` is how long it is where nothing is said.
pub(super) fn load(arguments: &LoadArguments, duration: Duration) -> Load {
    let warm_up = match arguments.requests {
        Some(_) => Duration::ZERO,
        None => WARM_UP,
    };
    Load {
        pacing: match arguments.rate {
            None => Pacing::Closed,
            Some(rate) => Pacing::Open {
                rate,
                arrivals: arrivals(arguments),
            },
        },
        warm_up: arguments.warm_up.unwrap_or(warm_up),
        until: match arguments.requests {
            Some(requests) => Until::Requests(requests),
            None => Until::Elapsed(arguments.duration.unwrap_or(duration)),
        },
    }
}

pub(super) fn arrivals(arguments: &LoadArguments) -> mcp_verdict_bench::Arrivals {
    match arguments.arrivals {
        Spread::Constant => mcp_verdict_bench::Arrivals::Constant,
        Spread::Poisson => mcp_verdict_bench::Arrivals::Poisson,
    }
}

/// What a report says of it.
pub(super) fn told(plan: &Plan, load: &Load, repeat: usize) -> BenchmarkPlan {
    let milliseconds = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let (pacing, rate, arrivals) = match load.pacing {
        Pacing::Closed => ("closed", None, None),
        Pacing::Open { rate, arrivals } => (
            "open",
            Some(rate),
            Some(match arrivals {
                mcp_verdict_bench::Arrivals::Constant => "constant".to_owned(),
                mcp_verdict_bench::Arrivals::Poisson => "poisson".to_owned(),
            }),
        ),
    };
    let (duration_ms, requests) = match load.until {
        Until::Elapsed(duration) => (Some(milliseconds(duration)), None),
        Until::Requests(requests) => (None, Some(requests)),
    };
    let planned = |operation: &Operation| PlannedOperation {
        name: operation.name.clone(),
        weight: operation.weight,
        request_bytes: operation.request_bytes(),
    };
    BenchmarkPlan {
        pacing: pacing.to_owned(),
        rate_per_second: rate,
        arrivals,
        connections: plan.connections,
        threads: plan.threads,
        warm_up_ms: milliseconds(load.warm_up),
        duration_ms,
        requests,
        repeat,
        timeout_ms: milliseconds(plan.timeout),
        operations: plan.operations.iter().map(planned).collect(),
    }
}

/// The transports that load can be put on, in the order in which they are chosen.
const LOADED: [TransportKind; 7] = [
    TransportKind::StreamableHttp,
    TransportKind::Stdio,
    TransportKind::Tcp,
    TransportKind::Unix,
    TransportKind::Ws,
    TransportKind::Grpc,
    TransportKind::HttpSse,
];

/// Connections unless something else is said.
const CONNECTIONS: usize = 16;

/// How long an answer may take unless something else is said.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is not counted before each run, unless something else is said.
const WARM_UP: Duration = Duration::from_secs(1);

/// One in so many answers of a connection is judged.
const SAMPLE_EVERY: u64 = 997;
