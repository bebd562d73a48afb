//! `mcp-verdict.toml`, our own description of a target. It is read strictly.
//!
//! ```toml
//! [target]
//! name = "my server"                          # absent: the address
//! command = ["npx", "-y", "my-server"]        # and, or instead:
//! url = "http://127.0.0.1:3000/mcp"
//! transport = "streamable-http"               # of the URL; absent: found out
//! cwd = "../my-server"                        # from the folder of this file
//! env = {API_KEY = "${env:API_KEY}"}
//! headers = {Authorization = "Bearer ${env:TOKEN}"}
//! revisions = ["2025-06-18"]                  # absent: every one that it speaks
//!
//! [run]
//! timeout_ms = 5000
//! start_timeout_ms = 30000                    # for a program's first answer
//! safe_tools = ["sleep"]                      # may be called with whatever fits its schema
//!
//! [fixtures.tool-slow]
//! name = "sleep"
//! arguments = {seconds = 3}
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use mcp_verdict_wire::{Revision, TransportKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::{ConfigError, Environment, error::closest, references::References, source};
use crate::{
    fixtures::{FIXTURES, Fixture, Shape},
    target::TargetSpec,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Option<Target>,
    run: Option<Run>,
    #[serde(default)]
    fixtures: BTreeMap<Spanned<String>, Spanned<Binding>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Target {
    name: Option<String>,
    command: Option<Spanned<Vec<String>>>,
    url: Option<Spanned<String>>,
    transport: Option<TransportKind>,
    cwd: Option<PathBuf>,
    env: BTreeMap<String, String>,
    headers: BTreeMap<Spanned<String>, String>,
    ca_cert: Option<PathBuf>,
    #[serde(default)]
    insecure: bool,
    revisions: Vec<Revision>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Run {
    timeout_ms: Option<Spanned<u64>>,
    start_timeout_ms: Option<Spanned<u64>>,
    safe_tools: BTreeSet<String>,
    transports: Vec<TransportKind>,
}

/// What is bound. Which members belong to which fixture is its [`Shape`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Binding {
    name: Option<String>,
    arguments: Option<toml::Table>,
    without: Option<toml::Table>,
    uri: Option<String>,
    #[serde(rename = "uriTemplate")]
    uri_template: Option<String>,
    prompt: Option<String>,
    argument: Option<String>,
    value: Option<String>,
}

/// The target that a file of ours describes. Where `base` is given, it stands in the place of the file's
/// address, and the file adds the rest.
///
/// # Errors
/// When the file cannot be read, or is not what it should be; the error shows where.
pub fn from_file(
    path: &Path,
    environment: Environment<'_>,
    base: Option<TargetSpec>,
) -> Result<TargetSpec, ConfigError> {
    parse_file(path, &source::read(path)?, environment, base)
}

/// As [`from_file`], of a text that was read already; `path` is where it is from.
///
/// # Errors
/// When it is not what it should be; the error shows where.
pub fn parse_file(
    path: &Path,
    text: &str,
    environment: Environment<'_>,
    base: Option<TargetSpec>,
) -> Result<TargetSpec, ConfigError> {
    let reader = Reader { path, text };
    let file: File = toml::from_str(text).map_err(|error| ConfigError::Toml {
        path: path.to_owned(),
        text: error.to_string().trim_end().to_owned(),
        hint: None,
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let references = References {
        path,
        environment,
        workspace: folder,
    };
    let target = file.target.unwrap_or_default();
    let shown = crate::target::shell_words(&[path.display().to_string()]);
    let mut spec = match base {
        Some(mut base) => {
            base.reproduce = format!("-f {shown} {}", base.reproduce);
            base
        }
        None => {
            let mut spec = reader.address(&target, folder, &references)?;
            spec.reproduce = format!("-f {shown}");
            spec
        }
    };
    if let Some(name) = target.name {
        spec.name = name;
    }
    for (name, value) in &target.headers {
        let value = references.replace(value, &mut spec.secrets)?;
        spec.add_header(name.get_ref(), &value)
            .map_err(|error| reader.wrong(name.span(), &error.to_string()))?;
    }
    spec.options.insecure |= target.insecure;
    spec.options.ca_cert = target
        .ca_cert
        .map(|it| folder.join(it))
        .or(spec.options.ca_cert);
    spec.declared.revisions = target.revisions;
    let run = file.run.unwrap_or_default();
    let timeouts = [
        (run.timeout_ms, &mut spec.timeout),
        (run.start_timeout_ms, &mut spec.start_timeout),
    ];
    for (given, timeout) in timeouts {
        let Some(given) = given else { continue };
        if !TIMEOUTS_MS.contains(given.get_ref()) {
            return Err(reader.wrong(given.span(), "expected 50 to 600000 milliseconds"));
        }
        *timeout = Duration::from_millis(*given.get_ref());
    }
    spec.declared.transports = run.transports;
    spec.safe_tools = run.safe_tools;
    for (name, binding) in &file.fixtures {
        spec.bindings
            .insert(name.get_ref().clone(), reader.binding(name, binding)?);
    }
    Ok(spec.sealed())
}

struct Reader<'r> {
    path: &'r Path,
    text: &'r str,
}

impl Reader<'_> {
    fn address(
        &self,
        target: &Target,
        folder: &Path,
        references: &References<'_>,
    ) -> Result<TargetSpec, ConfigError> {
        let mut spec = TargetSpec::unreachable(String::new());
        let mut names = Vec::new();
        if let Some(words) = &target.command {
            let mut replaced = Vec::new();
            for word in words.get_ref() {
                replaced.push(references.replace(word, &mut spec.secrets)?);
            }
            let Some((program, arguments)) = replaced.split_first() else {
                return Err(self.wrong(words.span(), "the command has no word"));
            };
            let mut variables = BTreeMap::new();
            for (name, value) in &target.env {
                variables.insert(name.clone(), references.replace(value, &mut spec.secrets)?);
            }
            let directory = folder.join(target.cwd.as_deref().unwrap_or(Path::new("")));
            let directory = Some(directory).filter(|it| !it.as_os_str().is_empty());
            spec.add_command(program.clone(), arguments.to_vec(), variables, directory);
            names.push(crate::target::shell_words(words.get_ref()));
        }
        if let Some(url) = &target.url {
            let replaced = references.replace(url.get_ref(), &mut spec.secrets)?;
            spec.add_url(&replaced, target.transport)
                .map_err(|error| self.wrong(url.span(), &error.to_string()))?;
            names.push(url.get_ref().clone());
        }
        if names.is_empty() {
            return Err(ConfigError::Toml {
                path: self.path.to_owned(),
                text: "it says neither `target.command` nor `target.url`".to_owned(),
                hint: Some("or give the URL, or the command after `--`, beside it".to_owned()),
            });
        }
        spec.name = names.join(", ");
        Ok(spec)
    }

    fn binding(
        &self,
        name: &Spanned<String>,
        binding: &Spanned<Binding>,
    ) -> Result<Value, ConfigError> {
        let known = FIXTURES
            .iter()
            .find(|fixture| fixture.name == name.get_ref().as_str());
        let Some(fixture) = known else {
            let names = FIXTURES.iter().map(|fixture| fixture.name);
            let hint = closest(name.get_ref(), names).map(|near| format!("did you mean `{near}`?"));
            return Err(ConfigError::Toml {
                path: self.path.to_owned(),
                text: self.shown(
                    name.span(),
                    &format!("unknown fixture `{}`", name.get_ref()),
                ),
                hint: hint.or_else(|| Some("`mcp-verdict inspect` lists the fixtures".to_owned())),
            });
        };
        value(fixture, binding.get_ref()).map_err(|why| self.wrong(name.span(), &why))
    }

    fn wrong(&self, span: Range<usize>, why: &str) -> ConfigError {
        let (path, text) = (self.path.to_owned(), self.shown(span, why));
        ConfigError::Toml {
            path,
            text,
            hint: None,
        }
    }

    /// As the TOML reader shows its own errors.
    fn shown(&self, span: Range<usize>, why: &str) -> String {
        let before = &self.text[..span.start.min(self.text.len())];
        let number = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.lines().nth(number - 1).unwrap_or_default();
        let margin = " ".repeat(number.to_string().len());
        let carets = "^".repeat(
            span.len()
                .clamp(1, line.len().saturating_sub(column).max(1)),
        );
        format!(
            "TOML parse error at line {number}, column {}\n{margin} |\n{number} | {line}\n{margin} | {}{carets}\n{why}",
            column + 1,
            " ".repeat(column),
        )
    }
}

/// The fixture's value, from the members that belong to its shape.
fn value(fixture: &Fixture, binding: &Binding) -> Result<Value, String> {
    let mut value = Map::new();
    let mut used = Vec::new();
    let mut text = |member: &'static str, key: &str, given: &Option<String>, needed: bool| {
        used.push(member);
        match given {
            Some(given) => drop(value.insert(key.to_owned(), Value::String(given.clone()))),
            None if needed => return Err(format!("`{}` needs `{member}`", fixture.name)),
            None => {}
        }
        Ok(())
    };
    match fixture.shape {
        Shape::Tool | Shape::Prompt => text("name", "name", &binding.name, true)?,
        Shape::Resource => text("uri", "uri", &binding.uri, true)?,
        Shape::Template => {
            text("uriTemplate", "uriTemplate", &binding.uri_template, true)?;
            text("uri", "uri", &binding.uri, true)?;
        }
        Shape::CompletionPrompt => text("prompt", "prompt", &binding.prompt, true)?,
        Shape::CompletionResource => {
            text("uriTemplate", "uriTemplate", &binding.uri_template, true)?;
        }
    }
    if fixture.name == "tool-resource-updated" {
        text("uri", "uri", &binding.uri, true)?;
    }
    if matches!(
        fixture.shape,
        Shape::CompletionPrompt | Shape::CompletionResource
    ) {
        text("argument", "argument", &binding.argument, true)?;
        text("value", "value", &binding.value, false)?;
        value = completion(value);
    }
    if matches!(fixture.shape, Shape::Tool | Shape::Prompt) {
        used.extend(["arguments", "without"]);
        let arguments = binding.arguments.clone().unwrap_or_default();
        value.insert("arguments".to_owned(), json(toml::Value::Table(arguments)));
        if let Some(without) = binding.without.clone() {
            value.insert("without".to_owned(), json(toml::Value::Table(without)));
        }
    }
    let given = [
        ("name", binding.name.is_some()),
        ("arguments", binding.arguments.is_some()),
        ("without", binding.without.is_some()),
        ("uri", binding.uri.is_some()),
        ("uriTemplate", binding.uri_template.is_some()),
        ("prompt", binding.prompt.is_some()),
        ("argument", binding.argument.is_some()),
        ("value", binding.value.is_some()),
    ];
    match given
        .iter()
        .find(|(member, given)| *given && !used.contains(member))
    {
        Some((member, _)) => Err(format!("`{}` has no `{member}`", fixture.name)),
        None => Ok(Value::Object(value)),
    }
}

/// What `completion/complete` takes.
fn completion(mut members: Map<String, Value>) -> Map<String, Value> {
    let reference = match (members.remove("prompt"), members.remove("uriTemplate")) {
        (Some(name), _) => serde_json::json!({"type": "ref/prompt", "name": name}),
        (None, template) => serde_json::json!({"type": "ref/resource", "uri": template}),
    };
    let argument = serde_json::json!({
        "name": members.remove("argument"),
        "value": members.remove("value").unwrap_or_else(|| Value::String(String::new())),
    });
    Map::from_iter([
        ("ref".to_owned(), reference),
        ("argument".to_owned(), argument),
    ])
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(
            table
                .into_iter()
                .map(|(name, value)| (name, json(value)))
                .collect(),
        ),
    }
}

