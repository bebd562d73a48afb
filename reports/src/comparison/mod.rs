//! A comparison of two targets, rendered.

mod html;
mod json;
mod junit;
mod terminal;

use mcp_verdict_results::{Comparison, Place};

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

/// Where something was seen: the first of the places, and how many others there are. What is the same for all of
/// them is said once.
fn places(places: &[Place], places_max: usize) -> String {
    let way = |place: &Place| {
        format!(
            "{} {} > {}",
            place.revision, place.transport_a, place.transport_b
        )
    };
    let is_one_way = places.windows(2).all(|two| way(&two[0]) == way(&two[1]));
    let name = |place: &Place| match place.check.as_str() {
        "" => way(place),
        check if is_one_way => check.to_owned(),
        check => format!("{check} ({})", way(place)),
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
    match places.first() {
        Some(first) if is_one_way && !first.check.is_empty() => {
            told += &format!(" ({})", way(first));
        }
        _ => {}
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(check: &str, transport_b: &str) -> Place {
        Place {
            check: check.to_owned(),
            revision: "2025-11-25".to_owned(),
            transport_a: "stdio".to_owned(),
            transport_b: transport_b.to_owned(),
            pointer: String::new(),
        }
    }

    #[test]
    fn what_is_the_same_for_all_places_is_said_once() {
        let same = [place("a", "ws"), place("b", "ws"), place("c", "ws")];
        assert_eq!(places(&same, 2), "a, b and 1 more (2025-11-25 stdio > ws)");
        let mixed = [place("a", "ws"), place("a", "tcp")];
        let told = "a (2025-11-25 stdio > ws), a (2025-11-25 stdio > tcp)";
        assert_eq!(places(&mixed, 2), told);
        assert_eq!(places(&[place("", "ws")], 2), "2025-11-25 stdio > ws");
        assert_eq!(places(&[], 2), "");
    }
}
