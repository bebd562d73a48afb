//! Params and results, to JSON. A field that has the value which protobuf gives to absent ones is left out where
//! JSON may leave it out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::{DecodeError, Message};
use prost_types::Struct;
use serde_json::{Map, Value, json};

use super::{Call, proto, structs};
use crate::Era;

pub(super) fn params(call: Call, bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut params = Object::default();
    let common = match call {
        Call::ListTools => proto::ListToolsRequest::decode(bytes)?.common,
        Call::ListPrompts => proto::ListPromptsRequest::decode(bytes)?.common,
        Call::ListResources => proto::ListResourcesRequest::decode(bytes)?.common,
        Call::ListResourceTemplates => proto::ListResourceTemplatesRequest::decode(bytes)?.common,
        Call::ReadResource => {
            let request = proto::ReadResourceRequest::decode(bytes)?;
            params.set("uri", request.uri);
            request.common
        }
        Call::GetPrompt => {
            let request = proto::GetPromptRequest::decode(bytes)?;
            params.set("name", request.name);
            params.set("arguments", json!(request.arguments));
            request.common
        }
        Call::CallTool => {
            let request = proto::CallToolRequest::decode(bytes)?;
            if let Some(inner) = request.request {
                params.set("name", inner.name);
                params.structure("arguments", inner.arguments);
            }
            request.common
        }
        Call::Complete => completion_params(proto::CompletionRequest::decode(bytes)?, &mut params),
    };
    if let Some(common) = common {
        params.structure("_meta", common.metadata);
        params.optional("requestState", common.request_state);
    }
    Ok(params.into())
}

fn completion_params(
    request: proto::CompletionRequest,
    params: &mut Object,
) -> Option<proto::RequestFields> {
    if let Some(of) = request.prompt_reference {
        let mut reference = Object::default();
        reference.set("type", "ref/prompt");
        reference.set("name", of.name);
        reference.text("title", of.title);
        params.set("ref", reference);
    } else if let Some(of) = request.resource_reference {
        params.set("ref", json!({"type": "ref/resource", "uri": of.uri}));
    }
    if let Some(argument) = request.argument {
        let argument = json!({"name": argument.name, "value": argument.value});
        params.set("argument", argument);
    }
    if let Some(context) = request.context {
        params.set("context", json!({"arguments": context.arguments}));
    }
    request.common
}

pub(super) fn result(call: Call, bytes: &[u8], era: Era) -> Result<Value, DecodeError> {
    let mut result = Object::default();
    let common = match call {
        Call::ListTools => {
            let response = proto::ListToolsResponse::decode(bytes)?;
            result.set("tools", each(response.tools, tool));
            result.caching(response.ttl, response.cache_scope, era);
            response.common
        }
        Call::ListPrompts => {
            let response = proto::ListPromptsResponse::decode(bytes)?;
            result.set("prompts", each(response.prompts, prompt));
            result.caching(response.ttl, response.cache_scope, era);
            response.common
        }
        Call::ListResources => {
            let response = proto::ListResourcesResponse::decode(bytes)?;
            result.set("resources", each(response.resources, resource));
            result.caching(response.ttl, response.cache_scope, era);
            response.common
        }
        Call::ListResourceTemplates => {
            let response = proto::ListResourceTemplatesResponse::decode(bytes)?;
            let templates = each(response.resource_templates, template);
            result.set("resourceTemplates", templates);
            result.caching(response.ttl, response.cache_scope, era);
            response.common
        }
        Call::ReadResource => {
            let response = proto::ReadResourceResponse::decode(bytes)?;
            result.set("contents", each(response.resource, contents));
            result.caching(response.ttl, response.cache_scope, era);
            response.common
        }
        Call::GetPrompt => {
            let response = proto::GetPromptResponse::decode(bytes)?;
            result.text("description", response.description);
            result.set("messages", each(response.messages, message));
            response.common
        }
        Call::CallTool => {
            let response = proto::CallToolResponse::decode(bytes)?;
            result.set("content", each(response.content, tool_content));
            result.structure("structuredContent", response.structured_content);
            result.flag("isError", response.is_error);
            response.common
        }
        Call::Complete => {
            let response = proto::CompletionResponse::decode(bytes)?;
            let mut completion = Object::default();
            completion.set("values", json!(response.values));
            completion.optional("total", response.total_matches);
            completion.flag("hasMore", response.has_more);
            result.set("completion", completion);
            response.common
        }
    };
    if let Some(common) = common {
        result.structure("_meta", common.metadata);
        result.optional("requestState", common.request_state);
        result.optional("resultType", result_type(common.result_type));
    }
    Ok(result.into())
}