/// The same bounds as those of `--timeout`.
const TIMEOUTS_MS: std::ops::RangeInclusive<u64> = 50..=600_000;

#[cfg(test)]
mod tests {
    use mcp_verdict_transport::Address;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<TargetSpec, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mcp-verdict.toml");
        std::fs::write(&path, text).expect("a file");
        from_file(
            &path,
            &|name| (name == "TOKEN").then(|| "t-123456".to_owned()),
            None,
        )
    }

    #[test]
    fn everything_that_is_said_is_taken() {
        let spec = read(
            r#"
            [target]
            name = "mine"
            command = ["serve", "--now"]
            url = "http://127.0.0.1:3000/mcp"
            transport = "streamable-http"
            cwd = "sub"
            headers = {Authorization = "Bearer ${env:TOKEN}"}
            revisions = ["2025-06-18"]
            [run]
            timeout_ms = 250
            safe_tools = ["look"]
            [fixtures.tool-slow]
            name = "sleep"
            arguments = {seconds = 3, nested = {since = 2026-01-01}}
            [fixtures.completion-prompt]
            prompt = "greet"
            argument = "name"
            "#,
        )
        .expect("a target");
        assert_eq!((spec.name.as_str(), spec.addresses.len()), ("mine", 2));
        let Address::Command { directory, .. } = &spec.addresses[0] else {
            panic!("a command")
        };
        assert!(directory.as_ref().expect("a folder").ends_with("sub"));
        assert_eq!(spec.options.headers[0].1, "Bearer t-123456");
        assert_eq!(spec.timeout, Duration::from_millis(250));
        assert_eq!(spec.declared.revisions, [Revision::V2025_06_18]);
        assert!(spec.safe_tools.contains("look"));
        let slow = json!({"name": "sleep", "arguments": {"seconds": 3, "nested": {"since": "2026-01-01"}}});
        assert_eq!(spec.bindings["tool-slow"], slow);
        let completion = json!({"ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "name", "value": ""}});
        assert_eq!(spec.bindings["completion-prompt"], completion);
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        for (text, parts) in [
            (
                "[target]\ncomand = [\"a\"]",
                ["line 2, column 1", "unknown field `comand`"],
            ),
            (
                "[target]\nurl = \"a\"",
                ["line 2, column 7", "is no address"],
            ),
            ("[target]\ncommand = []", ["line 2, column 11", "no word"]),
            (
                "[target]\nurl = \"http://a\"\n[fixtures.tool-slo]\nname = \"x\"",
                ["line 3, column 11", "unknown fixture `tool-slo`"],
            ),
            (
                "[target]\nurl = \"http://a\"\n[fixtures.tool-slow]\nuri = \"x\"",
                ["line 3, column 11", "`tool-slow` needs `name`"],
            ),
            (
                "[target]\nurl = \"http://a\"\n[fixtures.resource-text]\nuri = \"x\"\nname = \"x\"",
                ["line 3, column 11", "`resource-text` has no `name`"],
            ),
            (
                "[target]\nurl = \"http://a\"\n[run]\ntimeout_ms = 5",
                ["line 4, column 14", "50 to 600000"],
            ),
            (
                "[target]\nrevisions = [\"2025\"]",
                ["line 2, column 14", "unknown variant `2025`"],
            ),
        ] {
            let error = read(text).expect_err(text).to_string();
            for part in parts {
                assert!(error.contains(part), "{text}\n→ {error}");
            }
        }
    }

    #[test]
    fn an_unknown_fixture_comes_with_a_suggestion() {
        let error = read("[target]\nurl = \"http://a\"\n[fixtures.tool-slo]\nname = \"x\"");
        let hint = error.expect_err("an error").hint();
        assert_eq!(hint.as_deref(), Some("did you mean `tool-slow`?"));
    }

    #[test]
    fn without_an_address_there_is_a_way_out() {
        let error = read("[run]\ntimeout_ms = 100").expect_err("an error");
        assert!(
            error
                .to_string()
                .contains("neither `target.command` nor `target.url`"),
            "{error}"
        );
        assert!(error.hint().is_some());
    }
}
