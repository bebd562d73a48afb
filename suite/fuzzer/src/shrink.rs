//! Making what was found small: fewer cases, fewer actions, fewer bytes, as long as it still shows (delta debugging:
//! Zeller, Hildebrandt, IEEE TSE 28(2), 2002; over the structure of a message first, as in Misherghi, Su, ICSE 2006).

mod steps;
mod text;

use serde_json::{Map, Value};

use crate::{
    case::{Action, Case, Sending},
    confirm::Trial,
    piece::Piece,
};

/// The smallest of `cases` that still show what the trial is about.
pub(crate) async fn shrink(trial: &mut Trial<'_>, cases: Vec<Case>) -> Vec<Case> {
    let mut cases = fewer(trial, cases).await;
    loop {
        let before: usize = cases.iter().map(Case::weight).sum();
        for index in 0..cases.len() {
            fewer_actions(trial, &mut cases, index).await;
            for action in 0..cases[index].actions.len() {
                smaller_action(trial, &mut cases, index, action).await;
            }
        }
        let after: usize = cases.iter().map(Case::weight).sum();
        if after >= before || !trial.may_go_on() {
            return cases;
        }
    }
}

/// The same cases with twice as much of what stands there many times; `None` where nothing does.
pub(crate) fn with_twice_as_much(cases: &[Case]) -> Option<Vec<Case>> {
    let mut more = cases.to_vec();
    let mut any = false;
    for action in more.iter_mut().flat_map(|case| &mut case.actions) {
        let Action::Message(sending) = action else {
            continue;
        };
        for piece in sending.pieces.0.iter_mut().filter(|piece| piece.times > 1) {
            piece.times *= 2;
            any = true;
        }
    }
    any.then_some(more)
}

/// Leaves out cases: halves, then quarters, down to one by one.
async fn fewer(trial: &mut Trial<'_>, mut cases: Vec<Case>) -> Vec<Case> {
    let mut size = cases.len().div_ceil(2);
    while cases.len() > 1 && trial.may_go_on() {
        let mut from = 0;
        let mut less = false;
        while from < cases.len() && cases.len() > 1 && trial.may_go_on() {
            let to = (from + size).min(cases.len());
            let mut rest = cases.clone();
            rest.drain(from..to);
            if !rest.is_empty() && trial.shows(&rest).await.is_some() {
                cases = rest;
                less = true;
            } else {
                from = to;
            }
        }
        if size == 1 && !less {
            break;
        }
        size = (size / 2).max(1);
    }
    cases
}

async fn fewer_actions(trial: &mut Trial<'_>, cases: &mut [Case], index: usize) {
    let mut place = 0;
    while place < cases[index].actions.len() && cases[index].actions.len() > 1 && trial.may_go_on()
    {
        // Labels go by place: an action that is left out leaves an empty one behind.
        let mut less = cases.to_vec();
        less[index].actions[place] = Action::Steps(Vec::new());
        if less[index].actions[place] != cases[index].actions[place]
            && trial.shows(&less).await.is_some()
        {
            cases.clone_from_slice(&less);
        }
        place += 1;
    }
}

async fn smaller_action(trial: &mut Trial<'_>, cases: &mut [Case], index: usize, action: usize) {
    let mut place = 0;
    while trial.may_go_on() {
        let smaller = match &cases[index].actions[action] {
            Action::Message(sending) => {
                let mut smaller = candidates(sending);
                // Whether something is left behind shows by many of the same.
                smaller.retain(|it| it.times == sending.times || !trial.is_about_many());
                let smaller = smaller.into_iter().nth(place);
                smaller.map(Action::Message)
            }
            Action::Steps(steps) => steps::candidates(steps).nth(place).map(Action::Steps),
        };
        let Some(smaller) = smaller else { return };
        let mut less = cases.to_vec();
        less[index].actions[action] = smaller;
        if trial.shows(&less).await.is_some() {
            // What did not go before may go now, but seldom does: that is tried in the next round.
            cases.clone_from_slice(&less);
        } else {
            place += 1;
        }
    }
}

