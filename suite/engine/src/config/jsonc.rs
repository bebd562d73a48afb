//! JSON as editors write it: with comments, and with commas before closing brackets.

use std::path::Path;

use serde_json::Value;

use super::ConfigError;

/// Reads JSON with comments and trailing commas, from the file `path`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Value, ConfigError> {
    serde_json::from_str(&plain(text)).map_err(|error| ConfigError::Json {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        // The position is told apart.
        why: error
            .to_string()
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// The same text as JSON, with blanks where there was something else: positions stay.
fn plain(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if text.starts_with('\u{feff}') {
        bytes[..3].fill(b' ');
    }
    let mut at = 0;
    let mut comma = None;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'"', _) => {
                comma = None;
                at = end_of_string(&bytes, at);
            }
            (b'/', Some(b'/')) => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    bytes[at] = b' ';
                    at += 1;
                }
            }
            (b'/', Some(b'*')) => at = blank_block(&mut bytes, at),
            (b',', _) => {
                comma = Some(at);
                at += 1;
            }
            (b'}' | b']', _) => {
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                }
                at += 1;
            }
            (byte, _) => {
                if !byte.is_ascii_whitespace() {
                    comma = None;
                }
                at += 1;
            }
        }
    }
    // Only whole comments and single ASCII bytes were replaced.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The index after the string that begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'\\' => 2,
            b'"' => return at + 1,
            _ => 1,
        };
    }
    bytes.len()
}

/// Blanks the block comment that begins at `at`, but for its line breaks; gives the index after it.
fn blank_block(bytes: &mut [u8], at: usize) -> usize {
    let length = bytes[at + 2..].windows(2).position(|pair| pair == b"*/");
    let end = length.map_or(bytes.len(), |length| at + 2 + length + 2);
    for byte in &mut bytes[at..end] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_blanked() {
        let text = "\u{feff}{ // é\n \"a\": [1, 2, /* , */ ], \"url\": \"http://x/*,]*/\\\"//\", }";
        let value: Value = serde_json::from_str(&plain(text)).expect("JSON");
        assert_eq!(value["a"], serde_json::json!([1, 2]));
        assert_eq!(value["url"], "http://x/*,]*/\"//");
    }

    #[test]
    fn positions_stay_where_they_are() {
        let text = "{\n/* one\n two */ \"a\": oops }";
        let error = serde_json::from_str::<Value>(&plain(text)).expect_err("an error");
        assert_eq!((error.line(), plain(text).len()), (3, text.len()));
    }

    #[test]
    fn what_is_cut_off_does_not_panic() {
        for text in ["", "/", "/*", "//", "\"", "\"\\", "{\"a\": 1 /*", ",", ",]"] {
            assert_eq!(plain(text).len(), text.len());
        }
    }
}
