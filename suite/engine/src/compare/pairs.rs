//! Which way of one target stands against which of the other, and what both can be driven through.

use std::collections::BTreeMap;

use mcp_verdict_results::LeftOut;
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::Revision;

use crate::plan::{EmptyPlan, Plan, Prepared, PreparedWay, Selection};

/// Indices of ways that are set against each other: each way of one side once at least, the same transport with
/// the same where both have it, and otherwise with the other side's first.
pub(super) fn pair(a: &Prepared, b: &Prepared) -> Vec<(usize, usize)> {
    let partner = |way: &PreparedWay, of: &Prepared| {
        let fits = |other: &PreparedWay| other.revision == way.revision;
        let same = of
            .ways
            .iter()
            .position(|other| fits(other) && other.transport == way.transport);
        same.or_else(|| of.ways.iter().position(fits))
    };
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (index, way) in b.ways.iter().enumerate() {
        pairs.extend(partner(way, a).map(|other| (other, index)));
    }
    for (index, way) in a.ways.iter().enumerate() {
        if pairs.iter().all(|(taken, _)| *taken != index) {
            pairs.extend(partner(way, b).map(|other| (index, other)));
        }
    }
    pairs.sort_by_key(|(one, other)| (a.ways[*one].revision, *one, *other));
    pairs
}

/// Revisions that only one side speaks although a transport of the other carries it: the revision, and whether it
/// is the first side that does.
pub(super) fn one_sided(a: &Prepared, b: &Prepared) -> Vec<(Revision, bool)> {
    let speaks =
        |of: &Prepared, revision: Revision| of.ways.iter().any(|way| way.revision == revision);
    let could = |of: &Prepared, revision: Revision| {
        of.ways.iter().any(|way| way.transport.carries(revision))
    };
    let mut revisions = Vec::new();
    for revision in Revision::ALL {
        match (speaks(a, revision), speaks(b, revision)) {
            (true, false) if could(b, revision) => revisions.push((revision, true)),
            (false, true) if could(a, revision) => revisions.push((revision, false)),
            _ => {}
        }
    }
    revisions
}

/// One side of a pair: the target with this way only.
pub(super) fn alone(target: &Prepared, way: usize) -> Prepared {
    Prepared {
        ways: vec![target.ways[way].clone()],
        ..target.clone()
    }
}

/// The vectors that both sides can be driven through, and why others cannot.
///
/// # Errors
/// When the selection names no check.
pub(super) fn common(
    library: &Library,
    [a, b]: [&Prepared; 2],
    selection: &Selection,
) -> Result<(Library, Vec<LeftOut>), EmptyPlan> {
    let plan = |of: &Prepared| match Plan::of(library, of, selection) {
        Err(error @ EmptyPlan::NoSuchCheck { .. }) => Err(error),
        Err(_) => Ok(Plan::default()),
        Ok(plan) => Ok(plan),
    };
    let (one, other) = (plan(a)?, plan(b)?);
    let runs = |plan: &Plan, vector: usize| plan.work.iter().any(|work| work.vector == vector);
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut both = library.clone();
    both.vectors.clear();
    for (index, vector) in library.vectors.iter().enumerate() {
        let (side, plan) = match (runs(&one, index), runs(&other, index)) {
            (true, true) => {
                both.vectors.push(vector.clone());
                continue;
            }
            (true, false) => ("B", &other),
            (false, true) => ("A", &one),
            (false, false) => continue,
        };
        let reason = plan.planned.iter().find(|it| it.check == vector.id);
        let reason = reason.map_or("it is not judged there", |it| it.reason.as_str());
        *left_out.entry(format!("{side}: {reason}")).or_default() += 1;
    }
    let left_out = left_out
        .into_iter()
        .map(|(reason, vectors)| LeftOut { reason, vectors })
        .collect();
    Ok((both, left_out))
}
