//! Whether a target speaks one revision at one address.

use std::time::Duration;

use mcp_verdict_transport::{Address, Recorder};
use mcp_verdict_wire::{Era, Revision, message::Lenient, transcript::EventKind};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::Way;
use crate::{
    fixtures::{bind, modest},
    native::is_native,
    session::{Session, SessionError, default_capabilities},
    target::TargetSpec,
};

/// What came of one attempt.
pub(super) struct Spoken {
    pub(super) revision: Revision,
    pub(super) outcome: Result<Box<Way>, SessionError>,
    /// The first line on standard output that is no message, without which the rest is.
    pub(super) banner: Option<String>,
    /// The end of its session, under way.
    pub(super) closing: Option<JoinHandle<()>>,
}

/// Opens a session, asks the target what it offers, and leaves.
pub(super) async fn speak(
    address: &Address,
    revision: Revision,
    patience: Duration,
    spec: &TargetSpec,
) -> Spoken {
    let recorder = Recorder::new(spec.options.redactor.clone());
    let capabilities = default_capabilities(revision);
    let opened = Session::open_within(
        address,
        &spec.options,
        revision,
        &capabilities,
        recorder.clone(),
        spec.timeout,
        patience,
    );
    let (outcome, closing) = match opened.await {
        Ok(mut session) => {
            let outcome = explore(&mut session, address, spec).await;
            // A program may take its time to leave.
            (outcome, Some(tokio::spawn(session.close())))
        }
        Err(error) => (Err(error), None),
    };
    Spoken {
        revision,
        outcome,
        banner: banner(&recorder),
        closing,
    }
}

async fn explore(
    session: &mut Session,
    address: &Address,
    spec: &TargetSpec,
) -> Result<Box<Way>, SessionError> {
    if is_native(address) {
        session.survey().await?;
    } else {
        named(session)?;
    }
    let bound = bind(session, spec).await;
    let instructions = session
        .opening
        .as_ref()
        .and_then(|it| it.get("instructions"));
    Ok(Box::new(Way {
        address: address.clone(),
        transport: address.transport(),
        revision: session.revision,
        server_info: session.server_info.as_ref().map(modest),
        capabilities: session.capabilities.clone(),
        instructions: instructions.and_then(Value::as_str).map(str::to_owned),
        session_id: session.session_id.is_some(),
        bound,
    }))
}

/// Whether the opening exchange names exactly the revision asked for. Other parts of the suite take it
/// leniently; here it is the question.
fn named(session: &Session) -> Result<(), SessionError> {
    let opening = session.opening.as_ref().unwrap_or(&Value::Null);
    let (method, member) = match session.revision.era() {
        Era::Legacy => ("initialize", "protocolVersion"),
        Era::Modern => ("server/discover", "supportedVersions"),
    };
    let asked = session.revision;
    match opening.get(member) {
        Some(Value::String(version)) if version == asked.as_str() => Ok(()),
        Some(Value::Array(versions)) if versions.iter().any(|it| it == asked.as_str()) => Ok(()),
        Some(got @ Value::Array(_)) if asked.era() == Era::Modern => {
            Err(SessionError::OtherRevision {
                asked,
                got: got.to_string(),
            })
        }
        _ => Err(SessionError::Malformed {
            method: method.to_owned(),
            why: format!("its result has no `{member}`"),
        }),
    }
}

fn banner(recorder: &Recorder) -> Option<String> {
    recorder.look(|events| {
        events.iter().find_map(|event| match &event.kind {
            EventKind::Received {
                exchange: 0, bytes, ..
            } => {
                let is_message = match Lenient::parse(&bytes.0) {
                    Ok(_) => true,
                    Err(malformed) => malformed.is_limit(),
                };
                let text = bytes.to_text();
                let is_banner = !is_message && !text.trim().is_empty();
                is_banner.then(|| crate::session::cut(&text, 80))
            }
            _ => None,
        })
    })
}
