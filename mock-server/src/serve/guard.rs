//! Who may talk to a server on this machine: `Host` and `Origin` against DNS rebinding.

use std::net::SocketAddr;

use http::{HeaderMap, header};

/// Host names that requests may be for, and pages may come from.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
}

impl Guard {
    /// This machine's names, the address listened on, and those that the user allows.
    pub(super) fn new(address: SocketAddr, allowed: &[String]) -> Self {
        let mut hosts: Vec<_> = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .to_vec();
        if !address.ip().is_unspecified() {
            hosts.push(host_of(&address.to_string()).to_owned());
        }
        hosts.extend(allowed.iter().map(|host| host.to_ascii_lowercase()));
        Self { hosts }
    }

    /// MUST: basic/transports#security-warning. Whether to serve a request with these headers.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let all = |name, sound: &dyn Fn(&str) -> bool| {
            headers
                .get_all(name)
                .iter()
                .all(|value| value.to_str().is_ok_and(sound))
        };
        all(header::HOST, &|host| self.knows(host))
            && all(header::ORIGIN, &|origin| self.knows_origin(origin))
    }

    fn knows_origin(&self, origin: &str) -> bool {
        let host = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        host.is_some_and(|host| self.knows(host))
    }

    fn knows(&self, authority: &str) -> bool {
        let host = host_of(authority).to_ascii_lowercase();
        self.hosts.contains(&host)
    }
}

/// An authority without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            host
        }
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_this_machine_and_what_is_allowed_is_admitted() {
        let guard = Guard::new(
            "127.0.0.1:80".parse().unwrap(),
            &["Mock.Example".to_owned()],
        );
        let admits = |name: header::HeaderName, value: &str| {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]);
            guard.admits(&headers)
        };
        for host in [
            "localhost",
            "localhost:3000",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
            "mock.example:1",
        ] {
            assert!(admits(header::HOST, host), "{host}");
            assert!(admits(header::ORIGIN, &format!("http://{host}")), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:80",
            "127.0.0.1.evil.example",
        ] {
            assert!(!admits(header::HOST, host), "{host}");
            assert!(!admits(header::ORIGIN, &format!("http://{host}")), "{host}");
        }
        for origin in [
            "null",
            "localhost",
            "ftp://localhost",
            "http://localhost@evil.example",
            "",
        ] {
            assert!(!admits(header::ORIGIN, origin), "{origin}");
        }
        assert!(guard.admits(&HeaderMap::new()));
    }
}
