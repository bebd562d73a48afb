//! A case: what is sent, what it was made of, and what is owed for it.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{piece::Pieces, source::Mark};

/// Something to try on a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What shows up again where its texts are repeated; its number too.
    pub mark: Mark,
    /// How it was made.
    pub layer: Layer,
    /// The method that it was made of.
    pub method: String,
    /// What was done to it, in order.
    pub mutations: Vec<Mutation>,
    /// What goes over the wire, in order.
    pub actions: Vec<Action>,
}

/// How a case is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A message whose bytes are damaged.
    Bytes,
    /// What is odd about it is HTTP.
    Http,
    /// Several messages whose order is the matter.
    Sequence,
    /// A message whose values are odd.
    Structure,
    /// A message that is right.
    Valid,
}

/// What was done to a message, in one word or two.
pub type Mutation = &'static str;

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends a message.
    Message(Sending),
    /// Does these steps of a vector. Labels are this case's own.
    Steps(Vec<Value>),
}

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sending {
    /// Its bytes, without framing.
    pub pieces: Pieces,
    /// How they are delivered, as a vector says it.
    pub delivery: Map<String, Value>,
    /// HTTP headers set, or left out, as a vector says it.
    pub headers: Map<String, Value>,
    /// How often it is sent; 0 is once, too.
    pub times: usize,
}

impl Case {
    /// How a bucket or a table names what it was made of: `tools/call`.
    #[must_use]
    pub fn kind(&self) -> String {
        match self.mutations.as_slice() {
            [] => self.layer.to_string(),
            mutations => mutations.join("+"),
        }
    }

    /// The label of its action with this number.
    #[must_use]
    pub fn label(&self, action: usize) -> String {
        label(self.mark, action)
    }

    /// The steps of a vector that do all of it.
    #[must_use]
    pub fn steps(&self) -> Vec<Value> {
        let mut steps = Vec::new();
        for (index, action) in self.actions.iter().enumerate() {
            match action {
                Action::Message(sending) => steps.push(sending.step(&self.label(index))),
                Action::Steps(own) => steps.extend(own.iter().cloned()),
            }
        }
        steps
    }

    /// Its messages, with the labels they are sent under.
    pub fn messages(&self) -> impl Iterator<Item = (String, &Sending)> {
        let all = self.actions.iter().enumerate();
        all.filter_map(|(index, action)| match action {
            Action::Message(sending) => Some((self.label(index), sending)),
            Action::Steps(_) => None,
        })
    }

    /// The labels under which its steps send something.
    pub fn step_labels(&self) -> impl Iterator<Item = &str> {
        let steps = self.actions.iter().flat_map(|action| match action {
            Action::Message(_) => &[],
            Action::Steps(steps) => steps.as_slice(),
        });
        steps.filter_map(|step| {
            let body = step.as_object()?.values().next()?;
            body.get("as").and_then(Value::as_str)
        })
    }

    /// How many bytes it tells the target, roughly: what shrinking makes less.
    #[must_use]
    pub fn weight(&self) -> usize {
        let of = |action: &Action| match action {
            Action::Message(sending) => sending.pieces.len() + 1,
            Action::Steps(steps) => steps.iter().map(|step| step.to_string().len()).sum(),
        };
        self.actions.iter().map(of).sum()
    }
}

impl Sending {
    /// Just these bytes.
    #[must_use]
    pub fn of(pieces: Pieces) -> Self {
        Self {
            pieces,
            ..Self::default()
        }
    }

    fn step(&self, label: &str) -> Value {
        let mut step = json!({});
        self.pieces.spell(&mut step);
        if !self.delivery.is_empty() {
            step["delivery"] = Value::Object(self.delivery.clone());
        }
        if !self.headers.is_empty() {
            step["headers"] = Value::Object(self.headers.clone());
        }
        if self.times > 1 {
            step["times"] = json!(self.times);
        }
        step["as"] = json!(label);
        json!({"send_raw": step})
    }
}

/// The label of the action with this number of the case with this mark.
#[must_use]
pub fn label(mark: Mark, action: usize) -> String {
    format!("c{:x}.{action}", mark.0)
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Bytes => "bytes",
            Self::Http => "http",
            Self::Sequence => "sequence",
            Self::Structure => "structure",
            Self::Valid => "valid",
        })
    }
}
