//! Making a plan small: fewer changes, fewer messages, fewer bytes, as long as it still shows.

use super::plan::{Change, ID, Plan, SAME, What};
use crate::{case::Sending, piece::Pieces, shrink::candidates};

/// Plans that are a little smaller, the smallest first.
pub(crate) fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    for place in 0..plan.0.len() {
        let mut less = plan.clone();
        less.0.remove(place);
        plans.push(less);
    }
    for (place, change) in plan.0.iter().enumerate() {
        for what in smaller_of(change) {
            let mut less = plan.clone();
            less.0[place].what = what;
            if less.weight() < plan.weight() {
                plans.push(less);
            }
        }
    }
    plans
}

fn smaller_of(change: &Change) -> Vec<What> {
    let mut whats = Vec::new();
    match &change.what {
        What::Event(pieces) => whats.extend(fewer(pieces).into_iter().map(What::Event)),
        What::Messages(messages) => {
            let half = messages.len() / 2;
            if half > 1 {
                whats.push(What::Messages(messages[half..].to_vec()));
                whats.push(What::Messages(messages[..half].to_vec()));
            }
            for (place, message) in messages.iter().enumerate().take(PLACES_MAX) {
                let with = |other: Option<Pieces>| {
                    let mut all = messages.clone();
                    match other {
                        Some(other) => all[place] = other,
                        None => drop(all.remove(place)),
                    }
                    What::Messages(all)
                };
                if messages.len() > 1 {
                    whats.push(with(None));
                }
                whats.extend(fewer(message).into_iter().map(|it| with(Some(it))));
            }
        }
        What::Response(response) => {
            let mut with = |change: &dyn Fn(&mut super::plan::Response)| {
                let mut other = response.clone();
                change(&mut other);
                whats.push(What::Response(other));
            };
            with(&|it| it.status = None);
            with(&|it| it.body = None);
            with(&|it| it.breaks_after = None);
            for place in 0..response.headers.len() {
                with(&|it| drop(it.headers.remove(place)));
            }
            let bodies = response.body.as_ref().map(fewer).unwrap_or_default();
            for body in bodies {
                with(&|it| it.body = Some(body.clone()));
            }
        }
    }
    whats
}

/// Pieces that are fewer. What stands for something stays whole, or goes.
fn fewer(pieces: &Pieces) -> Vec<Pieces> {
    let whole = |pieces: &Pieces| {
        let bytes: Vec<u8> = pieces.0.iter().flat_map(|it| it.bytes.clone()).collect();
        let text = String::from_utf8_lossy(&bytes);
        text.matches('$').count() - text.matches(ID).count() - text.matches(SAME).count()
    };
    let before = whole(pieces);
    let sending = Sending::of(pieces.clone());
    let mut all: Vec<Pieces> = candidates(&sending)
        .into_iter()
        .map(|it| it.pieces)
        .collect();
    all.retain(|it| whole(it) <= before);
    all
}

/// Messages of one change that are made smaller one by one.
const PLACES_MAX: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_something_is_never_cut() {
        let change = Change {
            of: String::new(),
            nth: 1,
            kind: String::new(),
            what: What::Messages(vec![
                Pieces::of("{\"id\":${id},\"a\":[1,2]}"),
                Pieces::of(SAME),
            ]),
        };
        let plan = Plan(vec![change]);
        let plans = smaller(&plan);
        assert!(plans.iter().all(|it| it.weight() < plan.weight()));
        for plan in plans {
            let text = plan.to_json().to_string();
            assert!(
                !text.replace(ID, "").replace(SAME, "").contains('$'),
                "{text}"
            );
        }
    }
}
