//! The network between us and the target, where a vector wants it to fail: the connection is lost at a place that
//! the events of the stream define, and the target's side is told so by the system, over TLS as well.

use mcp_verdict_wire::{NetworkFault, NetworkFaultKind, sse::Borders};

/// A stream on its way through a network that fails.
#[derive(Debug)]
pub(super) struct Network {
    fault: NetworkFault,
    borders: Borders,
    events: u32,
}

impl Network {
    pub(super) fn new(fault: NetworkFault) -> Self {
        Self {
            fault,
            borders: Borders::new(),
            events: 0,
        }
    }

    /// How many bytes of this piece still come through, if the connection is lost with it.
    pub(super) fn lost_at(&mut self, piece: &[u8]) -> Option<usize> {
        let mut passed = 0;
        while self.events < self.fault.after_events {
            passed += self.borders.next_end(&piece[passed..])?;
            self.events += 1;
        }
        if self.fault.fault != NetworkFaultKind::CutMidEvent {
            return Some(passed);
        }
        match self.borders.next_end(&piece[passed..]) {
            // Its last byte is lost, and with it the event.
            Some(end) => Some(passed + end.saturating_sub(1)),
            None => self.borders.is_within().then_some(piece.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b": hi\n\nid: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n";

    /// What comes through when the stream is read in pieces of this size.
    fn through(fault: NetworkFaultKind, after_events: u32, size: usize) -> Vec<u8> {
        let mut network = Network::new(NetworkFault {
            fault,
            after_events,
            after_bytes: None,
        });
        let mut passed = Vec::new();
        for piece in STREAM.chunks(size) {
            match network.lost_at(piece) {
                Some(end) => {
                    passed.extend_from_slice(&piece[..end]);
                    return passed;
                }
                None => passed.extend_from_slice(piece),
            }
        }
        passed
    }

    #[test]
    fn between_events_the_place_does_not_depend_on_the_pieces() {
        for size in 1..=STREAM.len() {
            for kind in [NetworkFaultKind::CutBetweenEvents, NetworkFaultKind::Reset] {
                let expected = &b": hi\n\nid: 1\ndata: a\n\nid: 2\ndata: b\n\n"[..];
                assert_eq!(through(kind, 2, size), expected, "pieces of {size}");
                assert_eq!(through(kind, 4, size), STREAM);
            }
        }
    }

    #[test]
    fn within_an_event_some_of_it_comes_and_never_all() {
        let before = b": hi\n\nid: 1\ndata: a\n\n".len();
        for size in 1..=STREAM.len() {
            let passed = through(NetworkFaultKind::CutMidEvent, 1, size).len();
            assert!(passed > before, "pieces of {size}");
            assert!(
                passed < before + b"id: 2\ndata: b\n\n".len(),
                "pieces of {size}"
            );
        }
    }
}
