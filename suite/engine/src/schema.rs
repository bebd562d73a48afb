//! Judging a JSON value by a schema: a definition of a revision, any message of a revision, or a
//! schema that a target sent.
//!
//! Definitions are compiled when first asked for. Formats are not asserted: whether a URI is one is
//! a rule's business. A value that is too big to be explained in bounded memory gets one violation
//! for the whole.

mod bounds;
mod explain;
mod foreign;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::OnceLock,
};

use mcp_verdict_vectors::schemas::{self, Method, MethodKind};
use mcp_verdict_wire::Revision;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use foreign::{Foreign, ForeignError, Undecided, foreign};

/// Where and how a value does not conform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// A JSON pointer to the offending value; empty for the whole.
    pub at: String,
    /// What was expected, and what was found.
    pub message: String,
}

impl Violation {
    /// A violation at a place.
    pub(crate) fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => formatter.write_str(&self.message),
            at => write!(formatter, "{at}: {}", self.message),
        }
    }
}

/// A name that no definition of the revision has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown definition `{name}` in revision {revision}{}", suggestion(.closest))]
pub struct UnknownDefinition {
    /// The name asked for.
    pub name: String,
    /// The revision asked.
    pub revision: Revision,
    /// Names that may have been meant, the closest first.
    pub closest: Vec<&'static str>,
}

/// Judges values by the definitions of one revision.
#[derive(Debug)]
pub struct Validator {
    revision: Revision,
    compiled: BTreeMap<&'static str, OnceLock<jsonschema::Validator>>,
}

