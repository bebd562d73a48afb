//! Making what was found small: fewer cases, fewer actions, fewer bytes, as long as it still shows (delta debugging:
//! Zeller, Hildebrandt, IEEE TSE 28(2), 2002; over the structure of a message first, as in Misherghi, Su, ICSE 2006).

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
                smaller_message(trial, &mut cases, index, action).await;
            }
        }
        let after: usize = cases.iter().map(Case::weight).sum();
        if after >= before || !trial.may_go_on() {
            return cases;
        }
    }
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

async fn smaller_message(trial: &mut Trial<'_>, cases: &mut [Case], index: usize, action: usize) {
    let mut place = 0;
    while trial.may_go_on() {
        let Action::Message(sending) = &cases[index].actions[action] else {
            return;
        };
        let Some(smaller) = candidates(sending).into_iter().nth(place) else {
            return;
        };
        let mut less = cases.to_vec();
        less[index].actions[action] = Action::Message(smaller);
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
        other
    };
    if !sending.delivery.is_empty() {
        all.push(with(&|it| it.delivery.clear()));
    }
    if !sending.headers.is_empty() {
        all.push(with(&|it| it.headers.clear()));
    }
    if sending.times > 1 {
        all.push(with(&|it| it.times = 1));
        all.push(with(&|it| it.times /= 2));
        all.push(with(&|it| {
            it.times -= it.times / 8 + usize::from(it.times < 8)
        }));
    }
    for (place, piece) in sending.pieces.0.iter().enumerate() {
        all.push(with(&|it| drop(it.pieces.0.remove(place))));
        if piece.times > 1 {
            for times in [
                1,
                piece.times / 16,
                piece.times / 2,
                piece.times * 7 / 8,
                piece.times - 1,
            ] {
                if times > 0 && times < piece.times {
                    all.push(with(&|it| {
                        fewer_times(&mut it.pieces.0, piece.times, times)
                    }));
                }
            }
            continue;
        }
        for range in spans(&piece.bytes)
            .into_iter()
            .chain(chunks(piece.bytes.len()))
        {
            all.push(with(&|it| {
                drop(it.pieces.0[place].bytes.drain(range.clone()))
            }));
        }
    }
    all.dedup();
    all
}

/// What opens so many levels and what closes them get fewer together.
fn fewer_times(pieces: &mut [Piece], from: usize, to: usize) {
    for piece in pieces.iter_mut().filter(|piece| piece.times == from) {
        piece.times = to;
    }
}

/// The parts of a JSON text, or of something close to one, that can be left out and leave one: members and items with
/// their commas, and what is within brackets and quotes. The longest first.
fn spans(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut spans = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut quote: Option<usize> = None;
    let mut place = 0;
    while place < bytes.len() {
        let byte = bytes[place];
        match quote {
            Some(from) => match byte {
                b'\\' => place += 1,
                b'"' => {
                    spans.push(from + 1..place);
                    quote = None;
                }
                _ => {}
            },
            None => match byte {
                b'"' => quote = Some(place),
                b'{' | b'[' => open.push((place, place + 1)),
                b',' => {
                    if let Some((_, item)) = open.last_mut() {
                        spans.push(*item..place + 1);
                        *item = place + 1;
                    }
                }
                b'}' | b']' => {
                    if let Some((from, item)) = open.pop() {
                        // The last item takes the comma before it along.
                        let comma = item > from + 1;
                        spans.push(item - usize::from(comma)..place);
                        spans.push(from + 1..place);
                    }
                }
                _ => {}
            },
        }
        place += 1;
    }
    spans.retain(|span| span.start < span.end && span.end <= bytes.len());
    spans.sort_by_key(|span| std::cmp::Reverse(span.len()));
    spans.dedup();
    spans.truncate(SPANS_MAX);
    spans
}

/// Halves, quarters, and so on down to single bytes where there are few.
fn chunks(length: usize) -> Vec<std::ops::Range<usize>> {
    let mut chunks = Vec::new();
    let mut size = length.div_ceil(2);
    while size >= 1 && length / size <= CHUNKS_MAX && length > 0 {
        let mut from = 0;
        while from < length {
            chunks.push(from..(from + size).min(length));
            from += size;
        }
        if size == 1 {
            break;
        }
        size /= 2;
    }
    chunks
}

/// Parts of one message that are tried.
const SPANS_MAX: usize = 120;

/// Chunks of one size that are tried.
const CHUNKS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_left_out_leaves_json() {
        let text = br#"{"a":1,"b":[1,{"c":"d"}],"e":"f,g"}"#;
        let left: Vec<Vec<u8>> = spans(text)
            .into_iter()
            .map(|span| {
                let mut rest = text.to_vec();
                rest.drain(span);
                rest
            })
            .collect();
        for rest in &left {
            let text = String::from_utf8_lossy(rest);
            assert!(
                serde_json::from_slice::<serde_json::Value>(rest).is_ok(),
                "{text}"
            );
        }
        for wanted in [
            &br#"{"b":[1,{"c":"d"}],"e":"f,g"}"#[..],
            br#"{"a":1,"b":[1,{"c":"d"}]}"#,
            b"{}",
        ] {
            assert!(left.iter().any(|rest| rest == wanted));
        }
    }

    #[test]
    fn chunks_cover_everything_in_every_size() {
        let covered: usize = chunks(10).iter().filter(|chunk| chunk.len() == 1).count();
        assert_eq!(covered, 10);
        assert!(chunks(0).is_empty());
    }
}
