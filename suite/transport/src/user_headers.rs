//! The headers that the user passes, as every transport takes them.

use http::{HeaderName, HeaderValue};

use crate::OpenError;

/// The same fields with their names in lower case. What is none is refused, without its value.
pub(crate) fn checked(headers: &[(String, String)]) -> Result<Vec<(String, String)>, OpenError> {
    let fields = headers.iter().map(|(name, value)| {
        let refused = |why: String| OpenError::Header {
            name: name.clone(),
            why,
        };
        HeaderName::from_bytes(name.as_bytes()).map_err(|error| refused(error.to_string()))?;
        HeaderValue::from_bytes(value.as_bytes()).map_err(|error| refused(error.to_string()))?;
        Ok((name.to_ascii_lowercase(), value.clone()))
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_header_is_refused_without_its_value() {
        let error = checked(&[("x-key".into(), "secret\n".into())]).unwrap_err();
        assert!(matches!(&error, OpenError::Header { name, .. } if name == "x-key"));
        assert!(!error.to_string().contains("secret"));
        assert!(checked(&[("x key".into(), "a".into())]).is_err());
        let sound = checked(&[("X-Key".into(), "A b".into())]).unwrap();
        assert_eq!(sound, [("x-key".to_owned(), "A b".to_owned())]);
    }
}
