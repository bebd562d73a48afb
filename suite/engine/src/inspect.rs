//! What a target offers, for a person who wants to know before it is judged.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{
    fixtures::{FIXTURES, why_safe},
    probe::{Discovery, Way},
    session::cut,
    target::{TargetSpec, shell_words},
};

/// What was found out about a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Its name.
    pub target: String,
    /// The ways to reach it.
    pub ways: Vec<InspectedWay>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What it offers over one transport in one revision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InspectedWay {
    /// The transport.
    pub transport: String,
    /// The revision.
    pub revision: String,
    /// Its URL, or its program.
    pub address: String,
    /// What it says of itself.
    pub server_info: Option<Value>,
    /// What it declares that it can do.
    pub capabilities: Value,
    /// What it tells models about its use.
    pub instructions: Option<String>,
    /// Whether it hands out a session id.
    pub session_id: bool,
    /// Its tools.
    pub tools: Vec<InspectedTool>,
    /// URIs of its resources.
    pub resources: Vec<String>,
    /// Its resource templates.
    pub resource_templates: Vec<String>,
    /// Names of its prompts.
    pub prompts: Vec<String>,
    /// Fixtures found.
    pub fixtures: Vec<FoundFixture>,
    /// Fixtures missing.
    pub missing: Vec<MissingFixture>,
}

/// A tool that the target lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InspectedTool {
    /// Its name.
    pub name: String,
    /// Why checks may call it; absent for a tool that they never call.
    pub safe: Option<String>,
}

/// A fixture that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundFixture {
    /// Its name.
    pub fixture: String,
    /// What it is bound to.
    pub value: Value,
    /// Why.
    pub why: String,
}

/// A fixture that was not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingFixture {
    /// Its name.
    pub fixture: String,
    /// What is missing.
    pub how: String,
    /// What to write into `mcp-verdict.toml`; absent where the target does not declare the feature.
    pub snippet: Option<String>,
}

impl Inspection {
    /// Puts together what `discovery` found.
    #[must_use]
    pub fn of(spec: &TargetSpec, discovery: &Discovery) -> Self {
        Self {
            target: spec.name.clone(),
            ways: discovery
                .ways
                .iter()
                .map(|way| InspectedWay::of(spec, way))
                .collect(),
            notes: discovery.notes.clone(),
        }
    }
}

impl InspectedWay {
    fn offers_the_same(&self, other: &Self) -> bool {
        let other = Self {
            transport: self.transport.clone(),
            revision: self.revision.clone(),
            address: self.address.clone(),
            session_id: self.session_id,
            ..other.clone()
        };
        *self == other
    }

    fn of(spec: &TargetSpec, way: &Way) -> Self {
        use mcp_verdict_transport::Address;
        let address = match &way.address {
            Address::Command {
                program, arguments, ..
            } => {
                let words: Vec<_> = std::iter::once(program).chain(arguments).cloned().collect();
                shell_words(&words)
            }
            other => other.to_string(),
        };
        let lists = &way.bound.lists;
        let named = |list: &[Value], member: &str| {
            let name = |item: &Value| item.get(member).and_then(Value::as_str).map(str::to_owned);
            list.iter().filter_map(name).collect::<Vec<_>>()
        };
        let tool = |tool: &Value| {
            let name = tool.get("name").and_then(Value::as_str)?.to_owned();
            Some(InspectedTool {
                name,
                safe: why_safe(tool, spec),
            })
        };
        Self {
            transport: way.transport.to_string(),
            revision: way.revision.to_string(),
            address: spec.options.redactor.text(&address),
            server_info: way.server_info.clone(),
            capabilities: way.capabilities.clone(),
            instructions: way.instructions.clone(),
            session_id: way.session_id,
            tools: lists.tools.iter().filter_map(tool).collect(),
            resources: named(&lists.resources, "uri"),
            resource_templates: named(&lists.templates, "uriTemplate"),
            prompts: named(&lists.prompts, "name"),
            fixtures: found(way),
            missing: missing(way),
        }
    }
}

fn found(way: &Way) -> Vec<FoundFixture> {
    let found = FIXTURES.iter().filter_map(|fixture| {
        Some(FoundFixture {
            fixture: fixture.name.to_owned(),
            value: way.bound.values.get(fixture.name)?.clone(),
            why: way.bound.why.get(fixture.name).cloned().unwrap_or_default(),
        })
    });
    found.collect()
}

fn missing(way: &Way) -> Vec<MissingFixture> {
    let snippet = |name: &str| {
        FIXTURES
            .iter()
            .find(|it| it.name == name)
            .map(|it| it.snippet())
    };
    let missing = way.bound.missing.iter().map(|missing| MissingFixture {
        fixture: missing.fixture.clone(),
        how: missing.how.clone(),
        snippet: missing
            .is_declared
            .then(|| snippet(&missing.fixture))
            .flatten(),
    });
    missing.collect()
}

