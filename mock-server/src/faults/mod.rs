//! Faults: named deviations with which the server can be started.
//!
//! The conformant server knows nothing of them. A fault is one value in one of the lists below: its
//! name, what it does, and a [`Hook`] that says where it steps in. Faults combine; where several hook
//! in at one place, they do so in the order in which they were named.
//!
//! To add one, add a value to the list of its area:
//!
//! ```text
//! Fault {
//!     name: "ids-as-strings",
//!     about: "Ids of responses are strings, whatever they were",
//!     hook: Hook::Edit(|_, message| text(message, "/id")),
//! },
//! ```

mod active;
mod asking;
mod base;
mod batches;
mod cancellation;
mod completion;
mod concurrency;
mod content;
mod distortion;
mod edges;
mod edits;
mod field;
mod fuzz;
mod grpc;
mod headers;
mod hooks;
mod http;
mod http_reading;
mod ids;
mod input;
mod lifecycle;
mod lists;
mod load;
mod logging;
mod malformed;
mod messages;
mod modern;
mod progress;
mod prompts;
mod resources;
mod resumption;
mod sse;
mod stdio;
mod subscriptions;
mod tasks;
mod tools;
mod ws;
mod ws_draft;

pub(crate) use active::Faults;
pub use distortion::{Distort, Distortion};
pub use hooks::{
    Act, Arrived, BodyFault, Event, GrpcCall, GrpcPart, Hook, HttpRequest, HttpResponse, LineIn,
    Moment, Replay, SessionEvent,
};

/// A deviation.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name, unique and permanent.
    pub name: &'static str,
    /// What the server does wrong with it, in one line.
    pub about: &'static str,
    /// Where it steps in, and what it does there.
    pub hook: Hook,
}

/// Those that checks have to catch, by area.
const CATALOGUE: &[&[Fault]] = &[
    base::FAULTS,
    ids::FAULTS,
    batches::FAULTS,
    messages::FAULTS,
    lifecycle::FAULTS,
    lists::FAULTS,
    tools::FAULTS,
    content::FAULTS,
    resources::FAULTS,
    prompts::FAULTS,
    completion::FAULTS,
    asking::FAULTS,
    logging::FAULTS,
    progress::FAULTS,
    cancellation::FAULTS,
    concurrency::FAULTS,
    subscriptions::FAULTS,
    grpc::FAULTS,
    http::FAULTS,
    http_reading::FAULTS,
    resumption::FAULTS,
    sse::FAULTS,
    stdio::FAULTS,
    modern::FAULTS,
    headers::FAULTS,
    input::FAULTS,
    tasks::FAULTS,
    field::FAULTS,
    edges::FAULTS,
    malformed::FAULTS,
    ws::FAULTS,
    ws_draft::FAULTS,
];

/// Every fault there is, by area; those that fuzzing and benchmarks have to find come last.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    let others = fuzz::FAULTS.iter().chain(&[load::FAULTS]);
    CATALOGUE.iter().chain(others).copied().flatten()
}

/// The faults that fuzzing has to find.
fn faults_for_fuzzing() -> impl Iterator<Item = &'static Fault> {
    fuzz::FAULTS.iter().copied().flatten()
}

impl Fault {
    /// Whether fuzzing has to find it, and no check does.
    #[must_use]
    pub fn is_for_fuzzing(&self) -> bool {
        faults_for_fuzzing().any(|fault| fault.name == self.name)
    }

    /// Whether only a benchmark can show it, and no check does.
    #[must_use]
    pub fn is_for_benchmarks(&self) -> bool {
        load::FAULTS.iter().any(|fault| fault.name == self.name)
    }
}

/// The fault of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Fault> {
    faults().find(|fault| fault.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_words_and_unique() {
        let mut seen = BTreeSet::new();
        for fault in faults() {
            assert!(seen.insert(fault.name), "{} is there twice", fault.name);
            let sound =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(fault.name.bytes().all(sound), "{}", fault.name);
            assert!(
                !fault.about.is_empty() && !fault.about.ends_with('.'),
                "{}",
                fault.name
            );
        }
    }
}
