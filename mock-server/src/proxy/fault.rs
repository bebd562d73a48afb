//! What the proxy can do to what passes, as a user writes it: `NAME[=VALUE][,KEY=VALUE…]`.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyFaultKind {
    /// Its name, unique and permanent.
    pub name: &'static str,
    /// What it does to what passes, in one line.
    pub about: &'static str,
    /// What the value after its name is, and what the value is where none is given.
    value: (Key, u64),
    /// The other numbers that it takes.
    others: &'static [(Key, u64)],
}

/// A number that a fault takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Bytes,
    Chunk,
    Event,
    Events,
    Ms,
}

/// Every kind there is.
pub const PROXY_FAULTS: &[ProxyFaultKind] = &[
    ProxyFaultKind {
        name: "cut-between-events",
        about: "A stream's connection closes after so many events [=EVENTS, 1]",
        value: (Key::Events, 1),
        others: &[],
    },
    ProxyFaultKind {
        name: "cut-mid-event",
        about: "A stream's connection closes after so many events and bytes of the next [=EVENTS, 1; bytes, 8]",
        value: (Key::Events, 1),
        others: &[(Key::Bytes, 8)],
    },
    ProxyFaultKind {
        name: "delay",
        about: "A message, or the first bytes over TCP, are held back [=MS, 500]",
        value: (Key::Ms, 500),
        others: &[],
    },
    ProxyFaultKind {
        name: "duplicate-chunk",
        about: "A chunk of a chunked body comes twice [=CHUNK, 1]",
        value: (Key::Chunk, 1),
        others: &[],
    },
    ProxyFaultKind {
        name: "duplicate-event",
        about: "An event of a stream comes twice [=EVENT, 1]",
        value: (Key::Event, 1),
        others: &[],
    },
    ProxyFaultKind {
        name: "half-close",
        about: "The sending side closes after so much, the other one goes on reading [=BYTES, 0; events]",
        value: (Key::Bytes, 0),
        others: &[(Key::Events, 0)],
    },
    ProxyFaultKind {
        name: "reset",
        about: "Both connections are reset (RST) after so much [=BYTES, 0; events]",
        value: (Key::Bytes, 0),
        others: &[(Key::Events, 0)],
    },
    ProxyFaultKind {
        name: "slow-drip",
        about: "The body comes in small pieces with pauses between [=BYTES, 1; ms, 10]",
        value: (Key::Bytes, 1),
        others: &[(Key::Ms, 10)],
    },
    ProxyFaultKind {
        name: "truncate",
        about: "The connection closes after so many bytes of the body [=BYTES, 0]",
        value: (Key::Bytes, 0),
        others: &[],
    },
];

/// A fault, and which requests or responses it befalls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyFault {
    /// What it does.
    pub(super) action: Action,
    /// On which way.
    toward: Toward,
    /// Only requests with this method, or responses to them.
    method: Option<String>,
    /// Only requests for this path, without its query, or responses to them.
    path: Option<String>,
    /// Only this one of those that it could befall, from 1; all where there is none.
    pub(super) nth: Option<u64>,
}

/// Where something is on its way to: responses go to the client, requests to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toward {
    Client,
    Server,
}

/// What a fault does. A range stands for a number of it, which the seed decides for each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Cut { at: At, how: Ending },
    Delay(Amount),
    Drip { bytes: Amount, ms: Amount },
    TwiceChunk(Amount),
    TwiceEvent(Amount),
}

/// Where in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// After so many bytes.
    Bytes(Amount),
    /// After so many events, and so many bytes of the next.
    Events { events: Amount, bytes: Amount },
}

/// How a connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Close,
    HalfClose,
    Reset,
}

/// A number, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Amount(pub(super) RangeInclusive<u64>);

/// Why a fault is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFaultError {
    /// There is no fault of this name.
    #[error("the proxy has no fault `{0}`")]
    UnknownName(String),
    /// The fault does not take this.
    #[error("`{name}` takes no `{key}`; it takes {known}")]
    UnknownKey {
        /// The fault's name.
        name: &'static str,
        /// What it does not take.
        key: String,
        /// What it takes.
        known: String,
    },
    /// There is nothing that way.
    #[error(
        "`toward={0}` names no side; it is `toward=client` for responses, or `toward=server` for requests"
    )]
    BadSide(String),
    /// What is given is no number, and no range.
    #[error("`{key}={value}` is neither a number nor a range such as 1..5, or is out of bounds")]
    BadValue {
        /// What it is given for.
        key: String,
        /// As given.
        value: String,
    },
}

