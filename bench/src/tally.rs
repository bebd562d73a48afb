//! What was counted and measured: histograms of fixed memory, errors by name, and the course over time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

/// Latencies in nanoseconds, exact to three digits.
pub(crate) type Latencies = Histogram<u64>;

/// An empty histogram that grows as it needs to: at most to some hundred KiB.
pub(crate) fn latencies() -> Latencies {
    Histogram::new(3).expect("three digits are allowed")
}

/// Adds a latency. A histogram that grows holds every value.
pub(crate) fn record(latencies: &mut Latencies, latency: Duration) {
    let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_MAX);
    latencies
        .record(nanoseconds.min(LATENCY_MAX))
        .expect("a histogram that grows takes every value");
}

/// Adds all of `from`. Nothing is lost: the buckets of both are the same.
pub(crate) fn merge(into: &mut Latencies, from: &Latencies) {
    // It refuses only what does not fit, and it grows.
    into.add(from)
        .expect("a histogram that grows takes every value");
}

/// What was measured of one phase, by one thread or by all.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// By operation.
    pub(crate) operations: Vec<OperationTally>,
    /// Errors by name.
    pub(crate) errors: BTreeMap<String, u64>,
    /// How long it took to open a session, connection and start of a child included.
    pub(crate) openings: Latencies,
    /// How late requests were sent that a free connection waited to send: what is our own of their latency.
    pub(crate) lag: Latencies,
    /// Requests sent more than a millisecond after they were meant to be.
    pub(crate) late: u64,
    /// Requests never sent, since their time to be answered was over before a connection was free.
    pub(crate) dropped: u64,
    /// Requests of the server's that were not answered.
    pub(crate) unanswered: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    /// When the last answer came.
    pub(crate) last: Option<Instant>,
    pub(crate) timeline: Timeline,
}

/// Of one operation.
#[derive(Clone, Debug)]
pub(crate) struct OperationTally {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// From when it was, or was meant to be, sent. What timed out is in it with the time it was waited for.
    pub(crate) latencies: Latencies,
    /// Until the first event of a stream.
    pub(crate) first_event: Latencies,
}

impl OperationTally {
    fn new() -> Self {
        Self {
            answered: 0,
            failed: 0,
            latencies: latencies(),
            first_event: latencies(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        merge(&mut self.latencies, &other.latencies);
        merge(&mut self.first_event, &other.first_event);
    }
}

impl Tally {
    /// Of nothing, for this number of operations, with a clock that begins at `begin`.
    pub(crate) fn new(operations: usize, begin: Instant) -> Self {
        Self {
            operations: vec![OperationTally::new(); operations],
            errors: BTreeMap::new(),
            openings: latencies(),
            lag: latencies(),
            late: 0,
            dropped: 0,
            unanswered: 0,
            sent_bytes: 0,
            received_bytes: 0,
            last: None,
            timeline: Timeline::new(begin),
        }
    }

    /// Counts an error. A hostile target may have a new name for each.
    pub(crate) fn error(&mut self, name: &str) {
        let known = self.errors.contains_key(name) || self.errors.len() < ERROR_NAMES_MAX;
        let name = if known { name } else { "other" };
        *self.errors.entry(name.to_owned()).or_default() += 1;
    }

    /// Adds what another counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.operations.iter_mut().zip(&other.operations) {
            mine.add(theirs);
        }
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_default() += count;
        }
        merge(&mut self.openings, &other.openings);
        merge(&mut self.lag, &other.lag);
        self.late += other.late;
        self.dropped += other.dropped;
        self.unanswered += other.unanswered;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.last = self.last.max(other.last);
        self.timeline.add(&other.timeline);
    }

    pub(crate) fn answered(&self) -> u64 {
        self.operations.iter().map(|it| it.answered).sum()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.operations.iter().map(|it| it.failed).sum()
    }

    /// Latencies of all operations.
    pub(crate) fn latencies(&self) -> Latencies {
        let mut all = latencies();
        for operation in &self.operations {
            merge(&mut all, &operation.latencies);
        }
        all
    }
}

/// The course over time, in slots that become longer when there are too many of them.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    pub(crate) begin: Instant,
    pub(crate) slot: Duration,
    pub(crate) slots: Vec<Slot>,
}

/// What ended in one slot.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// In microseconds, to two digits: there are many slots.
    pub(crate) latencies_us: Histogram<u32>,
}

