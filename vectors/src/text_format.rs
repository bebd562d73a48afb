//! Two formats that patterns ask for: base64 and URI.

/// Whether a text is base64 with padding (RFC 4648 section 4).
#[must_use]
pub fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    bytes.len().is_multiple_of(4)
        && padding <= 2
        && bytes[..bytes.len() - padding]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// Whether a text is a URI with a scheme (RFC 3986 section 3).
#[must_use]
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_is_sound = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (before_fragment, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (hierarchy, query) = before_fragment
        .split_once('?')
        .unwrap_or((before_fragment, ""));
    let (authority, path) = match hierarchy.strip_prefix("//") {
        Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
        None => ("", hierarchy),
    };
    scheme_is_sound
        && is_authority(authority)
        && is_spelled_with(path, b":@/")
        && is_spelled_with(query, b":@/?")
        && is_spelled_with(fragment, b":@/?")
}

/// Whether a text is `[user@]host[:port]`.
fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) if is_spelled_with(address, b":") => {
                ("", after.strip_prefix(':').unwrap_or(after))
            }
            _ => return false,
        },
        None => host.split_once(':').unwrap_or((host, "")),
    };
    is_spelled_with(user, b":")
        && is_spelled_with(host, b"")
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text holds only unreserved characters, sub-delimiters, percent-encoded bytes and `more`.
fn is_spelled_with(text: &str, more: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let sound = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => {
                byte.is_ascii_alphanumeric()
                    || b"-._~!$&'()*+,;=".contains(&byte)
                    || more.contains(&byte)
            }
        };
        if !sound {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_told_from_its_neighbours() {
        for text in ["", "TQ==", "TWE=", "TWFu", "+/+/"] {
            assert!(is_base64(text), "{text}");
        }
        for text in [
            "TQ", "TQ=", "T===", "====", "-_-_", "TWF\n", "TW=u", "TWFué",
        ] {
            assert!(!is_base64(text), "{text}");
        }
    }

    #[test]
    fn a_uri_has_a_scheme_and_nothing_that_needs_encoding() {
        for text in [
            "file:///a/b",
            "https://user:x@example.com:80/p?q=1#f",
            "http://[::1]:8080/",
            "urn:isbn:0451450523",
            "test://static/%20",
            "demo:",
        ] {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "",
            "no scheme",
            "/a/b",
            "1a:b",
            "http://a b",
            "x://a/%2",
            "x:{id}",
            "x:é",
            "x:a#b#c",
            "http://[::1",
            "http://host:port",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }
}
