//! Messages whose values are not what they should be: of another type, missing, twice, too deep, too long, at the
//! edge of a number or of a character set.

use super::edges;
use crate::{
    case::Mutation,
    json::{Json, quoted},
    source::{Mark, Source},
};

/// What can be done to the values of a message, and how often it is.
const KINDS: [(usize, Mutation); 18] = [
    (6, "type"),
    (5, "missing member"),
    (4, "extra member"),
    (4, "duplicate key"),
    (4, "deep"),
    (5, "number"),
    (2, "not a number"),
    (6, "string"),
    (3, "lone surrogate"),
    (2, "nul"),
    (3, "huge string"),
    (4, "id"),
    (3, "method"),
    (2, "version"),
    (3, "params"),
    (2, "meta"),
    (2, "key"),
    (2, "many items"),
];

/// Changes `message` in one way, and tells how.
pub(crate) fn mutate(source: &mut Source, message: &mut Json, mark: Mark) -> Mutation {
    let kind = source.weighted(&KINDS);
    match kind {
        "id" => {
            let id = id(source, mark);
            message.set("id", id);
        }
        "method" => {
            let name = *source.pick(&edges::METHODS);
            message.set("method", Json::Token(format!("\"{name}\"")));
        }
        "version" => {
            let version = *source.pick(&["\"1.0\"", "\"2\"", "2.0", "2", "null", "\"2.0 \"", "[]"]);
            message.set("jsonrpc", Json::Token(version.to_owned()));
        }
        "params" => {
            let params = edges::any(source, mark);
            message.set("params", params);
        }
        "meta" => meta(source, message, mark),
        "missing member" => remove(source, message),
        "extra member" => {
            let name = quoted(source.pick::<&str>(&edges::NAMES));
            let value = edges::any(source, mark);
            with_map(source, message, |_, members| members.push((name, value)));
        }
        "duplicate key" => duplicate(source, message, mark),
        "key" => {
            let name = format!("\"{}\"", source.pick(&edges::STRINGS));
            with_map(source, message, |source, members| {
                if !members.is_empty() {
                    let place = source.below(members.len());
                    members[place].0 = name;
                }
            });
        }
        _ => {
            let value = value(source, kind, mark);
            let place = place(source, message);
            if let Some(there) = message.at(place) {
                *there = value;
            }
        }
    }
    kind
}

/// What stands in place of a value.
fn value(source: &mut Source, kind: Mutation, mark: Mark) -> Json {
    let token = |text: &str| Json::Token(text.to_owned());
    match kind {
        "deep" => edges::nested(source),
        "number" => token(source.pick::<&str>(&edges::NUMBERS)),
        "not a number" => token(source.pick::<&str>(&edges::NOT_NUMBERS)),
        "string" => edges::string(source, mark),
        "lone surrogate" => {
            let halves = [
                "\\ud800",
                "\\udfff",
                "\\ud83d\\ud83d",
                "\\ude00\\ud83d",
                "x\\udc00y",
            ];
            Json::Token(format!("\"{mark}{}\"", source.pick(&halves)))
        }
        "nul" => Json::Token(format!("\"{mark}\\u0000{mark}\"")),
        "huge string" => Json::Long {
            unit: (*source.pick(&["a", "\\n", "\\u0041", "é", "\\\"", "<"])).to_owned(),
            times: edges::length(source),
        },
        "many items" => {
            let item = edges::any(source, mark);
            let most = (MANY_BYTES_MAX / item.pieces().len().max(1)).clamp(1, MANY_MAX);
            Json::List(vec![item; 1 + source.below(most)])
        }
        _ => edges::any(source, mark),
    }
}

/// An id that some reader keeps otherwise than it came.
fn id(source: &mut Source, mark: Mark) -> Json {
    match source.below(4) {
        0 => Json::Token((*source.pick(&edges::NUMBERS)).to_owned()),
        1 => edges::string(source, mark),
        _ => edges::any(source, mark),
    }
}

/// A place below the outermost: what is wrong with a message as a whole is seen first by everyone.
fn place(source: &mut Source, message: &Json) -> usize {
    let count = message.count();
    if count < 2 || source.one_in(20) {
        return 0;
    }
    1 + source.below(count - 1)
}

fn meta(source: &mut Source, message: &mut Json, mark: Mark) {
    let value = edges::any(source, mark);
    if message.member("params").is_none() {
        message.set("params", Json::Map(Vec::new()));
    }
    let Json::Map(members) = message else { return };
    let params = members.iter_mut().find(|(key, _)| key == "\"params\"");
    let Some((_, params)) = params else { return };
    if source.one_in(2) {
        return params.set("_meta", value);
    }
    let mut meta = params
        .member("_meta")
        .cloned()
        .unwrap_or(Json::Map(Vec::new()));
    let name = *source.pick(&[
        "progressToken",
        "traceparent",
        "io.modelcontextprotocol/x",
        "x/y",
    ]);
    meta.set(name, value);
    params.set("_meta", meta);
}

fn remove(source: &mut Source, message: &mut Json) {
    with_map(source, message, |source, members| {
        if !members.is_empty() {
            members.remove(source.below(members.len()));
        }
    });
}

fn duplicate(source: &mut Source, message: &mut Json, mark: Mark) {
    let other = edges::any(source, mark);
    with_map(source, message, |source, members| {
        if members.is_empty() {
            return;
        }
        let (key, value) = members[source.below(members.len())].clone();
        let again = if source.one_in(2) { value } else { other };
        let place = source.below(members.len() + 1);
        members.insert(place, (key, again));
    });
}

/// Does something to one of the maps of a message.
fn with_map(
    source: &mut Source,
    message: &mut Json,
    change: impl FnOnce(&mut Source, &mut Vec<(String, Json)>),
) {
    let mut maps = Vec::new();
    for place in 0..message.count() {
        if matches!(message.at(place), Some(Json::Map(_))) {
            maps.push(place);
        }
    }
    if maps.is_empty() {
        return;
    }
    let place = *source.pick(&maps);
    if let Some(Json::Map(members)) = message.at(place) {
        change(source, members);
    }
}

/// Items that are many.
const MANY_MAX: usize = 300;

/// What they come to together, in bytes: a message has to be carried.
const MANY_BYTES_MAX: usize = 2 * 1024 * 1024;
