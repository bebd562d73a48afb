//! What a command line says about the target, put together.

use std::{path::PathBuf, time::Duration};

use mcp_verdict_wire::{Revision, TransportKind};

use super::TargetSpec;
use crate::config::{self, ConfigError, Environment};

/// The flags that name and describe a target, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The URL of the server.
    pub url: Option<String>,
    /// The command after `--`.
    pub command: Vec<String>,
    /// `--config`: a client's configuration file.
    pub config: Option<PathBuf>,
    /// `--server`: which server of it.
    pub server: Option<String>,
    /// `-f`: a target file of ours.
    pub file: Option<PathBuf>,
    /// `--header`, as NAME:VALUE.
    pub headers: Vec<String>,
    /// `--bearer-env`: the variable that holds a token.
    pub bearer_env: Option<String>,
    /// `--ca-cert`.
    pub ca_cert: Option<PathBuf>,
    /// `--insecure`.
    pub insecure: bool,
    /// `--revision`; empty for whatever is spoken.
    pub revisions: Vec<Revision>,
    /// `--transport`; empty for whatever is spoken.
    pub transports: Vec<TransportKind>,
    /// `--start`: the words of the command that serves the URL.
    pub start: Vec<String>,
    /// `--timeout`; `None` leaves what the file says.
    pub timeout: Option<Duration>,
}

impl TargetSpec {
    /// The target that the flags name; `None` when they name none.
    ///
    /// A target file beside a URL or a command adds its fixtures and settings, and the URL or command
    /// stands in the place of its address.
    ///
    /// # Errors
    /// When two targets are named, a file is not what it should be, or a header cannot be sent.
    pub fn from_flags(
        flags: &Flags,
        environment: Environment<'_>,
    ) -> Result<Option<Self>, ConfigError> {
        let named = [
            (flags.url.is_some(), "a URL"),
            (!flags.command.is_empty(), "a command"),
            (flags.config.is_some(), "--config"),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(given, what)| given.then_some(what));
        let mut spec = match (named.next(), named.next()) {
            (Some(first), Some(second)) => return Err(ConfigError::TwoTargets { first, second }),
            (None, _) => None,
            (Some(_), None) => Some(addressed(flags, environment)?),
        };
        if let Some(path) = &flags.file {
            spec = Some(config::from_file(path, environment, spec)?);
        }
        let Some(mut spec) = spec else {
            return Ok(None);
        };
        for header in &flags.headers {
            let (name, value) = header.split_once(':').ok_or_else(|| ConfigError::Header {
                name: header.clone(),
            })?;
            spec.add_header(name.trim(), value.trim())?;
        }
        if let Some(variable) = &flags.bearer_env {
            let token = environment(variable)
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty())
                .ok_or_else(|| ConfigError::BearerVariable {
                    variable: variable.clone(),
                })?;
            spec.add_header("authorization", &format!("Bearer {token}"))?;
        }
        spec.options.insecure |= flags.insecure;
        if flags.ca_cert.is_some() {
            spec.options.ca_cert.clone_from(&flags.ca_cert);
        }
        if !flags.revisions.is_empty() {
            spec.declared.revisions.clone_from(&flags.revisions);
        }
        if !flags.transports.is_empty() {
            spec.declared.transports.clone_from(&flags.transports);
        }
        if let Some(timeout) = flags.timeout {
            spec.timeout = timeout;
        }
        if !flags.start.is_empty() {
            spec.starts(&flags.start)?;
        }
        Ok(Some(spec.sealed()))
    }
}

fn addressed(flags: &Flags, environment: Environment<'_>) -> Result<TargetSpec, ConfigError> {
    if let Some(url) = &flags.url {
        // Nothing that a server says tells the proposal for WebSocket from what is in use.
        let asked = [TransportKind::WsDraft];
        let draft = (flags.transports == asked).then_some(TransportKind::WsDraft);
        return TargetSpec::from_url_over(url, draft);
    }
    if let Some(path) = &flags.config {
        return config::from_client_config(path, flags.server.as_deref(), environment);
    }
    TargetSpec::from_command(&flags.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn nothing_named_is_no_target() {
        let spec = TargetSpec::from_flags(&Flags::default(), &none).expect("no error");
        assert!(spec.is_none());
    }

    #[test]
    fn two_targets_are_refused() {
        let flags = Flags {
            url: Some("http://127.0.0.1:1/mcp".to_owned()),
            command: vec!["server".to_owned()],
            ..Flags::default()
        };
        let error = TargetSpec::from_flags(&flags, &none).expect_err("an error");
        assert_eq!(
            error.to_string(),
            "two targets are given: a URL and a command"
        );
    }

    #[test]
    fn the_proposal_for_websocket_is_spoken_only_where_it_is_asked_for() {
        let asked = |transports: &[TransportKind]| {
            let flags = Flags {
                url: Some("ws://127.0.0.1:1/ws".to_owned()),
                transports: transports.to_vec(),
                ..Flags::default()
            };
            let spec = TargetSpec::from_flags(&flags, &none).expect("no error");
            spec.expect("a target").addresses[0].transport()
        };
        assert_eq!(asked(&[]), TransportKind::Ws);
        assert_eq!(asked(&[TransportKind::Ws]), TransportKind::Ws);
        assert_eq!(asked(&[TransportKind::WsDraft]), TransportKind::WsDraft);
    }

    #[test]
    fn a_command_is_started_for_a_url_alone() {
        let words = ["serve", "--token", "abcdef"].map(str::to_owned).to_vec();
        let flags = Flags {
            url: Some("http://127.0.0.1:1/mcp".to_owned()),
            start: words.clone(),
            ..Flags::default()
        };
        let spec = TargetSpec::from_flags(&flags, &none).expect("no error");
        let spec = spec.expect("a target");
        assert!(spec.options.server.is_some_and(|server| !server.is_up()));
        assert_eq!(
            spec.reproduce,
            "--start 'serve --token [redacted]' http://127.0.0.1:1/mcp"
        );
        let flags = Flags {
            command: vec!["server".to_owned()],
            start: words,
            ..Flags::default()
        };
        let error = TargetSpec::from_flags(&flags, &none).expect_err("an error");
        assert!(error.to_string().contains("--start"), "{error}");
    }

    #[test]
    fn a_token_from_the_environment_is_sent_and_never_shown() {
        let flags = Flags {
            url: Some("http://127.0.0.1:1/mcp".to_owned()),
            bearer_env: Some("TOKEN".to_owned()),
            ..Flags::default()
        };
        let found = |name: &str| (name == "TOKEN").then(|| "abcd-efgh\n".to_owned());
        let spec = TargetSpec::from_flags(&flags, &found)
            .expect("no error")
            .expect("a target");
        let expected = [("authorization".to_owned(), "Bearer abcd-efgh".to_owned())];
        assert_eq!(spec.options.headers, expected);
        assert_eq!(spec.options.redactor.text("abcd-efgh"), "[redacted]");
        let error = TargetSpec::from_flags(&flags, &none).expect_err("an error");
        assert!(error.to_string().contains("`TOKEN`"), "{error}");
    }
}
