//! What is odd about HTTP around a message: methods, fields, media types, encodings, sizes.

use mcp_verdict_wire::{Era, TransportKind};
use serde_json::{Map, Value, json};

use crate::{
    case::{Mutation, label},
    material::Material,
    source::{Mark, Source},
};

/// What can be done, and how often it is.
const KINDS: [(usize, Mutation); 15] = [
    (4, "http method"),
    (4, "content type"),
    (4, "accept"),
    (4, "session id"),
    (3, "event id"),
    (3, "version header"),
    (3, "unknown header"),
    (3, "huge header"),
    (2, "header twice"),
    (2, "chunked"),
    (2, "encoding"),
    (2, "origin"),
    (2, "many headers"),
    (2, "path"),
    (2, "header case"),
];

/// A request of HTTP that is odd in one way, and in which.
pub(crate) fn odd_request(
    source: &mut Source,
    material: &Material,
    mark: Mark,
) -> (Mutation, Vec<Value>) {
    let kind = source.weighted(&KINDS);
    let message = material
        .request(source, mark, json!(format!("{mark}")))
        .value;
    let mut call = json!({"method": "POST", "as": label(mark, 0), "json": message});
    let mut headers = Map::new();
    let mut delivery = Map::new();
    let mut set = |name: &str, value: String| drop(headers.insert(name.to_owned(), json!(value)));
    match kind {
        "http method" => {
            // DELETE would end the session, and a GET stays open.
            call["method"] =
                json!(source.pick(&["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", "X"]));
        }
        "content type" => set("content-type", (*source.pick(&TYPES)).to_owned()),
        "accept" => set("accept", (*source.pick(&ACCEPTS)).to_owned()),
        "session id" => set("mcp-session-id", odd_value(source, mark)),
        "event id" => {
            set("last-event-id", odd_value(source, mark));
            if material.era() == Era::Legacy && material.transport == TransportKind::StreamableHttp
            {
                return (kind, resumption(source, mark));
            }
        }
        "version header" => set("mcp-protocol-version", odd_value(source, mark)),
        "unknown header" => {
            let name = *source.pick(&NAMES);
            set(name, odd_value(source, mark));
        }
        "huge header" => set(
            "x-padding",
            "a".repeat(*source.pick(&[4_000, 8_200, 16_500, 70_000])),
        ),
        "header twice" => {
            let name = *source.pick(&["content-type", "accept", "host", "content-length"]);
            delivery.insert("twice".to_owned(), json!(name));
        }
        "chunked" => drop(delivery.insert("chunked".to_owned(), json!(true))),
        "encoding" => set(
            "content-encoding",
            (*source.pick(&["gzip", "br", "identity", "x"])).to_owned(),
        ),
        "origin" => set("origin", (*source.pick(&ORIGINS)).to_owned()),
        "many headers" => {
            for number in 0..*source.pick(&[20, 90, 200]) {
                set(&format!("x-{number}"), mark.to_string());
            }
        }
        "path" => {
            call["path"] = json!(source.pick(&["/", "//", "/..", "/%2e%2e/", "/mcp/", "/a?b=%00"]))
        }
        _ => drop(delivery.insert("upper_case_names".to_owned(), json!(true))),
    }
    if !headers.is_empty() {
        call["headers"] = Value::Object(headers);
    }
    if !delivery.is_empty() {
        call["delivery"] = Value::Object(delivery);
    }
    (kind, vec![json!({"http": call})])
}

/// A stream that is asked for from an absurd place on, and closed again.
fn resumption(source: &mut Source, mark: Mark) -> Vec<Value> {
    let name = label(mark, 0);
    let id = odd_value(source, mark);
    vec![
        json!({"open_stream": {"as": name, "last_event_id": id}}),
        json!({"barrier": {}}),
        json!({"drop": {"of": name}}),
    ]
}

/// A field's value at some edge. Only what HTTP allows in one.
fn odd_value(source: &mut Source, mark: Mark) -> String {
    match source.below(5) {
        0 => (*source.pick(&VALUES)).to_owned(),
        1 => "f".repeat(*source.pick(&[1, 255, 1_024, 4_000])),
        2 => source
            .draw("[!-~]{1,24}")
            .unwrap_or_default()
            .replace("${", "x"),
        _ => mark.to_string(),
    }
}

const TYPES: [&str; 12] = [
    "",
    "text/plain",
    "application/JSON",
    "application/json; charset=utf-16",
    "application/json;",
    "application/json, text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/event-stream",
    "application/xml",
    "*/*",
    "json",
];

const ACCEPTS: [&str; 9] = [
    "",
    "*/*",
    "text/html",
    "application/json;q=0, text/event-stream;q=0",
    "application/json, text/event-stream;q=2",
    "text/event-stream",
    ",",
    "application/*, text/*",
    "application/json;a=\"",
];

const ORIGINS: [&str; 5] = ["null", "http://example.com", "http://", "file://", "x"];

const NAMES: [&str; 9] = [
    "x-forwarded-for",
    "forwarded",
    "x-http-method-override",
    "range",
    "if-none-match",
    "cookie",
    "te",
    "mcp-param-x",
    "traceparent",
];

const VALUES: [&str; 12] = [
    "0",
    "-1",
    "9999999999999999999999",
    "../../etc/passwd",
    "a b",
    "undefined",
    "null",
    "[object Object]",
    "%00",
    "a,b",
    "\"",
    "1999-01-01",
];
