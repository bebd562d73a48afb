//! Contents, resources and prompts, from JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Unmapped, from_json::Members, proto};

/// The kinds of content that messages and results hold.
pub(super) enum Content {
    Text(proto::TextContent),
    Image(proto::ImageContent),
    Audio(proto::AudioContent),
    Embedded(proto::EmbeddedResource),
    Link(proto::Resource),
}

pub(super) fn content(mut members: Members) -> Result<Content, Unmapped> {
    let kind = members.text("type")?;
    Ok(match kind.as_str() {
        "text" => Content::Text(proto::TextContent {
            text: members.text("text")?,
            annotations: annotations(&mut members)?,
            metadata: members.structure("_meta")?,
        }),
        "image" => Content::Image(proto::ImageContent {
            data: bytes(&mut members, "data")?,
            mime_type: members.text("mimeType")?,
            annotations: annotations(&mut members)?,
            metadata: members.structure("_meta")?,
        }),
        "audio" => Content::Audio(proto::AudioContent {
            data: bytes(&mut members, "data")?,
            mime_type: members.text("mimeType")?,
            annotations: annotations(&mut members)?,
            metadata: members.structure("_meta")?,
        }),
        "resource" => Content::Embedded(proto::EmbeddedResource {
            contents: members.inner("resource")?.map(contents).transpose()?,
            annotations: annotations(&mut members)?,
            metadata: members.structure("_meta")?,
        }),
        "resource_link" => Content::Link(resource(members)?),
        other => return Err(Unmapped(format!("there is no content `{other}`"))),
    })
}

fn bytes(members: &mut Members, name: &str) -> Result<Vec<u8>, Unmapped> {
    let text = members.text(name)?;
    STANDARD
        .decode(text)
        .map_err(|error| Unmapped(format!("{name}: {error}")))
}

fn annotations(members: &mut Members) -> Result<Option<proto::Annotations>, Unmapped> {
    let Some(mut inner) = members.inner("annotations")? else {
        return Ok(None);
    };
    let audience = inner.text_list("audience")?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the binding has a float there"
    )]
    let priority = inner.number("priority")?.map(|priority| priority as f32);
    Ok(Some(proto::Annotations {
        audience: audience.iter().map(|role| role_of(role)).collect(),
        priority,
        last_modified: inner.optional_text("lastModified")?,
    }))
}

fn role_of(role: &str) -> i32 {
    let role = match role {
        "user" => proto::Role::User,
        "assistant" => proto::Role::Assistant,
        _ => proto::Role::Unknown,
    };
    role.into()
}

pub(super) fn contents(mut members: Members) -> Result<proto::ResourceContents, Unmapped> {
    Ok(proto::ResourceContents {
        uri: members.text("uri")?,
        mime_type: members.text("mimeType")?,
        text: members.text("text")?,
        blob: bytes(&mut members, "blob")?,
        metadata: members.structure("_meta")?,
    })
}

pub(super) fn icons(members: &mut Members) -> Result<Vec<proto::Icon>, Unmapped> {
    let icon = |mut inner: Members| {
        let theme = match inner.text("theme")?.as_str() {
            "light" => proto::icon::Theme::Light,
            "dark" => proto::icon::Theme::Dark,
            _ => proto::icon::Theme::Unspecified,
        };
        Ok(proto::Icon {
            src: inner.text("src")?,
            mime_type: inner.text("mimeType")?,
            sizes: inner.text_list("sizes")?,
            theme: theme.into(),
        })
    };
    members.inners("icons")?.into_iter().map(icon).collect()
}

pub(super) fn resource(mut members: Members) -> Result<proto::Resource, Unmapped> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size is an integer, and not negative"
    )]
    let size = members.number("size")?.unwrap_or_default() as u64;
    Ok(proto::Resource {
        uri: members.text("uri")?,
        name: members.text("name")?,
        description: members.text("description")?,
        mime_type: members.text("mimeType")?,
        annotations: annotations(&mut members)?,
        size,
        title: members.text("title")?,
        icons: icons(&mut members)?,
        metadata: members.structure("_meta")?,
    })
}

pub(super) fn template(mut members: Members) -> Result<proto::ResourceTemplate, Unmapped> {
    Ok(proto::ResourceTemplate {
        uri_template: members.text("uriTemplate")?,
        name: members.text("name")?,
        description: members.text("description")?,
        mime_type: members.text("mimeType")?,
        annotations: annotations(&mut members)?,
        title: members.text("title")?,
        icons: icons(&mut members)?,
        metadata: members.structure("_meta")?,
    })
}

pub(super) fn prompt(mut members: Members) -> Result<proto::Prompt, Unmapped> {
    let argument = |mut inner: Members| {
        Ok(proto::prompt::Argument {
            name: inner.text("name")?,
            description: inner.text("description")?,
            required: inner.flag("required")?,
            title: inner.text("title")?,
        })
    };
    let arguments = members.inners("arguments")?.into_iter().map(argument);
    Ok(proto::Prompt {
        arguments: arguments.collect::<Result<_, Unmapped>>()?,
        name: members.text("name")?,
        description: members.text("description")?,
        title: members.text("title")?,
        icons: icons(&mut members)?,
        metadata: members.structure("_meta")?,
    })
}

pub(super) fn tool(mut members: Members) -> Result<proto::Tool, Unmapped> {
    let annotations = match members.inner("annotations")? {
        None => None,
        Some(mut inner) => Some(proto::ToolAnnotations {
            title: inner.text("title")?,
            read_only_hint: inner.flag("readOnlyHint")?,
            destructive_hint: inner.flag("destructiveHint")?,
            idempotent_hint: inner.flag("idempotentHint")?,
            open_world_hint: inner.flag("openWorldHint")?,
        }),
    };
    Ok(proto::Tool {
        name: members.text("name")?,
        description: members.text("description")?,
        input_schema: members.structure("inputSchema")?,
        annotations,
        output_schema: members.structure("outputSchema")?,
        title: members.text("title")?,
        icons: icons(&mut members)?,
        metadata: members.structure("_meta")?,
    })
}

/// The request of a completion.
pub(super) fn completion(
    params: &mut Members,
    common: Option<proto::RequestFields>,
) -> Result<proto::CompletionRequest, Unmapped> {
    let mut request = proto::CompletionRequest {
        common,
        ..proto::CompletionRequest::default()
    };
    if let Some(mut of) = params.inner("ref")? {
        match of.text("type")?.as_str() {
            "ref/prompt" => {
                request.prompt_reference = Some(proto::PromptReference {
                    name: of.required_text("name")?,
                    title: of.text("title")?,
                });
            }
            "ref/resource" => {
                let uri = of.required_text("uri")?;
                request.resource_reference = Some(proto::ResourceReference { uri });
            }
            other => return Err(Unmapped(format!("there is no reference `{other}`"))),
        }
        of.done()?;
    }
    if let Some(mut argument) = params.inner("argument")? {
        request.argument = Some(proto::completion_request::Argument {
            name: argument.required_text("name")?,
            value: argument.required_text("value")?,
        });
        argument.done()?;
    }
    if let Some(mut context) = params.inner("context")? {
        let arguments = context.texts("arguments")?;
        request.context = Some(proto::completion_request::Context { arguments });
        context.done()?;
    }
    Ok(request)
}
