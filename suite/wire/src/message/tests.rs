//! Examples and laws of both views.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::limits::JSON_DEPTH_MAX;

fn lenient(text: &str) -> Lenient {
    Lenient::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn kind(text: &str) -> Kind {
    match lenient(text).into_parsed() {
        Parsed::Single(message) => message.kind,
        Parsed::Batch(_) => panic!("{text} is a batch"),
    }
}

fn breaches(text: &str) -> Vec<(String, Breach)> {
    let found = Strict::parse(text.as_bytes()).err().unwrap_or_default();
    found
        .into_iter()
        .map(|deviation| (deviation.at, deviation.what))
        .collect()
}

#[test]
fn messages_are_told_apart_by_their_members() {
    let id = |value: Value| Id::from_value(&value).unwrap();
    assert_eq!(
        kind(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#),
        Kind::Request {
            id: id(json!(7)),
            method: "ping".into()
        }
    );
    assert_eq!(
        kind(r#"{"method":"notifications/initialized"}"#),
        Kind::Notification {
            method: "notifications/initialized".into()
        }
    );
    assert_eq!(
        kind(r#"{"id":"a","result":null}"#),
        Kind::Result { id: id(json!("a")) }
    );
    assert_eq!(
        kind(r#"{"id":null,"error":{"code":-32700.0}}"#),
        Kind::Error {
            id: Some(id(json!(null))),
            code: Some(-32700)
        }
    );
    assert_eq!(
        kind(r#"{"error":[]}"#),
        Kind::Error {
            id: None,
            code: None
        }
    );
}

#[test]
fn invalid_messages_say_why() {
    let why = |text| match kind(text) {
        Kind::Invalid { why } => why,
        other => panic!("{text} is {other:?}"),
    };
    assert_eq!(why("1"), Why::NotAnObject);
    assert_eq!(why("{}"), Why::NoMethodNorResponse);
    assert_eq!(why(r#"{"id":true,"method":"a"}"#), Why::IdType);
    assert_eq!(why(r#"{"id":1,"method":1}"#), Why::MethodType);
    assert_eq!(
        why(r#"{"id":1,"method":"a","result":{}}"#),
        Why::MethodWithResponse
    );
    assert_eq!(
        why(r#"{"id":1,"result":{},"error":null}"#),
        Why::ResultAndError
    );
    assert_eq!(why(r#"{"result":{}}"#), Why::ResultWithoutId);
}

#[test]
fn an_invalid_response_still_answers_its_request() {
    let message = Message::from_value(json!({"id": 3, "result": {}, "error": null}));
    assert_eq!(message.answers(), Id::from_value(&json!(3)).as_ref());
    assert_eq!(
        Message::from_value(json!({"id": 3, "method": "ping"})).answers(),
        None
    );
}

#[test]
fn ids_keep_their_spelling() {
    for spelling in [
        "1",
        "1.0",
        "\"1\"",
        "1e0",
        "1E0",
        "9007199254740993",
        "null",
        r#""\u0041""#,
    ] {
        let text =
            format!(r#"{{"method":"m","params":{{"id":5}},"id" : {spelling} ,"x":[{{"id":6}}]}}"#);
        let parsed = lenient(&text).into_parsed();
        assert_eq!(parsed.messages()[0].id().unwrap().raw(), spelling);
    }
}

#[test]
fn each_message_of_a_batch_has_its_own_id_and_place() {
    let text =
        r#" [ {"id":1.0,"method":"a"}, 5, {"method":"b","params":{"id":9}}, {"id":2,"id":"z"} ] "#;
    let parsed = lenient(text).into_parsed();
    assert!(parsed.is_batch());
    let messages = parsed.messages();
    let ids: Vec<_> = messages
        .iter()
        .map(|message| message.id().map(Id::raw))
        .collect();
    assert_eq!(ids, [Some("1.0"), None, None, Some("\"z\"")]);
    assert_eq!(
        &text[messages[2].span.clone()],
        r#"{"method":"b","params":{"id":9}}"#
    );
    assert_eq!(&text[messages[1].span.clone()], "5");
    assert_eq!(lenient("[]").into_parsed(), Parsed::Batch(vec![]));
}

#[test]
fn duplicate_keys_are_found_where_they_are_and_the_last_counts() {
    let text = r#"{"a":1,"b":[{"c/d":{"~":1,"~":2}},{"e":1,"e":1,"e":3}],"a":4}"#;
    let lenient = lenient(text);
    assert_eq!(
        lenient.duplicate_keys,
        ["/b/0/c~1d/~0", "/b/1/e", "/b/1/e", "/a"]
    );
    assert_eq!(
        lenient.value,
        json!({"a": 4, "b": [{"c/d": {"~": 2}}, {"e": 3}]})
    );
    assert_eq!(
        self::lenient(r#"{"a":1,"\u0061":2}"#).duplicate_keys,
        ["/a"]
    );
}

#[test]
fn malformed_texts_are_told_apart() {
    let of = |bytes: &[u8]| Lenient::parse(bytes).unwrap_err();
    assert_eq!(of(b""), Malformed::Empty);
    assert_eq!(of(b" \r\n"), Malformed::Empty);
    assert_eq!(of(b"{\"a\":\"\xff\"}"), Malformed::NotUtf8 { offset: 6 });
    assert_eq!(of(b"\xed\xa0\x80"), Malformed::NotUtf8 { offset: 0 });
    assert_eq!(of(b"{} {}"), Malformed::Trailing { offset: 3 });
    assert_eq!(of(b"1 \0"), Malformed::Trailing { offset: 2 });
    for cut in [
        "{", "[1,", "\"a", "\"\\", "\"\\u00", "tru", "{\"a\"", "{\"a\":", "-", "1.", "1e+",
    ] {
        assert_eq!(of(cut.as_bytes()), Malformed::Truncated, "{cut}");
    }
    let wrong = [
        ("{a}", 1),
        ("[1 2]", 3),
        ("[1,]", 3),
        ("{\"a\":1,}", 7),
        ("'a'", 0),
        ("01x", 1),
        ("+1", 0),
        ("nuul", 2),
        ("\"\n\"", 1),
        ("\"\\x\"", 2),
        ("\"\\u+123\"", 3),
        (".5", 0),
        ("NaN", 0),
    ];
    for (text, at) in wrong {
        match of(text.as_bytes()) {
            Malformed::Syntax { offset, .. } | Malformed::Trailing { offset } => {
                assert_eq!(offset, at, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn nesting_and_values_are_bounded() {
    let nested = |depth| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    assert!(Lenient::parse(&nested(JSON_DEPTH_MAX)).is_ok());
    let too_deep = Err(Malformed::TooDeep {
        offset: JSON_DEPTH_MAX,
    });
    assert_eq!(Lenient::parse(&nested(JSON_DEPTH_MAX + 1)), too_deep);
    assert_eq!(Lenient::parse(&b"[".repeat(1 << 20)), too_deep);
    let many = format!("[{}0]", "0,".repeat(crate::limits::JSON_VALUES_MAX));
    let error = Lenient::parse(many.as_bytes()).unwrap_err();
    assert!(matches!(error, Malformed::TooManyValues { .. }), "{error}");
}

#[test]
fn what_only_looks_sound_is_remarked() {
    assert_eq!(lenient("\u{feff}{}").remarks, [Remark::ByteOrderMark]);
    let broken =
        lenient(r#"["\ud83d\ude00","\ud83d","\ude00\ud83d","\ud800\ud83d\ude00","\ud800\u0041"]"#);
    assert_eq!(
        broken.value,
        json!([
            "😀",
            "\u{fffd}",
            "\u{fffd}\u{fffd}",
            "\u{fffd}😀",
            "\u{fffd}A"
        ])
    );
    let at = |offset| Remark::LoneSurrogate { offset };
    assert_eq!(broken.remarks, [17, 26, 32, 41, 62].map(at));
}

#[test]
fn private_markers_of_a_json_library_are_ordinary_members() {
    for marker in [
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
    ] {
        let lenient = lenient(&format!(r#"{{"{marker}":"[1]"}}"#));
        assert_eq!(lenient.value[marker], "[1]");
    }
}

#[test]
fn strict_admits_what_both_specifications_allow() {
    let fine = [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"","method":"a","params":{},"extra":1}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/x"}"#,
        r#"{"jsonrpc":"2.0","id":-1.0,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1e3,"message":"","data":[]}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"n"}]"#,
    ];
    for text in fine {
        assert_eq!(breaches(text), [], "{text}");
    }
}

#[test]
fn strict_names_every_deviation_and_its_place() {
    let cases = [
        (
            r#"{"id":1,"method":"a"}"#,
            "/jsonrpc",
            Breach::JsonRpcVersion,
        ),
        (
            r#"{"jsonrpc":2.0,"id":1,"method":"a"}"#,
            "/jsonrpc",
            Breach::JsonRpcVersion,
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
            "/id",
            Breach::IdNull,
        ),
        (
            r#"{"jsonrpc":"2.0","id":0.5,"method":"a"}"#,
            "/id",
            Breach::IdType,
        ),
        (
            r#"{"jsonrpc":"2.0","id":{},"result":{}}"#,
            "/id",
            Breach::IdType,
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
            "/id",
            Breach::IdNull,
        ),
        (
            r#"{"jsonrpc":"2.0","result":{}}"#,
            "/id",
            Breach::ResultWithoutId,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
            "/result",
            Breach::ResultType,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":[]}"#,
            "/method",
            Breach::MethodType,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"a","params":[]}"#,
            "/params",
            Breach::ParamsByPosition,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"a","params":null}"#,
            "/params",
            Breach::ParamsType,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"a","error":{}}"#,
            "",
            Breach::MethodWithResponse,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1}"#,
            "",
            Breach::NoMethodNorResponse,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":null}"#,
            "/error",
            Breach::ErrorType,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":""}}"#,
            "/error/code",
            Breach::ErrorCode,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#,
            "/error/message",
            Breach::ErrorMessage,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
            "",
            Breach::ResultAndError,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"id":1,"result":{}}"#,
            "/id",
            Breach::DuplicateKey,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"\udc00"}"#,
            "",
            Breach::LoneSurrogate,
        ),
        (
            "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"a\"}",
            "",
            Breach::ByteOrderMark,
        ),
        ("true", "", Breach::NotAnObject),
        ("[]", "", Breach::BatchEmpty),
        (
            r#"[{"jsonrpc":"2.0","method":"a"},1]"#,
            "/1",
            Breach::NotAnObject,
        ),
        ("{", "", Breach::Malformed(Malformed::Truncated)),
    ];
    for (text, at, what) in cases {
        let found = breaches(text);
        assert!(found.contains(&(at.to_owned(), what)), "{text}: {found:?}");
    }
    let mixed = r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":1,"result":{}}]"#;
    assert_eq!(breaches(mixed), [(String::new(), Breach::BatchMixed)]);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

/// Texts of objects that are nearly messages: every member right, wrong, missing or doubled.
fn nearly_a_message() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        prop::sample::select(vec![
            "\"jsonrpc\":\"2.0\"",
            "\"jsonrpc\":\"2.0\"",
            "\"jsonrpc\":2"
        ]),
        prop::sample::select(vec![
            "\"id\":1",
            "\"id\":\"\"",
            "\"id\":1e0",
            "\"id\":null",
            "\"id\":[]"
        ]),
        prop::sample::select(vec!["\"method\":\"a\"", "\"method\":null"]),
        prop::sample::select(vec!["\"params\":{}", "\"params\":[]", "\"params\":1"]),
        prop::sample::select(vec![
            "\"result\":{}",
            "\"result\":null",
            "\"x\":{\"y\":1,\"y\":2}"
        ]),
        prop::sample::select(vec![
            "\"error\":{\"code\":1,\"message\":\"\"}",
            "\"error\":{\"code\":1.5}",
            "\"error\":null",
        ]),
    ];
    let object =
        prop::collection::vec(member, 0..6).prop_map(|all| format!("{{{}}}", all.join(",")));
    prop_oneof![
        object.clone(),
        prop::collection::vec(object, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
    ]
}

fn views_agree(bytes: &[u8]) {
    match (Lenient::parse(bytes), Strict::parse(bytes)) {
        (Ok(lenient), Ok(strict)) => {
            assert_eq!(
                (lenient.remarks.len(), lenient.duplicate_keys.len()),
                (0, 0)
            );
            let parsed = lenient.into_parsed();
            let invalid = |message: &Message| matches!(message.kind, Kind::Invalid { .. });
            assert!(!parsed.messages().iter().any(invalid));
            assert_eq!(parsed, strict.parsed);
        }
        (Err(malformed), Err(deviations)) => {
            let only = Deviation {
                at: String::new(),
                what: Breach::Malformed(malformed),
            };
            assert_eq!(deviations, [only]);
        }
        (Ok(lenient), Err(deviations)) => {
            let no_json = |found: &Deviation| matches!(found.what, Breach::Malformed(_));
            assert!(
                !deviations.is_empty() && !deviations.iter().any(no_json),
                "{lenient:?}"
            );
        }
        (Err(malformed), Ok(strict)) => panic!("{malformed}, but strict admits {strict:?}"),
    }
}

/// Where a general reader speaks, it says the same.
fn general_reader_agrees(bytes: &[u8]) {
    let general = serde_json::from_slice::<Value>(bytes);
    match Lenient::parse(bytes) {
        Ok(lenient) if lenient.remarks.is_empty() => assert_eq!(Some(lenient.value), general.ok()),
        Ok(_) => {}
        Err(malformed) => assert!(general.is_err(), "{malformed}"),
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(value in any_json()) {
        let read = lenient(&value.to_string());
        prop_assert_eq!(&read.value, &value);
        prop_assert!(read.duplicate_keys.is_empty() && read.remarks.is_empty());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(lenient(&pretty).value, value);
    }

    #[test]
    fn strict_and_lenient_agree_on_what_is_nearly_a_message(text in nearly_a_message()) {
        views_agree(text.as_bytes());
        general_reader_agrees(text.as_bytes());
    }

    #[test]
    fn both_views_and_a_general_reader_agree_on_damaged_texts(
        value in any_json(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = value.to_string().into_bytes();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        views_agree(&bytes);
        general_reader_agrees(&bytes);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        views_agree(&bytes);
        general_reader_agrees(&bytes);
    }
}
