//! What the general JSON reader does that ours does not.

/// Whether a member's name may be one by which `serde_json` passes numbers and raw texts to itself. It
/// does not read those as members, not even when a peer sends them; escapes can spell them too.
pub(crate) fn has_private_marker(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    has(b"$serde_json::private") || has(b"\\u")
}
