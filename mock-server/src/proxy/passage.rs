//! What becomes of the body of one request or response on its way: bytes in, bytes out, and where it ends before its time.
//! No I/O.

use mcp_verdict_wire::sse::Borders;

use super::{
    fault::{Action, Amount, At, Ending, ProxyFault, Seed},
    framing::Framing,
};

/// What is done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Pass(Vec<u8>),
    End(Ending),
}

/// The size of pieces, the pauses between them in milliseconds, and what decides both.
pub(super) type Drip = (Amount, Amount, Seed);

/// What befalls one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) delay: std::time::Duration,
    pub(super) drip: Option<Drip>,
    cut: Option<Cut>,
    twice_chunk: Option<u64>,
    twice_event: Option<u64>,
}

/// Where a body ends before its time, in numbers that are drawn, and how.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// After so many events; nothing where bytes alone count.
    events: Option<u64>,
    /// And so many bytes.
    bytes: u64,
    how: Ending,
}

/// How events are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scan {
    Events(Borders),
    Lines,
}

/// One body on its way.
#[derive(Debug)]
pub(super) struct Passage {
    framing: Framing,
    plan: Plan,
    /// Ends of events, for the cut.
    scan: Scan,
    events: u64,
    /// The same for what comes twice.
    copy_scan: Scan,
    copy_events: u64,
    /// Bytes since the last end of an event, or of the body where bytes alone count.
    since: u64,
    chunks: u64,
    /// The chunk that is held, with its framing, and its content.
    held: Option<(Vec<u8>, Vec<u8>)>,
    /// The event that is under way, where one comes twice.
    event: Vec<u8>,
    ended: bool,
}

/// Largest chunk and event that can come twice; larger ones come once.
const HELD_BYTES_MAX: usize = 1024 * 1024;

impl Plan {
    /// Adds what a fault does.
    pub(super) fn add(&mut self, fault: &ProxyFault, mut seed: Seed) {
        match &fault.action {
            Action::Cut { at, how } => {
                let (events, bytes) = match at {
                    At::Bytes(bytes) => (None, bytes.draw(&mut seed)),
                    At::Events { events, bytes } => {
                        (Some(events.draw(&mut seed)), bytes.draw(&mut seed))
                    }
                };
                let how = *how;
                self.cut.get_or_insert(Cut { events, bytes, how });
            }
            Action::Delay(ms) => self.delay += ms.draw_ms(&mut seed),
            Action::Drip { bytes, ms } => self.drip = Some((bytes.clone(), ms.clone(), seed)),
            Action::TwiceChunk(chunk) => self.twice_chunk = Some(chunk.draw(&mut seed)),
            Action::TwiceEvent(event) => self.twice_event = Some(event.draw(&mut seed)),
        }
    }
}

impl Scan {
    fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Events(borders) => borders.next_end(bytes),
            Self::Lines => bytes
                .iter()
                .position(|&byte| byte == b'\n')
                .map(|end| end + 1),
        }
    }
}

impl Passage {
    pub(super) fn new(framing: Framing, plan: Plan, scan: Scan) -> Self {
        Self {
            framing,
            plan,
            scan,
            events: 0,
            copy_scan: scan,
            copy_events: 0,
            since: 0,
            chunks: 0,
            held: None,
            event: Vec::new(),
            ended: false,
        }
    }