impl Slot {
    fn new() -> Self {
        Self {
            answered: 0,
            failed: 0,
            latencies_us: Histogram::new(2).expect("two digits are allowed"),
        }
    }

    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.latencies_us
            .add(&other.latencies_us)
            .expect("a histogram that grows takes every value");
    }
}

impl Timeline {
    fn new(begin: Instant) -> Self {
        Self {
            begin,
            slot: SLOT,
            slots: Vec::new(),
        }
    }

    /// Adds one that ended at `at`.
    pub(crate) fn record(&mut self, at: Instant, latency: Duration, good: bool) {
        let since = at.saturating_duration_since(self.begin);
        while since.as_nanos() / self.slot.as_nanos() >= SLOTS_MAX as u128 {
            self.coarsen();
        }
        let place = since.as_nanos() / self.slot.as_nanos();
        let place = usize::try_from(place).expect("it was just made small");
        if self.slots.len() <= place {
            self.slots.resize_with(place + 1, Slot::new);
        }
        let slot = &mut self.slots[place];
        match good {
            true => slot.answered += 1,
            false => slot.failed += 1,
        }
        let latency = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX);
        slot.latencies_us
            .record(latency.min(LATENCY_MAX))
            .expect("a histogram that grows takes every value");
    }

    fn coarsen(&mut self) {
        self.slot *= 2;
        let slots = std::mem::take(&mut self.slots);
        let pairs = slots.chunks(2);
        self.slots = pairs
            .map(|pair| {
                let mut first = pair[0].clone();
                pair[1..].iter().for_each(|second| first.add(second));
                first
            })
            .collect();
    }

    /// Adds another of the same beginning.
    fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.slot < other.slot {
            self.coarsen();
        }
        while other.slot < self.slot {
            other.coarsen();
        }
        if self.slots.len() < other.slots.len() {
            self.slots.resize_with(other.slots.len(), Slot::new);
        }
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            mine.add(theirs);
        }
    }
}

/// Longer than anything waits: more than three hours in nanoseconds.
const LATENCY_MAX: u64 = 1 << 44;

/// Names of errors that are told apart.
const ERROR_NAMES_MAX: usize = 64;

/// How long the slots of a timeline are at first.
const SLOT: Duration = Duration::from_millis(125);

/// Slots of a timeline; more do not fit a chart.
const SLOTS_MAX: usize = 160;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn merging_histograms_loses_nothing(
            one in prop::collection::vec(1_u64..10_000_000_000, 0..50),
            two in prop::collection::vec(1_u64..10_000_000_000, 0..50),
        ) {
            let of = |values: &[u64]| {
                let mut histogram = latencies();
                values.iter().for_each(|it| record(&mut histogram, Duration::from_nanos(*it)));
                histogram
            };
            let mut merged = of(&one);
            merge(&mut merged, &of(&two));
            prop_assert_eq!(merged, of(&[one, two].concat()));
        }

        #[test]
        fn a_timeline_counts_each_once_however_it_was_split(times in prop::collection::vec(0_u64..900_000, 1..60)) {
            let begin = Instant::now();
            let mut halves = [Timeline::new(begin), Timeline::new(begin)];
            let mut whole = Timeline::new(begin);
            for (number, time) in times.iter().enumerate() {
                let at = begin + Duration::from_millis(*time);
                halves[number % 2].record(at, Duration::from_millis(1), true);
                whole.record(at, Duration::from_millis(1), true);
            }
            let [mut sum, other] = halves;
            sum.add(&other);
            let counts = |timeline: &Timeline| timeline.slots.iter().map(|it| it.answered).collect::<Vec<_>>();
            prop_assert_eq!(sum.slot, whole.slot);
            prop_assert_eq!(counts(&sum), counts(&whole));
            prop_assert!(whole.slots.len() <= SLOTS_MAX);
            prop_assert_eq!(counts(&whole).iter().sum::<u64>(), times.len() as u64);
        }
    }

    #[test]
    fn names_of_errors_are_bounded() {
        let mut tally = Tally::new(1, Instant::now());
        (0..1000).for_each(|code| tally.error(&format!("error {code}")));
        assert_eq!(tally.errors.len(), ERROR_NAMES_MAX + 1);
        assert_eq!(tally.errors.values().sum::<u64>(), 1000);
    }
}
