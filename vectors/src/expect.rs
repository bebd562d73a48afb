//! How `expect:` is written: flat, with one subject, and a short form for the common case.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::model::{Case, Expect, Nothing, Outcome, Subject};

/// The mapping as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectText {
    #[serde(default)]
    response: Option<String>,
    #[serde(default)]
    http: Option<String>,
    #[serde(default, deserialize_with = "present")]
    message: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    messages: Option<Value>,
    #[serde(default)]
    stream: Option<String>,
    #[serde(default)]
    replies: Option<String>,
    #[serde(default)]
    pages: Option<String>,
    #[serde(default)]
    closed: Option<Nothing>,
    #[serde(default, deserialize_with = "present")]
    frames: Option<Value>,
    #[serde(default)]
    exit: Option<Nothing>,
    #[serde(default)]
    memory: Option<Nothing>,
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    variables: Option<Nothing>,
    #[serde(default)]
    within_ms: Option<u64>,
    #[serde(default, rename = "match", deserialize_with = "present")]
    pattern: Option<Value>,
    #[serde(default)]
    absent: Option<bool>,
    #[serde(default)]
    accept: Option<Vec<Case>>,
    #[serde(default)]
    otherwise: Option<Outcome>,
    #[serde(default)]
    because: Option<String>,
}

/// One accepted outcome as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    #[serde(default, rename = "match", deserialize_with = "present")]
    pattern: Option<Value>,
    #[serde(default)]
    absent: Option<bool>,
    #[serde(default)]
    outcome: Option<Outcome>,
    #[serde(default)]
    because: Option<String>,
    #[serde(default)]
    then_stop: Option<bool>,
}

impl<'de> Deserialize<'de> for Expect {
    /// The line is not known here and stays 0; the loader fills it in.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = ExpectText::deserialize(deserializer)?;
        Self::try_from(text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CaseText::deserialize(deserializer)?;
        Self::try_from(text).map_err(D::Error::custom)
    }
}

impl TryFrom<ExpectText> for Expect {
    type Error = &'static str;

    fn try_from(text: ExpectText) -> Result<Self, &'static str> {
        let subjects = [
            text.response.map(Subject::Response),
            text.http.map(Subject::Http),
            text.message.map(Subject::Message),
            text.messages.map(Subject::Messages),
            text.stream.map(Subject::Stream),
            text.replies.map(Subject::Replies),
            text.pages.map(Subject::Pages),
            text.closed.map(Subject::Closed),
            text.frames.map(Subject::Frames),
            text.exit.map(Subject::Exit),
            text.memory.map(Subject::Memory),
            text.rule.map(Subject::Rule),
            text.variables.map(Subject::Variables),
        ];
        let mut subjects = subjects.into_iter().flatten();
        let subject = subjects.next().ok_or(NO_SUBJECT)?;
        if subjects.next().is_some() {
            return Err("an `expect` has one subject, this has more");
        }
        let accept = match (text.pattern, text.absent, text.accept) {
            (Some(pattern), None, None) => vec![passes(Some(pattern))],
            (None, Some(true), None) => vec![passes(None)],
            (None, None, Some(cases)) if !cases.is_empty() => cases,
            (None, None, Some(_)) => return Err("`accept` is empty: nothing could ever pass"),
            (None, Some(false), None) => return Err(ABSENT_FALSE),
            _ => return Err("an `expect` has one of `match`, `absent: true` and `accept`"),
        };
        let (within_ms, otherwise, because) = (text.within_ms, text.otherwise, text.because);
        Ok(Self {
            subject,
            within_ms,
            accept,
            otherwise,
            because,
            line: 0,
        })
    }
}

impl TryFrom<CaseText> for Case {
    type Error = &'static str;

    fn try_from(text: CaseText) -> Result<Self, &'static str> {
        let pattern = match (text.pattern, text.absent) {
            (Some(pattern), None) => Some(pattern),
            (None, Some(true)) => None,
            (None, Some(false)) => return Err(ABSENT_FALSE),
            _ => return Err("a case has one of `match` and `absent: true`"),
        };
        let outcome = text.outcome.unwrap_or(Outcome::Pass);
        if outcome != Outcome::Pass && text.because.is_none() {
            return Err("a case that does not pass says why in `because`");
        }
        let goes_on = matches!(outcome, Outcome::Pass | Outcome::Warn);
        let then_stop = text.then_stop.unwrap_or(!goes_on);
        Ok(Self {
            pattern,
            outcome,
            because: text.because,
            then_stop,
        })
    }
}

/// The short form: this, and nothing else, passes.
fn passes(pattern: Option<Value>) -> Case {
    Case {
        pattern,
        outcome: Outcome::Pass,
        because: None,
        then_stop: false,
    }
}

/// A value that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

const NO_SUBJECT: &str = "an `expect` needs a subject: one of `response`, `http`, `message`, \
                          `messages`, `stream`, `replies`, `pages`, `frames`, `closed`, `exit`, \
                          `memory`, `rule`, `variables`";
const ABSENT_FALSE: &str = "`absent` is `true` or left out";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn expect(value: Value) -> Result<Expect, String> {
        from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_match_is_short_for_one_case_that_passes() {
        let short = expect(json!({"response": "a", "match": {"x": 1}})).unwrap();
        let long = expect(json!({"response": "a", "accept": [{"match": {"x": 1}}]})).unwrap();
        assert_eq!(short, long);
        assert_eq!(short.subject, Subject::Response("a".to_owned()));
    }

    #[test]
    fn null_is_a_pattern() {
        let expect = expect(json!({"response": "a", "match": null})).unwrap();
        assert_eq!(expect.accept[0].pattern, Some(Value::Null));
    }

    #[test]
    fn absence_has_no_pattern() {
        let expect = expect(json!({"message": {}, "absent": true})).unwrap();
        assert_eq!(expect.accept[0].pattern, None);
    }

    #[test]
    fn a_vector_goes_on_after_pass_and_warn_alone() {
        let case =
            |outcome| from_value::<Case>(json!({"match": 1, "outcome": outcome, "because": "x"}));
        assert!(!case("pass").unwrap().then_stop);
        assert!(!case("warn").unwrap().then_stop);
        assert!(case("inconclusive").unwrap().then_stop);
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (unclear, complaint) in [
            (json!({"match": 1}), "needs a subject"),
            (
                json!({"response": "a", "http": "a", "match": 1}),
                "one subject",
            ),
            (json!({"response": "a"}), "one of `match`"),
            (
                json!({"response": "a", "match": 1, "absent": true}),
                "one of `match`",
            ),
            (
                json!({"response": "a", "accept": []}),
                "nothing could ever pass",
            ),
            (
                json!({"response": "a", "absent": false}),
                "`true` or left out",
            ),
            (
                json!({"response": "a", "accept": [{"match": 1, "outcome": "warn"}]}),
                "says why",
            ),
            (json!({"respons": "a", "match": 1}), "unknown field"),
        ] {
            let error = expect(unclear).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
