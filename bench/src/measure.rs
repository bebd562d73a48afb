//! Runs, one after the other: of one target, or of two in turn.

use mcp_verdict_results::{Figures, Ratio, Spread};

use crate::{
    bootstrap,
    figures::{figures, spread, total},
    fleet::{Fleet, FleetError, Progress, Stretch},
    plan::{Load, Pacing, Plan},
};

/// What some runs of one target brought.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Each of them.
    pub runs: Vec<Figures>,
    /// All of them.
    pub total: Figures,
    /// How far they are apart.
    pub spread: Option<Spread>,
    /// Connections that were lost at the end of the last.
    pub lost: usize,
}

/// What is told of a run while it goes on: whose it is, its number from 1, and how far it is.
pub type Tell<'t> = dyn Fn(&str, usize, Progress) + Sync + 't;

/// So many runs of one target.
///
/// # Errors
/// When the load generator fails.
pub async fn repeat(
    fleet: &mut Fleet,
    plan: &Plan,
    load: &Load,
    times: usize,
    tell: &Tell<'_>,
) -> Result<Measured, FleetError> {
    let mut stretches = Vec::new();
    for number in 1..=times {
        let told = |progress| tell("A", number, progress);
        stretches.push(fleet.run(load, &told).await?);
    }
    Ok(measured(plan, load, &stretches))
}

/// Blocks of two targets in turn, A B B A and so on, so that what changes over time changes for both.
///
/// # Errors
/// When the load generator fails.
pub async fn against(
    fleets: [&mut Fleet; 2],
    plan: &Plan,
    load: &Load,
    pairs: usize,
    tell: &Tell<'_>,
) -> Result<([Measured; 2], Vec<Ratio>), FleetError> {
    let [a, b] = fleets;
    let mut stretches = [Vec::new(), Vec::new()];
    for number in 1..=pairs {
        let tell_a = |progress| tell("A", number, progress);
        let tell_b = |progress| tell("B", number, progress);
        if number % 2 == 1 {
            stretches[0].push(a.run(load, &tell_a).await?);
            stretches[1].push(b.run(load, &tell_b).await?);
        } else {
            stretches[1].push(b.run(load, &tell_b).await?);
            stretches[0].push(a.run(load, &tell_a).await?);
        }
    }
    let [a, b] = stretches.map(|stretches| measured(plan, load, &stretches));
    let ratios = ratios(&a.runs, &b.runs, plan.seed);
    Ok(([a, b], ratios))
}

fn measured(plan: &Plan, load: &Load, stretches: &[Stretch]) -> Measured {
    let open = load.pacing != Pacing::Closed;
    let runs: Vec<Figures> = stretches
        .iter()
        .map(|stretch| figures(plan, stretch, open))
        .collect();
    Measured {
        spread: spread(&runs),
        total: total(stretches, plan, open),
        lost: stretches.last().map_or(0, |stretch| stretch.lost),
        runs,
    }
}

/// What a figure is called, and how it is found.
type Of = (&'static str, fn(&Figures) -> f64);

/// B against A, pair by pair.
fn ratios(a: &[Figures], b: &[Figures], seed: u64) -> Vec<Ratio> {
    let kinds: [Of; 5] = [
        ("answered_per_second", |it| it.answered_per_second),
        ("mean", |it| it.latency.mean_us),
        ("p50", |it| it.latency.p50_us),
        ("p99", |it| it.latency.p99_us),
        ("max", |it| it.latency.max_us),
    ];
    let ratio = |(of, get): &Of| {
        let pairs: Vec<(f64, f64)> = a.iter().zip(b).map(|(a, b)| (get(a), get(b))).collect();
        let interval = bootstrap::ratio(&pairs, seed)?;
        Some(Ratio {
            of: (*of).to_owned(),
            ratio: interval.ratio,
            low: interval.low,
            high: interval.high,
            confidence_percent: bootstrap::CONFIDENCE * 100.0,
            pairs: interval.pairs,
        })
    };
    kinds.iter().filter_map(ratio).collect()
}
