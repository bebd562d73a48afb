//! Bounds on what a peer may make us hold, each with its reason.

/// Longest line on stdio and longest SSE event, in bytes: four times the largest honest message seen
/// (a 4 MiB image as base64), so that an endless line ends in a verdict and not in our memory.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest HTTP response body kept, in bytes, for the same reason.
pub const BODY_BYTES_MAX: usize = MESSAGE_BYTES_MAX;

/// All bytes kept in one transcript. A vector that needs more is a flood, and is cut off.
pub const TRANSCRIPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Events kept in one transcript: a stream of empty lines must not fill memory either, and every rule
/// looks at each of them. The busiest check of an honest server has a few hundred.
pub const TRANSCRIPT_EVENTS_MAX: usize = 10_000;

/// What the transcripts of all sessions of one run may take in memory at the same time, read and unread, in
/// bytes; enough for the largest alone.
pub const RUN_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What of it each transcript has for itself, so that a flood in one session does not cut off others.
pub const OWN_BYTES: usize = 1024 * 1024;

/// What a value of a JSON text takes in memory once it is read, in bytes.
pub const VALUE_BYTES: usize = 72;

/// Standard error kept for a child, in bytes: enough for any stack trace.
pub const STDERR_BYTES_MAX: usize = 256 * 1024;

/// Deepest nesting of a JSON text that is looked into. serde_json's own bound is 128.
pub const JSON_DEPTH_MAX: usize = 128;

/// Values in one JSON text. A byte or two can make a value that takes a hundred in memory, and several
/// sessions read at the same time; this is still far more than a long list of large tools has.
pub const JSON_VALUES_MAX: usize = 250_000;
