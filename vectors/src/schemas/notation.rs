//! The notation of `schemas/*.types`: from text to definitions. What a definition means in one
//! revision is the neighbouring module's business; `schemas/README.md` explains the notation.

use std::{fmt, str::FromStr};

use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::tokens::{Kind, Token, tokens};

/// Where something stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file's name.
    pub(super) file: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// The column, from 1.
    pub(super) column: usize,
}

/// A text that is not in the notation, or that says something impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}:{}: {message}", .place.file, .place.line, .place.column)]
pub(super) struct NotationError {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Revisions from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Revision,
    pub(super) last: Revision,
}

impl Span {
    /// Every revision.
    pub(super) const ALL: Self = Self {
        first: Revision::V2024_11_05,
        last: Revision::V2026_07_28,
    };

    /// Whether it has this revision.
    pub(super) fn has(self, revision: Revision) -> bool {
        self.first <= revision && revision <= self.last
    }
}

/// A definition: a name, when it holds, and a type.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    /// The revisions in which it stands in the schema under its name.
    pub(super) named: Option<Span>,
    /// The revisions in which it is written out where it is used.
    pub(super) inline: Option<Span>,
    /// What answers it, if it is a request.
    pub(super) answers: Vec<Answer>,
    pub(super) body: Type,
    pub(super) place: Place,
}

/// One of the results that answer a request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) place: Place,
}

/// A type.
#[derive(Clone, Debug)]
pub(super) enum Type {
    All(Vec<Type>),
    Any,
    Boolean,
    List {
        item: Box<Type>,
        items_max: Option<i64>,
    },
    Literal(Value),
    Name(String, Place),
    Null,
    Number {
        integer: bool,
        least: Option<i64>,
        most: Option<i64>,
    },
    Object(Vec<Member>),
    String {
        format: Option<String>,
    },
    Union(Vec<Alternative>),
}

/// One alternative of a union.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub(super) body: Type,
    pub(super) span: Span,
}

/// One line of an object.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) key: Key,
    pub(super) body: Type,
    pub(super) span: Span,
    pub(super) place: Place,
}

/// What a member says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A member of this name.
    Named { name: String, required: bool },
    /// All other members.
    Others,
    /// The members of the type.
    Spread,
}

