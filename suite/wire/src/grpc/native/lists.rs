//! Results, from JSON.

use prost::Message as _;
use prost_types::Duration;

use super::{
    Call, Unmapped,
    content::{Content, content, contents, prompt, resource, template, tool},
    from_json::Members,
    proto,
};

pub(super) fn encode_response(call: Call, result: &mut Members) -> Result<Vec<u8>, Unmapped> {
    let common = Some(common(result)?);
    let (ttl, cache_scope) = caching(result)?;
    Ok(match call {
        Call::ListTools => proto::ListToolsResponse {
            common,
            tools: each(result, "tools", tool)?,
            ttl,
            cache_scope,
        }
        .encode_to_vec(),
        Call::ListPrompts => proto::ListPromptsResponse {
            common,
            prompts: each(result, "prompts", prompt)?,
            ttl,
            cache_scope,
        }
        .encode_to_vec(),
        Call::ListResources => proto::ListResourcesResponse {
            common,
            resources: each(result, "resources", resource)?,
            ttl,
            cache_scope,
        }
        .encode_to_vec(),
        Call::ListResourceTemplates => proto::ListResourceTemplatesResponse {
            common,
            resource_templates: each(result, "resourceTemplates", template)?,
            ttl,
            cache_scope,
        }
        .encode_to_vec(),
        Call::ReadResource => proto::ReadResourceResponse {
            common,
            resource: each(result, "contents", contents)?,
            ttl,
            cache_scope,
        }
        .encode_to_vec(),
        Call::GetPrompt => proto::GetPromptResponse {
            common,
            description: result.text("description")?,
            messages: each(result, "messages", message)?,
        }
        .encode_to_vec(),
        Call::CallTool => proto::CallToolResponse {
            common,
            content: each(result, "content", |item| content(item).map(tool_content))?,
            structured_content: result.structure("structuredContent")?,
            is_error: result.flag("isError")?,
        }
        .encode_to_vec(),
        Call::Complete => completion(result, common)?.encode_to_vec(),
    })
}

fn each<T>(
    result: &mut Members,
    name: &str,
    read: impl Fn(Members) -> Result<T, Unmapped>,
) -> Result<Vec<T>, Unmapped> {
    result.inners(name)?.into_iter().map(read).collect()
}

fn common(result: &mut Members) -> Result<proto::ResponseFields, Unmapped> {
    let result_type = match result.text("resultType")?.as_str() {
        "complete" => proto::ResultType::Complete.into(),
        "input_required" => proto::ResultType::InputRequired.into(),
        // One that the binding has no name for is told by its number.
        other => other.parse().unwrap_or_default(),
    };
    Ok(proto::ResponseFields {
        instructions: String::new(),
        metadata: result.structure("_meta")?,
        result_type,
        request_state: result.optional_text("requestState")?,
    })
}

fn caching(result: &mut Members) -> Result<(Option<Duration>, i32), Unmapped> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an integer of milliseconds"
    )]
    let ttl = result.number("ttlMs")?.map(|ms| {
        let ms = ms as i64;
        Duration {
            seconds: ms / 1000,
            nanos: i32::try_from(ms % 1000 * 1_000_000).unwrap_or_default(),
        }
    });
    let scope = match result.text("cacheScope")?.as_str() {
        "public" => proto::CacheScope::Public,
        "private" => proto::CacheScope::Private,
        _ => proto::CacheScope::Unspecified,
    };
    Ok((ttl, scope.into()))
}

fn tool_content(of: Content) -> proto::call_tool_response::Content {
    let mut item = proto::call_tool_response::Content::default();
    match of {
        Content::Text(text) => item.text = Some(text),
        Content::Image(image) => item.image = Some(image),
        Content::Audio(audio) => item.audio = Some(audio),
        Content::Embedded(resource) => item.embedded_resource = Some(resource),
        Content::Link(resource) => item.resource_link = Some(resource),
    }
    item
}

fn message(mut members: Members) -> Result<proto::PromptMessage, Unmapped> {
    let role = match members.text("role")?.as_str() {
        "user" => proto::Role::User,
        "assistant" => proto::Role::Assistant,
        _ => proto::Role::Unknown,
    };
    let mut message = proto::PromptMessage {
        role: role.into(),
        ..proto::PromptMessage::default()
    };
    if let Some(inner) = members.inner("content")? {
        match content(inner)? {
            Content::Text(text) => message.text = Some(text),
            Content::Image(image) => message.image = Some(image),
            Content::Audio(audio) => message.audio = Some(audio),
            Content::Embedded(resource) => message.embedded_resource = Some(resource),
            Content::Link(resource) => message.resource_link = Some(resource),
        }
    }
    Ok(message)
}

fn completion(
    result: &mut Members,
    common: Option<proto::ResponseFields>,
) -> Result<proto::CompletionResponse, Unmapped> {
    let mut response = proto::CompletionResponse {
        common,
        ..proto::CompletionResponse::default()
    };
    if let Some(mut inner) = result.inner("completion")? {
        response.values = inner.text_list("values")?;
        #[expect(clippy::cast_possible_truncation, reason = "a count is an integer")]
        let total = inner.number("total")?.map(|total| total as i64);
        response.total_matches = total;
        response.has_more = inner.flag("hasMore")?;
    }
    Ok(response)
}
