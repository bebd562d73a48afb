//! Values at the edges of what readers can take.

use crate::{
    json::{Json, quoted},
    source::{Mark, Source},
};

/// Numbers, as they are spelled. Most are JSON; what is none is told by whoever reads it.
pub(crate) const NUMBERS: [&str; 34] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.0",
    "1.0",
    "-0.5",
    "1e0",
    "1E+2",
    "1e-7",
    "0.1e1",
    "127",
    "128",
    "255",
    "256",
    "32768",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e400",
    "-1e400",
    "1e-400",
    "3.141592653589793238462643383279502884197169399375105820974944592307816406286",
];

/// What looks like a number and is no JSON.
pub(crate) const NOT_NUMBERS: [&str; 11] = [
    "01",
    "+1",
    ".5",
    "1.",
    "0x10",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e",
    "--1",
];

/// Strings, as they are escaped.
pub(crate) const STRINGS: [&str; 40] = [
    "",
    " ",
    "\\u0000",
    "a\\u0000b",
    "\\u0001\\u001f",
    "\\u007f",
    "\\u0080\\u009f",
    "\\n",
    "\\r\\n",
    "a\\nb",
    "\\n\\ndata: x\\n\\n",
    "\\r",
    "\\t",
    "\\u2028\\u2029",
    "\\ufeff",
    "\\ufffe\\uffff",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\ude00",
    "\\ud83dx",
    "\\ude00\\ud83d",
    "e\\u0301",
    "\\u200b",
    "\\u202egnp.exe",
    "\\uff0e\\uff0e/",
    "ﬀ",
    "İ",
    "😀",
    "../../../../etc/passwd",
    "..\\\\..\\\\",
    "file:///etc/passwd",
    "http://127.0.0.1:1/",
    "%00",
    "%s%n%d",
    "${x}",
    "{{7*7}}",
    "'; --",
    "<script>",
    "__proto__",
    "constructor",
];

/// Names of members that mean something to some language, or nearly mean something here.
pub(crate) const NAMES: [&str; 14] = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "__class__",
    "$ref",
    "",
    "Method",
    "ID",
    "jsonRpc",
    "params ",
    "result",
    "error",
];

/// Names of methods that no revision has, and that look as if one had.
pub(crate) const METHODS: [&str; 16] = [
    "",
    "/",
    "tools/",
    "tools/list/",
    "/tools/list",
    "Tools/List",
    "tools/list ",
    "tools\\u0000list",
    "tools\\u002flist",
    "constructor",
    "__proto__",
    "toString",
    "rpc.discover",
    "rpc.",
    "notifications/none",
    "prompts/execute",
];

/// A string at some edge.
pub(crate) fn string(source: &mut Source, mark: Mark) -> Json {
    match source.below(6) {
        0 => Json::Long {
            unit: (*source.pick(&["a", "é", "\\u0000", "\\\\", "\\\"", "😀", "\\ud800"]))
                .to_owned(),
            times: length(source),
        },
        1 => Json::Token(format!("\"{mark}{}\"", source.pick(&STRINGS))),
        2 => {
            let any = source.draw("\\PC{0,12}").unwrap_or_default();
            Json::Token(quoted(&any))
        }
        _ => Json::Token(format!("\"{}\"", source.pick(&STRINGS))),
    }
}

/// A length that some buffer ends at, more often a small one.
pub(crate) fn length(source: &mut Source) -> usize {
    let of = source.weighted(&[
        (32, 255),
        (32, 1_023),
        (32, 4_095),
        (16, 8_191),
        (16, 16_383),
        (8, 65_535),
        (2, 131_072),
        (1, 1_048_575),
    ]);
    of + source.below(3)
}

/// A depth that some stack ends at, more often a small one.
pub(crate) fn depth(source: &mut Source) -> usize {
    source.weighted(&[
        (4, 32),
        (6, 65),
        (6, 129),
        (6, 257),
        (6, 513),
        (6, 1_025),
        (4, 4_097),
        (3, 10_001),
        (1, 60_001),
    ])
}

/// Something of another type than what stands there, or of any.
pub(crate) fn any(source: &mut Source, mark: Mark) -> Json {
    match source.below(9) {
        0 => Json::Token("null".to_owned()),
        1 => Json::Token((*source.pick(&["true", "false"])).to_owned()),
        2 => Json::List(Vec::new()),
        3 => Json::Map(Vec::new()),
        4 => Json::List(vec![
            Json::text(&mark.to_string()),
            Json::Token("1".to_owned()),
        ]),
        5 => Json::Map(vec![(quoted("a"), Json::text(&mark.to_string()))]),
        6 => string(source, mark),
        _ => Json::Token((*source.pick(&NUMBERS)).to_owned()),
    }
}

/// Something nested so deeply that a reader may refuse it.
pub(crate) fn nested(source: &mut Source) -> Json {
    let (open, close) = *source.pick(&[("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")]);
    Json::Nested {
        open,
        close,
        depth: depth(source),
        within: Box::new(Json::Token("1".to_owned())),
    }
}
