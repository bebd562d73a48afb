//! JSON laid out for reading, with nothing changed but the white space between its tokens: member
//! order, duplicate members and the spelling of numbers stay as they were sent.

use serde::de::IgnoredAny;

/// A piece of laid-out text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Whether it is a member's name.
    pub(crate) is_name: bool,
    pub(crate) text: std::borrow::Cow<'a, str>,
}

/// Lays out an object or an array. `None` for other text, for JSON that is nested too deeply to
/// indent, and for JSON with line breaks of its own: those are best seen as they are.
pub(super) fn lay_out(text: &str) -> Option<Vec<Piece<'_>>> {
    let trimmed = text.trim_matches(' ');
    if !trimmed.starts_with(['{', '[']) || trimmed.contains(['\n', '\r', '\t']) {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(trimmed).ok()?;
    let mut printer = Printer {
        text: trimmed,
        at: 0,
        open: Vec::new(),
        pieces: Vec::new(),
        pending: String::new(),
    };
    printer.print()?;
    Some(printer.pieces)
}

struct Printer<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open>,
    pieces: Vec<Piece<'a>>,
    /// Text that is not yet a piece.
    pending: String,
}

/// A container that is not closed yet.
#[derive(Clone, Copy)]
struct Open {
    is_object: bool,
    /// Short enough for one line.
    is_inline: bool,
    /// The next string is a name.
    wants_name: bool,
}

impl Printer<'_> {
    fn print(&mut self) -> Option<()> {
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b' ' => self.at += 1,
                b'"' => self.string(),
                b'{' | b'[' => self.open(byte)?,
                b'}' | b']' => self.close(byte)?,
                b',' => self.comma()?,
                b':' => {
                    self.pending.push_str(": ");
                    self.at += 1;
                }
                _ => self.bare(),
            }
        }
        self.flush();
        self.open.is_empty().then_some(())
    }

    fn open(&mut self, byte: u8) -> Option<()> {
        if self.open.len() == DEPTH_MAX {
            return None;
        }
        let outer_is_inline = self.open.last().is_some_and(|outer| outer.is_inline);
        let is_inline =
            outer_is_inline || container_length(&self.text[self.at..]) <= INLINE_BYTES_MAX;
        let is_object = byte == b'{';
        self.open.push(Open {
            is_object,
            is_inline,
            wants_name: is_object,
        });
        self.pending.push(char::from(byte));
        self.at += 1;
        self.new_line();
        Some(())
    }

    fn close(&mut self, byte: u8) -> Option<()> {
        let closed = self.open.pop()?;
        if !closed.is_inline {
            self.pending.push('\n');
            self.pending.push_str(&INDENT.repeat(self.open.len()));
        }
        self.pending.push(char::from(byte));
        self.at += 1;
        Some(())
    }

    fn comma(&mut self) -> Option<()> {
        let open = self.open.last_mut()?;
        open.wants_name = open.is_object;
        self.pending.push(',');
        if open.is_inline {
            self.pending.push(' ');
        }
        self.at += 1;
        self.new_line();
        Some(())
    }

    fn string(&mut self) {
        let rest = &self.text[self.at..];
        let string = &rest[..string_length(rest)];
        self.at += string.len();
        match self.open.last_mut() {
            Some(open) if open.wants_name => {
                open.wants_name = false;
                self.flush();
                self.pieces.push(Piece {
                    is_name: true,
                    text: string.to_owned().into(),
                });
            }
            _ => self.pending.push_str(string),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn bare(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest
            .find([',', ':', ']', '}', ' ', '"', '[', '{'])
            .unwrap_or(rest.len());
        // The text is valid JSON, so a bare word is never empty; a bound all the same.
        let length = length.max(rest.chars().next().map_or(1, char::len_utf8));
        self.pending.push_str(&rest[..length]);
        self.at += length;
    }

    fn new_line(&mut self) {
        if self.open.last().is_some_and(|open| !open.is_inline) {
            self.pending.push('\n');
            self.pending.push_str(&INDENT.repeat(self.open.len()));
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let text = std::mem::take(&mut self.pending).into();
            self.pieces.push(Piece {
                is_name: false,
                text,
            });
        }
    }
}

/// The length of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the container that `text` begins with; more than [`INLINE_BYTES_MAX`] if it is
/// longer than that, without looking further.
fn container_length(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at <= INLINE_BYTES_MAX {
        match text.as_bytes().get(at) {
            Some(b'"') => at += string_length(&text[at..]) - 1,
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            Some(_) => {}
            None => break,
        }
        at += 1;
    }
    usize::MAX
}

/// Deeper JSON would be more white space than text.
const DEPTH_MAX: usize = 24;
/// Containers up to this length stay on one line.
const INLINE_BYTES_MAX: usize = 60;
const INDENT: &str = "  ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn joined(text: &str) -> Option<String> {
        lay_out(text).map(|pieces| pieces.iter().map(|piece| &*piece.text).collect())
    }

    #[test]
    fn tokens_are_kept_as_they_were_spelled() {
        let text = r#"{"jsonrpc":"2.0","id":1.0e0,"id":9007199254740993,"result":{"a\/\"b":[],"long":["0123456789012345678901234567890123456789","x"]}}"#;
        let expected = r#"{
  "jsonrpc": "2.0",
  "id": 1.0e0,
  "id": 9007199254740993,
  "result": {
    "a\/\"b": [],
    "long": ["0123456789012345678901234567890123456789", "x"]
  }
}"#;
        assert_eq!(joined(text).unwrap(), expected);
    }

    #[test]
    fn names_are_told_from_values() {
        let pieces = lay_out(r#"{"a":"b","c":["d",{"e":1}]}"#).unwrap();
        let names: Vec<_> = pieces
            .iter()
            .filter(|piece| piece.is_name)
            .map(|piece| &*piece.text)
            .collect();
        assert_eq!(names, [r#""a""#, r#""c""#, r#""e""#]);
    }

    #[test]
    fn what_is_no_json_or_has_its_own_layout_is_left_alone() {
        for text in [
            "",
            "{",
            "{]",
            "hello",
            "12",
            "{\"a\":\n1}",
            "{\"a\":1} {",
            "{\"a\":1}}",
        ] {
            assert_eq!(joined(text), None, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_left_alone() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(joined(&deep), None);
        let hostile = "[".repeat(1_000_000);
        assert_eq!(joined(&hostile), None);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn laying_out_changes_no_value(value in json()) {
            let text = serde_json::to_string(&value).unwrap();
            if let Some(laid_out) = joined(&text) {
                let again: serde_json::Value = serde_json::from_str(&laid_out).unwrap();
                prop_assert_eq!(again, value);
                prop_assert!(serde_json::from_str::<&RawValue>(&laid_out).is_ok());
            }
        }

        #[test]
        fn laying_out_survives_any_text(text in "[\\[\\]{}:,\" \\\\a1é]{0,40}") {
            let _ = lay_out(&text);
        }
    }
}
