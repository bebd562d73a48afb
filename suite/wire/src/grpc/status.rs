//! The status of a call, as `grpc-status` and `grpc-message` have it.

use std::fmt::Write as _;

/// The code in a value of `grpc-status`: digits without a sign or leading zeros.
#[must_use]
pub fn status(value: &str) -> Option<u32> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = value == "0" || !value.starts_with('0');
    (plain && canonical).then(|| value.parse().ok()).flatten()
}

/// A value of `grpc-message` without its percent-encoding. What is wrongly encoded stays as it is, as the
/// protocol asks.
#[must_use]
pub fn decode_message(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        let digits = (byte == b'%')
            .then(|| value.get(place + 1..place + 3))
            .flatten();
        let hex = |digits: &&str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        match digits
            .filter(hex)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(value) => {
                decoded.push(value);
                place += 3;
            }
            None => {
                decoded.push(byte);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A text as a value of `grpc-message`.
#[must_use]
pub fn encode_message(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..=0x7e).contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _: std::fmt::Result = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_is_a_plain_number() {
        assert_eq!(status("0"), Some(0));
        assert_eq!(status("16"), Some(16));
        for wrong in ["", "00", "01", "+1", "-1", " 1", "OK", "99999999999"] {
            assert_eq!(status(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_wrongly_encoded_is_kept() {
        assert_eq!(decode_message("a%20b%C3%A9"), "a bé");
        assert_eq!(decode_message("100%, 5%2, %+1"), "100%, 5%2, %+1");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text: String) {
            let encoded = encode_message(&text);
            prop_assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
            prop_assert_eq!(decode_message(&encoded), text);
        }
    }
}
