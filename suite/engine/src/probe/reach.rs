//! Whether anything listens at a URL: told apart before HTTP, whose errors say less.

use std::io;

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::ProbeError;
use crate::target::{TargetSpec, Url};

/// Connects once, and leaves.
pub(super) async fn reach(url: &Url, spec: &TargetSpec) -> Result<(), ProbeError> {
    let (host, port, after) = (url.host.clone(), url.port, spec.options.connect_timeout);
    let late = || ProbeError::Timeout {
        host: url.host.clone(),
        port,
        after,
    };
    let unknown = |why: &str| ProbeError::UnknownHost {
        host: url.host.clone(),
        why: why.to_owned(),
    };
    let addresses: Vec<_> = timeout(after, lookup_host((host.as_str(), port)))
        .await
        .map_err(|_| late())?
        .map_err(|error| unknown(&error.to_string()))?
        .collect();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses.iter().take(ADDRESSES_MAX) {
        match timeout(after, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => last = error,
            Err(_) => return Err(late()),
        }
    }
    if addresses.is_empty() {
        return Err(unknown("it has no address"));
    }
    Err(ProbeError::PortClosed {
        host,
        port,
        why: last.to_string(),
    })
}

/// Addresses tried of one name.
const ADDRESSES_MAX: usize = 4;
