//! What cases are made of: what a revision lets a client say, and what this target offers.

use mcp_verdict_engine::{
    fixtures::minimal_instance,
    plan::PreparedWay,
    session::{complete_notification, complete_request, default_capabilities},
};
use mcp_verdict_vectors::schemas::{self, Method, MethodKind};
use mcp_verdict_wire::{Era, Revision, TransportKind};
use serde_json::{Map, Value, json};

use crate::{
    generate::instance,
    source::{Mark, Source},
};

/// What cases for one way to reach a target are made of.
#[derive(Clone, Debug)]
pub struct Material {
    /// The revision spoken.
    pub revision: Revision,
    /// The transport.
    pub transport: TransportKind,
    requests: Vec<&'static Method>,
    notifications: Vec<&'static Method>,
    tools: Vec<Tool>,
    prompts: Vec<Value>,
    resources: Vec<Value>,
    completions: Vec<Value>,
    capabilities: Map<String, Value>,
}

/// A tool that may be called.
#[derive(Clone, Debug)]
struct Tool {
    name: Value,
    schema: Value,
    /// Arguments that it is known to take.
    arguments: Option<Value>,
}

/// A message that is right, with the method it was made of.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) method: &'static str,
    pub(crate) value: Value,
}

impl Material {
    /// What there is for `way`. `is_safe` tells whether a tool, as it is listed, may be called.
    pub fn of(way: &PreparedWay, is_safe: &dyn Fn(&Value) -> bool) -> Self {
        let methods = schemas::methods(way.revision).iter();
        let of_client =
            methods.filter(|method| method.from_client && !LEFT_OUT.contains(&method.name));
        let (requests, notifications) =
            of_client.partition(|method| method.kind == MethodKind::Request);
        let bound = |names: &[&str]| -> Vec<Value> {
            let values = names.iter().filter_map(|name| way.bindings.get(*name));
            values.cloned().collect()
        };
        Self {
            revision: way.revision,
            transport: way.transport,
            requests,
            notifications,
            tools: tools(way, is_safe),
            prompts: bound(&["prompt_any", "prompt_arguments", "prompt_required_argument"]),
            resources: bound(&["resource_text", "resource_binary", "resource_template"]),
            completions: bound(&["completion_prompt", "completion_resource"]),
            capabilities: default_capabilities(way.revision),
        }
    }

    /// Tools that may be called, with arguments that they are known to take.
    pub(crate) fn calls(&self) -> Vec<(Value, Value)> {
        let tools = self.tools.iter();
        tools
            .map(|tool| {
                let minimal = || minimal_instance(&tool.schema).unwrap_or_else(|| json!({}));
                let arguments = tool.arguments.clone().unwrap_or_else(minimal);
                (tool.name.clone(), arguments)
            })
            .collect()
    }

    /// Leaves a tool alone from now on.
    pub(crate) fn leave_alone(&mut self, name: &Value) {
        self.tools.retain(|tool| tool.name != *name);
    }

    /// The era of its revision.
    #[must_use]
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// A request that the revision allows, with `id`.
    pub(crate) fn request(&self, source: &mut Source, mark: Mark, id: Value) -> Whole {
        // What is called most breaks most.
        let tool = !self.tools.is_empty() && source.one_in(3);
        let method = if tool {
            "tools/call"
        } else {
            source.pick(&self.requests).name
        };
        self.request_of(source, mark, id, method)
    }

