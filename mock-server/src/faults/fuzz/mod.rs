//! Faults that fuzzing has to find: bugs as servers have them in their readers, their bookkeeping and their streams,
//! chosen so that no one kind of case finds all. No check names them.

mod answers;
mod http;
mod reading;
mod scan;

use super::{Fault, HttpRequest, LineIn};

/// All of them.
pub(super) const FAULTS: &[&[Fault]] = &[reading::FAULTS, answers::FAULTS, http::FAULTS];

/// What becomes of a line by whether it is fatal.
fn exit_if(fatal: bool) -> LineIn {
    if fatal { LineIn::Exit(1) } else { LineIn::Take }
}

/// Whether a request is never answered: it is fatal itself, or one in its session was.
fn dies(request: &HttpRequest, fatal: bool) -> bool {
    let Some(session) = request.header("mcp-session-id") else {
        return fatal;
    };
    let dead = format!("dead: {session}");
    if fatal {
        request.memory.mark(&dead);
    }
    request.memory.is_marked(&dead)
}
