//! The files that describe targets.

use std::path::Path;

use mcp_verdict_engine::{
    config::{ConfigError, parse_client_config, parse_file},
    target::TargetSpec,
};

/// Whatever `mcp-verdict.toml` says, it describes a target or the error says why not; twice the same.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("/fuzz/mcp-verdict.toml");
    same(|| parse_file(path, text, &environment, None));
    let url = || TargetSpec::from_url("http://127.0.0.1:1/mcp").expect("the address is sound");
    same(|| parse_file(path, text, &environment, Some(url())));
}

/// The same of a client's configuration, whichever of its servers is asked for.
pub fn client_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("/fuzz/.vscode/mcp.json");
    same(|| parse_client_config(path, text, None, &environment));
    same(|| parse_client_config(path, text, Some("a"), &environment));
}

fn same(read: impl Fn() -> Result<TargetSpec, ConfigError>) {
    match (read(), read()) {
        (Ok(spec), Ok(again)) => {
            assert_eq!(format!("{spec:?}"), format!("{again:?}"));
            let reachable = !spec.addresses.is_empty() || !spec.urls.is_empty();
            assert!(reachable, "there is no way to reach it");
            assert!(
                !spec.reproduce.contains(SECRET) && !spec.name.contains(SECRET),
                "a secret is told"
            );
        }
        (Err(error), Err(again)) => {
            assert!(!error.to_string().trim().is_empty());
            assert_eq!(error.to_string(), again.to_string());
        }
        _ => panic!("it is read only sometimes"),
    }
}

fn environment(name: &str) -> Option<String> {
    match name {
        "HOME" => Some("/home/fuzz".to_owned()),
        "EMPTY" => Some(String::new()),
        "TOKEN" | "API_KEY" => Some(SECRET.to_owned()),
        "HOST" => Some("127.0.0.1".to_owned()),
        _ => None,
    }
}

/// No file that is fuzzed has it by itself.
const SECRET: &str = "hunter2-9f8e7d6c5b4a";
