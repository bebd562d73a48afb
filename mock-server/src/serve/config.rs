//! How a mock server is started.

use std::sync::Arc;

use mcp_verdict_wire::{Revision, TransportKind};

use crate::{
    core::Core,
    faults,
    faults::{Distort, Faults},
};

/// How a mock server is started. The default is conformant, in every revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockConfig {
    /// Names of the faults it has.
    pub faults: Vec<String>,
    /// Host names, beside those of this machine, that a request may name in `Host` and `Origin`.
    pub allow_hosts: Vec<String>,
    /// What hears its clients and changes what they get, after the faults.
    pub distort: Option<Distort>,
    /// The revisions it speaks.
    pub revisions: Vec<Revision>,
    /// What it shows who it is with, on transports that can be encrypted. Without it nothing is.
    pub tls: Option<Tls>,
}

/// The identity of a server, in PEM form.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// Its certificate, and those between it and a root.
    pub certificate: String,
    /// The key of the certificate.
    pub key: String,
}

impl std::fmt::Debug for Tls {
    /// Without the key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tls { .. }")
    }
}

impl Default for MockConfig {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            allow_hosts: Vec::new(),
            distort: None,
            revisions: Revision::ALL.to_vec(),
            tls: None,
        }
    }
}

/// Why a mock server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// No listener serves this transport there.
    #[error("serve {0} there: a socket of Unix has a path, everything else an address")]
    NoListener(TransportKind),
    /// There is no revision to speak.
    #[error("start a server that speaks no revision")]
    NoRevision,
    /// What goes over this transport cannot be encrypted.
    #[error("encrypt {0}: TLS is there for HTTP, WebSocket and gRPC")]
    NoTls(TransportKind),
    /// The system has no randomness to give.
    #[error("get randomness: {0}")]
    Randomness(String),
    /// The certificate or its key is none.
    #[error("set up TLS: {0}")]
    Tls(String),
    /// No fault has this name.
    #[error("find the fault `{name}`{}", suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownFault {
        /// As given.
        name: String,
        /// One that is spelled almost like it.
        suggestion: Option<&'static str>,
    },
}

impl MockConfig {
    /// A server with one fault.
    #[must_use]
    pub fn with_fault(name: &str) -> Self {
        Self {
            faults: vec![name.to_owned()],
            ..Self::default()
        }
    }

    /// The server and its faults.
    pub(super) fn start(&self) -> Result<(Arc<Core>, Faults), StartError> {
        if self.revisions.is_empty() {
            return Err(StartError::NoRevision);
        }
        let faults = Faults::named(&self.faults).map_err(|name| {
            let suggestion = closest(&name);
            StartError::UnknownFault { name, suggestion }
        })?;
        let faults = faults.and(self.distort.clone());
        let core = Core::new(&self.revisions, faults.filter())
            .map_err(|error| StartError::Randomness(error.to_string()))?;
        Ok((core, faults))
    }
}

/// The fault whose name shares most of its words, or starts the same.
fn closest(name: &str) -> Option<&'static str> {
    let words = |name: &str| name.split('-').map(str::to_owned).collect::<Vec<_>>();
    let wanted = words(name);
    let shared = |fault: &faults::Fault| {
        let words = words(fault.name);
        // Long words say more than short ones.
        wanted
            .iter()
            .filter(|word| words.contains(word))
            .map(String::len)
            .sum::<usize>()
            * 2
            + fault
                .name
                .bytes()
                .zip(name.bytes())
                .take_while(|(left, right)| left == right)
                .count()
    };
    let best = faults::faults().max_by_key(|fault| shared(fault))?;
    (shared(best) >= 4).then_some(best.name)
}
