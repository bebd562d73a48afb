//! From a tree with places to typed values, so that every complaint knows its place.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer, de,
    de::{
        DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    },
};

use crate::{
    diagnostic::ProblemKind,
    node::{Node, Refusal, Shape},
};

/// Reads a typed value from a tree.
pub(crate) fn decode<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Refusal> {
    T::deserialize(At(node)).map_err(|error| {
        let span = error.span.unwrap_or_else(|| node.place(""));
        (error.kind, span)
    })
}

/// A complaint, and its place as soon as someone on the way out knows it.
#[derive(Debug)]
struct Complaint {
    kind: ProblemKind,
    span: Option<Range<usize>>,
}

impl Complaint {
    /// Gives the complaint a place, unless it has a nearer one.
    fn at(mut self, span: &Range<usize>) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// A complaint about a value that does not fit.
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: ProblemKind::Invalid {
                message: message.into(),
            },
            span: None,
        }
    }

    /// A complaint about a name that nothing has.
    fn unknown(what: &'static str, name: &str, known: &[&str]) -> Self {
        let known = known.iter().map(|name| (*name).to_owned()).collect();
        Self {
            kind: ProblemKind::Unknown {
                what,
                name: name.to_owned(),
                known,
            },
            span: None,
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind.title())
    }
}

impl std::error::Error for Complaint {}

impl de::Error for Complaint {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::invalid(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("key", field, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("value", variant, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            kind: ProblemKind::MissingKey {
                key: field.to_owned(),
            },
            span: None,
        }
    }
}

/// A node to read from.
#[derive(Clone, Copy)]
struct At<'de>(&'de Node);

impl<'de> At<'de> {
    /// The place to give a complaint about this node that no one below has placed.
    fn place(self) -> Option<&'de Range<usize>> {
        match &self.0.shape {
            // A list or mapping is best known by the key above it.
            Shape::List(_) | Shape::Map(_) => None,
            _ => Some(&self.0.span),
        }
    }
}

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Complaint;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        let result = match &self.0.shape {
            Shape::Null => visitor.visit_unit(),
            Shape::Bool(flag) => visitor.visit_bool(*flag),
            Shape::Number(number) => number
                .deserialize_any(visitor)
                .map_err(|error| Complaint::invalid(error.to_string())),
            Shape::String(text) => visitor.visit_borrowed_str(text),
            Shape::List(items) => visitor.visit_seq(Items(items.iter())),
            Shape::Map(members) => visitor.visit_map(Members {
                rest: members.iter(),
                value: None,
            }),
        };
        result.map_err(|complaint| match self.place() {
            Some(span) => complaint.at(span),
            None => complaint,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        match self.0.shape {
            Shape::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Complaint> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Complaint> {
        let what = noun(name);
        let (tag, value) = match &self.0.shape {
            Shape::String(_) => (self.0, None),
            Shape::Map(members) => match members.as_slice() {
                [(key, value)] => (key, Some(value)),
                [] => {
                    return Err(Complaint::invalid(format!(
                        "a {what} has one key, this has none"
                    )));
                }
                [_, (second, _), ..] => {
                    return Err(
                        Complaint::invalid(format!("a {what} has one key, this has more"))
                            .at(&second.span),
                    );
                }
            },
            _ => return Err(Complaint::invalid(format!("expected a {what}")).at(&self.0.span)),
        };
        if !variants.contains(&tag.key()) {
            return Err(Complaint::unknown(what, tag.key(), variants).at(&tag.span));
        }
        visitor
            .visit_enum(Variant { tag, value })
            .map_err(|complaint| complaint.at(&tag.span))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The items of a list.
struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Complaint;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Complaint> {
        let Some(item) = self.0.next() else {
            return Ok(None);
        };
        // An item that is a mapping is best known by its first key.
        let place = item.place("");
        let place = match &item.shape {
            Shape::Map(members) => members.first().map_or(place, |(key, _)| key.span.clone()),
            _ => place,
        };
        seed.deserialize(At(item))
            .map(Some)
            .map_err(|complaint| complaint.at(&place))
    }
}

/// The members of a mapping.
struct Members<'de> {
    rest: std::slice::Iter<'de, (Node, Node)>,
    value: Option<(&'de Node, &'de Node)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Complaint;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Complaint> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some((key, value));
        seed.deserialize(At(key))
            .map(Some)
            .map_err(|complaint| complaint.at(&key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Complaint> {
        let Some((key, value)) = self.value.take() else {
            return Err(Complaint::invalid("a value was asked for before its key"));
        };
        seed.deserialize(At(value))
            .map_err(|complaint| complaint.at(&key.span))
    }
}

/// A tag with what belongs to it.
struct Variant<'de> {
    tag: &'de Node,
    value: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Complaint;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Complaint> {
        let tag = seed.deserialize(self.tag.key().into_deserializer())?;
        Ok((tag, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Complaint;

    fn unit_variant(self) -> Result<(), Complaint> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(Complaint::invalid("a word is expected here, not a mapping")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Complaint> {
        match self.value {
            Some(value) => seed.deserialize(At(value)),
            None => {
                let tag = self.tag.key();
                Err(Complaint::invalid(format!(
                    "`{tag}` needs its settings: `{tag}: {{…}}`"
                )))
            }
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Complaint> {
        Err(Complaint::invalid("no list is expected here"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Complaint> {
        match self.value {
            Some(value) => At(value).deserialize_any(visitor),
            None => Err(Complaint::invalid("a mapping is expected here")),
        }
    }
}

/// What a person calls the values of an enum.
fn noun(name: &str) -> &'static str {
    match name {
        "Binds" => "side",
        "Level" => "level",
        "Outcome" => "verdict",
        "Revision" => "revision",
        "SessionMode" => "session mode",
        "Step" => "step",
        "Subject" => "subject",
        "TransportKind" => "transport",
        _ => "value",
    }
}
