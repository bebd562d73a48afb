//! What a message says, read off its bytes without building a tree: whose answer it is, and whether it is a good one.
//!
//! It does not prove that the bytes are JSON; samples are given to the judge for that. What it cannot read is read
//! again by the lenient reader, so that an unusual spelling is never taken for an error.

use mcp_verdict_wire::message::{self, Kind, Lenient};

/// What one message is to someone who waits for the answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// An answer to the request of this number.
    Answer { id: u64, said: Said },
    /// A notification.
    Notification,
    /// A request of the server's own: its id as it was spelled, and whether it is a ping.
    Request { id: Vec<u8>, ping: bool },
    /// None of these.
    Unreadable,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    /// A complete result.
    Result,
    /// An error of this code.
    Error(i64),
    /// A result of a tool that says that it failed.
    ToolError,
    /// A result that asks for more input, or any other that is not complete.
    Incomplete,
}

/// Reads one message.
pub(crate) fn scan(bytes: &[u8]) -> Scanned {
    quick(bytes).unwrap_or_else(|| slow(bytes))
}

/// The members that matter, as they are spelled.
#[derive(Default)]
struct Members<'b> {
    id: Option<&'b [u8]>,
    method: Option<&'b [u8]>,
    result: Option<&'b [u8]>,
    error: Option<&'b [u8]>,
}

/// `None` for what is not as plain as servers write it.
fn quick(bytes: &[u8]) -> Option<Scanned> {
    let mut members = Members::default();
    let end = each_member(bytes, skip_space(bytes, 0), &mut |key, value| {
        let place = match key {
            b"id" => &mut members.id,
            b"method" => &mut members.method,
            b"result" => &mut members.result,
            b"error" => &mut members.error,
            // It may be one of these in disguise.
            _ => return !key.contains(&b'\\'),
        };
        place.replace(value).is_none()
    })?;
    if skip_space(bytes, end) != bytes.len() {
        return None;
    }
    match members {
        Members {
            id: Some(id),
            method: None,
            result: Some(result),
            error: None,
        } => Some(Scanned::Answer {
            id: number(id)?,
            said: of_result(result)?,
        }),
        Members {
            id: None,
            method: Some(_),
            result: None,
            error: None,
        } => Some(Scanned::Notification),
        _ => None,
    }
}

fn of_result(result: &[u8]) -> Option<Said> {
    if result.first() != Some(&b'{') {
        return None;
    }
    let mut said = Said::Result;
    each_member(result, 0, &mut |key, value| {
        match (key, value) {
            (b"isError", b"false") | (b"resultType", b"\"complete\"") => {}
            (b"isError", b"true") => said = Said::ToolError,
            (b"isError" | b"resultType", _) => return false,
            _ => return !key.contains(&b'\\'),
        }
        true
    })?;
    Some(said)
}

/// Calls `member` with each key and value of the object that begins at `place`, both as they are spelled, until it
/// says no. Gives the place after the object.
fn each_member<'b>(
    bytes: &'b [u8],
    place: usize,
    member: &mut dyn FnMut(&'b [u8], &'b [u8]) -> bool,
) -> Option<usize> {
    let mut place = expect(bytes, place, b'{')?;
    if bytes.get(place) == Some(&b'}') {
        return Some(place + 1);
    }
    loop {
        if bytes.get(place) != Some(&b'"') {
            return None;
        }
        let key_end = skip_string(bytes, place)?;
        let key = bytes.get(place + 1..key_end - 1)?;
        let begin = expect(bytes, skip_space(bytes, key_end), b':')?;
        let end = skip_value(bytes, begin)?;
        if !member(key, bytes.get(begin..end)?) {
            return None;
        }
        place = skip_space(bytes, end);
        match bytes.get(place)? {
            b',' => place = skip_space(bytes, place + 1),
            b'}' => return Some(place + 1),
            _ => return None,
        }
    }
}

/// The place after this byte and the space behind it.
fn expect(bytes: &[u8], place: usize, byte: u8) -> Option<usize> {
    (bytes.get(place) == Some(&byte)).then(|| skip_space(bytes, place + 1))
}

fn skip_space(bytes: &[u8], mut place: usize) -> usize {
    while matches!(bytes.get(place), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        place += 1;
    }
    place
}

fn skip_string(bytes: &[u8], place: usize) -> Option<usize> {
    let mut place = place + 1;
    loop {
        let found = place + memchr::memchr2(b'"', b'\\', bytes.get(place..)?)?;
        if bytes[found] == b'"' {
            return Some(found + 1);
        }
        place = found + 2;
    }
}

