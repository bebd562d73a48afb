//! A child's standard output, and its life.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{TransportKind, transcript::EventKind};

use super::{Observation, Watch, messages::short};
use crate::view::{Kind, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/stdio/purity",
        observe: purity,
    },
    Watch {
        id: "rules/stdio/last-line",
        observe: last_line,
    },
    Watch {
        id: "rules/stdio/stays",
        observe: stays,
    },
];

fn is_stdio(view: &View<'_>) -> bool {
    view.head.transport == TransportKind::Stdio
}

fn purity(view: &View<'_>, seen: &mut Observation) {
    for message in view.targets().filter(|_| is_stdio(view)) {
        let EventKind::Received { bytes, .. } = &view.events[message.event].kind else {
            continue;
        };
        seen.exercise();
        let text = bytes.to_text();
        if text.trim().is_empty() {
            // An empty line holds no message, and breaks no reader either.
            seen.find_as(
                Outcome::Warn,
                "nothing but messages on stdout",
                "a blank line",
                [message.event],
            );
        } else if matches!(message.kind, Kind::Invalid { .. })
            && message
                .value
                .as_ref()
                .is_none_or(|value| !value.is_object())
        {
            seen.find(
                "nothing but messages on stdout",
                short(&text),
                [message.event],
            );
        }
    }
}

fn last_line(view: &View<'_>, seen: &mut Observation) {
    for (index, event) in view.events.iter().enumerate().filter(|_| is_stdio(view)) {
        let EventKind::OutputClosed { rest } = &event.kind else {
            continue;
        };
        seen.exercise();
        if !rest.0.is_empty() {
            seen.find(
                "a newline after every message",
                short(&rest.to_text()),
                [index],
            );
        }
    }
}

/// A server may end the conversation of its own accord, but one that is gone while requests wait leaves
/// them unanswered.
fn stays(view: &View<'_>, seen: &mut Observation) {
    if !is_stdio(view) {
        return;
    }
    let asked = view.ours().any(|message| message.is_request());
    let Some(exit) = view.process.exited else {
        if asked {
            seen.exercise();
        }
        return;
    };
    let told = view
        .process
        .input_closed
        .is_some_and(|event| event < exit.event)
        || view
            .process
            .signalled
            .iter()
            .any(|(event, _)| *event < exit.event);
    if told {
        return;
    }
    seen.exercise();
    let waiting = view
        .unanswered_of_ours()
        .filter(|message| message.is_request() && message.event < exit.event);
    let count = waiting.count();
    let how = match (exit.code, exit.signal) {
        (Some(code), _) => format!("it exited with code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it ended".to_owned(),
    };
    let actual = format!("{how} while {count} requests waited");
    seen.find(
        "a process that lives as long as its standard input",
        actual,
        [exit.event],
    );
}
