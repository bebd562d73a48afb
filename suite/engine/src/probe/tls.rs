//! Whether a port at which HTTP breaks is one for TLS.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::target::Url;

/// Says hello in TLS, and looks at the first byte of the answer.
pub(super) async fn speaks_tls(url: &Url) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect((url.host.as_str(), url.port))
            .await
            .ok()?;
        stream.write_all(&client_hello()).await.ok()?;
        stream.read_u8().await.ok()
    };
    let first = timeout(PATIENCE, asking).await.ok().flatten();
    first.is_some_and(|first| first == ALERT || first == HANDSHAKE)
}

/// The smallest one of TLS 1.2 (RFC 5246, section 7.4.1.2). Whoever speaks another version answers with an alert.
fn client_hello() -> Vec<u8> {
    let mut hello = vec![HANDSHAKE, 3, 1, 0, 47, CLIENT_HELLO, 0, 0, 43, 3, 3];
    hello.extend([0x2a; 32]);
    // No session, two cipher suites, no compression.
    hello.extend([0, 0, 4, 0xc0, 0x2f, 0, 0x2f, 1, 0]);
    hello
}

const ALERT: u8 = 21;

const HANDSHAKE: u8 = 22;

const CLIENT_HELLO: u8 = 1;

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_in_a_hello_are_its_own() {
        let hello = client_hello();
        assert_eq!(hello.len(), 5 + usize::from(hello[4]));
        assert_eq!(hello.len(), 9 + usize::from(hello[8]));
    }
}
