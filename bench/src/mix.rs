//! What is asked for, as a person writes it: single requests by flags, or a mix of them in TOML.

use mcp_verdict_engine::{fixtures::minimal_instance, session::tool_headers};
use mcp_verdict_transport::HeaderEdits;
use mcp_verdict_wire::{Era, Revision};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::plan::{Operation, Work};

/// Operations with their weights.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    operation: Vec<Entry>,
}

/// One operation as the file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default = "one")]
    weight: u32,
    call: Option<String>,
    arguments: Option<Map<String, Value>>,
    payload: Option<usize>,
    list: Option<String>,
    read: Option<String>,
    #[serde(default)]
    ping: bool,
    #[serde(default)]
    discover: bool,
    #[serde(default)]
    session: bool,
}

fn one() -> u32 {
    1
}

/// An operation that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// How often it comes, against the others.
    pub weight: u32,
    /// What it is.
    pub kind: AskKind,
}

/// The kinds of operations.
#[derive(Clone, Debug, PartialEq)]
pub enum AskKind {
    /// Calls a tool.
    Call {
        /// Its name.
        tool: String,
        /// Its arguments; without them the least that its schema accepts. `{payload}` in a string is replaced.
        arguments: Option<Map<String, Value>>,
        /// How long the text is that stands for `{payload}`, in bytes.
        payload: Option<usize>,
    },
    /// Asks what the server speaks and offers; modern only.
    Discover,
    /// Asks for a page of a list: `tools`, `prompts`, `resources` or `templates`.
    List(String),
    /// Pings; legacy only.
    Ping,
    /// Reads a resource.
    Read(String),
    /// Closes the session and opens another.
    Session,
}

/// A mix that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// The file is not as it should be.
    #[error("{0}")]
    File(String),
    /// An operation of the file is none, or several.
    #[error(
        "operation {0} of the mix needs exactly one of call, list, read, ping, discover and session"
    )]
    NotOne(usize),
    /// There is nothing to send, or nothing that ever comes.
    #[error("the mix has no operation with a weight")]
    Empty,
    /// The revision has no such thing.
    #[error("{revision} has no {what}")]
    NotInRevision {
        /// The revision.
        revision: Revision,
        /// What was asked for.
        what: &'static str,
    },
    /// There is no such list.
    #[error("there is no list of `{0}`; known are tools, prompts, resources, templates")]
    UnknownList(String),
    /// The server does not list the tool.
    #[error("the server lists no tool `{tool}`{}", hint(known))]
    UnknownTool {
        /// The tool.
        tool: String,
        /// The first of those that it lists.
        known: Vec<String>,
    },
    /// Nothing is known that the tool accepts.
    #[error("give the arguments of `{0}`: none could be made that its schema accepts")]
    NoArguments(String),
    /// There is no place for the payload.
    #[error(
        "there is no text in the arguments of `{0}` that could be the payload; write {{payload}} in one"
    )]
    NoPayload(String),
}

fn hint(known: &[String]) -> String {
    match known {
        [] => String::new(),
        known => format!("; it lists {}", known.join(", ")),
    }
}

/// Reads a mix.
///
/// # Errors
/// When it is not as it should be.
pub fn read_mix(text: &str) -> Result<Vec<Ask>, MixError> {
    let file: File = toml::from_str(text).map_err(|error| MixError::File(error.to_string()))?;
    let asks: Result<Vec<Ask>, MixError> = file
        .operation
        .into_iter()
        .enumerate()
        .map(|(number, entry)| entry.ask().ok_or(MixError::NotOne(number + 1)))
        .collect();
    let asks = asks?;
    match asks.iter().any(|ask| ask.weight > 0) {
        true => Ok(asks),
        false => Err(MixError::Empty),
    }
}

impl Entry {
    fn ask(self) -> Option<Ask> {
        let mut kinds = Vec::new();
        if let Some(tool) = self.call {
            kinds.push(AskKind::Call {
                tool,
                arguments: self.arguments,
                payload: self.payload,
            });
        } else if self.arguments.is_some() || self.payload.is_some() {
            return None;
        }
        kinds.extend(self.list.map(AskKind::List));
        kinds.extend(self.read.map(AskKind::Read));
        kinds.extend(self.ping.then_some(AskKind::Ping));
        kinds.extend(self.discover.then_some(AskKind::Discover));
        kinds.extend(self.session.then_some(AskKind::Session));
        let weight = self.weight;
        match <[AskKind; 1]>::try_from(kinds) {
            Ok([kind]) => Some(Ask { weight, kind }),
            Err(_) => None,
        }
    }
}