impl ProxyFault {
    /// Whether it can befall this request, or the response to it.
    pub(super) fn concerns(
        &self,
        toward: Toward,
        method: &str,
        path: &str,
        is_stream: bool,
    ) -> bool {
        self.toward == toward
            && self
                .method
                .as_ref()
                .is_none_or(|of| of.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|of| of == path)
            && (is_stream || !self.is_about_events())
    }

    /// Whether it asks for events of requests, which those of HTTP do not have.
    pub(super) fn asks_requests_for_events(&self) -> bool {
        self.toward == Toward::Server && self.is_about_events()
    }

    fn is_about_events(&self) -> bool {
        matches!(
            self.action,
            Action::TwiceEvent(_)
                | Action::Cut {
                    at: At::Events { .. },
                    ..
                }
        )
    }
}

impl FromStr for ProxyFault {
    type Err = ProxyFaultError;

    fn from_str(text: &str) -> Result<Self, ProxyFaultError> {
        let mut parts = text.split(',');
        let first = parts.next().unwrap_or_default();
        let (name, value) = match first.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (first, None),
        };
        let kind = PROXY_FAULTS
            .iter()
            .find(|kind| kind.name == name)
            .ok_or_else(|| ProxyFaultError::UnknownName(name.to_owned()))?;
        let mut numbers = Numbers::of(kind);
        if let Some(value) = value {
            numbers.set(kind.value.0.name(), value)?;
        }
        let (mut method, mut path, mut nth) = (None, None, None);
        let mut toward = Toward::Client;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                "method" => method = Some(value.to_owned()),
                "path" => path = Some(value.to_owned()),
                "toward" => toward = value.parse()?,
                "nth" => nth = Some(number(key, value).map(|range| (*range.0.start()).max(1))?),
                _ => numbers.set(key, value)?,
            }
        }
        Ok(Self {
            action: numbers.action(),
            toward,
            method,
            path,
            nth,
        })
    }
}

impl FromStr for Toward {
    type Err = ProxyFaultError;

    fn from_str(text: &str) -> Result<Self, ProxyFaultError> {
        match text {
            "client" => Ok(Self::Client),
            "server" => Ok(Self::Server),
            other => Err(ProxyFaultError::BadSide(other.to_owned())),
        }
    }
}

/// The numbers of one fault as far as they are known.
struct Numbers {
    kind: &'static ProxyFaultKind,
    given: Vec<(Key, Amount)>,
}

impl Numbers {
    fn of(kind: &'static ProxyFaultKind) -> Self {
        Self {
            kind,
            given: Vec::new(),
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), ProxyFaultError> {
        let mut takes = std::iter::once(&self.kind.value).chain(self.kind.others);
        let Some((of, _)) = takes.find(|(of, _)| of.name() == key) else {
            let takes = std::iter::once(&self.kind.value).chain(self.kind.others);
            let known: Vec<String> = takes
                .map(|(key, _)| format!("`{}`", key.name()))
                .chain(["`toward`", "`method`", "`path`", "`nth`"].map(str::to_owned))
                .collect();
            return Err(ProxyFaultError::UnknownKey {
                name: self.kind.name,
                key: key.to_owned(),
                known: known.join(", "),
            });
        };
        self.given.push((*of, number(key, value)?));
        Ok(())
    }

    fn given(&self, key: Key) -> Option<Amount> {
        let given = self.given.iter().rev().find(|(of, _)| *of == key);
        given.map(|(_, amount)| amount.clone())
    }

    fn number(&self, key: Key) -> Amount {
        let mut takes = std::iter::once(&self.kind.value).chain(self.kind.others);
        let default = takes.find(|(of, _)| *of == key).map_or(0, |(_, it)| *it);
        self.given(key).unwrap_or(Amount(default..=default))
    }

    /// After bytes of the body, or where events are asked for after those.
    fn place(&self) -> At {
        match self.given(Key::Events) {
            Some(events) => At::Events {
                events,
                bytes: self.given(Key::Bytes).unwrap_or(Amount(0..=0)),
            },
            None => At::Bytes(self.number(Key::Bytes)),
        }
    }

    fn action(&self) -> Action {
        let cut = |at, how| Action::Cut { at, how };
        let events = |bytes| At::Events {
            events: self.number(Key::Events),
            bytes,
        };
        match self.kind.name {
            "cut-between-events" => cut(events(Amount(0..=0)), Ending::Close),
            "cut-mid-event" => {
                let Amount(bytes) = self.number(Key::Bytes);
                // Without any byte of it, it would not be within the event.
                let within = (*bytes.start()).max(1)..=(*bytes.end()).max(1);
                cut(events(Amount(within)), Ending::Close)
            }
            "delay" => Action::Delay(self.number(Key::Ms)),
            "duplicate-chunk" => Action::TwiceChunk(self.number(Key::Chunk)),
            "duplicate-event" => Action::TwiceEvent(self.number(Key::Event)),
            "half-close" => cut(self.place(), Ending::HalfClose),
            "reset" => cut(self.place(), Ending::Reset),
            "slow-drip" => Action::Drip {
                bytes: self.number(Key::Bytes),
                ms: self.number(Key::Ms),
            },
            // `truncate`, the last in the list.
            _ => cut(At::Bytes(self.number(Key::Bytes)), Ending::Close),
        }
    }
}

impl Key {
    const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Chunk => "chunk",
            Self::Event => "event",
            Self::Events => "events",
            Self::Ms => "ms",
        }
    }
}

