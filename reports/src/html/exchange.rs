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
        let hidden = entry.cut + entry.text.len() - shown.len();
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

/// A body of JSON is laid out, also below a head.
fn pieces(shown: &str) -> Vec<Piece<'_>> {
    let body = shown
        .find("\n\n")
        .or_else(|| shown.find("\r\n\r\n"))
        .map(|at| at + shown[at..].find(['{', '[']).unwrap_or(0));
    let laid_out = lay_out(shown).map(|pieces| (0, pieces)).or_else(|| {
        let start =
            body.filter(|&start| shown[..start].trim_end_matches(['\r', '\n']).len() < start)?;
        Some((start, lay_out(&shown[start..])?))
    });
    let (start, mut laid_out) = laid_out.unwrap_or((shown.len(), Vec::new()));
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