/// The place after the value that begins here. Brackets are counted, not matched: nothing here recurses.
fn skip_value(bytes: &[u8], mut place: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(place)? {
            b'"' => place = skip_string(bytes, place)?,
            b'{' | b'[' => {
                depth += 1;
                place += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                place += 1;
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth > 0 => place += 1,
            _ => place = skip_scalar(bytes, place)?,
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

fn skip_scalar(bytes: &[u8], place: usize) -> Option<usize> {
    let length = bytes[place..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        .count();
    (length > 0).then_some(place + length)
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > DIGITS_MAX || digits[0] == b'0' {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// By the reader that the judge has, too.
fn slow(bytes: &[u8]) -> Scanned {
    let Ok(lenient) = Lenient::parse(bytes) else {
        return Scanned::Unreadable;
    };
    let message::Parsed::Single(message) = lenient.into_parsed() else {
        return Scanned::Unreadable;
    };
    let number = |id: &message::Id| id.as_decimal()?.to_i64()?.try_into().ok();
    match &message.kind {
        Kind::Notification { .. } => Scanned::Notification,
        Kind::Request { id, method, .. } => Scanned::Request {
            id: id.raw().as_bytes().to_vec(),
            ping: method == "ping",
        },
        _ => match (message.answers().and_then(number), message.result()) {
            (Some(id), Some(result)) => Scanned::Answer {
                id,
                said: said(result),
            },
            (Some(id), None) => {
                let code = message.error().and_then(|it| it.get("code")?.as_i64());
                Scanned::Answer {
                    id,
                    said: Said::Error(code.unwrap_or(0)),
                }
            }
            (None, _) => Scanned::Unreadable,
        },
    }
}

fn said(result: &serde_json::Value) -> Said {
    let text = |name: &str| result.get(name).and_then(serde_json::Value::as_str);
    if text("resultType").is_some_and(|it| it != "complete") {
        Said::Incomplete
    } else if result.get("isError") == Some(&serde_json::Value::Bool(true)) {
        Said::ToolError
    } else {
        Said::Result
    }
}

/// More digits are no number of ours.
const DIGITS_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(id: u64, said: Said) -> Scanned {
        Scanned::Answer { id, said }
    }

    #[test]
    fn an_answer_is_told_by_its_id_and_by_what_it_says() {
        let cases: &[(&str, Scanned)] = &[
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
                answer(7, Said::Result),
            ),
            (
                r#" { "result" : {"content":[{"type":"text","text":"}\"]"}], "isError" : true } , "id" : 12 } "#,
                answer(12, Said::ToolError),
            ),
            (
                r#"{"id":7,"result":{"resultType":"complete","isError":false}}"#,
                answer(7, Said::Result),
            ),
            (
                r#"{"id":7,"result":{"resultType":"input_required"}}"#,
                answer(7, Said::Incomplete),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}}"#,
                answer(7, Said::Error(-32601)),
            ),
            (
                r#"{"jsonrpc":"2.0","\u0069d":7,"result":{}}"#,
                answer(7, Said::Result),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7.0,"result":{}}"#,
                answer(7, Said::Result),
            ),
            (
                r#"{"jsonrpc":"2.0","method":"notifications/x"}"#,
                Scanned::Notification,
            ),
            (
                r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#,
                Scanned::Request {
                    id: b"\"a\"".to_vec(),
                    ping: true,
                },
            ),
            (
                r#"{"jsonrpc":"2.0","id":"7","result":{}}"#,
                Scanned::Unreadable,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{}"#,
                Scanned::Unreadable,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{}}{}"#,
                Scanned::Unreadable,
            ),
            ("", Scanned::Unreadable),
            ("[]", Scanned::Unreadable),
            ("{\"", Scanned::Unreadable),
        ];
        for (text, expected) in cases {
            assert_eq!(&scan(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_in_a_result_is_not_taken_for_what_is_around_it() {
        let text = r#"{"jsonrpc":"2.0","result":{"id":9,"a":{"isError":true},"error":1},"id":7}"#;
        assert_eq!(scan(text.as_bytes()), answer(7, Said::Result));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            scan(&bytes);
        }

        #[test]
        fn pieces_of_json_are_read_without_panic(text in r#"[\{\}\[\]",:\\ 0-9a-eiu]{0,60}"#) {
            scan(text.as_bytes());
        }

        #[test]
        fn the_quick_way_says_what_the_slow_one_says(id in 1_u64..1_000_000_000, text in ".{0,20}", failed: bool) {
            let value = serde_json::json!({
                "jsonrpc": "2.0", "id": id, "result": {"content": [{"text": text}], "isError": failed},
            });
            let bytes = value.to_string().into_bytes();
            prop_assert_eq!(quick(&bytes), Some(slow(&bytes)));
        }
    }
}
