//! The program as a user meets it: what it prints, what it writes, and how it ends.

mod bench;
mod compare;
mod fragile_client;
mod fragile_server;
mod fuzz;
mod fuzz_client;
mod hostile;
mod list;
mod matrix;
mod mistakes;
mod mock;
mod reports;
mod self_test;
mod start;

use std::{
    ffi::OsStr,
    process::{Command, Output},
};

/// Runs the program in an empty folder and gives what came of it.
fn run<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Command::new(PROGRAM)
        .args(arguments)
        .current_dir(folder.path())
        .env_remove("NO_COLOR")
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exit code, with everything that was printed in case it is not the one expected.
fn code(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        format!("{}\n{}", text(&output.stdout), text(&output.stderr)),
    )
}

fn assert_code(output: &Output, expected: i32) {
    let (code, printed) = code(output);
    assert_eq!(code, Some(expected), "{printed}");
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_mcp-verdict");
