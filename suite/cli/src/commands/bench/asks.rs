//! What is to be sent, as the flags say it.

use std::fs;

use mcp_verdict_bench::{Ask, AskKind, read_mix};
use mcp_verdict_wire::{Era, Revision};
use serde_json::{Map, Value};

use crate::{arguments::MixArguments, exit::Expected};

/// Each operation that is asked for; where none is, the cheapest that the revision has.
pub(super) fn asks(arguments: &MixArguments, revision: Revision) -> Result<Vec<Ask>, Expected> {
    if let Some(path) = &arguments.mix {
        let failed = |why: String| Expected::usage(format!("read mix `{}`: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        return read_mix(&text).map_err(|error| failed(error.to_string()));
    }
    let mut kinds = Vec::new();
    for call in &arguments.call {
        kinds.push(called(call, arguments.payload)?);
    }
    kinds.extend(arguments.ping.then_some(AskKind::Ping));
    kinds.extend(arguments.discover.then_some(AskKind::Discover));
    kinds.extend(arguments.list.iter().cloned().map(AskKind::List));
    kinds.extend(arguments.read.iter().cloned().map(AskKind::Read));
    kinds.extend(arguments.session.then_some(AskKind::Session));
    if kinds.is_empty() {
        kinds.push(match revision.era() {
            Era::Legacy => AskKind::Ping,
            Era::Modern => AskKind::Discover,
        });
    }
    let ask = |kind| Ask { weight: 1, kind };
    Ok(kinds.into_iter().map(ask).collect())
}

/// `TOOL` or `TOOL=JSON`.
fn called(text: &str, payload: Option<u32>) -> Result<AskKind, Expected> {
    let (tool, arguments) = match text.split_once('=') {
        Some((tool, json)) => (tool, Some(object(text, json)?)),
        None => (text, None),
    };
    Ok(AskKind::Call {
        tool: tool.to_owned(),
        arguments,
        payload: payload.map(|bytes| bytes as usize),
    })
}

fn object(text: &str, json: &str) -> Result<Map<String, Value>, Expected> {
    match serde_json::from_str(json) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(Expected::usage(format!(
            "the arguments in --call '{text}' are no object"
        ))),
        Err(error) => Err(Expected::usage(format!(
            "the arguments in --call '{text}' are no JSON: {error}"
        ))
        .hint(r#"write it as --call 'echo={"text": "{payload}"}'"#)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_may_have_arguments() {
        let call = |text| called(text, Some(7)).expect("a call");
        let AskKind::Call {
            tool,
            arguments,
            payload,
        } = call(r#"echo={"a": "b=c"}"#)
        else {
            panic!("it is a call");
        };
        assert_eq!((tool.as_str(), payload), ("echo", Some(7)));
        assert_eq!(arguments.expect("some")["a"], "b=c");
        assert!(called("echo=[]", None).is_err());
        assert!(called("echo={", None).is_err());
    }
}