/// Smaller forms of a message, the smallest first.
pub(crate) fn candidates(sending: &Sending) -> Vec<Sending> {
    let mut all = Vec::new();
    let with = |change: &dyn Fn(&mut Sending)| {
        let mut other = sending.clone();
        change(&mut other);
        other.pieces.join();
        other
    };
    for fewer in fewer_members(&sending.delivery) {
        all.push(with(&|it| it.delivery.clone_from(&fewer)));
    }
    for fewer in fewer_members(&sending.headers) {
        all.push(with(&|it| it.headers.clone_from(&fewer)));
    }
    if sending.times > 1 {
        for times in closer(sending.times) {
            all.push(with(&|it| it.times = times));
        }
    }
    for (place, piece) in sending.pieces.0.iter().enumerate() {
        all.push(with(&|it| drop(it.pieces.0.remove(place))));
        if piece.times > 1 {
            for times in closer(piece.times) {
                all.push(with(&|it| {
                    fewer_times(&mut it.pieces.0, piece.times, times)
                }));
            }
            if piece.bytes.len() == 1 {
                continue;
            }
        }
        for edit in text::edits(&piece.bytes) {
            all.push(with(&|it| {
                it.pieces.0[place].bytes = edit.made(&piece.bytes)
            }));
        }
    }
    all.dedup();
    all
}

/// Numbers below `from` and above 0: small ones, and then ever closer ones.
fn closer(from: usize) -> Vec<usize> {
    let halves = (1..usize::BITS).map(|bits| from >> bits);
    let less = halves.take_while(|less| *less > 0).map(|less| from - less);
    let mut closer: Vec<usize> = [1, from / 16].into_iter().chain(less).collect();
    closer.retain(|it| *it > 0 && *it < from);
    closer.dedup();
    closer
}

/// None of these members, and all but one of them.
fn fewer_members(members: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let mut all = Vec::new();
    if !members.is_empty() {
        all.push(Map::new());
    }
    if members.len() > 1 {
        all.extend(members.keys().map(|name| {
            let mut fewer = members.clone();
            fewer.shift_remove(name);
            fewer
        }));
    }
    all
}

/// What opens so many levels and what closes them get fewer together.
fn fewer_times(pieces: &mut [Piece], from: usize, to: usize) {
    for piece in pieces.iter_mut().filter(|piece| piece.times == from) {
        piece.times = to;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::piece::Pieces;

    #[test]
    fn whatever_a_message_is_made_of_gets_smaller() {
        let mut sending = Sending::of(Pieces::of(r#"{"a":1}"#));
        sending.pieces.0.push(Piece::repeated(b"[", 5000));
        sending.pieces.0.push(Piece::repeated(b"]", 5000));
        sending.delivery = json!({"after": "\r", "pieces": 3})
            .as_object()
            .cloned()
            .unwrap_or_default();
        sending.headers = json!({"x-a": "b"}).as_object().cloned().unwrap_or_default();
        sending.times = 9;
        let all = candidates(&sending);
        let any = |wanted: &dyn Fn(&Sending) -> bool| assert!(all.iter().any(wanted));
        any(&|it| it.delivery.is_empty());
        any(&|it| it.delivery.len() == 1);
        any(&|it| it.headers.is_empty());
        any(&|it| it.times == 1);
        any(&|it| it.pieces.0[0].bytes == b"{}");
        let mut longer = sending.clone();
        longer.pieces.0[1].bytes = b"[1,".to_vec();
        assert!(candidates(&longer).contains(&sending));
        // What opens and what closes get fewer together.
        let times =
            |it: &Sending| -> Vec<usize> { it.pieces.0.iter().map(|it| it.times).collect() };
        any(&|it| times(it) == [1, 2500, 2500]);
        any(&|it| it.pieces.0.len() == 2);
        assert!(!all.contains(&sending));
    }
}