fn result_type(value: i32) -> Option<String> {
    match proto::ResultType::try_from(value) {
        Ok(proto::ResultType::Unspecified) => None,
        Ok(proto::ResultType::Complete) => Some("complete".to_owned()),
        Ok(proto::ResultType::InputRequired) => Some("input_required".to_owned()),
        Err(_) => Some(value.to_string()),
    }
}

fn tool_content(of: proto::call_tool_response::Content) -> Value {
    let proto::call_tool_response::Content {
        text,
        image,
        audio,
        embedded_resource,
        resource_link,
    } = of;
    content(text, image, audio, embedded_resource, resource_link)
}

fn message(of: proto::PromptMessage) -> Value {
    let inner = content(
        of.text,
        of.image,
        of.audio,
        of.embedded_resource,
        of.resource_link,
    );
    let mut message = Object::default();
    message.optional("role", role(of.role));
    message.set("content", inner);
    message.into()
}

/// At most one of them is there; of several the first is taken.
fn content(
    text: Option<proto::TextContent>,
    image: Option<proto::ImageContent>,
    audio: Option<proto::AudioContent>,
    embedded: Option<proto::EmbeddedResource>,
    link: Option<proto::Resource>,
) -> Value {
    let mut content = Object::default();
    if let Some(text) = text {
        content.set("type", "text");
        content.set("text", text.text);
        content.annotations(text.annotations);
        content.structure("_meta", text.metadata);
    } else if let Some(image) = image {
        content.set("type", "image");
        content.set("data", STANDARD.encode(image.data));
        content.set("mimeType", image.mime_type);
        content.annotations(image.annotations);
        content.structure("_meta", image.metadata);
    } else if let Some(audio) = audio {
        content.set("type", "audio");
        content.set("data", STANDARD.encode(audio.data));
        content.set("mimeType", audio.mime_type);
        content.annotations(audio.annotations);
        content.structure("_meta", audio.metadata);
    } else if let Some(embedded) = embedded {
        content.set("type", "resource");
        content.optional("resource", embedded.contents.map(contents));
        content.annotations(embedded.annotations);
        content.structure("_meta", embedded.metadata);
    } else if let Some(link) = link {
        content.set("type", "resource_link");
        content.0.extend(resource_members(link).0);
    }
    content.into()
}

fn contents(of: proto::ResourceContents) -> Value {
    let mut contents = Object::default();
    contents.set("uri", of.uri);
    contents.text("mimeType", of.mime_type);
    if of.blob.is_empty() {
        contents.set("text", of.text);
    } else {
        contents.set("blob", STANDARD.encode(of.blob));
        contents.text("text", of.text);
    }
    contents.structure("_meta", of.metadata);
    contents.into()
}

fn resource(of: proto::Resource) -> Value {
    resource_members(of).into()
}

fn resource_members(of: proto::Resource) -> Object {
    let mut resource = Object::default();
    resource.set("uri", of.uri);
    resource.set("name", of.name);
    resource.text("title", of.title);
    resource.text("description", of.description);
    resource.text("mimeType", of.mime_type);
    resource.annotations(of.annotations);
    resource.optional("size", (of.size != 0).then_some(of.size));
    resource.icons(of.icons);
    resource.structure("_meta", of.metadata);
    resource
}

fn template(of: proto::ResourceTemplate) -> Value {
    let mut template = Object::default();
    template.set("uriTemplate", of.uri_template);
    template.set("name", of.name);
    template.text("title", of.title);
    template.text("description", of.description);
    template.text("mimeType", of.mime_type);
    template.annotations(of.annotations);
    template.icons(of.icons);
    template.structure("_meta", of.metadata);
    template.into()
}