impl Validator {
    /// The validator of a revision.
    #[must_use]
    pub fn of(revision: Revision) -> &'static Self {
        static ALL: [OnceLock<Validator>; 5] = [const { OnceLock::new() }; 5];
        ALL[revision as usize].get_or_init(|| {
            let names = schemas::definition_names(revision).iter();
            let compiled = names.map(|name| (*name, OnceLock::new())).collect();
            Self { revision, compiled }
        })
    }

    /// Whether the revision has a definition of this name.
    #[must_use]
    pub fn defines(&self, definition: &str) -> bool {
        self.compiled.contains_key(definition)
    }

    /// How a value does not conform to a definition; empty if it does.
    ///
    /// # Errors
    ///
    /// If the revision has no definition of this name.
    pub fn validate(
        &self,
        definition: &str,
        instance: &Value,
    ) -> Result<Vec<Violation>, UnknownDefinition> {
        self.check(definition, instance)
            .ok_or_else(|| UnknownDefinition {
                name: definition.to_owned(),
                revision: self.revision,
                closest: schemas::closest(self.revision, definition),
            })
    }

    /// How a value is no JSON-RPC message of the revision; empty if it is one.
    ///
    /// A request or notification whose method the revision knows must have the shape of that method
    /// too. Other methods are free, and so are the results of requests, which are not known here:
    /// see [`Self::result`].
    #[must_use]
    pub fn message(&self, instance: &Value) -> Vec<Violation> {
        if let (Value::Array(items), true) = (instance, self.defines("JSONRPCBatchRequest")) {
            return self.batch(instance, items);
        }
        let Some(members) = instance.as_object() else {
            return vec![Violation::new(
                "",
                format!("expected an object, found {}", explain::kind_of(instance)),
            )];
        };
        let form = match (members.contains_key("method"), members.contains_key("id")) {
            (true, true) => "JSONRPCRequest",
            (true, false) => "JSONRPCNotification",
            _ if members.contains_key("error") == members.contains_key("result") => {
                "JSONRPCMessage"
            }
            _ if members.contains_key("error") => {
                self.either("JSONRPCErrorResponse", "JSONRPCError")
            }
            _ => self.either("JSONRPCResultResponse", "JSONRPCResponse"),
        };
        let mut violations = self.check(form, instance).unwrap_or_default();
        let method = members
            .get("method")
            .and_then(Value::as_str)
            .and_then(|name| self.method(name));
        let kind = if form == "JSONRPCRequest" {
            MethodKind::Request
        } else {
            MethodKind::Notification
        };
        if let Some(method) = method.filter(|method| method.kind == kind) {
            violations.extend(self.check(method.definition, instance).unwrap_or_default());
            violations.sort();
            violations.dedup();
        }
        violations
    }

    /// How a value is no result of a request of this method; `None` for a method that the revision
    /// does not know as a request.
    ///
    /// Where a method has several results the value itself says which it means to be:
    /// `resultType: input_required`, or a `task`.
    #[must_use]
    pub fn result(&self, method: &str, instance: &Value) -> Option<Vec<Violation>> {
        let first = self.result_definition(method)?;
        let others = &self.method(method)?.results;
        let meant = others.iter().find(|name| match **name {
            "CreateTaskResult" => instance.get("task").is_some(),
            "InputRequiredResult" => instance
                .get("resultType")
                .is_some_and(|kind| kind == "input_required"),
            _ => false,
        });
        self.check(meant.unwrap_or(&first), instance)
    }

    /// The definition of a request's ordinary result: `ListToolsResult` for `tools/list`.
    #[must_use]
    pub fn result_definition(&self, method: &str) -> Option<&'static str> {
        self.method(method)?.results.first().copied()
    }

    /// The definition of a method's params, where they have one of their own.
    #[must_use]
    pub fn params_definition(&self, method: &str) -> Option<&'static str> {
        self.method(method)?.params
    }

    /// The definition of a request: `ListToolsRequest` for `tools/list`.
    #[must_use]
    pub fn request_definition(&self, method: &str) -> Option<&'static str> {
        self.method(method)
            .filter(|method| method.kind == MethodKind::Request)
            .map(|method| method.definition)
    }

    /// The definition of a notification.
    #[must_use]
    pub fn notification_definition(&self, method: &str) -> Option<&'static str> {
        self.method(method)
            .filter(|method| method.kind == MethodKind::Notification)
            .map(|method| method.definition)
    }

    /// What the revision says of a method.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&'static Method> {
        schemas::methods(self.revision)
            .iter()
            .find(|method| method.name == name)
    }

    /// Whichever of two names the revision has.
    fn either(&self, newer: &'static str, older: &'static str) -> &'static str {
        if self.defines(newer) { newer } else { older }
    }

    fn batch(&self, instance: &Value, items: &[Value]) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if item.is_array() {
                violations.push(Violation::new(
                    format!("/{index}"),
                    "expected an object, found an array",
                ));
            } else {
                let within = self.message(item).into_iter();
                violations.extend(within.map(|found| Violation {
                    at: format!("/{index}{}", found.at),
                    ..found
                }));
            }
            if violations.len() >= explain::VIOLATIONS_MAX {
                violations.truncate(explain::VIOLATIONS_MAX);
                break;
            }
        }
        if violations.is_empty()
            && !self
                .check("JSONRPCMessage", instance)
                .unwrap_or_default()
                .is_empty()
        {
            violations.push(Violation::new(
                "",
                "a batch holds either calls or answers, not both",
            ));
        }
        violations
    }

    /// The violations of a definition; `None` where the revision has none of this name.
    fn check(&self, definition: &str, instance: &Value) -> Option<Vec<Violation>> {
        let (name, cell) = self.compiled.get_key_value(definition)?;
        let validator = cell.get_or_init(|| self.compile(name));
        if validator.is_valid(instance) {
            return Some(Vec::new());
        }
        if explain::weight_exceeds(instance, explain::EXPLAINED_WEIGHT_MAX) {
            return Some(vec![Violation::new(
                "",
                format!("is no {name}; it is too big to say where"),
            )]);
        }
        Some(explain::violations(validator.iter_errors(instance)))
    }

    /// A definition, compiled together with those it refers to and no others.
    fn compile(&self, name: &'static str) -> jsonschema::Validator {
        let mut wanted = vec![name];
        let mut found = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if found.insert(name) {
                references(
                    schemas::definition(self.revision, name).unwrap_or(&Value::Null),
                    &mut wanted,
                );
            }
        }
        let definitions = found.into_iter().filter_map(|name| {
            let schema = schemas::definition(self.revision, name)?;
            Some((name.to_owned(), schema.clone()))
        });
        let document = json!({
            "$ref": format!("#/$defs/{name}"),
            "$defs": definitions.collect::<Map<_, _>>(),
        });
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .offline()
            .should_validate_formats(false)
            .build(&document)
            .expect("a test compiles every definition of every revision")
    }
}

/// The names of the definitions that a schema of ours refers to.
fn references(schema: &'static Value, into: &mut Vec<&'static str>) {
    match schema {
        Value::Object(members) => {
            into.extend(
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|text| text.rsplit('/').next()),
            );
            members.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

fn suggestion(closest: &[&str]) -> String {
    match closest {
        [] => String::new(),
        names => format!("; did you mean `{}`?", names.join("` or `")),
    }
}