/// The operations of a mix, in a revision, with the tools that the server lists.
///
/// # Errors
/// When one of them cannot be sent.
pub fn operations(
    asks: &[Ask],
    revision: Revision,
    tools: &[Value],
) -> Result<Vec<Operation>, MixError> {
    let asks = asks.iter().filter(|ask| ask.weight > 0).enumerate();
    let operations: Result<Vec<Operation>, MixError> = asks
        .map(|(number, ask)| {
            let operation = operation(&ask.kind, number, revision, tools)?;
            Ok(Operation {
                weight: ask.weight,
                ..operation
            })
        })
        .collect();
    let operations = operations?;
    match operations.is_empty() {
        true => Err(MixError::Empty),
        false => Ok(operations),
    }
}

fn operation(
    kind: &AskKind,
    number: usize,
    revision: Revision,
    tools: &[Value],
) -> Result<Operation, MixError> {
    let plain = |name: String, method: &str, params: Option<Value>| {
        Operation::request(revision, number, name, method, params, HeaderEdits::new())
    };
    let only = |era: Era, what: &'static str| match revision.era() == era {
        true => Ok(()),
        false => Err(MixError::NotInRevision { revision, what }),
    };
    match kind {
        AskKind::Call {
            tool,
            arguments,
            payload,
        } => {
            let arguments = arguments_of(tool, arguments.as_ref(), *payload, tools)?;
            let listed = tools.iter().find(|it| it.get("name") == Some(&json!(tool)));
            let schema = listed.and_then(|it| it.get("inputSchema"));
            let headers = match (revision.era(), schema) {
                (Era::Modern, Some(schema)) => tool_headers(schema, &arguments),
                _ => HeaderEdits::new(),
            };
            let name = format!("tools/call {tool}");
            let params = json!({"name": tool, "arguments": arguments});
            let params = Some(params);
            Ok(Operation::request(
                revision,
                number,
                name,
                "tools/call",
                params,
                headers,
            ))
        }
        AskKind::Discover => {
            only(Era::Modern, "server/discover; use --ping")?;
            Ok(plain("server/discover".to_owned(), "server/discover", None))
        }
        AskKind::List(what) => {
            let method = match what.as_str() {
                "tools" => "tools/list",
                "prompts" => "prompts/list",
                "resources" => "resources/list",
                "templates" => "resources/templates/list",
                _ => return Err(MixError::UnknownList(what.clone())),
            };
            Ok(plain(method.to_owned(), method, None))
        }
        AskKind::Ping => {
            only(Era::Legacy, "ping; use --discover")?;
            Ok(plain("ping".to_owned(), "ping", None))
        }
        AskKind::Read(uri) => Ok(plain(
            format!("resources/read {uri}"),
            "resources/read",
            Some(json!({"uri": uri})),
        )),
        AskKind::Session => Ok(Operation {
            name: "session".to_owned(),
            weight: 1,
            work: Work::Session,
        }),
    }
}

fn arguments_of(
    tool: &str,
    given: Option<&Map<String, Value>>,
    payload: Option<usize>,
    tools: &[Value],
) -> Result<Value, MixError> {
    let named = |it: &&Value| it.get("name").and_then(Value::as_str) == Some(tool);
    let mut arguments = match (given, tools.iter().find(named)) {
        (Some(given), _) => Value::Object(given.clone()),
        (None, Some(listed)) => listed
            .get("inputSchema")
            .and_then(minimal_instance)
            .filter(Value::is_object)
            .ok_or_else(|| MixError::NoArguments(tool.to_owned()))?,
        (None, None) => {
            let names = tools.iter().filter_map(|it| it.get("name")?.as_str());
            return Err(MixError::UnknownTool {
                tool: tool.to_owned(),
                known: names
                    .take(NAMES_MAX)
                    .map(|name| name.chars().take(NAME_LENGTH_MAX).collect())
                    .collect(),
            });
        }
    };
    let Some(bytes) = payload else {
        return Ok(arguments);
    };
    let text = "x".repeat(bytes);
    if !put_payload(&mut arguments, &text, 0) {
        let members = arguments.as_object_mut().into_iter().flatten();
        let mut texts = members.filter(|(_, value)| value.is_string());
        match texts.next() {
            // What was made up may be any text; what was given says where.
            Some((_, value)) if given.is_none() => *value = json!(text),
            _ => return Err(MixError::NoPayload(tool.to_owned())),
        }
    }
    Ok(arguments)
}