fn prompt(of: proto::Prompt) -> Value {
    let argument = |of: proto::prompt::Argument| {
        let mut argument = Object::default();
        argument.set("name", of.name);
        argument.text("title", of.title);
        argument.text("description", of.description);
        argument.flag("required", of.required);
        argument.into()
    };
    let mut prompt = Object::default();
    prompt.set("name", of.name);
    prompt.text("title", of.title);
    prompt.text("description", of.description);
    if !of.arguments.is_empty() {
        prompt.set("arguments", each(of.arguments, argument));
    }
    prompt.icons(of.icons);
    prompt.structure("_meta", of.metadata);
    prompt.into()
}

fn tool(of: proto::Tool) -> Value {
    let mut tool = Object::default();
    tool.set("name", of.name);
    tool.text("title", of.title);
    tool.text("description", of.description);
    tool.structure("inputSchema", of.input_schema);
    tool.structure("outputSchema", of.output_schema);
    if let Some(of) = of.annotations {
        let mut annotations = Object::default();
        annotations.text("title", of.title);
        annotations.flag("readOnlyHint", of.read_only_hint);
        annotations.flag("destructiveHint", of.destructive_hint);
        annotations.flag("idempotentHint", of.idempotent_hint);
        annotations.flag("openWorldHint", of.open_world_hint);
        tool.set("annotations", annotations);
    }
    tool.icons(of.icons);
    tool.structure("_meta", of.metadata);
    tool.into()
}

fn role(value: i32) -> Option<&'static str> {
    match proto::Role::try_from(value) {
        Ok(proto::Role::User) => Some("user"),
        Ok(proto::Role::Assistant) => Some("assistant"),
        Ok(proto::Role::Unknown) | Err(_) => None,
    }
}

fn each<T>(items: Vec<T>, to_json: impl Fn(T) -> Value) -> Value {
    items.into_iter().map(to_json).collect()
}

/// An object that grows.
#[derive(Default)]
struct Object(Map<String, Value>);

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

impl Object {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn optional(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn text(&mut self, name: &str, text: String) {
        self.optional(name, (!text.is_empty()).then_some(text));
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.optional(name, flag.then_some(true));
    }

    fn structure(&mut self, name: &str, object: Option<Struct>) {
        self.optional(name, object.map(structs::decode));
    }

    fn annotations(&mut self, annotations: Option<proto::Annotations>) {
        let Some(of) = annotations else { return };
        let mut object = Object::default();
        if !of.audience.is_empty() {
            let audience = of.audience.into_iter().filter_map(role).map(Value::from);
            object.set("audience", audience.collect::<Value>());
        }
        // The shortest decimal that is this float, not the double that is next to it.
        let priority = of.priority.and_then(|it| it.to_string().parse().ok());
        object.optional("priority", priority.map(structs::decode_number));
        object.optional("lastModified", of.last_modified);
        self.set("annotations", object);
    }

    fn icons(&mut self, icons: Vec<proto::Icon>) {
        let icon = |of: proto::Icon| {
            let mut icon = Object::default();
            icon.set("src", of.src);
            icon.text("mimeType", of.mime_type);
            if !of.sizes.is_empty() {
                icon.set("sizes", json!(of.sizes));
            }
            match proto::icon::Theme::try_from(of.theme) {
                Ok(proto::icon::Theme::Light) => icon.set("theme", "light"),
                Ok(proto::icon::Theme::Dark) => icon.set("theme", "dark"),
                Ok(proto::icon::Theme::Unspecified) | Err(_) => {}
            }
            icon.into()
        };
        if !icons.is_empty() {
            self.set("icons", each(icons, icon));
        }
    }

    /// In the modern era what says nothing is stale at once and private: nothing that a cache may use.
    fn caching(&mut self, ttl: Option<prost_types::Duration>, scope: i32, era: Era) {
        let ms = ttl.map(|ttl| ttl.seconds.saturating_mul(1000) + i64::from(ttl.nanos / 1_000_000));
        let scope = match proto::CacheScope::try_from(scope) {
            Ok(proto::CacheScope::Public) => Some("public"),
            Ok(proto::CacheScope::Private) => Some("private"),
            Ok(proto::CacheScope::Unspecified) | Err(_) => None,
        };
        let silent = (era == Era::Modern).then_some(0);
        self.optional("ttlMs", ms.or(silent));
        self.optional("cacheScope", scope.or(silent.map(|_| "private")));
    }
}
