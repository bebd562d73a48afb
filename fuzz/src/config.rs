//! The files that describe targets.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

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
    let secret = secret(text);
    let environment = |name: &str| environment(name, &secret);
    same(&secret, || parse_file(path, text, &environment, None));
    let url = || TargetSpec::from_url("http://127.0.0.1:1/mcp").expect("the address is sound");
    same(&secret, || {
        parse_file(path, text, &environment, Some(url()))
    });
}

/// The same of a client's configuration, whichever of its servers is asked for.
pub fn client_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("/fuzz/.vscode/mcp.json");
    let secret = secret(text);
    let environment = |name: &str| environment(name, &secret);
    same(&secret, || {
        parse_client_config(path, text, None, &environment)
    });
    same(&secret, || {
        parse_client_config(path, text, Some("a"), &environment)
    });
}

fn same(secret: &str, read: impl Fn() -> Result<TargetSpec, ConfigError>) {
    match (read(), read()) {
        (Ok(spec), Ok(again)) => {
            assert_eq!(format!("{spec:?}"), format!("{again:?}"));
            let reachable = !spec.addresses.is_empty() || !spec.urls.is_empty();
            assert!(reachable, "there is no way to reach it");
            assert!(
                !spec.reproduce.contains(secret) && !spec.name.contains(secret),
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

fn environment(name: &str, secret: &str) -> Option<String> {
    match name {
        "HOME" => Some("/home/fuzz".to_owned()),
        "EMPTY" => Some(String::new()),
        "TOKEN" | "API_KEY" => Some(secret.to_owned()),
        "HOST" => Some("127.0.0.1".to_owned()),
        _ => None,
    }
}

/// What no file has by itself: it depends on the whole of the file, since a fuzzer finds out what is compared.
fn secret(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("hunter2-{:016x}", hasher.finish())
}