impl Amount {
    /// A number of the range, which follows from the seed alone.
    pub(super) fn draw(&self, seed: &mut Seed) -> u64 {
        let (low, high) = (*self.0.start(), *self.0.end());
        low + seed.next() % (high - low + 1)
    }

    /// The same, as a time.
    pub(super) fn draw_ms(&self, seed: &mut Seed) -> Duration {
        Duration::from_millis(self.draw(seed).min(PAUSE_MS_MAX))
    }
}

/// Numbers that look random and follow from where they began (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    /// The numbers of one message: the `nth` that the `fault`th fault concerns.
    pub(super) fn of(seed: u64, fault: usize, nth: u64) -> Self {
        let mut mixed = Self(seed);
        let first = mixed.next();
        let mut mixed = Self(first ^ (fault as u64).rotate_left(32) ^ nth);
        mixed.next();
        mixed
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn number(key: &str, value: &str) -> Result<Amount, ProxyFaultError> {
    let (low, high) = value.split_once("..").unwrap_or((value, value));
    let read = |text: &str| text.parse::<u64>().ok().filter(|it| *it <= AMOUNT_MAX);
    match (read(low), read(high.trim_start_matches('='))) {
        (Some(low), Some(high)) if low <= high => Ok(Amount(low..=high)),
        _ => Err(ProxyFaultError::BadValue {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
    }
}

/// Largest number that a fault takes: a terabyte.
const AMOUNT_MAX: u64 = 1 << 40;

/// Longest pause, in milliseconds: an hour, as good as for ever.
const PAUSE_MS_MAX: u64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_with_and_without_its_value() {
        for kind in PROXY_FAULTS {
            assert!(kind.name.parse::<ProxyFault>().is_ok(), "{}", kind.name);
            let with = format!("{}=3,nth=2,method=GET,path=/mcp", kind.name);
            let fault: ProxyFault = with.parse().expect(kind.name);
            assert_eq!(fault.nth, Some(2));
            let concerns = |method, path| fault.concerns(Toward::Client, method, path, true);
            assert!(concerns("GET", "/mcp"));
            assert!(!concerns("POST", "/mcp") && !concerns("GET", "/"));
            assert!(!fault.concerns(Toward::Server, "GET", "/mcp", true));
            let other: ProxyFault = format!("{with},toward=server").parse().expect(kind.name);
            assert!(other.concerns(Toward::Server, "GET", "/mcp", true));
            assert!(!other.concerns(Toward::Client, "GET", "/mcp", true));
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_way_out() {
        let refused = |text: &str| text.parse::<ProxyFault>().unwrap_err().to_string();
        assert_eq!(refused("cut"), "the proxy has no fault `cut`");
        assert_eq!(
            refused("delay,bytes=1"),
            "`delay` takes no `bytes`; it takes `ms`, `toward`, `method`, `path`, `nth`"
        );
        for bad in ["delay=x", "delay=", "delay=5..1", "delay=-1", "delay,nth"] {
            assert!(refused(bad).contains("neither a number"), "{bad}");
        }
        assert!(refused("delay,toward=me").contains("`toward=server` for requests"));
    }

    #[test]
    fn ranges_follow_from_the_seed() {
        let amount = Amount(3..=9);
        let draw = |seed, nth| amount.draw(&mut Seed::of(seed, 0, nth));
        let all: Vec<u64> = (0..200).map(|nth| draw(1, nth)).collect();
        assert!((3..=9).all(|number| all.contains(&number)));
        assert!(all.iter().all(|number| (3..=9).contains(number)));
        assert_eq!(all, (0..200).map(|nth| draw(1, nth)).collect::<Vec<_>>());
        assert_ne!(all, (0..200).map(|nth| draw(2, nth)).collect::<Vec<_>>());
    }
}
