//! The verdict: a pure function of checks and transcripts.
