//! The words and signs of the notation.

use std::fmt;

use super::notation::{NotationError, Place};

/// A word or sign, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    And,
    Arrow,
    Bar,
    CloseBrace,
    CloseBracket,
    CloseParen,
    Colon,
    Dots,
    Ellipsis,
    End,
    Equals,
    Integer(i64),
    Name(String),
    OpenBrace,
    OpenBracket,
    OpenParen,
    Question,
    /// A range of revisions, without its `@`.
    Span(String),
    Star,
    Text(String),
}

/// The tokens of a text; the last is [`Kind::End`].
pub(super) fn tokens(file: &str, text: &str) -> Result<Vec<Token>, NotationError> {
    let mut tokens = Vec::new();
    let mut place = Place {
        file: file.to_owned(),
        line: 1,
        column: 1,
    };
    for line in text.lines() {
        let mut rest = line;
        loop {
            rest = rest.trim_start();
            place.column = line.len() - rest.len() + 1;
            if rest.is_empty() || rest.starts_with('#') {
                break;
            }
            let (kind, length) = token(rest).map_err(|message| NotationError {
                place: place.clone(),
                message,
            })?;
            tokens.push(Token {
                kind,
                place: place.clone(),
            });
            rest = &rest[length..];
        }
        place.line += 1;
    }
    place.column = 1;
    tokens.push(Token {
        kind: Kind::End,
        place,
    });
    Ok(tokens)
}

/// The token at the beginning of a text, and its length in bytes.
fn token(rest: &str) -> Result<(Kind, usize), String> {
    if let Some((sign, kind)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((kind.clone(), sign.len()));
    }
    if let Some(after) = rest.strip_prefix('@') {
        let length = run(after, |letter| {
            letter.is_ascii_digit() || "-.".contains(letter)
        });
        return Ok((Kind::Span(after[..length].to_owned()), length + 1));
    }
    if let Some(after) = rest.strip_prefix('"') {
        let length = after.find('"').ok_or("a text without its closing `\"`")?;
        if after[..length].contains('\\') {
            return Err("a text cannot hold `\\`".to_owned());
        }
        return Ok((Kind::Text(after[..length].to_owned()), length + 2));
    }
    let sign = usize::from(rest.starts_with('-'));
    let digits = run(&rest[sign..], |letter| letter.is_ascii_digit());
    if digits > 0 {
        let number = &rest[..sign + digits];
        let value = number
            .parse()
            .map_err(|_| format!("the number `{number}` is too long"))?;
        return Ok((Kind::Integer(value), number.len()));
    }
    let length = run(rest, |letter| {
        letter.is_ascii_alphanumeric() || "_$-".contains(letter)
    });
    if length == 0 || sign == 1 {
        let found = rest.chars().next().unwrap_or(' ');
        return Err(format!("`{found}` has no meaning here"));
    }
    Ok((Kind::Name(rest[..length].to_owned()), length))
}

/// How many bytes at the beginning of a text are of a kind.
fn run(text: &str, of_kind: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !of_kind(letter)).unwrap_or(text.len())
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => formatter.write_str("the end of the file"),
            Self::Integer(number) => write!(formatter, "`{number}`"),
            Self::Name(name) => write!(formatter, "`{name}`"),
            Self::Span(text) => write!(formatter, "`@{text}`"),
            Self::Text(text) => write!(formatter, "`\"{text}\"`"),
            sign => {
                let text = SIGNS
                    .iter()
                    .find(|(_, kind)| kind == sign)
                    .map_or("?", |(text, _)| text);
                write!(formatter, "`{text}`")
            }
        }
    }
}

/// The longer of two signs with the same beginning first.
const SIGNS: [(&str, Kind); 15] = [
    ("...", Kind::Ellipsis),
    ("..", Kind::Dots),
    ("->", Kind::Arrow),
    ("&", Kind::And),
    ("|", Kind::Bar),
    ("}", Kind::CloseBrace),
    ("]", Kind::CloseBracket),
    (")", Kind::CloseParen),
    (":", Kind::Colon),
    ("=", Kind::Equals),
    ("{", Kind::OpenBrace),
    ("[", Kind::OpenBracket),
    ("(", Kind::OpenParen),
    ("?", Kind::Question),
    ("*", Kind::Star),
];