    /// Whether nothing more of this body passes.
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.framing.is_done()
    }

    /// What the pace of its bytes is, if they drip.
    pub(super) fn take_drip(&mut self) -> Option<Drip> {
        self.plan.drip.take()
    }

    /// What is done before any of it came.
    pub(super) fn start(&mut self) -> Option<Act> {
        let cut = self.plan.cut.filter(|cut| {
            let at_once = cut.bytes == 0 && cut.events.unwrap_or(0) == 0;
            at_once && !self.framing.is_done()
        })?;
        self.ended = true;
        Some(Act::End(cut.how))
    }

    /// What is done with the next bytes; how many of them belong to this body.
    pub(super) fn push(&mut self, bytes: &[u8], acts: &mut Vec<Act>) -> usize {
        let mut read = 0;
        while read < bytes.len() && !self.is_over() {
            let run = self.framing.run(&bytes[read..]);
            let part = &bytes[read..read + run.bytes];
            read += run.bytes;
            let cut = if run.content { self.cut(part) } else { None };
            let part = cut.map_or(part, |(end, _)| &part[..end]);
            self.pass(part, run.content, acts);
            if let Some((_, how)) = cut {
                self.release(acts);
                acts.push(Act::End(how));
                self.ended = true;
            } else if run.ends_chunk {
                self.end_chunk(acts);
            }
        }
        if self.framing.is_done() {
            self.release(acts);
        }
        read
    }

    /// Where in this content the body is cut off, if it is.
    fn cut(&mut self, content: &[u8]) -> Option<(usize, Ending)> {
        let cut = self.plan.cut?;
        let mut from = 0;
        while cut.events.is_some_and(|events| self.events < events) {
            // The end of the line that ends the last event wanted.
            from += self.scan.next_end(&content[from..])?;
            self.events += 1;
        }
        let rest = &content[from..];
        let left = usize::try_from(cut.bytes - self.since).unwrap_or(usize::MAX);
        let within = &rest[..rest.len().min(left)];
        if cut.events.is_some()
            && let Some(end) = self.scan.next_end(within)
        {
            // Its last byte is kept back: half an event it must be.
            return Some((from + end.saturating_sub(1), cut.how));
        }
        self.since += within.len() as u64;
        (self.since == cut.bytes).then_some((from + within.len(), cut.how))
    }

    fn pass(&mut self, part: &[u8], content: bool, acts: &mut Vec<Act>) {
        let by_chunks = matches!(self.framing, Framing::Chunked(_));
        let twice = self.plan.twice_chunk.is_some() || self.plan.twice_event.is_some();
        if !twice {
            push_bytes(acts, part);
        } else if by_chunks {
            let (raw, inner) = self.held.get_or_insert_default();
            raw.extend_from_slice(part);
            if content {
                inner.extend_from_slice(part);
            }
            if raw.len() > HELD_BYTES_MAX {
                self.give_up(acts);
            }
        } else if matches!(self.framing, Framing::UntilClose) {
            let inserted = self.with_copy(part);
            inserted.iter().for_each(|piece| push_bytes(acts, piece));
        } else {
            // A body of a stated length has no room for more.
            push_bytes(acts, part);
        }
    }

    /// Nothing comes twice that does not fit.
    fn give_up(&mut self, acts: &mut Vec<Act>) {
        self.release(acts);
        self.plan.twice_chunk = None;
        self.plan.twice_event = None;
    }

    /// Passes on what is held, as it came.
    fn release(&mut self, acts: &mut Vec<Act>) {
        if let Some((raw, _)) = self.held.take() {
            push_bytes(acts, &raw);
        }
    }

    /// A whole chunk is held.
    fn end_chunk(&mut self, acts: &mut Vec<Act>) {
        let Some((raw, content)) = self.held.take() else {
            return;
        };
        self.chunks += 1;
        let pieces = self.with_copy(&content);
        match pieces.as_slice() {
            [_] => push_bytes(acts, &raw),
            // The chunk ends with the event: it need not be cut.
            [_, copy, rest] if rest.is_empty() => {
                push_bytes(acts, &raw);
                push_bytes(acts, &chunk(copy));
            }
            pieces => pieces
                .iter()
                .filter(|piece| !piece.is_empty())
                .for_each(|piece| push_bytes(acts, &chunk(piece))),
        }
        if self.plan.twice_chunk == Some(self.chunks) {
            push_bytes(acts, &raw);
        }
    }

    /// This content; or it up to the end of the event that comes twice, that event, and the rest.
    fn with_copy(&mut self, content: &[u8]) -> Vec<Vec<u8>> {
        let Some(wanted) = self.plan.twice_event else {
            return vec![content.to_vec()];
        };
        let mut from = 0;
        while let Some(length) = self.copy_scan.next_end(&content[from..]) {
            self.event.extend_from_slice(&content[from..from + length]);
            from += length;
            self.copy_events += 1;
            let event = std::mem::take(&mut self.event);
            if self.copy_events == wanted {
                self.plan.twice_event = None;
                return vec![content[..from].to_vec(), event, content[from..].to_vec()];
            }
        }
        self.event.extend_from_slice(&content[from..]);
        if self.event.len() > HELD_BYTES_MAX {
            self.plan.twice_event = None;
        }
        vec![content.to_vec()]
    }
}

fn push_bytes(acts: &mut Vec<Act>, bytes: &[u8]) {
    match acts.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Act::Pass(before)) => before.extend_from_slice(bytes),
        _ => acts.push(Act::Pass(bytes.to_vec())),
    }
}

fn chunk(content: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", content.len()).into_bytes();
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(b"\r\n");
    bytes
}