/// The definitions of one file.
pub(super) fn definitions(file: &str, text: &str) -> Result<Vec<Definition>, NotationError> {
    let mut parser = Parser {
        tokens: tokens(file, text)?,
        next: 0,
    };
    let mut definitions = Vec::new();
    while !parser.at(&Kind::End) {
        definitions.push(parser.definition()?);
    }
    Ok(definitions)
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let revision = |text: &str, open: Revision| match text {
            "" => Ok(open),
            text => text.parse::<Revision>().map_err(|error| error.to_string()),
        };
        let Some((first, last)) = text.split_once("..") else {
            let only = text
                .parse::<Revision>()
                .map_err(|error| error.to_string())?;
            return Ok(Self {
                first: only,
                last: only,
            });
        };
        let span = Self {
            first: revision(first, Self::ALL.first)?,
            last: revision(last, Self::ALL.last)?,
        };
        if span.first > span.last {
            return Err(format!("the range `{text}` runs backwards"));
        }
        Ok(span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{}..{}", self.first, self.last)
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        // The lexer ends every list of tokens with `End`, which is never passed.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn at(&self, kind: &Kind) -> bool {
        self.token().kind == *kind
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let there = self.at(kind);
        self.next += usize::from(there);
        there
    }

    fn place(&self) -> Place {
        self.token().place.clone()
    }

    fn expected<T>(&self, what: &str) -> Result<T, NotationError> {
        Err(NotationError {
            place: self.place(),
            message: format!("expected {what}, found {}", self.token().kind),
        })
    }

    fn need(&mut self, kind: &Kind) -> Result<(), NotationError> {
        if self.take(kind) {
            Ok(())
        } else {
            self.expected(&kind.to_string())
        }
    }

    fn name(&mut self) -> Result<String, NotationError> {
        let Kind::Name(name) = &self.token().kind else {
            return self.expected("a name");
        };
        let name = name.clone();
        self.next += 1;
        Ok(name)
    }

    fn integer(&mut self) -> Option<i64> {
        let Kind::Integer(number) = self.token().kind else {
            return None;
        };
        self.next += 1;
        Some(number)
    }

    fn span(&mut self) -> Result<Option<Span>, NotationError> {
        let Kind::Span(text) = &self.token().kind else {
            return Ok(None);
        };
        let span = text.parse::<Span>().map_err(|message| NotationError {
            place: self.place(),
            message,
        })?;
        self.next += 1;
        Ok(Some(span))
    }

    fn span_or_all(&mut self) -> Result<Span, NotationError> {
        Ok(self.span()?.unwrap_or(Span::ALL))
    }

    /// `Name @range inline @range -> Result | … = type`.
    fn definition(&mut self) -> Result<Definition, NotationError> {
        let place = self.place();
        let name = self.name()?;
        let mut named = self.span()?;
        let mut inline = None;
        if self.take(&Kind::Name("inline".to_owned())) {
            inline = Some(self.span_or_all()?);
        } else {
            named = named.or(Some(Span::ALL));
        }
        let mut answers = Vec::new();
        if self.take(&Kind::Arrow) {
            loop {
                let place = self.place();
                let name = self.name()?;
                let span = self.span_or_all()?;
                answers.push(Answer { name, span, place });
                if !self.take(&Kind::Bar) {
                    break;
                }
            }
        }
        self.need(&Kind::Equals)?;
        let body = self.union()?;
        Ok(Definition {
            name,
            named,
            inline,
            answers,
            body,
            place,
        })
    }

    /// One type, or several with `|` between them, each with its range.
    fn union(&mut self) -> Result<Type, NotationError> {
        self.take(&Kind::Bar);
        let first = self.intersection()?;
        // A range behind a lone type belongs to what the type is of.
        let follows = matches!(self.token().kind, Kind::Span(_)) as usize;
        if self
            .tokens
            .get(self.next + follows)
            .is_none_or(|token| token.kind != Kind::Bar)
        {
            return Ok(first);
        }
        let mut alternatives = vec![Alternative {
            body: first,
            span: self.span_or_all()?,
        }];
        while self.take(&Kind::Bar) {
            let body = self.intersection()?;
            alternatives.push(Alternative {
                body,
                span: self.span_or_all()?,
            });
        }
        Ok(Type::Union(alternatives))
    }

    fn intersection(&mut self) -> Result<Type, NotationError> {
        let mut parts = vec![self.list()?];
        while self.take(&Kind::And) {
            parts.push(self.list()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Type::All(parts)
        })
    }

    fn list(&mut self) -> Result<Type, NotationError> {
        let mut body = self.single()?;
        while self.take(&Kind::OpenBracket) {
            let items_max = if self.take(&Kind::Dots) {
                match self.integer() {
                    Some(most) => Some(most),
                    None => return self.expected("a number"),
                }
            } else {
                None
            };
            self.need(&Kind::CloseBracket)?;
            body = Type::List {
                item: Box::new(body),
                items_max,
            };
        }
        Ok(body)
    }

    fn single(&mut self) -> Result<Type, NotationError> {
        let place = self.place();
        if self.take(&Kind::OpenParen) {
            let body = self.union()?;
            self.need(&Kind::CloseParen)?;
            return Ok(body);
        }
        if self.take(&Kind::OpenBrace) {
            return self.object();
        }
        if let Some(number) = self.integer() {
            return Ok(Type::Literal(number.into()));
        }
        if let Kind::Text(text) = &self.token().kind {
            let literal = Type::Literal(text.as_str().into());
            self.next += 1;
            return Ok(literal);
        }
        let Kind::Name(name) = self.token().kind.clone() else {
            return self.expected("a type");
        };
        self.next += 1;
        Ok(match name.as_str() {
            "any" => Type::Any,
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "object" => Type::Object(Vec::new()),
            "string" => Type::String {
                format: self.format()?,
            },
            "integer" | "number" => {
                let (least, most) = self.bounds()?;
                Type::Number {
                    integer: name == "integer",
                    least,
                    most,
                }
            }
            _ => Type::Name(name, place),
        })
    }

    fn format(&mut self) -> Result<Option<String>, NotationError> {
        if !self.take(&Kind::OpenParen) {
            return Ok(None);
        }
        let format = self.name()?;
        self.need(&Kind::CloseParen)?;
        Ok(Some(format))
    }

    fn bounds(&mut self) -> Result<(Option<i64>, Option<i64>), NotationError> {
        if !self.take(&Kind::OpenParen) {
            return Ok((None, None));
        }
        let least = self.integer();
        self.need(&Kind::Dots)?;
        let most = self.integer();
        self.need(&Kind::CloseParen)?;
        Ok((least, most))
    }

    /// The members of an object, and its closing brace.
    fn object(&mut self) -> Result<Type, NotationError> {
        let mut members = Vec::new();
        while !self.take(&Kind::CloseBrace) {
            members.push(self.member()?);
        }
        Ok(Type::Object(members))
    }

    fn member(&mut self) -> Result<Member, NotationError> {
        let place = self.place();
        let key = if self.take(&Kind::Ellipsis) {
            Key::Spread
        } else if self.take(&Kind::Star) {
            Key::Others
        } else {
            let name = match self.token().kind.clone() {
                Kind::Name(name) | Kind::Text(name) => name,
                _ => return self.expected("a member or `}`"),
            };
            self.next += 1;
            Key::Named {
                name,
                required: !self.take(&Kind::Question),
            }
        };
        if key == Key::Spread {
            let at = self.place();
            let body = Type::Name(self.name()?, at);
            return Ok(Member {
                key,
                body,
                span: self.span_or_all()?,
                place,
            });
        }
        self.need(&Kind::Colon)?;
        let body = self.union()?;
        Ok(Member {
            key,
            body,
            span: self.span_or_all()?,
            place,
        })
    }
}
