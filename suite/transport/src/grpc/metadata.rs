//! The metadata of a call: gRPC's own fields, the session's, the user's and the vector's.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{HeaderEdits, OpenError, recorder::REDACTED, user_headers::checked};

/// Who we are, as gRPC names its clients.
const USER_AGENT: &str = concat!("grpc-rust-mcp-verdict/", env!("CARGO_PKG_VERSION"));

/// One field as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    /// The user's own, not to be written anywhere.
    secret: bool,
}

/// The fields of one call, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata(Vec<Field>);

impl Metadata {
    /// The user's headers, checked.
    pub(super) fn of_user(headers: &[(String, String)]) -> Result<Self, OpenError> {
        let fields = checked(headers)?.into_iter().map(|(name, value)| Field {
            name,
            value,
            secret: true,
        });
        Ok(Self(fields.collect()))
    }

    /// What a call carries unless a vector wants it otherwise.
    pub(super) fn defaults(session: &BTreeMap<String, String>, user: &Self) -> Self {
        let mut metadata = Self::default();
        metadata.set("content-type", "application/grpc");
        metadata.set("te", "trailers");
        metadata.set("user-agent", USER_AGENT);
        // We read no compressed messages, and servers are told.
        metadata.set("grpc-accept-encoding", "identity");
        for (name, value) in session {
            metadata.set(name, value);
        }
        for field in &user.0 {
            metadata
                .0
                .retain(|other| other.secret || other.name != field.name);
        }
        metadata.0.extend(user.0.iter().cloned());
        metadata
    }

    /// Carries out what the vector, or the message, wants changed.
    pub(super) fn edit(&mut self, edits: &HeaderEdits) {
        for (name, value) in edits {
            let name = name.to_ascii_lowercase();
            match value {
                Some(value) => self.set(&name, value),
                None => self.0.retain(|field| field.name != name),
            }
        }
    }

    /// The value of the last field of that name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|field| field.name == name);
        found.map(|field| field.value.as_str())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|field| field.name != name);
        self.0.push(Field {
            name: name.to_owned(),
            value: value.to_owned(),
            secret: false,
        });
    }

    /// As it is recorded.
    pub(super) fn recorded(&self) -> Vec<(String, String)> {
        let shown = |field: &Field| match field.secret {
            true => REDACTED.to_owned(),
            false => field.value.clone(),
        };
        let fields = self.0.iter();
        fields
            .map(|field| (field.name.clone(), shown(field)))
            .collect()
    }

    /// As it is sent.
    pub(super) fn sent(&self) -> Result<HeaderMap, String> {
        let mut map = HeaderMap::with_capacity(self.0.len());
        for field in &self.0 {
            let wrong = |error: &dyn std::fmt::Display| format!("`{}`: {error}", field.name);
            let name =
                HeaderName::from_bytes(field.name.as_bytes()).map_err(|error| wrong(&error))?;
            let value =
                HeaderValue::from_bytes(field.value.as_bytes()).map_err(|error| wrong(&error))?;
            map.append(name, value);
        }
        Ok(map)
    }
}

/// Fields as they are recorded: names in lower case, invalid UTF-8 replaced.
pub(super) fn received(fields: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    fields
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_metadata_replaces_ours_and_is_recorded_without_its_values() {
        let user = [
            ("X-Key".to_owned(), "hidden".to_owned()),
            ("user-agent".to_owned(), "me".to_owned()),
        ];
        let user = Metadata::of_user(&user).unwrap();
        let session = [("mcp-protocol-version".to_owned(), "2025-11-25".to_owned())].into();
        let mut metadata = Metadata::defaults(&session, &user);
        metadata.edit(&[("TE".to_owned(), None)].into());
        let sent = metadata.sent().unwrap();
        assert_eq!(sent["x-key"], "hidden");
        assert_eq!(sent["user-agent"], "me");
        assert_eq!(sent["content-type"], "application/grpc");
        assert_eq!(sent["mcp-protocol-version"], "2025-11-25");
        assert!(!sent.contains_key("te"));
        assert!(
            metadata
                .recorded()
                .iter()
                .all(|(_, value)| value != "hidden")
        );
    }
}
