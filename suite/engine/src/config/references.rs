//! `${…}` in configuration files, replaced from the environment.

use std::path::Path;

use super::ConfigError;
use crate::target::Secrets;

/// Looks up an environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// What references are replaced with.
pub(super) struct References<'r> {
    /// The file that holds them, for messages.
    pub(super) path: &'r Path,
    /// The environment.
    pub(super) environment: Environment<'r>,
    /// The folder that editors call the workspace.
    pub(super) workspace: &'r Path,
}

impl References<'_> {
    /// `text` with every reference replaced:
    /// `${env:NAME}` and `${NAME}` by a variable, `${NAME:-WORD}` by a variable or the word, `${input:ID}` by
    /// the variable `ID` (or in capitals, with `_` for what is no letter or digit), `${workspaceFolder}` and
    /// `${userHome}` by folders. A plain `${NAME}` that is not set stays as it is: not every client knows
    /// the form. Values of inputs are secrets.
    pub(super) fn replace(&self, text: &str, secrets: &mut Secrets) -> Result<String, ConfigError> {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            let (reference, name) = (
                &rest[start..=start + length],
                &rest[start + 2..start + length],
            );
            replaced.push_str(&rest[..start]);
            match self.value(reference, name, secrets)? {
                Some(value) => replaced.push_str(&value),
                None => replaced.push_str(reference),
            }
            rest = &rest[start + length + 1..];
        }
        replaced.push_str(rest);
        Ok(replaced)
    }

    fn value(
        &self,
        reference: &str,
        name: &str,
        secrets: &mut Secrets,
    ) -> Result<Option<String>, ConfigError> {
        let missing = |variable: &str| ConfigError::Reference {
            path: self.path.to_owned(),
            reference: reference.to_owned(),
            variable: variable.to_owned(),
        };
        if let Some(variable) = name.strip_prefix("env:") {
            let value = (self.environment)(variable).ok_or_else(|| missing(variable))?;
            secrets.variable(variable, &value);
            return Ok(Some(value));
        }
        if let Some(id) = name.strip_prefix("input:") {
            let capitals: String = id
                .chars()
                .map(|it| {
                    if it.is_ascii_alphanumeric() {
                        it.to_ascii_uppercase()
                    } else {
                        '_'
                    }
                })
                .collect();
            let value = (self.environment)(id)
                .or_else(|| (self.environment)(&capitals))
                .ok_or_else(|| missing(&capitals))?;
            secrets.known(&value);
            return Ok(Some(value));
        }
        if let Some((variable, otherwise)) = name.split_once(":-") {
            let value = (self.environment)(variable).filter(|value| !value.is_empty());
            return Ok(Some(value.unwrap_or_else(|| otherwise.to_owned())));
        }
        Ok(match name {
            "workspaceFolder" => Some(self.workspace.display().to_string()),
            "userHome" => (self.environment)("HOME").or_else(|| (self.environment)("USERPROFILE")),
            variable => {
                let value = (self.environment)(variable);
                if let Some(value) = &value {
                    secrets.variable(variable, value);
                }
                value
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(text: &str) -> Result<String, ConfigError> {
        let environment = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "GITHUB_TOKEN" => Some("ghp-1234".to_owned()),
            _ => None,
        };
        let references = References {
            path: Path::new("mcp.json"),
            environment: &environment,
            workspace: Path::new("/project"),
        };
        references.replace(text, &mut Secrets::default())
    }

    #[test]
    fn each_form_is_replaced() {
        let text = "${env:A} ${A} ${input:github-token} ${B:-two} ${A:-two} ${workspaceFolder}/x";
        assert_eq!(
            replace(text).expect("no error"),
            "one one ghp-1234 two one /project/x"
        );
    }

    #[test]
    fn what_no_client_means_stays() {
        assert_eq!(replace("$A ${B} ${").expect("no error"), "$A ${B} ${");
    }

    #[test]
    fn what_is_not_set_is_named() {
        let error = replace("${env:B}").expect_err("an error");
        assert!(
            error.to_string().contains("`${env:B}` in `mcp.json`"),
            "{error}"
        );
        let error = replace("${input:api-key}").expect_err("an error");
        assert_eq!(
            error.hint().as_deref(),
            Some("set it: API_KEY=… mcp-verdict …")
        );
    }
}
