//! The header fields of a request: the protocol's, the session's, the user's and the vector's.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mcp_verdict_wire::Delivery;
use reqwest::Url;

use super::address;
use crate::{HeaderEdits, OpenError, recorder::REDACTED, user_headers::checked};

/// One field as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// In lower case, unless a vector wants it otherwise.
    pub(super) name: String,
    pub(super) value: String,
    /// The user's own, not to be written anywhere.
    secret: bool,
}

/// The fields of one request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<Field>);

/// The user's fields, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct UserFields(Vec<Field>);

impl UserFields {
    /// The token of the first `authorization: Bearer TOKEN`.
    pub(super) fn bearer(&self) -> Option<&str> {
        let named = |field: &&Field| field.name == "authorization";
        let value = &self.0.iter().find(named)?.value;
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    }

    /// Checks the user's headers; `credentials` were part of the URL and give way to them.
    pub(super) fn new(
        headers: &[(String, String)],
        credentials: Option<String>,
    ) -> Result<Self, OpenError> {
        let own = checked(headers)?.into_iter().map(|(name, value)| Field {
            name,
            value,
            secret: true,
        });
        let mut fields: Vec<Field> = own.collect();
        let named = fields.iter().any(|field| field.name == "authorization");
        if let (Some(value), false) = (credentials, named) {
            fields.push(Field {
                name: "authorization".to_owned(),
                value,
                secret: true,
            });
        }
        Ok(Self(fields))
    }
}

impl Fields {
    /// What is sent unless a vector wants it otherwise.
    pub(super) fn defaults(
        method: &str,
        url: &Url,
        body: Option<&[u8]>,
        session: &BTreeMap<String, String>,
        user: &UserFields,
    ) -> Self {
        let mut fields = Self::default();
        fields.set("host", address::authority(url));
        fields.set("user-agent", USER_AGENT.to_owned());
        let accept = match method {
            "POST" => "application/json, text/event-stream",
            "GET" => "text/event-stream",
            _ => "*/*",
        };
        fields.set("accept", accept.to_owned());
        if body.is_some() {
            fields.set("content-type", "application/json".to_owned());
        }
        match (body, method) {
            (Some(body), _) => fields.set("content-length", body.len().to_string()),
            (None, "POST" | "PUT" | "PATCH") => fields.set("content-length", "0".to_owned()),
            (None, _) => {}
        }
        for (name, value) in session {
            fields.set(name, value.clone());
        }
        fields.add(user);
        fields
    }

    /// What is sent to `url` with these fields of a protocol's, unless a vector wants it otherwise.
    pub(super) fn with(url: &Url, own: &[(&str, String)], user: &UserFields) -> Self {
        let mut fields = Self::default();
        fields.set("host", address::authority(url));
        fields.set("user-agent", USER_AGENT.to_owned());
        for (name, value) in own {
            fields.set(name, value.clone());
        }
        fields.add(user);
        fields
    }

    /// Adds the user's fields, in place of ours of the same names.
    fn add(&mut self, user: &UserFields) {
        for field in &user.0 {
            self.0
                .retain(|other| other.secret || other.name != field.name);
        }
        self.0.extend(user.0.iter().cloned());
    }

    /// Carries out what the vector wants changed.
    pub(super) fn edit(&mut self, edits: &HeaderEdits) {
        for (name, value) in edits {
            let name = name.to_ascii_lowercase();
            match value {
                Some(value) => self.set(&name, value.clone()),
                None => self.0.retain(|field| field.name != name),
            }
        }
    }

    /// Applies what `delivery` says of the head of a request to `url`.
    pub(super) fn deliver(&mut self, delivery: &Delivery, url: &Url) {
        if delivery.chunked {
            self.chunk();
        }
        if delivery.own_origin {
            self.set("origin", url.origin().ascii_serialization());
        }
        if !delivery.twice.is_empty() {
            self.double(&delivery.twice.to_ascii_lowercase());
        }
        if delivery.upper_case_names {
            self.upper_case();
        }
    }

    /// The body comes in chunks: it has no length.
    fn chunk(&mut self) {
        self.0.retain(|field| field.name != "content-length");
        self.set("transfer-encoding", "chunked".to_owned());
    }

    /// The field of that name, and the same once more behind it.
    fn double(&mut self, name: &str) {
        let place = self.0.iter().position(|field| field.name == name);
        if let Some(place) = place {
            self.0.insert(place, self.0[place].clone());
        }
    }

    /// Writes every name in upper case.
    fn upper_case(&mut self) {
        for field in &mut self.0 {
            field.name.make_ascii_uppercase();
        }
    }

