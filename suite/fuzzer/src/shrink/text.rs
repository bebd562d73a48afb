//! Smaller forms of a text that is JSON, or something close to it: without some of its parts, with shorter strings and
//! numbers, and less deep.

use std::ops::Range;

/// Something to leave out, or to put something shorter in place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    range: Range<usize>,
    with: Vec<u8>,
}

impl Edit {
    fn without(range: Range<usize>) -> Self {
        Self {
            range,
            with: Vec::new(),
        }
    }

    /// How many bytes it saves.
    fn saves(&self) -> usize {
        self.range.len().saturating_sub(self.with.len())
    }

    /// The text that it makes of `bytes`.
    pub(super) fn made(&self, bytes: &[u8]) -> Vec<u8> {
        let mut made = bytes.to_vec();
        made.splice(self.range.clone(), self.with.iter().copied());
        made
    }
}

/// What can be tried, what saves most first.
pub(super) fn edits(bytes: &[u8]) -> Vec<Edit> {
    let mut edits = parts(bytes);
    edits.extend(tokens(bytes));
    edits.retain(|edit| edit.saves() > 0 && edit.range.end <= bytes.len());
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.saves()));
    edits.dedup();
    edits.truncate(EDITS_MAX);
    edits.extend(chunks(bytes.len()).into_iter().map(Edit::without));
    edits
}

/// What is open while a text is read.
struct Open {
    /// Where its bracket is.
    from: usize,
    /// Where the item begins that is being read.
    item: usize,
    /// The values in it so far that are nested themselves.
    within: Vec<Range<usize>>,
}

/// The parts that can be left out and leave JSON: members and items with their commas, what is within brackets and
/// quotes, and levels around something that is nested.
fn parts(bytes: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut quote: Option<usize> = None;
    let mut place = 0;
    while place < bytes.len() {
        let byte = bytes[place];
        match quote {
            Some(from) => match byte {
                b'\\' => place += 1,
                b'"' => {
                    edits.push(Edit::without(from + 1..place));
                    quote = None;
                }
                _ => {}
            },
            None => match byte {
                b'"' => quote = Some(place),
                b'{' | b'[' => open.push(Open {
                    from: place,
                    item: place + 1,
                    within: Vec::new(),
                }),
                b',' => {
                    if let Some(last) = open.last_mut() {
                        edits.push(Edit::without(last.item..place + 1));
                        last.item = place + 1;
                    }
                }
                b'}' | b']' => {
                    if let Some(last) = open.pop() {
                        edits.extend(closed(bytes, &last, place));
                        if let Some(outer) = open.last_mut() {
                            outer.within.push(last.from..place + 1);
                        }
                    }
                }
                _ => {}
            },
        }
        place += 1;
    }
    edits
}

/// What can be done about something in brackets that ends at `place`.
fn closed(bytes: &[u8], open: &Open, place: usize) -> Vec<Edit> {
    // The last item takes the comma before it along.
    let comma = open.item > open.from + 1;
    let mut edits = vec![
        Edit::without(open.item - usize::from(comma)..place),
        Edit::without(open.from + 1..place),
    ];
    for inner in open.within.iter().take(LEVELS_MAX) {
        edits.push(Edit {
            range: open.from..place + 1,
            with: bytes[inner.clone()].to_vec(),
        });
    }
    edits
}

/// Strings at half their length, numbers with half their digits, and other words as `0`.
fn tokens(bytes: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut place = 0;
    while place < bytes.len() {
        let from = place;
        match bytes[place] {
            b'"' => {
                let mut cuts = Vec::new();
                place += 1;
                while place < bytes.len() && bytes[place] != b'"' {
                    // A text is cut between characters.
                    if bytes[place] & 0xc0 != 0x80 {
                        cuts.push(place);
                    }
                    place += 1 + usize::from(bytes[place] == b'\\');
                }
                let half = cuts.get(cuts.len() / 2).copied();
                if let Some(half) = half.filter(|_| place < bytes.len()) {
                    edits.push(Edit::without(half..place));
                    edits.push(Edit::without(from + 1..half));
                }
                place += 1;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
                let length = bytes[from..]
                    .iter()
                    .take_while(|byte| is_part(byte))
                    .count();
                place += length;
                let half = from + length / 2;
                edits.push(Edit {
                    range: from..place,
                    with: b"0".to_vec(),
                });
                edits.push(Edit::without(half..place));
            }
            _ => place += 1,
        }
    }
    edits
}

/// Halves, quarters, and so on down to single bytes where there are few.
fn chunks(length: usize) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut size = length.div_ceil(2);
    while size >= 1 && length / size <= CHUNKS_MAX && length > 0 {
        let mut from = 0;
        while from < length {
            chunks.push(from..(from + size).min(length));
            from += size;
        }
        if size == 1 {
            break;
        }
        size /= 2;
    }
    chunks
}

/// Parts of one message that are tried.
const EDITS_MAX: usize = 160;

/// Levels that one value can take the place of.
const LEVELS_MAX: usize = 4;

/// Chunks of one size that are tried.
const CHUNKS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_left_out_leaves_json() {
        let text = br#"{"a":1,"b":[1,{"c":"d"}],"e":"f,g"}"#;
        let left: Vec<Vec<u8>> = parts(text).iter().map(|edit| edit.made(text)).collect();
        for rest in &left {
            let text = String::from_utf8_lossy(rest);
            assert!(
                serde_json::from_slice::<serde_json::Value>(rest).is_ok(),
                "{text}"
            );
        }
        for wanted in [
            &br#"{"b":[1,{"c":"d"}],"e":"f,g"}"#[..],
            br#"{"a":1,"b":[1,{"c":"d"}]}"#,
            br#"{"a":1,"b":{"c":"d"},"e":"f,g"}"#,
            br#"[1,{"c":"d"}]"#,
            b"{}",
        ] {
            assert!(left.iter().any(|rest| rest == wanted));
        }
    }

    #[test]
    fn strings_and_numbers_get_shorter() {
        let shorter = |text: &str| -> Vec<String> {
            let made = tokens(text.as_bytes())
                .into_iter()
                .map(|edit| edit.made(text.as_bytes()));
            made.map(|bytes| String::from_utf8(bytes).unwrap())
                .collect()
        };
        assert!(shorter(r#"["abcdefgh"]"#).contains(&r#"["abcd"]"#.to_owned()));
        assert!(shorter(r#"["abcdefgh"]"#).contains(&r#"["efgh"]"#.to_owned()));
        assert!(shorter("[18446744073709551616]").contains(&"[1844674407]".to_owned()));
        assert!(shorter("[true]").contains(&"[0]".to_owned()));
        // Neither an escape nor a character is cut in two.
        assert!(shorter(r#""\n\n""#).contains(&r#""\n""#.to_owned()));
        assert!(shorter("\"éé\"").contains(&"\"é\"".to_owned()));
        for broken in ["\"", r#""\"#, r#""a"#] {
            assert!(shorter(broken).iter().all(|it| it.len() < broken.len()));
        }
    }

    #[test]
    fn chunks_cover_everything_in_every_size() {
        let covered: usize = chunks(10).iter().filter(|chunk| chunk.len() == 1).count();
        assert_eq!(covered, 10);
        assert!(chunks(0).is_empty());
    }
}
