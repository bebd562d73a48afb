//! Checks what we sent: our own bad bytes are an error of ours, never the target's.

use mcp_verdict_results::Verdict;

use super::walk::Judgement;
use crate::{
    schema::Validator,
    view::{Kind, View},
};

/// The first message of ours that breaks the revision's rules without being meant to.
pub(super) fn our_mistake(view: &View<'_>) -> Option<Judgement> {
    let validator = Validator::of(view.head.revision);
    view.ours()
        .filter(|message| !message.meant)
        .find_map(|message| {
            let why = match (&message.kind, &message.value) {
                (Kind::Invalid { why, .. }, _) => why.clone(),
                (_, None) => "it is no JSON".to_owned(),
                (_, Some(value)) => {
                    let violation = validator.message(value).into_iter().next().or_else(|| {
                        let definition = match &message.kind {
                            Kind::Request { method, .. } => validator.request_definition(method),
                            Kind::Notification { method } => {
                                validator.notification_definition(method)
                            }
                            _ => None,
                        };
                        validator
                            .validate(definition?, value)
                            .ok()?
                            .into_iter()
                            .next()
                    })?;
                    format!("{}: {}", violation.at, violation.message)
                }
            };
            Some(Judgement {
                verdict: Verdict::Error,
                message: format!("the suite sent a message that it should not have: {why}"),
                expected: Some(format!(
                    "a message that revision {} allows",
                    view.head.revision
                )),
                actual: message.value.as_ref().map(ToString::to_string),
                evidence: vec![message.event],
            })
        })
}