/// For a terminal. What a target sent is cut, and holds no control characters.
impl fmt::Display for Inspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.target)?;
        let mut shown: Vec<&InspectedWay> = Vec::new();
        for way in &self.ways {
            match shown.iter().find(|it| it.offers_the_same(way)) {
                Some(same) => writeln!(
                    formatter,
                    "\n{} over {}: the same as {} over {}",
                    way.revision, way.transport, same.revision, same.transport
                )?,
                None => {
                    write!(formatter, "\n{way}")?;
                    shown.push(way);
                }
            }
        }
        let unbound = shown
            .iter()
            .flat_map(|way| &way.missing)
            .find_map(|it| it.snippet.as_ref());
        if let Some(snippet) = unbound {
            writeln!(
                formatter,
                "\na missing fixture is bound in mcp-verdict.toml, such as"
            )?;
            for line in snippet.lines() {
                writeln!(formatter, "  {line}")?;
            }
        }
        if !self.notes.is_empty() {
            writeln!(formatter, "\nnotes")?;
        }
        for note in &self.notes {
            writeln!(formatter, "  {}", cut(note, LINE_CHARACTERS_MAX))?;
        }
        Ok(())
    }
}

impl fmt::Display for InspectedWay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = |name: &str| self.server_info.as_ref()?.get(name)?.as_str();
        let name = member("name").unwrap_or("a server without a name");
        let version = member("version").unwrap_or_default();
        writeln!(
            formatter,
            "{} over {}: {}",
            self.revision, self.transport, self.address
        )?;
        let mut line = |title: &str, text: &str| {
            writeln!(formatter, "  {title:<13}{}", cut(text, LINE_CHARACTERS_MAX))
        };
        line("server", &format!("{name} {version}"))?;
        line("capabilities", &self.capabilities.to_string())?;
        if self.session_id {
            line("session", "it hands out session ids")?;
        }
        let tools = self.tools.iter().map(|tool| match &tool.safe {
            Some(_) => tool.name.clone(),
            None => format!("{} (never called)", tool.name),
        });
        line("tools", &listed(tools.collect()))?;
        line("resources", &listed(self.resources.clone()))?;
        line("templates", &listed(self.resource_templates.clone()))?;
        line("prompts", &listed(self.prompts.clone()))?;
        writeln!(formatter, "  fixtures found")?;
        for found in &self.fixtures {
            let value = cut(&brief(&found.value), VALUE_CHARACTERS_MAX);
            writeln!(
                formatter,
                "    {:<25} {value}  ({})",
                found.fixture, found.why
            )?;
        }
        writeln!(formatter, "  fixtures missing")?;
        for missing in self.missing.iter().filter(|it| it.snippet.is_some()) {
            let how = cut(&missing.how, LINE_CHARACTERS_MAX);
            writeln!(formatter, "    {:<25} {how}", missing.fixture)?;
        }
        Ok(())
    }
}

/// The value without the schema that comes with some.
fn brief(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("outputSchema");
    }
    value.to_string()
}

fn listed(mut names: Vec<String>) -> String {
    let count = names.len();
    if count == 0 {
        return "none".to_owned();
    }
    names.truncate(NAMES_MAX);
    let more = count - names.len();
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{count}: {}{rest}", names.join(", "))
}

/// Longest line of a target's text that is shown.
const LINE_CHARACTERS_MAX: usize = 600;

/// Longest value of a fixture that is shown.
const VALUE_CHARACTERS_MAX: usize = 120;

/// Names shown of one list.
const NAMES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_names_itself_cannot_steer_a_terminal() {
        let way = InspectedWay {
            transport: "stdio".to_owned(),
            revision: "2025-06-18".to_owned(),
            address: "server".to_owned(),
            server_info: Some(serde_json::json!({"name": "\u{1b}[2Jevil\nline"})),
            capabilities: serde_json::json!({}),
            instructions: None,
            session_id: false,
            tools: vec![InspectedTool {
                name: "a\u{7}b".to_owned(),
                safe: None,
            }],
            resources: (0..30).map(|number| format!("r://{number}")).collect(),
            resource_templates: Vec::new(),
            prompts: Vec::new(),
            fixtures: Vec::new(),
            missing: Vec::new(),
        };
        let text = way.to_string();
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
        assert!(text.contains("a b (never called)"), "{text}");
        assert!(text.contains("30: r://0"), "{text}");
        assert!(text.contains("and 10 more"), "{text}");
    }
}
