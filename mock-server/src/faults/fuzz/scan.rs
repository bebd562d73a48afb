//! A look at bytes that are nearly JSON: their strings, what stands between these, and how deep they are nested.

/// What a look at a message brings.
#[derive(Debug, Default)]
pub(super) struct Scan<'b> {
    /// What is between quotes, as it is escaped.
    pub(super) strings: Vec<&'b [u8]>,
    /// Numbers and words.
    pub(super) tokens: Vec<&'b [u8]>,
    /// How deep brackets are nested.
    pub(super) depth: usize,
}

/// Looks at `bytes`. A string without an end is none.
pub(super) fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut scan = Scan::default();
    let (mut depth, mut place) = (0_usize, 0);
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'"' => {
                let length = string_length(&bytes[place + 1..]);
                if let Some(length) = length {
                    scan.strings.push(&bytes[place + 1..=place + length]);
                }
                place += length.map_or(bytes.len(), |length| length + 1);
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            byte if is_of_token(*byte) => {
                let rest = &bytes[place..];
                let length = rest.iter().take_while(|byte| is_of_token(**byte)).count();
                scan.tokens.push(&rest[..length]);
                place += length - 1;
            }
            _ => {}
        }
        scan.depth = scan.depth.max(depth);
        place += 1;
    }
    scan
}

/// The bytes before the quote that ends a string.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut place = 0;
    loop {
        match bytes.get(place)? {
            b'"' => return Some(place),
            b'\\' => place += 2,
            _ => place += 1,
        }
    }
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// The UTF-16 unit that a string has as an escape at `place`, if there is one.
pub(super) fn escaped_unit(string: &[u8], place: usize) -> Option<u16> {
    let digits = string.get(place..place + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The places at which a string has escapes.
pub(super) fn escapes(string: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut place = 0;
    std::iter::from_fn(move || {
        while *string.get(place)? != b'\\' {
            place += 1;
        }
        place += 2;
        Some(place - 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_strings_is_neither_token_nor_bracket() {
        let scan = scan(br#"{"a[":[1e400,"\"]\\",{"b":null}],"#);
        assert_eq!(scan.strings, [&b"a["[..], br#"\"]\\"#, b"b"]);
        assert_eq!(scan.tokens, [&b"1e400"[..], b"null"]);
        assert_eq!(scan.depth, 3);
    }

    #[test]
    fn an_escaped_backslash_escapes_nothing() {
        let string = br"\\ud800\ud800";
        assert_eq!(escapes(string).collect::<Vec<_>>(), [0, 7]);
        assert_eq!(escaped_unit(string, 7), Some(0xd800));
        assert_eq!(escaped_unit(string, 0), None);
    }
}
