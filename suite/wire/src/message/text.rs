//! A bounded reader of JSON text that repairs nothing: it keeps what a judge wants to know.
//!
//! It follows RFC 8259 to the letter. Beyond the value it finds duplicate keys, escapes of lone
//! surrogates, and where each message and its id stand in the bytes.

use std::ops::Range;

use serde_json::{Map, Value, map::Entry};

use super::{Malformed, Remark};
use crate::limits::{JSON_DEPTH_MAX, MESSAGE_BYTES_MAX};

/// What was read.
pub(super) struct Text {
    pub(super) value: Value,
    /// JSON pointers, at most [`DUPLICATES_MAX`].
    pub(super) duplicate_keys: Vec<String>,
    pub(super) remarks: Vec<Remark>,
    pub(super) values: usize,
    /// One for a text that is no array, else one for each item.
    pub(super) envelopes: Vec<Envelope>,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Envelope {
    pub(super) span: Range<usize>,
    /// The raw text of its `id` member.
    pub(super) id: Option<String>,
}

/// Reads the one JSON text that `bytes` should be, with at most so many values.
pub(super) fn read(bytes: &[u8], values_max: usize) -> Result<Text, Malformed> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(Malformed::TooLong { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Malformed::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        values: 0,
        values_max,
        message_depth: 1,
        id: None,
        envelopes: Vec::new(),
        duplicate_keys: Vec::new(),
        remarks: Vec::new(),
    };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
        reader.remarks.push(Remark::ByteOrderMark);
    }
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(Malformed::Empty);
    }
    let start = reader.at;
    let value = reader.value()?;
    if !value.is_array() {
        let id = reader.id.take();
        reader.envelopes.push(Envelope {
            span: start..reader.at,
            id,
        });
    }
    reader.skip_space();
    if reader.at < text.len() {
        return Err(Malformed::Trailing { offset: reader.at });
    }
    let Reader {
        duplicate_keys,
        remarks,
        envelopes,
        values,
        ..
    } = reader;
    Ok(Text {
        value,
        duplicate_keys,
        remarks,
        envelopes,
        values,
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Containers open around `at`.
    depth: usize,
    values: usize,
    values_max: usize,
    /// The depth inside a message: 1, or 2 in a batch.
    message_depth: usize,
    /// The raw id of the message being read.
    id: Option<String>,
    envelopes: Vec<Envelope>,
    duplicate_keys: Vec<String>,
    remarks: Vec<Remark>,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, Malformed> {
        self.values += 1;
        if self.values > self.values_max {
            return Err(Malformed::TooManyValues {
                max: self.values_max,
                offset: self.at,
            });
        }
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value, Malformed>,
    ) -> Result<Value, Malformed> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(Malformed::TooDeep { offset: self.at });
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Malformed> {
        let mut members = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a member's name"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.expected("`:`"));
            }
            self.skip_space();
            let (start, found) = (self.at, self.duplicate_keys.len());
            let value = self.value()?;
            self.point_below(found, &name);
            if self.depth == self.message_depth && name == "id" {
                self.id = Some(self.text[start..self.at].to_owned());
            }
            match members.entry(name) {
                Entry::Vacant(member) => {
                    member.insert(value);
                }
                Entry::Occupied(mut member) => {
                    let pointer = token(member.key());
                    member.insert(value);
                    if self.duplicate_keys.len() < DUPLICATES_MAX {
                        self.duplicate_keys.push(pointer);
                    }
                }
            }
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.comma("`,` or `}`")?;
        }
    }

    fn array(&mut self) -> Result<Value, Malformed> {
        let batch = self.depth == 1;
        if batch {
            self.message_depth = 2;
        }
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            let (start, found) = (self.at, self.duplicate_keys.len());
            let item = self.value()?;
            if self.duplicate_keys.len() > found {
                self.point_below(found, &items.len().to_string());
            }
            items.push(item);
            if batch {
                let id = self.id.take();
                self.envelopes.push(Envelope {
                    span: start..self.at,
                    id,
                });
            }
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.comma("`,` or `]`")?;
        }
    }

    fn comma(&mut self, expected: &'static str) -> Result<(), Malformed> {
        if !self.take(b',') {
            return Err(self.expected(expected));
        }
        self.skip_space();
        Ok(())
    }

    fn number(&mut self) -> Result<Value, Malformed> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let number = self.text[start..self.at].parse();
        number.map(Value::Number).map_err(|_| Malformed::Syntax {
            offset: start,
            expected: "a number",
        })
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.expected("a digit"))
        } else {
            Ok(())
        }
    }

    fn literal(&mut self, word: &'static str, value: Value) -> Result<Value, Malformed> {
        for expected in word.bytes() {
            if !self.take(expected) {
                return Err(self.expected(word));
            }
        }
        Ok(value)
    }

    /// Reads a string; `at` is at its opening quote.
    fn string(&mut self) -> Result<String, Malformed> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < b' ');
            let end = self.at + plain.unwrap_or(rest.len());
            string.push_str(&self.text[self.at..end]);
            self.at = end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                _ => return Err(self.expected("a character of a string")),
            }
        }
    }

    /// Reads an escape; `at` is at its backslash.
    fn escape(&mut self) -> Result<char, Malformed> {
        let start = self.at;
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.expected("an escape")),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads `\uXXXX`, and the second half of a pair after it; `at` is at the `u`.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Malformed> {
        let first = self.code_unit()?;
        if let Some(Ok(character)) = char::decode_utf16([first]).next() {
            return Ok(character);
        }
        let after_first = self.at;
        if self.text[self.at..].starts_with("\\u") {
            self.at += 1;
            let second = self.code_unit()?;
            if let Some(Ok(pair)) = char::decode_utf16([first, second]).next() {
                return Ok(pair);
            }
            // The second escape stands for itself, and may begin a pair of its own.
            self.at = after_first;
        }
        if self.remarks.len() < REMARKS_MAX {
            self.remarks.push(Remark::LoneSurrogate { offset: start });
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// Reads four hexadecimal digits; `at` is at the `u` before them.
    fn code_unit(&mut self) -> Result<u16, Malformed> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.expected("a hexadecimal digit"))?;
            // A hexadecimal digit is below 16, and four of them fill 16 bits.
            unit = unit * 16 + digit as u16;
            self.at += 1;
        }
        Ok(unit)
    }

    /// The duplicates found since there were `found` of them lie below the member or item `name`.
    fn point_below(&mut self, found: usize, name: &str) {
        if self.duplicate_keys.len() > found {
            let parent = token(name);
            for pointer in &mut self.duplicate_keys[found..] {
                pointer.insert_str(0, &parent);
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expected(&self, expected: &'static str) -> Malformed {
        if self.at >= self.text.len() {
            Malformed::Truncated
        } else {
            Malformed::Syntax {
                offset: self.at,
                expected,
            }
        }
    }
}

/// `/name` as a JSON pointer spells it, cut where a peer chose a name too long to show.
fn token(name: &str) -> String {
    let mut token = String::from("/");
    for (index, character) in name.chars().enumerate() {
        match character {
            _ if index >= TOKEN_CHARACTERS_MAX => {
                token.push('…');
                break;
            }
            '~' => token.push_str("~0"),
            '/' => token.push_str("~1"),
            other => token.push(other),
        }
    }
    token
}

/// Duplicate keys listed for one text: enough to see what is wrong, too few to fill memory.
const DUPLICATES_MAX: usize = 64;

/// Remarks listed for one text, for the same reason.
const REMARKS_MAX: usize = 64;

/// Longest part of a pointer that is shown.
const TOKEN_CHARACTERS_MAX: usize = 200;
