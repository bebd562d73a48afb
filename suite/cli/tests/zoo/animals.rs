//! Which bugs there are, over which transport they are looked for, and as what they show.

/// A bug that is to be found.
pub(crate) struct Animal {
    /// The fault of the mock server.
    pub(crate) fault: &'static str,
    /// The transport over which it is looked for.
    pub(crate) transport: &'static str,
    /// What is found: part of the check's id.
    pub(crate) shows_as: &'static [&'static str],
}

pub(crate) const ZOO: &[Animal] = &[
    stdio("fuzz-deep-nesting", &["exit"]),
    stdio("fuzz-lone-surrogate", &["exit"]),
    stdio("fuzz-duplicate-key", &["exit"]),
    stdio("fuzz-wide-id", &["exit"]),
    stdio("fuzz-number-no-double", &["exit"]),
    stdio("fuzz-proto-key", &["exit"]),
    stdio("fuzz-nul", &["exit"]),
    stdio("fuzz-long-string", &["exit"]),
    stdio("fuzz-invalid-utf-8", &["exit"]),
    stdio("fuzz-byte-order-mark", &["exit"]),
    stdio("fuzz-short-batch", &["exit"]),
    stdio("fuzz-array-params", &["exit"]),
    stdio("fuzz-empty-line", &["silence"]),
    stdio("fuzz-carriage-return", &["silence"]),
    stdio("fuzz-quadratic-escapes", &["silence"]),
    stdio("fuzz-refused-kept", &["memory"]),
    stdio("fuzz-notification-after-cancel", &["rules"]),
    stdio("fuzz-unknown-cancel", &["silence"]),
    stdio("fuzz-equal-ids", &["unanswered"]),
    http("fuzz-answer-of-same-id", &["foreign"]),
    stdio("fuzz-refused-argument-stays", &["foreign"]),
    stdio("fuzz-trace-in-error", &["no-inner-workings"]),
    stdio("fuzz-bracket-code", &["code"]),
    stdio("fuzz-error-id-as-text", &["rules"]),
    http("fuzz-session-id", &["silence"]),
    http("fuzz-event-id", &["silence"]),
    http("fuzz-large-field", &["silence", "unanswered"]),
    http("fuzz-head", &["silence"]),
    http("fuzz-content-encoding", &["silence"]),
    http("fuzz-stream-injection", &["rules"]),
];

const fn stdio(fault: &'static str, shows_as: &'static [&'static str]) -> Animal {
    Animal {
        fault,
        transport: "stdio",
        shows_as,
    }
}

const fn http(fault: &'static str, shows_as: &'static [&'static str]) -> Animal {
    Animal {
        fault,
        transport: "streamable-http",
        shows_as,
    }
}