/// Puts the payload where the arguments want it. True if they do.
fn put_payload(value: &mut Value, payload: &str, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match value {
        Value::String(text) if text.contains(PLACE) => {
            *text = text.replace(PLACE, payload);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| {
            put_payload(item, payload, depth + 1) | any
        }),
        Value::Object(members) => members.iter_mut().fold(false, |any, (_, it)| {
            put_payload(it, payload, depth + 1) | any
        }),
        _ => false,
    }
}

/// Tools that are named where one is not found.
const NAMES_MAX: usize = 8;

/// Characters of a name that are shown.
const NAME_LENGTH_MAX: usize = 60;

/// What stands for the payload.
const PLACE: &str = "{payload}";

/// Deeper arguments are not looked into.
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> Vec<Value> {
        let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
        vec![json!({"name": "echo", "inputSchema": schema})]
    }

    fn sent(text: &str, revision: Revision) -> Result<Vec<(String, u32, Option<usize>)>, MixError> {
        let asks = read_mix(text)?;
        let operations = operations(&asks, revision, &echo())?;
        let shown = operations.iter().map(|it| {
            let bytes = it.request_bytes();
            (it.name.clone(), it.weight, bytes)
        });
        Ok(shown.collect())
    }

    #[test]
    fn a_mix_is_read_with_its_weights() {
        let text = r#"
            [[operation]]
            call = "echo"
            payload = 200
            weight = 3
            [[operation]]
            list = "tools"
            [[operation]]
            ping = true
            weight = 0
            [[operation]]
            session = true
        "#;
        let sent = sent(text, Revision::V2025_11_25).expect("a mix");
        let names: Vec<_> = sent.iter().map(|it| (it.0.as_str(), it.1)).collect();
        assert_eq!(
            names,
            [("tools/call echo", 3), ("tools/list", 1), ("session", 1)]
        );
        assert!(sent[0].2.is_some_and(|bytes| (280..320).contains(&bytes)));
        assert_eq!(sent[2].2, None);
    }

    #[test]
    fn a_payload_goes_where_the_arguments_want_it() {
        let call = |arguments: &str| {
            let text =
                format!("[[operation]]\ncall = \"echo\"\npayload = 5\narguments = {arguments}");
            sent(&text, Revision::V2025_11_25)
        };
        assert!(call(r#"{text = "a{payload}b"}"#).is_ok());
        assert_eq!(
            call(r#"{text = "a"}"#),
            Err(MixError::NoPayload("echo".to_owned()))
        );
    }

    #[test]
    fn what_cannot_be_sent_is_told() {
        let told = |text: &str, revision| sent(text, revision).unwrap_err().to_string();
        let legacy = Revision::V2025_11_25;
        for (text, revision, word) in [
            (
                "[[operation]]\nping = true",
                Revision::V2026_07_28,
                "has no ping",
            ),
            (
                "[[operation]]\ndiscover = true",
                legacy,
                "has no server/discover",
            ),
            (
                "[[operation]]\nlist = \"cats\"",
                legacy,
                "no list of `cats`",
            ),
            (
                "[[operation]]\ncall = \"nope\"",
                legacy,
                "lists no tool `nope`; it lists echo",
            ),
            (
                "[[operation]]\nping = true\nlist = \"tools\"",
                legacy,
                "exactly one",
            ),
            ("[[operation]]\nweight = 2", legacy, "exactly one"),
            (
                "[[operation]]\nping = true\nweight = 0",
                legacy,
                "no operation",
            ),
            ("[[operation]]\npong = true", legacy, "pong"),
        ] {
            let error = told(text, revision);
            assert!(error.contains(word), "{error}");
        }
    }
}
