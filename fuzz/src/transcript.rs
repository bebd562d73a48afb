//! Stored transcripts.

use mcp_verdict_wire::transcript::Transcript;

use crate::support::json::has_private_marker;

/// A transcript that can be read is read again from what is written of it, the same.
pub fn transcript(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(transcript) = Transcript::from_json_lines(text) else {
        return;
    };
    if has_private_marker(bytes) {
        // The general reader takes such members apart, so that what is written nests deeper.
        return;
    }
    let stored = transcript.to_json_lines();
    let again = Transcript::from_json_lines(&stored).expect("what was written can be read");
    assert_eq!(again, transcript);
    assert_eq!(again.to_json_lines(), stored);
}