    /// The value of the first field of that name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value.as_str())
    }

    /// One field of that name, at the place of the first that there was.
    pub(super) fn set(&mut self, name: &str, value: String) {
        let field = Field {
            name: name.to_owned(),
            value,
            secret: false,
        };
        match self.0.iter().position(|other| other.name == name) {
            Some(place) => {
                self.0[place] = field;
                let mut index = 0;
                self.0.retain(|other| {
                    index += 1;
                    index - 1 <= place || other.name != name
                });
            }
            None => self.0.push(field),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }

    /// As they are recorded.
    pub(super) fn recorded(&self) -> Vec<(String, String)> {
        let shown = |field: &Field| match field.secret {
            true => REDACTED.to_owned(),
            false => field.value.clone(),
        };
        self.0
            .iter()
            .map(|field| (field.name.clone(), shown(field)))
            .collect()
    }

    /// The request as a well-behaved client can send it, or `None` when it would mend or refuse
    /// something: then only a plain socket will do.
    pub(super) fn well_behaved(
        &self,
        method: &str,
        body: Option<&[u8]>,
    ) -> Option<(Method, HeaderMap)> {
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let mut map = HeaderMap::with_capacity(self.0.len());
        for field in &self.0 {
            let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(field.value.as_bytes()).ok()?;
            // Surrounding blanks are no part of a value for a parser, but they are on the wire.
            if field.value.trim() != field.value {
                return None;
            }
            map.append(name, value);
        }
        let lengths: Vec<_> = map.get_all("content-length").iter().collect();
        let length_fits = match (body, lengths.as_slice()) {
            (Some(body), [length]) => length.as_bytes() == body.len().to_string().as_bytes(),
            (None, []) => true,
            (None, [length]) => length.as_bytes() == b"0",
            _ => false,
        };
        let fits = length_fits
            && map.contains_key("accept")
            && map.get_all("host").iter().count() == 1
            && !map.contains_key("transfer-encoding")
            && !map.contains_key("upgrade")
            && method != Method::CONNECT;
        fits.then_some((method, map))
    }
}

/// Who we are, for the logs of a server.
const USER_AGENT: &str = concat!("mcp-verdict/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("http://localhost:3000/mcp").unwrap()
    }

    fn post(
        user: &[(&str, &str)],
        session: &[(&str, &str)],
        edits: &[(&str, Option<&str>)],
    ) -> Fields {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect()
        };
        let user = UserFields::new(&owned(user), None).unwrap();
        let session = owned(session).into_iter().collect();
        let mut fields = Fields::defaults("POST", &url(), Some(b"{}"), &session, &user);
        let edits = edits
            .iter()
            .map(|(name, value)| ((*name).into(), value.map(str::to_owned)));
        fields.edit(&edits.collect());
        fields
    }

    #[test]
    fn a_message_has_the_headers_of_the_protocol() {
        let fields = post(&[], &[("mcp-session-id", "s")], &[]);
        assert_eq!(fields.value("host"), Some("localhost:3000"));
        assert_eq!(
            fields.value("accept"),
            Some("application/json, text/event-stream")
        );
        assert_eq!(fields.value("content-type"), Some("application/json"));
        assert_eq!(fields.value("content-length"), Some("2"));
        assert_eq!(fields.value("mcp-session-id"), Some("s"));
        assert!(fields.well_behaved("POST", Some(b"{}")).is_some());
    }

    #[test]
    fn the_users_headers_replace_ours_and_are_recorded_without_their_values() {
        let fields = post(
            &[("Accept", "one"), ("accept", "two"), ("X-Key", "hidden")],
            &[],
            &[],
        );
        let recorded = fields.recorded();
        let accepts = recorded.iter().filter(|(name, _)| name == "accept");
        assert_eq!(accepts.count(), 2);
        assert!(recorded.contains(&("x-key".to_owned(), "[redacted]".to_owned())));
        let (_, map) = fields.well_behaved("POST", Some(b"{}")).unwrap();
        assert_eq!(
            map.get_all("accept").iter().collect::<Vec<_>>(),
            ["one", "two"]
        );
        assert_eq!(map["x-key"], "hidden");
    }

    #[test]
    fn a_vectors_edits_come_last_and_are_no_secret() {
        let edits = [
            ("authorization", Some("Bearer wrong")),
            ("mcp-session-id", None),
        ];
        let fields = post(
            &[("authorization", "Bearer right")],
            &[("mcp-session-id", "s")],
            &edits,
        );
        assert_eq!(fields.value("mcp-session-id"), None);
        let expected = ("authorization".to_owned(), "Bearer wrong".to_owned());
        let recorded = fields.recorded();
        assert_eq!(
            recorded
                .iter()
                .filter(|(name, _)| name == "authorization")
                .collect::<Vec<_>>(),
            [&expected]
        );
    }

    #[test]
    fn what_a_client_would_mend_goes_over_a_plain_socket() {
        for edit in [
            ("accept", None),
            ("host", None),
            ("content-length", None),
            ("content-length", Some("3")),
            ("transfer-encoding", Some("chunked")),
            ("x-bad", Some("a\r\nb: c")),
            ("x bad", Some("a")),
            ("x-nul", Some("\0")),
            ("x-blank", Some(" a ")),
        ] {
            assert!(
                post(&[], &[], &[edit])
                    .well_behaved("POST", Some(b"{}"))
                    .is_none(),
                "{edit:?}"
            );
        }
        assert!(
            post(&[], &[], &[])
                .well_behaved("PO ST", Some(b"{}"))
                .is_none()
        );
        for edit in [
            ("host", Some("evil.example")),
            ("content-type", None),
            ("x-text", Some("é")),
        ] {
            assert!(
                post(&[], &[], &[edit])
                    .well_behaved("POST", Some(b"{}"))
                    .is_some(),
                "{edit:?}"
            );
        }
    }
}
