//! The key by which a server shows that it understood a handshake.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};

/// What `sec-websocket-accept` must be for this `sec-websocket-key` (RFC 6455, section 4.2.2).
#[must_use]
pub fn accept_key(key: &str) -> String {
    let hash = Sha1::new()
        .chain_update(key.trim())
        .chain_update(GUID)
        .finalize();
    STANDARD.encode(hash)
}

/// RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_holds() {
        assert_eq!(
            accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
