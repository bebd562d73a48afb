//! An exchange as a timeline.

use std::borrow::Cow;

use mcp_verdict_results::{CheckResult, Entry, Side};

use super::{
    budget::{Share, TEXT_BYTES_MAX},
    json_text::{Piece, lay_out},
};
use crate::text;

/// What a result's exchange looks like on the page.
#[derive(Debug)]
pub(super) struct Timeline<'a> {
    /// The entries shown.
    pub(super) entries: Vec<Moment<'a>>,
    /// How many are not shown.
    pub(super) left_out: usize,
}

/// One entry.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    /// `us`, `target`, `harness`: the class.
    pub(crate) side: &'static str,
    /// The same for a person.
    pub(crate) who: &'static str,
    pub(crate) at: String,
    pub(crate) what: text::Line<'a>,
    /// `#2`, or nothing.
    pub(crate) exchange: Option<u32>,
    pub(crate) is_evidence: bool,
    pub(crate) pieces: Vec<Piece<'a>>,
    /// How much of it is not shown.
    pub(crate) cut: Option<String>,
}

impl<'a> Timeline<'a> {
    pub(crate) fn of(result: &'a CheckResult, share: Share) -> Self {
        let entries: Vec<_> = result
            .exchange
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry, result.evidence.contains(&index)))
            .filter(|&(_, is_evidence)| match share {
                Share::All => true,
                Share::Evidence => is_evidence,
                Share::Nothing => false,
            })
            .map(|(entry, is_evidence)| Moment::of(entry, is_evidence))
            .collect();
        Self {
            left_out: result.exchange.len() - entries.len(),
            entries,
        }
    }
}

impl<'a> Moment<'a> {
    pub(crate) fn of(entry: &'a Entry, is_evidence: bool) -> Self {
        let (side, who) = match entry.side {
            Side::Harness => ("harness", "suite"),
            Side::Target => ("target", "target"),
            Side::Us => ("us", "us"),
        };
        let shown = text::start(&entry.text, TEXT_BYTES_MAX);
        let hidden = entry.cut.saturating_add(entry.text.len() - shown.len());
        Self {
            side,
            who,
            at: at(entry.at_us),
            what: text::Line(&entry.what),
            exchange: entry.exchange.filter(|&number| number > 0),
            is_evidence,
            pieces: pieces(shown),
            cut: (hidden > 0).then(|| text::count(hidden, "more byte", "more bytes")),
        }
    }
}

/// JSON is laid out, alone or below a head: headers, or the fields of an event.
fn pieces(shown: &str) -> Vec<Piece<'_>> {
    let below = |mark: &str| shown.find(mark).map(|at| at + mark.len());
    let starts = [
        Some(0),
        below("\n\n"),
        below("\r\n\r\n"),
        below("\n{"),
        below("\n["),
    ];
    let body = |start: usize| {
        let bracket = shown[..start].ends_with(['{', '[']);
        let start = start - usize::from(bracket);
        Some((start, lay_out(&shown[start..])?))
    };
    let (start, mut laid_out) = starts
        .into_iter()
        .flatten()
        .find_map(body)
        .unwrap_or((shown.len(), Vec::new()));
    let mut pieces = Vec::with_capacity(laid_out.len() + 1);
    if start > 0 {
        pieces.push(Piece {
            is_name: false,
            text: text::lines(&shown[..start]),
        });
    }
    for piece in &mut laid_out {
        if let Cow::Owned(visible) = text::lines(&piece.text) {
            piece.text = Cow::Owned(visible);
        }
    }
    pieces.append(&mut laid_out);
    pieces
}

/// Milliseconds, as exactly as matters.
fn at(microseconds: u64) -> String {
    let tenths = microseconds / 100;
    match microseconds {
        0..100_000 => format!("{}.{}", tenths / 10, tenths % 10),
        _ => (microseconds / 1000).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_below_headers_and_below_the_fields_of_an_event() {
        let json = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"a cursor that makes it long"}}"#;
        for head in [
            "",
            "content-type: application/json\n\n",
            "a: b\r\n\r\n",
            "event: message\nid: 7\n",
        ] {
            let text = format!("{head}{json}");
            let pieces = pieces(&text);
            let told: String = pieces.iter().map(|piece| &*piece.text).collect();
            assert!(told.contains("{\n  \"jsonrpc\": \"2.0\""), "{told}");
            let names = pieces.iter().filter(|piece| piece.is_name);
            assert_eq!(names.count(), 5, "{told}");
        }
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        for text in ["event: message\n{no", "a {1}", "{", "[\n[\n", "x\n\n"] {
            let pieces = pieces(text);
            let told: String = pieces.iter().map(|piece| &*piece.text).collect();
            assert_eq!(told, text);
        }
    }
}
