//! JSON numbers compared by their exact value, whatever their size and spelling.

use std::cmp::Ordering;

use serde_json::Number;

/// A number as sign, digits and the power of ten of its last digit: no two values look the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    /// Never set for zero.
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// Of the last digit; 0 for zero.
    exponent: i64,
}

impl Decimal {
    /// Reads what JSON allows; `None` for anything else.
    ///
    /// Exponents beyond `EXPONENT_MAX` are taken for the largest one: no value that a peer could
    /// mean lies there, and no two of them need telling apart.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], read_exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let kept = digits.trim_end_matches('0');
        let moved = i64::try_from(digits.len() - kept.len()).ok()?;
        let fraction = i64::try_from(fraction.len()).ok()?;
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        Some(Self {
            negative,
            digits: kept.to_owned(),
            exponent: exponent - fraction + moved,
        })
    }

    /// Reads a JSON number.
    pub(crate) fn of(number: &Number) -> Option<Self> {
        Self::read(&number.to_string())
    }

    /// Whether it has no fraction: `1.0` has none.
    pub(crate) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The power of ten above the first digit.
    fn magnitude(&self) -> i64 {
        i64::try_from(self.digits.len())
            .unwrap_or(i64::MAX)
            .saturating_add(self.exponent)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // The sign of each: -1, 0 or 1.
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (ours, theirs) = (sign(self), sign(other));
        if ours != theirs || ours == 0 {
            return ours.cmp(&theirs);
        }
        let size = self
            .magnitude()
            .cmp(&other.magnitude())
            .then_with(|| self.digits.cmp(&other.digits));
        if ours < 0 { size.reverse() } else { size }
    }
}

/// Reads an exponent and keeps it within bounds.
fn read_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = digits.parse().unwrap_or(EXPONENT_MAX).min(EXPONENT_MAX);
    Some(if negative { -exponent } else { exponent })
}

/// Far beyond every float and every text that fits a message, and far from overflow.
const EXPONENT_MAX: i64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::read(text).unwrap()
    }

    #[test]
    fn spelling_does_not_matter() {
        for (one, other) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("0.1", "1E-1"),
            ("-0", "0.000"),
            ("12300", "1.23e+4"),
            ("0e999999999999999999999", "0"),
        ] {
            assert_eq!(decimal(one), decimal(other), "{one} {other}");
        }
    }

    #[test]
    fn huge_numbers_differ_in_their_last_digit() {
        assert_ne!(decimal("9007199254740993"), decimal("9007199254740992"));
        assert!(decimal("123456789012345678901") > decimal("123456789012345678900"));
        assert!(decimal("1e400") > decimal("9e399"));
        assert!(decimal("-1e400") < decimal("-9e399"));
    }

    #[test]
    fn what_has_a_fraction_is_no_integer() {
        assert!(decimal("1.0").is_integer());
        assert!(decimal("12e3").is_integer());
        assert!(!decimal("1.5").is_integer());
        assert!(!decimal("1e-1").is_integer());
    }

    #[test]
    fn what_json_does_not_allow_is_not_read() {
        for text in ["", "-", ".5", "1e", "1e+", "0x1", "1_0", "NaN"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_integers(one in any::<i64>(), other in any::<i64>()) {
            prop_assert_eq!(
                decimal(&one.to_string()).cmp(&decimal(&other.to_string())),
                one.cmp(&other)
            );
        }

        #[test]
        fn order_is_that_of_the_floats(one in -1e9..1e9_f64, other in -1e9..1e9_f64) {
            prop_assert_eq!(
                Some(decimal(&one.to_string()).cmp(&decimal(&other.to_string()))),
                one.partial_cmp(&other)
            );
        }

        #[test]
        fn no_text_makes_it_panic(text in "-?[0-9.eE+-]{0,40}") {
            let _ = Decimal::read(&text);
        }
    }
}
