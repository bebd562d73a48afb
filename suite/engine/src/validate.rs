//! `mcp-verdict validate`: values in, verdicts out, one to a line.

use std::io::{self, BufRead, Read, Write};

use mcp_verdict_wire::{Revision, limits::MESSAGE_BYTES_MAX};
use serde::Serialize;
use serde_json::Value;

use crate::schema::{UnknownDefinition, Validator, Violation};

/// The answer to one line.
#[derive(Debug, Serialize)]
struct Answer {
    valid: bool,
    errors: Vec<Violation>,
}

/// Judges each line of the input that is not empty, by a definition or as any message, and writes
/// `{"valid":…,"errors":[{"at":…,"message":…}]}` for it. True if every line was valid.
///
/// # Errors
///
/// If reading or writing fails. The inner error is a definition that the revision does not have;
/// then nothing is read.
pub fn run(
    revision: Revision,
    as_type: Option<&str>,
    mut input: impl BufRead,
    output: impl Write,
) -> io::Result<Result<bool, UnknownDefinition>> {
    let validator = Validator::of(revision);
    if let Some(Err(unknown)) = as_type.map(|name| validator.validate(name, &Value::Null)) {
        return Ok(Err(unknown));
    }
    let judge = |value: &Value| match as_type {
        // The name is known: it was just asked for.
        Some(name) => validator.validate(name, value).unwrap_or_default(),
        None => validator.message(value),
    };
    let mut output = io::BufWriter::new(output);
    let mut all_valid = true;
    let mut line = Vec::new();
    while let Some(whole) = next_line(&mut input, &mut line, MESSAGE_BYTES_MAX)? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let errors = match parsed(&line, whole) {
            Ok(value) => judge(&value),
            Err(violation) => vec![violation],
        };
        let answer = Answer {
            valid: errors.is_empty(),
            errors,
        };
        all_valid &= answer.valid;
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(Ok(all_valid))
}

fn parsed(line: &[u8], whole: bool) -> Result<Value, Violation> {
    if !whole {
        return Err(Violation::new(
            "",
            format!("the line is longer than {MESSAGE_BYTES_MAX} bytes"),
        ));
    }
    let text = std::str::from_utf8(line)
        .map_err(|error| Violation::new("", format!("not UTF-8: {error}")))?;
    serde_json::from_str(text).map_err(|error| Violation::new("", format!("not JSON: {error}")))
}

/// Reads a line without its end. False where it is longer than the limit and its rest was dropped;
/// nothing at the end of the input.
fn next_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Option<bool>> {
    line.clear();
    // One byte more than the limit, and the line's end.
    let limit = bytes_max as u64 + 1;
    let read = input.by_ref().take(limit).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    if line.len() <= bytes_max {
        return Ok(Some(true));
    }
    loop {
        let buffer = input.fill_buf()?;
        let Some(end) = buffer.iter().position(|&byte| byte == b'\n') else {
            let length = buffer.len();
            input.consume(length);
            if length == 0 {
                return Ok(Some(false));
            }
            continue;
        };
        input.consume(end + 1);
        return Ok(Some(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(as_type: Option<&str>, input: &[u8]) -> (bool, Vec<Value>) {
        let mut output = Vec::new();
        let valid = run(Revision::V2025_11_25, as_type, input, &mut output)
            .expect("memory")
            .expect("known");
        let text = String::from_utf8(output).expect("UTF-8");
        (
            valid,
            text.lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect(),
        )
    }

    #[test]
    fn every_line_that_is_not_empty_gets_one() {
        let input = b"{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\"}}\n\n  \r\n{\"name\":5}\nno json\n\xff\n[1]";
        let (valid, lines) = answers(Some("Tool"), input);
        assert!(!valid);
        let verdicts = lines
            .iter()
            .map(|line| line["valid"].as_bool())
            .collect::<Vec<_>>();
        assert_eq!(
            verdicts,
            [
                Some(true),
                Some(false),
                Some(false),
                Some(false),
                Some(false)
            ]
        );
        assert_eq!(lines[0]["errors"], serde_json::json!([]));
        assert_eq!(
            lines[1]["errors"][0]["message"],
            "member `inputSchema` is missing"
        );
        assert_eq!(lines[1]["errors"][1]["at"], "/name");
        assert!(
            lines[2]["errors"][0]["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("not JSON"))
        );
        assert!(
            lines[3]["errors"][0]["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("not UTF-8"))
        );
    }

    #[test]
    fn without_a_type_any_message_will_do() {
        let (valid, lines) = answers(None, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\r\n");
        assert!(valid && lines.len() == 2);
        assert!(!answers(None, b"{\"jsonrpc\":\"2.0\"}\n").0);
        assert!(answers(None, b"").0, "nothing is wrong with nothing");
    }

    #[test]
    fn an_unknown_type_is_named_and_nothing_is_read() {
        let mut output = Vec::new();
        let result = run(
            Revision::V2024_11_05,
            Some("Tol"),
            &b"{}\n"[..],
            &mut output,
        )
        .expect("memory");
        let error = result.expect_err("unknown").to_string();
        assert_eq!(
            error,
            "unknown definition `Tol` in revision 2024-11-05; did you mean `Tool`?"
        );
        assert!(output.is_empty());
    }

    #[test]
    fn a_line_beyond_the_limit_is_dropped_and_the_next_one_read() {
        let mut input = &b"12345\n123456\n1234567\n1\n1234567"[..];
        let mut line = Vec::new();
        let mut read = Vec::new();
        while let Some(whole) = next_line(&mut input, &mut line, 6).expect("memory") {
            read.push((whole, line.len().min(7)));
        }
        assert_eq!(
            read,
            [(true, 5), (true, 6), (false, 7), (true, 1), (false, 7)]
        );
    }
}
