//! Text from outside, made safe to look at.
//!
//! A control character, an invisible one or one that turns the direction of writing is replaced by
//! something visible, so no report carries an escape sequence and every report is made of
//! characters that XML 1.0 allows.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

/// Several lines: newline and tab stay, all else that cannot be seen is made visible.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    clean(text, |character| matches!(character, '\n' | '\t'))
}

/// One line: newline and tab are made visible too.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    clean(text, |_| false)
}

/// Text that displays itself as [`lines`] does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines<'a>(pub(crate) &'a str);

/// Text that displays itself as [`line`] does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a>(pub(crate) &'a str);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&lines(self.0))
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&line(self.0))
    }
}

/// The longest start of `text` that has at most `bytes_max` bytes and cuts no character.
pub(crate) fn start(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// A span of time as a person reads it.
pub(crate) fn duration(milliseconds: f64) -> String {
    let milliseconds = if milliseconds.is_finite() {
        milliseconds.max(0.0)
    } else {
        0.0
    };
    match milliseconds {
        long if long >= 60_000.0 => {
            format!(
                "{:.0} min {:02.0} s",
                (long / 60_000.0).floor(),
                (long % 60_000.0 / 1000.0).floor()
            )
        }
        long if long >= 1000.0 => format!("{:.1} s", long / 1000.0),
        short if short >= 10.0 => format!("{short:.0} ms"),
        short => format!("{short:.1} ms"),
    }
}

/// `1 byte`, `2 bytes`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn clean(text: &str, keeps: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text
        .chars()
        .any(|character| is_unseen(character) && !keeps(character))
    {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unseen(character) && !keeps(character) {
            push_visible(&mut cleaned, character);
        } else {
            cleaned.push(character);
        }
    }
    Cow::Owned(cleaned)
}

/// Whether a character shows nothing of its own: controls, changes of direction, zero width,
/// separators of lines, noncharacters, tags. Joiners stay, since scripts and emoji need them.
fn is_unseen(character: char) -> bool {
    let code = u32::from(character);
    character.is_control()
        || matches!(code,
            0x061C | 0x200B | 0x200E | 0x200F | 0x2028..=0x202E | 0x2066..=0x2069 | 0xFEFF
            | 0xFDD0..=0xFDEF | 0xE0000..=0xE007F)
        || code & 0xFFFE == 0xFFFE
}

/// `⏎` for a newline and `\u{…}` for the others: every font has those characters, and JSON has no such
/// escape, so what was sent as a raw control character is told from what was sent as an escape.
fn push_visible(cleaned: &mut String, character: char) {
    if character == '\n' {
        cleaned.push('⏎');
    } else {
        let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(
            line("a\u{1b}[31mb\0\r\n\u{9b}"),
            "a\\u{1b}[31mb\\u{0}\\u{d}⏎\\u{9b}"
        );
        assert_eq!(lines("a\n\tb\r"), "a\n\tb\\u{d}");
    }

    #[test]
    fn changes_of_direction_and_noncharacters_become_visible() {
        assert_eq!(
            line("\u{202e}\u{fffe}\u{1ffff}\u{feff}"),
            "\\u{202e}\\u{fffe}\\u{1ffff}\\u{feff}"
        );
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(lines("Grüße 👩‍💻\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_start_never_cuts_a_character() {
        assert_eq!(start("aé", 2), "a");
        assert_eq!(start("aé", 9), "aé");
    }

    #[test]
    fn durations_read_well_and_survive_nonsense() {
        let shown: Vec<_> = [0.04, 9.94, 10.4, 1500.0, 61_000.0, f64::NAN, -3.0]
            .map(duration)
            .into();
        assert_eq!(
            shown,
            [
                "0.0 ms",
                "9.9 ms",
                "10 ms",
                "1.5 s",
                "1 min 01 s",
                "0.0 ms",
                "0.0 ms"
            ]
        );
    }
}
