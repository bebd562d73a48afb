//! The frames of a WebSocket that are no text messages, as a subject.

use mcp_verdict_vectors::matcher;
use mcp_verdict_wire::transcript::EventKind;
use serde_json::{Value, json};

use super::{
    subject::{Look, Seen, SubjectState},
    walk::RevisionSchemas,
};

impl Look<'_, '_> {
    /// The target's frames since the first step that match `pattern`.
    pub(super) fn frames(&self, pattern: &Value) -> SubjectState {
        let schemas = RevisionSchemas::of(self.revision());
        let first = self.view.first_step().unwrap_or(0);
        let mut seen = Seen::default();
        let mut values = Vec::new();
        for (index, event) in self.view.events.iter().enumerate().skip(first) {
            let EventKind::Frame {
                sent: false,
                opcode,
                bytes,
                ..
            } = &event.kind
            else {
                continue;
            };
            let value = json!({"opcode": opcode, "data": bytes.to_text()});
            if self.before(index) && matcher::matches(pattern, Some(&value), &schemas).is_ok() {
                values.push(value);
                seen.evidence.push(index);
            }
        }
        seen.value = Value::Array(values);
        match self.output_closed() {
            Some(_) => SubjectState::Ready(seen),
            None => SubjectState::Partial(seen),
        }
    }
}
