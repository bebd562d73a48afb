//! The requests of our client as bytes, for those who write them to a connection of their own.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use reqwest::Url;
use rustls::ClientConfig;

use super::{
    address,
    fields::{Fields, UserFields},
    tls,
};
use crate::{HeaderEdits, OpenError, Options};

/// What requests to one endpoint have in common.
#[derive(Clone, Debug)]
pub struct RequestHeads {
    url: Url,
    user: UserFields,
}

impl RequestHeads {
    /// For the endpoint at `url`, with the user's header fields.
    ///
    /// # Errors
    /// When the URL is none that we use, or a field of the user's cannot be sent.
    pub fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let (url, credentials) = address::parse(url)?;
        let user = UserFields::new(&options.headers, credentials)?;
        Ok(Self { url, user })
    }

    /// The host as a resolver takes it: without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, said or meant.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// What a connection is set up with, if the endpoint wants it encrypted.
    ///
    /// # Errors
    /// When the roots cannot be read.
    pub fn tls(
        &self,
        ca_cert: Option<&Path>,
        insecure: bool,
    ) -> Result<Option<Arc<ClientConfig>>, OpenError> {
        (self.url.scheme() == "https")
            .then(|| tls::tls_config(ca_cert, insecure))
            .transpose()
    }

    /// The bytes of a request of HTTP/1.1: its head with the fields of our client, of the session and of the user, and
    /// its body.
    #[must_use]
    pub fn request(
        &self,
        method: &str,
        session: &BTreeMap<String, String>,
        edits: &HeaderEdits,
        body: Option<&[u8]>,
    ) -> Vec<u8> {
        let mut fields = Fields::defaults(method, &self.url, body, session, &self.user);
        fields.edit(edits);
        let mut bytes =
            format!("{method} {} HTTP/1.1\r\n", address::target(&self.url)).into_bytes();
        for field in fields.iter() {
            for part in [&field.name, ": ", &field.value, "\r\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.unwrap_or_default());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Redactor;

    #[test]
    fn a_request_has_our_fields_the_sessions_and_the_users() {
        let options = Options {
            headers: vec![("X-Key".to_owned(), "k".to_owned())],
            ca_cert: None,
            insecure: false,
            connect_timeout: Duration::from_secs(1),
            exit_grace: Duration::from_secs(1),
            redactor: Redactor::default(),
            revision: None,
            server: None,
        };
        let heads = RequestHeads::new("http://[::1]:3000/mcp?a=b", &options).expect("a URL");
        assert_eq!((heads.host(), heads.port()), ("::1", 3000));
        let session = BTreeMap::from([("mcp-session-id".to_owned(), "s".to_owned())]);
        let edits = HeaderEdits::from([("mcp-method".to_owned(), Some("ping".to_owned()))]);
        let bytes = heads.request("POST", &session, &edits, Some(b"{}"));
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("POST /mcp?a=b HTTP/1.1\r\nhost: [::1]:3000\r\n"));
        for line in [
            "content-length: 2",
            "mcp-session-id: s",
            "mcp-method: ping",
            "x-key: k",
        ] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{text}");
        }
        assert!(text.ends_with("\r\n\r\n{}"));
    }
}
