//! URLs: which we use, and how one is made from another.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;

use crate::{OpenError, SendError};

/// The URL that `text` is, without fragment and user information; the latter as a value for
/// `authorization`.
pub(super) fn parse(text: &str) -> Result<(Url, Option<String>), OpenError> {
    let unusable = |why: String| OpenError::Url {
        url: without_user(text),
        why,
    };
    let mut url = Url::parse(text).map_err(|error| unusable(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable(format!(
            "its scheme is `{}`, not http or https",
            url.scheme()
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(unusable("it names no host".to_owned()));
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    let credentials = has_user.then(|| {
        let user = decode_percent(url.username());
        let password = decode_percent(url.password().unwrap_or_default());
        format!("Basic {}", STANDARD.encode([user, password].join(&b':')))
    });
    strip(&mut url);
    Ok((url, credentials))
}

/// The URL's host and, unless it is the scheme's own, port, as `host` says it.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What follows the method in a request.
pub(super) fn target(url: &Url) -> String {
    url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    )
}

/// `base` with another path and query, or what a reference as in an `endpoint` event leads to.
pub(super) fn with_path(base: &Url, path: &str) -> Result<Url, SendError> {
    if !path.starts_with('/') {
        return endpoint(base, path).map_err(SendError::Build);
    }
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(query);
    Ok(url)
}

/// Where an `endpoint` event points. It must not lead to another origin.
pub(super) fn endpoint(stream: &Url, reference: &str) -> Result<Url, String> {
    let mut url = stream
        .join(reference.trim())
        .map_err(|error| format!("the endpoint `{reference}` is no URL: {error}"))?;
    if url.origin() != stream.origin() {
        return Err(format!(
            "the endpoint `{reference}` is on another origin than the stream, and is not followed"
        ));
    }
    strip(&mut url);
    Ok(url)
}

fn strip(url: &mut Url) {
    url.set_fragment(None);
    // Both refuse URLs without a host, of which there are none here.
    let _: (Result<(), ()>, Result<(), ()>) = (url.set_username(""), url.set_password(None));
}

/// `text` without what may be a password in it, for messages about a text that is no URL.
fn without_user(text: &str) -> String {
    let start = text.find("://").map_or(0, |place| place + 3);
    let end = text[start..]
        .find(['/', '?', '#'])
        .map_or(text.len(), |place| start + place);
    match text[start..end].rfind('@') {
        Some(at) => format!("{}{}", &text[..start], &text[start + at + 1..]),
        None => text.to_owned(),
    }
}

fn decode_percent(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        let escaped = (byte == b'%')
            .then(|| text.get(place + 1..place + 3))
            .flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                place += 3;
            }
            None => {
                decoded.push(byte);
                place += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_information_becomes_a_header_and_leaves_the_url() {
        let (url, credentials) = parse("https://a%40b:p%3A@example.org:8443/mcp?x=1#part").unwrap();
        assert_eq!(url.as_str(), "https://example.org:8443/mcp?x=1");
        assert_eq!(
            credentials,
            Some(format!("Basic {}", STANDARD.encode("a@b:p:")))
        );
        assert_eq!(authority(&url), "example.org:8443");
        assert_eq!(target(&url), "/mcp?x=1");
    }

    #[test]
    fn a_password_in_what_is_no_url_is_not_shown() {
        for text in [
            "ftp://me:secret@example.org/x",
            "http://me:secret@ex ample/x",
            "http://me:secret@",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_schemes_own_port_is_not_named() {
        assert_eq!(authority(&parse("http://[::1]:80/").unwrap().0), "[::1]");
        assert_eq!(
            authority(&parse("http://localhost:3000").unwrap().0),
            "localhost:3000"
        );
    }

    #[test]
    fn a_path_replaces_path_and_query() {
        let base = parse("http://h:1/mcp?a=b").unwrap().0;
        assert_eq!(
            with_path(&base, "/x?c=d#e").unwrap().as_str(),
            "http://h:1/x?c=d"
        );
        assert_eq!(
            with_path(&base, "//evil/x").unwrap().origin(),
            base.origin()
        );
        assert_eq!(
            with_path(&base, "http://h:1/x?c=d").unwrap().as_str(),
            "http://h:1/x?c=d"
        );
        assert!(with_path(&base, "http://other/x").is_err());
    }

    #[test]
    fn an_endpoint_is_resolved_and_stays_on_its_origin() {
        let stream = parse("http://h:1/a/sse").unwrap().0;
        let resolved = |reference| endpoint(&stream, reference).map(|url| url.to_string());
        assert_eq!(resolved("/m?id=1"), Ok("http://h:1/m?id=1".to_owned()));
        assert_eq!(resolved("m"), Ok("http://h:1/a/m".to_owned()));
        assert_eq!(resolved("http://h:1/m"), Ok("http://h:1/m".to_owned()));
        for foreign in [
            "http://h:2/m",
            "//other/m",
            "https://h:1/m",
            "file:///etc/passwd",
        ] {
            assert!(resolved(foreign).is_err(), "{foreign}");
        }
    }
}
