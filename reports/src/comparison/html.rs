//! A comparison as a page: both sides beside each other.

use askama::Template;
use mcp_verdict_results::{Comparison, Difference, Entry, ExchangePair, Pair, Side as Teller};

use super::{headline, places};
use crate::{
    html::{COMPARISON_STYLE, COMPARISON_STYLE_DIGEST, Moment, STYLE, STYLE_DIGEST, Spent},
    text::{self, Line},
};

/// Renders a comparison as one HTML page.
#[must_use]
pub fn comparison_html(comparison: &Comparison) -> String {
    Page::of(comparison)
        .render()
        .expect("the page is written to memory, and its texts to the page")
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    style: &'static str,
    style_digest: &'static str,
    own_style: &'static str,
    own_style_digest: &'static str,
    suite: Line<'a>,
    version: Line<'a>,
    started: Line<'a>,
    took: String,
    seed: u64,
    headline: String,
    /// The class of the headline.
    tone: &'static str,
    sign: &'static str,
    compared: usize,
    sides: Vec<Side<'a>>,
    pairs: Vec<PairText<'a>>,
    mattering: Vec<Shown<'a>>,
    unimportant: Vec<Shown<'a>>,
    varies: Vec<(String, Line<'a>, Line<'a>)>,
    exchanges: Vec<Exchange<'a>>,
}

struct Side<'a> {
    letter: &'static str,
    name: Line<'a>,
    notes: Vec<Line<'a>>,
    unfinished: bool,
}

struct PairText<'a> {
    way: String,
    compared: usize,
    left_out: Vec<(usize, Line<'a>)>,
}

struct Shown<'a> {
    kind: &'static str,
    tone: &'static str,
    subject: Line<'a>,
    pointer: Line<'a>,
    message: Line<'a>,
    a: Option<Line<'a>>,
    b: Option<Line<'a>>,
    places: String,
    exchange: Option<usize>,
}

struct Exchange<'a> {
    number: usize,
    check: Line<'a>,
    way: String,
    reproduce: Line<'a>,
    sides: [Column<'a>; 2],
}

/// One side of an exchange.
struct Column<'a> {
    letter: &'static str,
    /// How the session was opened, which seldom matters.
    opening: Vec<Moment<'a>>,
    moments: Vec<Moment<'a>>,
    left_out: usize,
}

impl<'a> Page<'a> {
    fn of(comparison: &'a Comparison) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
        let took = text::duration(comparison.suite.duration_ms as f64);
        let (tone, sign) = match comparison.mattering() {
            0 => ("v-pass", "✓"),
            _ => ("v-fail", "≠"),
        };
        let side = |letter, of: &'a mcp_verdict_results::Compared| Side {
            letter,
            name: Line(&of.name),
            notes: of.notes.iter().map(|note| Line(note)).collect(),
            unfinished: of.unfinished,
        };
        let shown = |matters: bool| {
            let all = comparison.differences.iter();
            all.filter(move |it| it.matters == matters).map(Shown::of)
        };
        let mut spent = Spent::default();
        Self {
            style: STYLE,
            style_digest: STYLE_DIGEST,
            own_style: COMPARISON_STYLE,
            own_style_digest: COMPARISON_STYLE_DIGEST,
            suite: Line(&comparison.suite.name),
            version: Line(&comparison.suite.version),
            started: Line(&comparison.suite.started),
            took,
            seed: comparison.suite.seed,
            headline: headline(comparison),
            tone,
            sign,
            compared: comparison.compared(),
            sides: vec![side("A", &comparison.a), side("B", &comparison.b)],
            pairs: comparison.pairs.iter().map(PairText::of).collect(),
            mattering: shown(true).collect(),
            unimportant: shown(false).collect(),
            varies: comparison
                .noise
                .iter()
                .map(|it| {
                    let side = it.side.to_uppercase();
                    (side, Line(it.subject.as_str()), Line(it.pointer.as_str()))
                })
                .collect(),
            exchanges: comparison
                .exchanges
                .iter()
                .enumerate()
                .map(|(number, pair)| Exchange::of(number, pair, &mut spent))
                .collect(),
        }
    }
}

impl<'a> PairText<'a> {
    fn of(pair: &'a Pair) -> Self {
        Self {
            way: text::line(&format!(
                "{} {} > {}",
                pair.revision, pair.transport_a, pair.transport_b
            ))
            .into_owned(),
            compared: pair.compared,
            left_out: pair
                .left_out
                .iter()
                .map(|it| (it.vectors, Line(it.reason.as_str())))
                .collect(),
        }
    }
}

impl<'a> Shown<'a> {
    fn of(difference: &'a Difference) -> Self {
        Self {
            kind: difference.kind.as_str(),
            tone: if difference.matters {
                "v-fail"
            } else {
                "v-inconclusive"
            },
            subject: Line(&difference.subject),
            pointer: Line(&difference.pointer),
            message: Line(&difference.message),
            a: difference.a.as_deref().map(Line),
            b: difference.b.as_deref().map(Line),
            places: text::line(&places(&difference.places, PLACES_MAX)).into_owned(),
            exchange: difference.exchange,
        }
    }
}

impl<'a> Exchange<'a> {
    fn of(number: usize, pair: &'a ExchangePair, spent: &mut Spent) -> Self {
        let mut side = |letter, entries: &'a [Entry]| {
            let shown: Vec<&Entry> = entries
                .iter()
                .take_while(|entry| spent.has_room(entry))
                .collect();
            let begins = |entry: &&Entry| entry.side == Teller::Harness && entry.what == FIRST_STEP;
            let begin = shown.iter().position(begins).unwrap_or(0);
            let moments = |of: &[&'a Entry]| of.iter().map(|it| Moment::of(it, false)).collect();
            Column {
                letter,
                opening: moments(&shown[..begin]),
                moments: moments(&shown[begin..]),
                left_out: entries.len() - shown.len(),
            }
        };
        Self {
            number,
            check: Line(&pair.check),
            way: text::line(&format!(
                "{} {} > {}",
                pair.revision, pair.transport_a, pair.transport_b
            ))
            .into_owned(),
            reproduce: Line(&pair.reproduce),
            sides: [side("A", &pair.a), side("B", &pair.b)],
        }
    }
}

/// What the harness says where a vector begins.
const FIRST_STEP: &str = "step 1";

/// Places named for one difference.
const PLACES_MAX: usize = 8;
