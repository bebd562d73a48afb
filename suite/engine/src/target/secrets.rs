//! What must not reach a file, gathered from what the user passes.

use mcp_verdict_transport::Redactor;

use super::Url;

/// Secrets of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// A header's value, and the credential within it. A short plain word is no secret, and searching for
    /// it would deface what is recorded.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        let is_credential = is_secret_name(name);
        if is_credential {
            self.0.extend(
                value
                    .split_once(' ')
                    .map(|(_, credential)| credential.trim().to_owned()),
            );
        }
        if is_credential || looks_secret(value) {
            self.0.push(value.to_owned());
        }
    }

    /// A variable of the environment.
    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        if is_secret_name(name) {
            self.0.push(value.to_owned());
        }
    }

    /// A value that is known to be one.
    pub(crate) fn known(&mut self, value: &str) {
        self.0.push(value.to_owned());
    }

    /// The words of a command: `--token VALUE`, `--api-key=VALUE`.
    pub(crate) fn words(&mut self, words: &[String]) {
        let mut previous: Option<&str> = None;
        for word in words {
            match (word.split_once('='), previous) {
                (Some((name, value)), _) if is_secret_name(name) => self.0.push(value.to_owned()),
                (_, Some(name)) if name.starts_with('-') && is_secret_name(name) => {
                    self.0.push(word.clone());
                }
                _ => {}
            }
            previous = Some(word)
                .filter(|word| !word.contains('='))
                .map(String::as_str);
        }
    }

    /// The query of a URL: `?key=VALUE`.
    pub(crate) fn url(&mut self, url: &Url) {
        let values = url
            .query()
            .filter(|(name, _)| is_secret_name(name) || *name == "key");
        self.0.extend(values.map(|(_, value)| value.to_owned()));
    }

    /// Replaces them all. Longer ones first, so that one within another leaves no rest.
    pub(crate) fn redactor(&self) -> Redactor {
        let mut secrets = self.0.clone();
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Redactor::new(secrets)
    }
}

fn is_secret_name(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Long, and of letters and digits mixed: a credential rather than a mode or a media type. (The field itself
/// is never recorded; this is about its value turning up elsewhere.)
fn looks_secret(value: &str) -> bool {
    let has = |class: fn(&u8) -> bool| value.bytes().any(|byte| class(&byte));
    value.len() >= SECRET_LENGTH_MIN
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !value.contains(['/', ' '])
}

const SECRET_WORDS: [&str; 9] = [
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "token",
];

/// Shorter values of headers with innocent names are searched for nowhere.
const SECRET_LENGTH_MIN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str, fill: impl FnOnce(&mut Secrets)) -> String {
        let mut secrets = Secrets::default();
        fill(&mut secrets);
        secrets.redactor().text(text)
    }

    #[test]
    fn a_credential_is_found_with_and_without_its_scheme() {
        let text = redacted("got Bearer abcd1234 and abcd1234", |secrets| {
            secrets.header("Authorization", "Bearer abcd1234");
        });
        assert_eq!(text, "got [redacted] and [redacted]");
    }

    #[test]
    fn words_and_queries_are_searched_by_name() {
        let words = [
            "serve",
            "--api-key",
            "k-12345",
            "--token=t-6789",
            "--mode",
            "tools",
        ];
        let words: Vec<String> = words.map(str::to_owned).to_vec();
        let text = redacted("k-12345 t-6789 tools", |secrets| secrets.words(&words));
        assert_eq!(text, "[redacted] [redacted] tools");
        let url = Url::parse("https://a/mcp?access_token=q-1234&mode=tools").expect("a URL");
        assert_eq!(
            redacted("q-1234 tools", |secrets| secrets.url(&url)),
            "[redacted] tools"
        );
    }

    #[test]
    fn an_innocent_word_defaces_nothing() {
        let text = redacted("\"tools/list\" application/json", |secrets| {
            secrets.header("x-mode", "tools");
            secrets.header("x-accept", "application/json");
            secrets.variable("NODE_ENV", "production");
        });
        assert_eq!(text, "\"tools/list\" application/json");
    }
}
