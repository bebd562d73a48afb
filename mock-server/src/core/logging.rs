//! Log levels, and `logging/setLevel` (legacy).

use serde_json::{Value, json};

use super::{call::Call, rpc::Refusal};

/// A level, least urgent first (RFC 5424).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl Level {
    const NAMES: [(&'static str, Self); 8] = [
        ("debug", Self::Debug),
        ("info", Self::Info),
        ("notice", Self::Notice),
        ("warning", Self::Warning),
        ("error", Self::Error),
        ("critical", Self::Critical),
        ("alert", Self::Alert),
        ("emergency", Self::Emergency),
    ];

    /// The level that a value names.
    pub(crate) fn read(value: Option<&Value>) -> Result<Self, Refusal> {
        let name = value.and_then(Value::as_str);
        let found = Self::NAMES.iter().find(|(known, _)| Some(*known) == name);
        let (_, level) = found.ok_or_else(|| Refusal::invalid_params("no such log level"))?;
        Ok(*level)
    }

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// `logging/setLevel`.
pub(crate) fn set_level(call: &Call) -> Result<Value, Refusal> {
    let level = Level::read(call.params.get("level"))?;
    call.session.amend(|agreed| agreed.log_level = level);
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_keep_their_names_and_order() {
        for (name, level) in Level::NAMES {
            assert_eq!(Level::read(Some(&json!(name))).unwrap(), level);
            assert_eq!(level.as_str(), name);
        }
        assert!(Level::Debug < Level::Info && Level::Alert < Level::Emergency);
        assert!(Level::read(Some(&json!("INFO"))).is_err());
    }
}
