//! A comparison of two targets, rendered.

mod html;
mod json;
mod junit;
mod terminal;

use mcp_verdict_results::Comparison;

pub use html::comparison_html;
pub use json::{COMPARISON_SCHEMA, comparison_json};
pub use junit::comparison_junit;
pub use terminal::comparison_terminal;

use crate::text;

/// What came of it, in one line.
fn headline(comparison: &Comparison) -> String {
    let (matter, all) = (comparison.mattering(), comparison.differences.len());
    let rest = all - matter;
    let but = match rest {
        0 => String::new(),
        _ => format!(", {rest} that do not matter"),
    };
    match matter {
        0 if rest == 0 => "No difference".to_owned(),
        0 => format!("No difference that matters{but}"),
        _ => format!("{}{but}", text::count(matter, "difference", "differences")),
    }
}

/// Where something was seen: the first of the places, and how many others there are.
fn places(places: &[mcp_verdict_results::Place], places_max: usize) -> String {
    let name = |place: &mcp_verdict_results::Place| {
        let way = format!(
            "{} {} > {}",
            place.revision, place.transport_a, place.transport_b
        );
        if place.check.is_empty() {
            way
        } else {
            format!("{} ({way})", place.check)
        }
    };
    let mut names: Vec<String> = Vec::new();
    for place in places.iter().map(name) {
        if !names.contains(&place) {
            names.push(place);
        }
    }
    let left = names.len().saturating_sub(places_max);
    names.truncate(places_max);
    let mut told = names.join(", ");
    if left > 0 {
        told += &format!(" and {left} more");
    }
    told
}
