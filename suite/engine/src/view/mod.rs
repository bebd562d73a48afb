//! A transcript, read: messages, HTTP exchanges, process facts and steps, with what belongs together
//! tied together. Nothing here judges, and nothing a peer sends makes it fail.

mod exchange;
mod lookup;
mod message;
mod reading;

pub use exchange::{HttpExchange, HttpResponse, header, header_values, media_type};
pub use lookup::declares;
pub(crate) use message::integer;
pub use message::{Direction, Kind, Message};
pub use reading::{Closing, Exit, Process, Reading, TimedOut};

use mcp_verdict_wire::transcript::{Event, Head, Transcript};

/// A transcript with its reading. Fields of the [`Reading`] are reached through it directly.
#[derive(Debug)]
pub struct View<'t> {
    /// What was run, and with what.
    pub head: &'t Head,
    /// Everything that happened; indices elsewhere point into this.
    pub events: &'t [Event],
    reading: Reading,
}

impl<'t> View<'t> {
    /// Reads a whole transcript.
    #[must_use]
    pub fn of(transcript: &'t Transcript) -> Self {
        Self::resume(&transcript.head, &transcript.events, Reading::default())
    }

    /// Goes on reading where `reading` stopped: `events` begins with those that it has seen.
    #[must_use]
    pub fn resume(head: &'t Head, events: &'t [Event], mut reading: Reading) -> Self {
        reading.extend(events);
        Self {
            head,
            events,
            reading,
        }
    }

    /// Gives the reading back, to be resumed when there are more events.
    #[must_use]
    pub fn into_reading(self) -> Reading {
        self.reading
    }
}

impl std::ops::Deref for View<'_> {
    type Target = Reading;

    fn deref(&self) -> &Reading {
        &self.reading
    }
}
