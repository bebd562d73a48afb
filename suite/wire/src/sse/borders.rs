//! Where the events of a stream end, for those who pass its bytes on and must not change them.

/// Finds the ends of events in a stream, however it comes in pieces. Holds no bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Borders {
    line: Line,
    /// The event has a line that is no comment.
    begun: bool,
    /// The last byte was a CR; what it ended is known with the next byte.
    after_cr: bool,
    /// The line that a CR ended completes an event.
    due: bool,
}

/// What is known of the line that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    Comment,
    #[default]
    Empty,
    Field,
}

impl Borders {
    /// At a stream's beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many of these bytes belong to the event that is under way, up to and with its end; `None` when it does
    /// not end in them. After an end the rest has to be given again. Comments alone are no event.
    pub fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, &byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.after_cr) {
                let due = std::mem::take(&mut self.due);
                if byte == b'\n' {
                    if due {
                        return Some(index + 1);
                    }
                    continue;
                }
                if due {
                    // This byte is the next event's, and comes again.
                    *self = Self::default();
                    return Some(index);
                }
            }
            if self.take(byte) {
                return Some(index + 1);
            }
        }
        None
    }

    /// Whether bytes of an event that has not ended were seen.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.begun || self.line == Line::Field
    }

    /// Whether this byte ends an event for sure.
    fn take(&mut self, byte: u8) -> bool {
        match (byte, self.line) {
            (b'\n' | b'\r', Line::Empty) => {
                let ends = std::mem::take(&mut self.begun);
                self.after_cr = byte == b'\r';
                self.due = ends && self.after_cr;
                return ends && byte == b'\n';
            }
            (b'\n' | b'\r', line) => {
                self.begun |= line == Line::Field;
                self.line = Line::Empty;
                self.after_cr = byte == b'\r';
            }
            (b':', Line::Empty) => self.line = Line::Comment,
            (_, Line::Empty) => self.line = Line::Field,
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(pieces: &[&[u8]]) -> Vec<usize> {
        let (mut borders, mut found, mut passed) = (Borders::new(), Vec::new(), 0);
        for piece in pieces {
            let mut rest = *piece;
            while let Some(end) = borders.next_end(rest) {
                found.push(passed + end);
                passed += end;
                rest = &rest[end..];
            }
            passed += rest.len();
        }
        found
    }

    #[test]
    fn every_split_finds_the_same_ends() {
        let stream =
            b":c\n\nid: 1\ndata: a\n\ndata\r\n\r\nx: y\r\r: c\rdata: b\r\r\n\n\nretry: 5\n\n";
        let whole = ends(&[stream]);
        let pieces: Vec<&[u8]> = whole
            .iter()
            .scan(0, |from, &to| {
                let piece = &stream[*from..to];
                *from = to;
                Some(piece)
            })
            .collect();
        assert_eq!(
            pieces,
            [
                &b":c\n\nid: 1\ndata: a\n\n"[..],
                b"data\r\n\r\n",
                b"x: y\r\r",
                b": c\rdata: b\r\r\n",
                b"\n\nretry: 5\n\n",
            ]
        );
        for cut in 0..=stream.len() {
            let (before, after) = stream.split_at(cut);
            assert_eq!(ends(&[before, after]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_has_not_ended_is_within() {
        let mut borders = Borders::new();
        assert_eq!(borders.next_end(b": comment\n\n"), None);
        assert!(!borders.is_within());
        assert_eq!(borders.next_end(b"data: a\n"), None);
        assert!(borders.is_within());
    }
}
