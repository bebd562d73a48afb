//! Taking an object of JSON apart, member by member, so that nothing of it is lost unnoticed.

use std::collections::BTreeMap;

use prost_types::Struct;
use serde_json::{Map, Value};

use super::{Unmapped, proto, structs};

/// An object whose members are taken one by one.
pub(super) struct Members {
    left: Map<String, Value>,
    at: String,
}

impl Members {
    pub(super) fn of(value: Value, at: &str) -> Result<Self, Unmapped> {
        match value {
            Value::Object(left) => Ok(Self {
                left,
                at: at.to_owned(),
            }),
            _ => Err(Unmapped::new(at, "no object")),
        }
    }

    /// That all of it was taken.
    pub(super) fn done(self) -> Result<(), Unmapped> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(Unmapped::new(
                &self.at,
                format_args!("there is no field for `{name}`"),
            )),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }

    fn wrong<T>(&self, name: &str, wanted: &str) -> Result<T, Unmapped> {
        let at = format!("{}/{name}", self.at);
        Err(Unmapped::new(&at, format_args!("no {wanted}")))
    }

    /// A text; an absent one is empty, as protobuf has it.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Unmapped> {
        Ok(self.optional_text(name)?.unwrap_or_default())
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, Unmapped> {
        match self.optional_text(name)? {
            Some(text) => Ok(text),
            None => self.wrong(name, "text, which cannot be left out"),
        }
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Unmapped> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong(name, "text"),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Unmapped> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => self.wrong(name, "boolean"),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Unmapped> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                structs::double(&number, &format!("{}/{name}", self.at)).map(Some)
            }
            Some(_) => self.wrong(name, "number"),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Value>, Unmapped> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => self.wrong(name, "list"),
        }
    }

    pub(super) fn text_list(&mut self, name: &str) -> Result<Vec<String>, Unmapped> {
        let mut texts = Vec::new();
        for item in self.list(name)? {
            match item {
                Value::String(text) => texts.push(text),
                _ => return self.wrong(name, "list of texts"),
            }
        }
        Ok(texts)
    }

    /// Texts by name.
    pub(super) fn texts(&mut self, name: &str) -> Result<BTreeMap<String, String>, Unmapped> {
        let mut texts = BTreeMap::new();
        let Some(object) = self.take(name) else {
            return Ok(texts);
        };
        let Value::Object(object) = object else {
            return self.wrong(name, "object");
        };
        for (key, value) in object {
            match value {
                Value::String(text) => drop(texts.insert(key, text)),
                _ => return self.wrong(name, "object of texts"),
            }
        }
        Ok(texts)
    }

    pub(super) fn structure(&mut self, name: &str) -> Result<Option<Struct>, Unmapped> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(object)) => {
                structs::encode(&object, &format!("{}/{name}", self.at)).map(Some)
            }
            Some(_) => self.wrong(name, "object"),
        }
    }

    /// A member that is an object, to be taken apart.
    pub(super) fn inner(&mut self, name: &str) -> Result<Option<Self>, Unmapped> {
        let at = format!("{}/{name}", self.at);
        self.take(name)
            .map(|value| Self::of(value, &at))
            .transpose()
    }

    /// Members of a list, to be taken apart.
    pub(super) fn inners(&mut self, name: &str) -> Result<Vec<Self>, Unmapped> {
        let at = format!("{}/{name}", self.at);
        let items = self.list(name)?;
        items.into_iter().map(|item| Self::of(item, &at)).collect()
    }

    pub(super) fn request_fields(&mut self) -> Result<Option<proto::RequestFields>, Unmapped> {
        let fields = proto::RequestFields {
            metadata: self.structure("_meta")?,
            request_state: self.optional_text("requestState")?,
        };
        let says_something = fields.metadata.is_some() || fields.request_state.is_some();
        Ok(says_something.then_some(fields))
    }
}
