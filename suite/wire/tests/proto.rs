//! What is written here of protobuf agrees with the `.proto` files.
//!
//! The messages of the binding are generated from them, without `protoc`: `BLESS=1` writes them anew.

use std::{env, fs, path::Path};

use mcp_verdict_wire::grpc::JsonRpcLine;
use prost::Message as _;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
const GENERATED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/grpc/native/generated.rs.in"
);

#[test]
fn the_messages_of_the_binding_are_those_of_its_file() {
    let files = protox::compile(["model_context_protocol/mcp.proto"], [ROOT]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    prost_build::Config::new()
        .out_dir(folder.path())
        .btree_map(["."])
        .compile_fds(files)
        .unwrap();
    let made = fs::read_to_string(folder.path().join("model_context_protocol.rs")).unwrap();
    if env::var_os("BLESS").is_some() {
        fs::write(GENERATED, &made).unwrap();
    }
    let kept = fs::read_to_string(Path::new(GENERATED)).unwrap();
    assert!(kept == made, "write it anew with BLESS=1");
}

#[test]
fn the_message_of_the_tunnel_is_that_of_its_file() {
    let files = protox::compile(["mcp/transport/v1/mcp.proto"], [ROOT]).unwrap();
    let fields: Vec<_> = files.file[0].message_type[0]
        .field
        .iter()
        .map(|field| {
            (
                field.name().to_owned(),
                field.number(),
                field.r#type() as i32,
            )
        })
        .collect();
    // Type 9 is a string.
    let expected = [
        ("line".to_owned(), 1, 9),
        ("related_request_id".to_owned(), 2, 9),
        ("resumption_token".to_owned(), 3, 9),
    ];
    assert_eq!(fields, expected);
    let bytes = JsonRpcLine {
        line: "a".to_owned(),
        related_request_id: "b".to_owned(),
        resumption_token: "c".to_owned(),
    }
    .encode_to_vec();
    assert_eq!(bytes, b"\x0a\x01a\x12\x01b\x1a\x01c");
}