    /// A request of this method.
    pub(crate) fn request_of(
        &self,
        source: &mut Source,
        mark: Mark,
        id: Value,
        method: &'static str,
    ) -> Whole {
        let params = match method {
            "tools/call" => self.call(source, mark),
            "prompts/get" => named(source, &self.prompts, &["name", "arguments"]),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                named(source, &self.resources, &["uri"])
            }
            "completion/complete" => named(source, &self.completions, &["ref", "argument"]),
            _ => None,
        };
        let params = match params {
            Some(params) if !source.one_in(5) => Some(params),
            _ => self.params(source, mark, method),
        };
        let capabilities = &self.capabilities;
        let (value, _) = complete_request(self.revision, capabilities, method, params, id);
        Whole { method, value }
    }

    /// A notification that the revision allows.
    pub(crate) fn notification(&self, source: &mut Source, mark: Mark) -> Whole {
        let method = source.pick(&self.notifications).name;
        let mut params = self.params(source, mark, method);
        // What is cancelled is nothing that we wait for.
        if let Some(id) = params
            .as_mut()
            .and_then(|params| params.get_mut("requestId"))
        {
            *id = json!(format!("{mark} none"));
        }
        let (value, _) = complete_notification(self.revision, method, params);
        Whole { method, value }
    }

    /// Every method that a case can be made of.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        let all = self.requests.iter().chain(&self.notifications);
        all.map(|method| method.name)
    }

    fn call(&self, source: &mut Source, mark: Mark) -> Option<Value> {
        if self.tools.is_empty() {
            return None;
        }
        let tool = source.pick(&self.tools).clone();
        let arguments = match tool.arguments {
            Some(arguments) if source.one_in(2) => arguments,
            _ => instance::instance(source, &tool.schema, &tool.schema, mark),
        };
        Some(json!({"name": tool.name, "arguments": arguments}))
    }

    /// The params of a message of this method, drawn from the revision's schema.
    fn params(&self, source: &mut Source, mark: Mark, method: &str) -> Option<Value> {
        let document = schemas::document(self.revision);
        let definition = schemas::methods(self.revision)
            .iter()
            .find(|other| other.name == method)?
            .definition;
        let schema = document.pointer(&format!("/$defs/{definition}"))?;
        let message = instance::instance(source, schema, document, mark);
        let Some(Value::Object(mut params)) = message.get("params").cloned() else {
            return (self.era() == Era::Modern).then(|| json!({}));
        };
        // A tool that is not known to be safe is never called, and no work is left behind.
        params.retain(|name, _| !matches!(name.as_str(), "_meta" | "task"));
        if method == "tools/call" {
            params.insert("name".to_owned(), json!(format!("{mark} none")));
        }
        Some(Value::Object(params))
    }
}

/// The members of one of several bindings that a request's params take.
fn named(source: &mut Source, of: &[Value], members: &[&str]) -> Option<Value> {
    if of.is_empty() {
        return None;
    }
    let bound = source.pick(of);
    let there = members.iter().filter_map(|name| {
        let value = bound.get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Some(Value::Object(there.collect()))
}

/// The tools that may be called and answer soon.
fn tools(way: &PreparedWay, is_safe: &dyn Fn(&Value) -> bool) -> Vec<Tool> {
    let bound = |name: &Value| {
        let of_it = way
            .bindings
            .iter()
            .filter(|(_, value)| value.get("name") == Some(name));
        of_it.collect::<Vec<_>>()
    };
    let quick = |tool: &&Value| {
        let name = tool.get("name").unwrap_or(&Value::Null);
        let slow = |(fixture, _): &(&String, &Value)| SLOW.contains(&fixture.as_str());
        is_safe(tool) && !bound(name).iter().any(slow)
    };
    let known = way.tools.iter().filter(quick).take(TOOLS_MAX);
    known
        .map(|tool| {
            let name = tool.get("name").cloned().unwrap_or_default();
            let arguments = bound(&name)
                .into_iter()
                .find_map(|(_, value)| value.get("arguments").cloned());
            Tool {
                name,
                schema: tool.get("inputSchema").cloned().unwrap_or_default(),
                arguments,
            }
        })
        .collect()
}

/// Methods that open a conversation, or that are answered when it ends.
const LEFT_OUT: [&str; 2] = ["initialize", "subscriptions/listen"];

/// Fixtures whose tools take their time, wait for the client, or change the server for all.
const SLOW: [&str; 12] = [
    "tool_slow",
    "tool_progress",
    "tool_sampling",
    "tool_elicitation",
    "tool_roots",
    "tool_logging",
    "tool_tools_changed",
    "tool_prompts_changed",
    "tool_resources_changed",
    "tool_resource_updated",
    "tool_stream_drop",
    "tool_request_state",
];

/// Tools that cases are made of.
const TOOLS_MAX: usize = 40;
