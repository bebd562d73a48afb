//! How a conversation opens in either era: `initialize`, or the metadata that every modern request
//! carries and `server/discover`.

use mcp_verdict_wire::{Era, Revision};
use serde_json::{Map, Value, json};

use super::{
    Core,
    call::{Call, Stop},
    logging::Level,
    rpc::{self, INVALID_REQUEST, Refusal, UNSUPPORTED_PROTOCOL_VERSION},
};

/// What a modern request says about itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Envelope {
    /// The revision, as the client names it.
    pub(crate) version: String,
    /// What the client can do.
    pub(crate) capabilities: Value,
    /// The lowest level to log at.
    pub(crate) log_level: Option<Level>,
}

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

impl Envelope {
    /// Whether a message carries any of it, and so is meant for the modern era.
    pub(crate) fn is_on(message: &Value) -> bool {
        let meta = message.pointer("/params/_meta");
        [VERSION, CAPABILITIES, CLIENT_INFO, LOG_LEVEL]
            .iter()
            .any(|key| meta.is_some_and(|meta| meta.get(key).is_some()))
    }

    /// Reads it from a request's params.
    pub(crate) fn read(params: &Map<String, Value>) -> Result<Self, Refusal> {
        let malformed =
            |what: &str| Refusal::invalid_params(format!("Invalid _meta: {what}")).with_status(400);
        let Some(Value::Object(meta)) = params.get("_meta") else {
            return Err(malformed("it is missing"));
        };
        let Some(Value::String(version)) = meta.get(VERSION) else {
            return Err(malformed("the protocol version is missing"));
        };
        let Some(capabilities @ Value::Object(_)) = meta.get(CAPABILITIES) else {
            return Err(malformed("the client's capabilities are missing"));
        };
        if meta
            .get(CLIENT_INFO)
            .is_some_and(|info| !is_implementation(info))
        {
            return Err(malformed("the client's info wants a name and a version"));
        }
        let log_level = match meta.get(LOG_LEVEL) {
            None => None,
            level => Some(Level::read(level).map_err(|refusal| refusal.with_status(400))?),
        };
        Ok(Self {
            version: version.clone(),
            capabilities: capabilities.clone(),
            log_level,
        })
    }

    /// The revision it names, if the server speaks it in this era.
    pub(crate) fn revision(&self, core: &Core) -> Result<Revision, Refusal> {
        let supported = core.revisions_of(Era::Modern);
        let found = supported
            .iter()
            .find(|revision| revision.as_str() == self.version);
        found
            .copied()
            .ok_or_else(|| unsupported_version(core, &self.version))
    }
}

/// Refuses a revision that the server does not speak.
pub(crate) fn unsupported_version(core: &Core, requested: &str) -> Refusal {
    let supported: Vec<_> = core
        .revisions_of(Era::Modern)
        .iter()
        .map(ToString::to_string)
        .collect();
    Refusal::new(UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version")
        .with_data(json!({"supported": supported, "requested": requested}))
        .with_status(400)
}

/// `initialize`.
pub(crate) fn initialize(call: &Call) -> Result<Value, Stop> {
    let requested = call.text("protocolVersion")?;
    let Some(capabilities @ Value::Object(_)) = call.params.get("capabilities") else {
        return Err(Refusal::invalid_params("`capabilities` must be an object").into());
    };
    if !call.params.get("clientInfo").is_some_and(is_implementation) {
        return Err(Refusal::invalid_params("`clientInfo` wants a name and a version").into());
    }
    let Some(revision) = negotiate(&call.core, requested) else {
        return Err(unsupported_version(&call.core, requested).into());
    };
    if !call.session.agree(revision, capabilities.clone()) {
        let refusal = Refusal::new(INVALID_REQUEST, "this session is initialized already");
        return Err(refusal.into());
    }
    Ok(json!({
        "protocolVersion": revision.as_str(),
        "capabilities": capabilities_in(revision),
        "serverInfo": server_info(revision),
        "instructions": INSTRUCTIONS,
    }))
}

/// The revision asked for where it is spoken, and the latest of the era otherwise.
pub(crate) fn negotiate(core: &Core, requested: &str) -> Option<Revision> {
    let spoken = core.revisions_of(Era::Legacy);
    let asked = spoken
        .iter()
        .find(|revision| revision.as_str() == requested);
    asked.or(spoken.last()).copied()
}

/// `server/discover`.
pub(crate) fn discover(call: &Call) -> Value {
    let supported: Vec<_> = call
        .core
        .revisions_of(Era::Modern)
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "supportedVersions": supported,
        "capabilities": capabilities_in(call.revision),
        "instructions": INSTRUCTIONS,
    })
}

/// What every modern result holds beside its own members.
pub(crate) fn complete(call: &Call, mut result: Value) -> Value {
    if let Some(members) = result.as_object_mut() {
        let kind = members
            .entry("resultType")
            .or_insert_with(|| json!("complete"));
        let complete = *kind == "complete";
        if complete && CACHEABLE.contains(&call.method.as_str()) {
            // Templates expand to what is there at that moment; the lists are the same for everybody.
            let (ttl_ms, scope) = if call.method == "resources/read" {
                (0, "private")
            } else {
                (1000, "public")
            };
            members.insert("ttlMs".to_owned(), json!(ttl_ms));
            members.insert("cacheScope".to_owned(), json!(scope));
        }
        let meta = members.entry("_meta").or_insert_with(|| json!({}));
        meta[SERVER_INFO] = server_info(call.revision);
    }
    result
}

fn capabilities_in(revision: Revision) -> Value {
    let mut capabilities = json!({
        "logging": {},
        "prompts": {"listChanged": true},
        "resources": {"subscribe": true, "listChanged": true},
        "tools": {"listChanged": true},
    });
    if revision >= Revision::V2025_03_26 {
        capabilities["completions"] = json!({});
    }
    capabilities
}

fn server_info(revision: Revision) -> Value {
    let mut info = json!({"name": "mcp-verdict-mock", "version": env!("CARGO_PKG_VERSION")});
    if revision >= Revision::V2025_06_18 {
        info["title"] = json!("The mock server of mcp-verdict");
    }
    info
}

fn is_implementation(value: &Value) -> bool {
    ["name", "version"]
        .iter()
        .all(|member| value.get(member).is_some_and(Value::is_string))
}

/// Refuses a method that the era does not have.
pub(crate) fn unknown_method(method: &str) -> Refusal {
    Refusal::new(rpc::METHOD_NOT_FOUND, format!("Method not found: {method}"))
}

const INSTRUCTIONS: &str = "Everything here is made up: call what you like.";
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];
