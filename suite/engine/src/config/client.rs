//! Configuration files of MCP clients: `mcpServers` of desktop clients, `servers` of editors.

use std::{collections::BTreeMap, path::Path};

use mcp_verdict_wire::TransportKind;
use serde_json::{Map, Value};

use super::{ConfigError, Environment, jsonc, references::References, source};
use crate::target::{Secrets, TargetSpec};

/// The server `server` of a client's configuration, or its only one.
///
/// Members that are not about reaching the server are ignored: the file belongs to another program.
///
/// # Errors
/// When the file cannot be read, has no such server, or does not say how to reach it.
pub fn from_client_config(
    path: &Path,
    server: Option<&str>,
    environment: Environment<'_>,
) -> Result<TargetSpec, ConfigError> {
    parse_client_config(path, &source::read(path)?, server, environment)
}

/// As [`from_client_config`], of a text that was read already; `path` is where it is from.
///
/// # Errors
/// When it has no such server, or does not say how to reach it.
pub fn parse_client_config(
    path: &Path,
    text: &str,
    server: Option<&str>,
    environment: Environment<'_>,
) -> Result<TargetSpec, ConfigError> {
    let config = jsonc::parse(path, text)?;
    let servers = servers(&config).ok_or_else(|| ConfigError::NoServers {
        path: path.to_owned(),
    })?;
    let names = || servers.keys().cloned().collect::<Vec<_>>();
    let (name, entry) = match server {
        Some(name) => servers
            .get_key_value(name)
            .ok_or_else(|| ConfigError::NoServer {
                path: path.to_owned(),
                name: name.to_owned(),
                known: names(),
            })?,
        None if servers.len() > 1 => {
            return Err(ConfigError::SeveralServers {
                path: path.to_owned(),
                names: names(),
            });
        }
        None => servers
            .iter()
            .next()
            .ok_or_else(|| ConfigError::NoServers {
                path: path.to_owned(),
            })?,
    };
    let workspace = workspace(path);
    let references = References {
        path,
        environment,
        workspace: &workspace,
    };
    let mut spec = Entry {
        path,
        name,
        entry,
        references,
    }
    .read()?;
    spec.reproduce = format!(
        "--config {} --server {}",
        crate::target::shell_words(&[path.display().to_string()]),
        crate::target::shell_words(std::slice::from_ref(name))
    );
    Ok(spec.sealed())
}

/// The map of servers, under any of the names that clients use.
fn servers(config: &Value) -> Option<&Map<String, Value>> {
    ["/mcpServers", "/servers", "/mcp/servers"]
        .into_iter()
        .find_map(|pointer| config.pointer(pointer)?.as_object())
        .filter(|servers| !servers.is_empty())
}

/// The folder that the configuration belongs to: above `.vscode`, `.cursor` and the like.
fn workspace(path: &Path) -> std::path::PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let is_hidden = folder
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    if is_hidden {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    }
    .to_owned()
}

/// One server's entry.
struct Entry<'e> {
    path: &'e Path,
    name: &'e str,
    entry: &'e Value,
    references: References<'e>,
}

impl Entry<'_> {
    fn read(&self) -> Result<TargetSpec, ConfigError> {
        let mut secrets = Secrets::default();
        let kind = self
            .text("type", &mut secrets)?
            .or(self.text("transport", &mut secrets)?);
        let command = self.text("command", &mut secrets)?;
        let mut url = None;
        for member in ["url", "serverUrl", "httpUrl"] {
            url = url.or(self.text(member, &mut secrets)?);
        }
        let mut spec = TargetSpec::unreachable(self.name.to_owned());
        match (kind.as_deref(), command, url) {
            (None | Some("stdio"), Some(command), None) => {
                let arguments = self.texts("args", &mut secrets)?;
                let environment = self.map("env", &mut secrets)?;
                let directory = self.text("cwd", &mut secrets)?.map(Into::into);
                spec.secrets = secrets;
                spec.add_command(command, arguments, environment, directory);
            }
            (Some("stdio"), None, _) => {
                return Err(self.wrong("it is `stdio` and has no `command`"));
            }
            (None | Some("stdio"), Some(_), Some(_)) => {
                return Err(self.wrong("it has a `command` and a `url`"));
            }
            (kind, _, Some(url)) => {
                let transport = self.transport(kind)?;
                let headers = self.map("headers", &mut secrets)?;
                spec.secrets = secrets;
                spec.add_url(&url, transport)?;
                for (name, value) in headers {
                    spec.add_header(&name, &value)?;
                }
            }
            (_, _, None) => return Err(self.wrong("it has neither a `command` nor a `url`")),
        }
        Ok(spec)
    }

    fn transport(&self, kind: Option<&str>) -> Result<Option<TransportKind>, ConfigError> {
        match kind {
            // Clients that know only `url` and `http` try one transport after the other.
            None | Some("http") => Ok(None),
            Some("streamable-http" | "streamableHttp" | "streamable_http") => {
                Ok(Some(TransportKind::StreamableHttp))
            }
            Some("sse" | "http+sse") => Ok(Some(TransportKind::HttpSse)),
            Some(other) => Err(self.wrong(&format!(
                "its type is `{other}`; known are stdio, http, streamable-http, sse"
            ))),
        }
    }

    fn wrong(&self, why: &str) -> ConfigError {
        ConfigError::Entry {
            path: self.path.to_owned(),
            server: self.name.to_owned(),
            why: why.to_owned(),
        }
    }

    fn text(&self, member: &str, secrets: &mut Secrets) -> Result<Option<String>, ConfigError> {
        match self.entry.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => self.references.replace(text, secrets).map(Some),
            Some(_) => Err(self.wrong(&format!("its `{member}` is no string"))),
        }
    }

    fn texts(&self, member: &str, secrets: &mut Secrets) -> Result<Vec<String>, ConfigError> {
        let items = match self.entry.get(member) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong(&format!("its `{member}` is no list"))),
        };
        let replaced = items.iter().map(|item| match item {
            Value::String(text) => self.references.replace(text, secrets),
            _ => Err(self.wrong(&format!("its `{member}` holds something that is no string"))),
        });
        replaced.collect()
    }

    fn map(
        &self,
        member: &str,
        secrets: &mut Secrets,
    ) -> Result<BTreeMap<String, String>, ConfigError> {
        let members = match self.entry.get(member) {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(self.wrong(&format!("its `{member}` is no map"))),
        };
        let replaced = members.iter().map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return Err(self.wrong(&format!("`{name}` in its `{member}` is no string"))),
            };
            Ok((name.clone(), self.references.replace(&text, secrets)?))
        });
        replaced.collect()
    }
}

