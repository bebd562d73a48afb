//! From a URL to an endpoint: which transport it is, and where it is when the URL lacks its path.

use mcp_verdict_transport::{Address, Recorder};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::Map;

use super::{Found, ProbeError, reach::reach};
use crate::{
    session::{Session, SessionError},
    target::{TargetSpec, Url},
};

/// The endpoint at `url`, or the only one beside it. What the user should know goes to `notes`.
pub(super) async fn locate(
    url: &Url,
    spec: &TargetSpec,
    notes: &mut Vec<String>,
) -> Result<Address, ProbeError> {
    reach(url, spec).await?;
    let why = match at(url, spec).await? {
        Trial::Endpoint(transport) => return Ok(address(transport, url.to_string())),
        Trial::Nothing(why) => why,
    };
    let mut tried = vec![(url.to_string(), why)];
    let mut found: Vec<Found> = Vec::new();
    let mut denied = None;
    for path in candidates(url) {
        let place = url.with_path(&path);
        match at(&place, spec).await {
            Ok(Trial::Endpoint(transport)) => {
                let url = place.to_string();
                let same = |it: &Found| {
                    it.transport == transport
                        && it.url.trim_end_matches('/') == url.trim_end_matches('/')
                };
                if !found.iter().any(same) {
                    found.push(Found { url, transport });
                }
            }
            Ok(Trial::Nothing(why)) => tried.push((place.to_string(), why)),
            Err(error @ ProbeError::Denied { .. }) => denied = denied.or(Some(error)),
            Err(error) => tried.push((place.to_string(), error.to_string())),
        }
    }
    match (found.len(), denied) {
        (0, Some(denied)) => Err(denied),
        (0, None) => Err(ProbeError::NoEndpoint {
            url: url.to_string(),
            tried,
        }),
        (1, _) => {
            let found = found.remove(0);
            let (_, why) = &tried[0];
            notes.push(format!(
                "{url} is no MCP endpoint ({why}); {} is one ({}), and was used",
                found.url, found.transport
            ));
            Ok(address(found.transport, found.url))
        }
        _ => Err(ProbeError::SeveralEndpoints {
            url: url.to_string(),
            found,
        }),
    }
}

/// Where endpoints often are, other than at the URL itself.
fn candidates(url: &Url) -> Vec<String> {
    let given = url.path_alone();
    let toggled = match given.strip_suffix('/') {
        Some(rest) => rest.to_owned(),
        None => format!("{given}/"),
    };
    let mut candidates: Vec<String> = Vec::new();
    for path in [toggled.as_str(), "/mcp", "/mcp/", "/sse", "/"] {
        let is_new = !path.is_empty() && path != given && !candidates.iter().any(|it| it == path);
        if is_new {
            candidates.push(path.to_owned());
        }
    }
    candidates
}

enum Trial {
    Endpoint(TransportKind),
    /// What came instead.
    Nothing(String),
}

/// What is at exactly this URL.
async fn at(url: &Url, spec: &TargetSpec) -> Result<Trial, ProbeError> {
    let allowed = |transport| {
        spec.declared.transports.is_empty() || spec.declared.transports.contains(&transport)
    };
    let mut got = Vec::new();
    if allowed(TransportKind::StreamableHttp) {
        let mut last = String::new();
        for revision in [Revision::V2026_07_28, Revision::V2025_11_25] {
            match post(url, spec, revision).await {
                Ok(()) => return Ok(Trial::Endpoint(TransportKind::StreamableHttp)),
                Err(error) => last = nothing(error, url, spec)?,
            }
        }
        got.push(format!("POST: {last}"));
    }
    if allowed(TransportKind::HttpSse) {
        match stream(url, spec).await {
            Ok(()) => return Ok(Trial::Endpoint(TransportKind::HttpSse)),
            Err(error) => got.push(format!("GET: {}", nothing(error, url, spec)?)),
        }
    }
    Ok(Trial::Nothing(got.join("; ")))
}

/// What a failed attempt shows, unless it ends the search.
fn nothing(error: SessionError, url: &Url, spec: &TargetSpec) -> Result<String, ProbeError> {
    match ProbeError::of(error, &url.to_string(), has_credential(spec)) {
        Ok(fatal) => Err(fatal),
        Err(SessionError::Status { status, .. }) => Ok(format!("HTTP {status}")),
        Err(SessionError::Empty {
            status,
            content_type,
            ..
        }) => {
            let kind = content_type.unwrap_or_else(|| "nothing".to_owned());
            Ok(format!("HTTP {status} with {kind}"))
        }
        Err(other) => Ok(other.to_string()),
    }
}

/// Any JSON-RPC answer to a POST shows that this is an endpoint, whatever it thinks of the request.
async fn post(url: &Url, spec: &TargetSpec, revision: Revision) -> Result<(), SessionError> {
    let address = address(TransportKind::StreamableHttp, url.to_string());
    let recorder = Recorder::new(spec.options.redactor.clone());
    let capabilities = Map::new();
    let opened = Session::open(
        &address,
        &spec.options,
        revision,
        &capabilities,
        recorder,
        spec.timeout,
    );
    match opened.await {
        Ok(session) => {
            session.close().await;
            Ok(())
        }
        Err(SessionError::Rpc { .. } | SessionError::OtherRevision { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A stream that brings an `endpoint` event.
async fn stream(url: &Url, spec: &TargetSpec) -> Result<(), SessionError> {
    let address = address(TransportKind::HttpSse, url.to_string());
    let recorder = Recorder::new(spec.options.redactor.clone());
    let capabilities = Map::new();
    let opened = Session::bare(
        &address,
        &spec.options,
        Revision::V2024_11_05,
        &capabilities,
        recorder,
        spec.timeout,
    );
    opened.await?.close().await;
    Ok(())
}

pub(super) fn has_credential(spec: &TargetSpec) -> bool {
    spec.options
        .headers
        .iter()
        .any(|(name, _)| !name.starts_with("x-forwarded"))
}

fn address(transport: TransportKind, url: String) -> Address {
    match transport {
        TransportKind::HttpSse => Address::HttpSse { url },
        _ => Address::StreamableHttp { url },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_looked_for_where_it_often_is() {
        let at = |url| candidates(&Url::parse(url).expect("a URL"));
        assert_eq!(at("http://a"), ["/mcp", "/mcp/", "/sse"]);
        assert_eq!(at("http://a/mcp?b=c"), ["/mcp/", "/sse", "/"]);
        assert_eq!(
            at("http://a/api/mcp/"),
            ["/api/mcp", "/mcp", "/mcp/", "/sse", "/"]
        );
    }
}
