//! Output in lines, such as a child's standard output; and a child's life.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{TransportKind, transcript::EventKind};

use super::{
    Observation, Watch,
    messages::bytes_of,
    reach::{claims, is_sound, short},
};
use crate::view::{Exit, Kind, Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/stdio/last-line",
        observe: last_line,
    },
    Watch {
        id: "rules/stdio/purity",
        observe: purity,
    },
    Watch {
        id: "rules/stdio/stays",
        observe: stays,
    },
];

fn has_lines(view: &View<'_>) -> bool {
    view.head.transport.has_lines()
}

fn is_stdio(view: &View<'_>) -> bool {
    view.head.transport == TransportKind::Stdio
}

/// What says that it is a message, or looks like one, is judged as one by other rules.
fn purity(view: &View<'_>, seen: &mut Observation) {
    for message in view.targets().filter(|_| has_lines(view)) {
        seen.exercise();
        if claims(message) || !matches!(message.kind, Kind::Invalid { .. }) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes_of(view, message)) else {
            continue;
        };
        let expected = "nothing but messages, a line each";
        if text.trim().is_empty() {
            // A blank line holds no message, and breaks no reader either.
            seen.find_as(Outcome::Warn, expected, "a blank line", [message.event]);
        } else {
            seen.find(expected, short(text), [message.event]);
        }
    }
}

/// What we kill may stop within a line.
fn last_line(view: &View<'_>, seen: &mut Observation) {
    for (index, event) in view.events.iter().enumerate().filter(|_| is_stdio(view)) {
        let EventKind::OutputClosed { rest } = &event.kind else {
            continue;
        };
        if view
            .process
            .signalled
            .iter()
            .any(|(signal, _)| *signal < index)
        {
            continue;
        }
        seen.exercise();
        let text = rest.to_text();
        if !text.trim().is_empty() {
            seen.find("a newline at the end of the output", short(&text), [index]);
        }
    }
}

fn how_it_ended(exit: &Exit) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => format!("it exited with code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it ended".to_owned(),
    }
}

/// Whether an answer is due: a request that we cancelled needs none, and a subscription has none until it
/// ends.
fn is_due(view: &View<'_>, request: &Message) -> bool {
    let cancels = |message: &Message| {
        let id = message.params().and_then(|params| params.get("requestId"));
        message.method() == Some("notifications/cancelled") && id == request.id()
    };
    request.is_request()
        && is_sound(request)
        && request.method() != Some("subscriptions/listen")
        && !view.ours().any(cancels)
}

/// A server may end the conversation of its own accord, but not while requests wait; and to break down is
/// another thing than to end.
fn stays(view: &View<'_>, seen: &mut Observation) {
    let cut_off = !view.limits.is_empty();
    // Whom we stopped to read cannot go on writing.
    if !is_stdio(view) || cut_off || !view.ours().any(|message| message.is_request()) {
        return;
    }
    let Some(exit) = view.process.exited else {
        seen.exercise();
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
        .filter(|request| request.event < exit.event);
    let (count, how) = (
        waiting.filter(|request| is_due(view, request)).count(),
        how_it_ended(&exit),
    );
    if count > 0 {
        let expected = "an answer to every request before the process ends";
        let actual = format!("{how} while {count} waited");
        // Who has not let a client in may turn it away in this way, too; a crash is none.
        let let_in = view.ours().any(|request| {
            view.response_to(request)
                .is_some_and(|answer| answer.event < exit.event && answer.result().is_some())
        });
        if let_in || exit.signal.is_some() {
            seen.find(expected, actual, [exit.event]);
        } else {
            seen.find_as(Outcome::Warn, expected, actual, [exit.event]);
        }
    } else if exit.code != Some(0) {
        let expected = "a process that lives as long as its standard input";
        seen.find_as(Outcome::Warn, expected, how, [exit.event]);
    }
}