#[cfg(test)]
mod tests {
    use mcp_verdict_transport::Address;

    use super::*;

    fn read(text: &str, server: Option<&str>) -> Result<TargetSpec, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mcp.json");
        std::fs::write(&path, text).expect("a file");
        from_client_config(&path, server, &|name| {
            (name == "KEY").then(|| "k-123456".to_owned())
        })
    }

    #[test]
    fn a_desktop_clients_only_server_is_taken() {
        let text = r#"{"mcpServers": {"files": {"command": "npx", "args": ["-y", "server", "${env:KEY}"],
            "env": {"API_KEY": "${KEY}", "PORT": 3}, "cwd": "/tmp", "disabled": false}}}"#;
        let spec = read(text, None).expect("a target");
        assert_eq!(spec.name, "files");
        let Address::Command {
            program,
            arguments,
            environment,
            directory,
        } = &spec.addresses[0]
        else {
            panic!("a command")
        };
        assert_eq!(
            (program.as_str(), arguments[2].as_str()),
            ("npx", "k-123456")
        );
        assert_eq!(
            (
                environment["API_KEY"].as_str(),
                environment["PORT"].as_str()
            ),
            ("k-123456", "3")
        );
        assert_eq!(directory.as_deref(), Some(Path::new("/tmp")));
        assert_eq!(spec.options.redactor.text("k-123456"), "[redacted]");
        assert!(
            spec.reproduce.ends_with("--server files"),
            "{}",
            spec.reproduce
        );
    }

    #[test]
    fn an_editors_servers_are_told_apart_by_type() {
        let text = r#"{"inputs": [{"id": "key", "type": "promptString"}], "servers": {
            "a": {"type": "sse", "url": "http://127.0.0.1:1/sse"},
            "b": {"type": "http", "url": "http://127.0.0.1:1/mcp",
                  "headers": {"Authorization": "Bearer ${input:key}"}},
            "c": {"type": "stdio", "command": "serve"}, // comment
        }}"#;
        let sse = read(text, Some("a")).expect("a target");
        assert!(matches!(&sse.addresses[0], Address::HttpSse { .. }));
        let http = read(text, Some("b")).expect("a target");
        assert_eq!(http.urls[0].to_string(), "http://127.0.0.1:1/mcp");
        assert_eq!(http.options.headers[0].1, "Bearer k-123456");
        assert!(matches!(
            read(text, Some("c")).expect("a target").addresses[0],
            Address::Command { .. }
        ));
    }

    #[test]
    fn several_servers_are_listed() {
        let text = r#"{"mcpServers": {"one": {"command": "a"}, "two": {"command": "b"}}}"#;
        let error = read(text, None).expect_err("an error");
        assert_eq!(
            error.hint().as_deref(),
            Some("choose one with --server: one, two")
        );
        let error = read(text, Some("tow")).expect_err("an error");
        assert!(
            error
                .hint()
                .expect("a hint")
                .starts_with("did you mean `two`?")
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, part) in [
            ("{", "line 1, column 1: EOF"),
            ("{}", "describes no server"),
            (r#"{"servers": {}}"#, "describes no server"),
            (
                r#"{"servers": {"a": {}}}"#,
                "neither a `command` nor a `url`",
            ),
            (
                r#"{"servers": {"a": {"type": "ftp", "url": "http://a"}}}"#,
                "its type is `ftp`",
            ),
            (
                r#"{"servers": {"a": {"type": "stdio"}}}"#,
                "has no `command`",
            ),
            (
                r#"{"servers": {"a": {"command": 1}}}"#,
                "its `command` is no string",
            ),
            (
                r#"{"servers": {"a": {"command": "a", "args": [1]}}}"#,
                "no string",
            ),
            (
                r#"{"servers": {"a": {"url": "a"}}}"#,
                "is no address of a server",
            ),
            (
                r#"{"servers": {"a": {"command": "${env:NOT_SET}"}}}"#,
                "`NOT_SET` is not set",
            ),
        ] {
            let error = read(text, None).expect_err(text);
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}
