//! Numbers by value, exactly: 1, 1.0 and 1e0 are equal, 2^53 and 2^53 + 1 are not.

use std::cmp::Ordering;

use serde_json::Number;

/// The exact value of a JSON number, whatever its size and spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Significant digits without zeros at either end; empty for zero.
    digits: String,
    /// The value is `0.DIGITS * 10^exponent`; 0 for zero.
    exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON spells it. `None` for anything else, and for an exponent beyond 64 bits unless
    /// the value is zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent),
            None => (unsigned, "0"),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if !is_digits(whole) || leading_zero || !fraction.is_none_or(is_digits) || !is_digits(power)
        {
            return None;
        }
        let all = [whole, fraction.unwrap_or_default()].concat();
        let significant = all.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let exponent: i64 = exponent.parse().ok()?;
        let leading = i64::try_from(all.len() - significant.len()).ok()?;
        let point = i64::try_from(whole.len()).ok()?;
        let exponent = exponent.checked_add(point.checked_sub(leading)?)?;
        Some(Self {
            negative,
            digits: significant.trim_end_matches('0').to_owned(),
            exponent,
        })
    }

    /// The value of `number`. `None` for an exponent beyond 64 bits.
    #[must_use]
    pub fn of(number: &Number) -> Option<Self> {
        Self::parse(number.as_str())
    }

    /// Whether two numbers have the same value, however they are spelled.
    #[must_use]
    pub fn same(left: &Number, right: &Number) -> bool {
        left.as_str() == right.as_str()
            || matches!((Self::of(left), Self::of(right)), (Some(left), Some(right)) if left == right)
    }

    /// Whether a number has no fractional part, whatever its exponent.
    #[must_use]
    pub fn is_whole(number: &Number) -> bool {
        Self::of(number).map_or_else(|| rises(number.as_str()), |it| it.is_integer())
    }

    /// Whether it has no fractional part.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        i64::try_from(self.digits.len()).is_ok_and(|digits| self.exponent >= digits)
    }

    /// As an integer of 64 bits, if it is one.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        let digits = i64::try_from(self.digits.len()).ok()?;
        if self.exponent < digits || self.exponent > DIGITS_OF_I64_MAX {
            return None;
        }
        let zeros = usize::try_from(self.exponent - digits).ok()?;
        let sign = if self.negative { "-" } else { "" };
        format!(
            "{sign}{}{}",
            if digits == 0 { "0" } else { &self.digits },
            "0".repeat(zeros)
        )
        .parse()
        .ok()
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |value: &Self| match (value.digits.is_empty(), value.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        sign(self).cmp(&sign(other)).then(if self.negative {
            magnitude.reverse()
        } else {
            magnitude
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a number with an exponent beyond 64 bits has no fractional part: the exponent's sign tells.
pub(super) fn rises(text: &str) -> bool {
    !text.contains("e-") && !text.contains("E-")
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `i64::MAX` has 19 digits.
const DIGITS_OF_I64_MAX: i64 = 19;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for text in ["100", "100.0", "1e2", "1E+2", "10.00e1", "0.1e3", "1000e-1"] {
            assert_eq!(value(text), value("100"), "{text}");
            assert_eq!(value(text).to_i64(), Some(100), "{text}");
        }
        for text in ["0", "-0", "0.0", "-0e5", "0e-9"] {
            assert_eq!(value(text), value("0"), "{text}");
            assert!(value(text).is_integer(), "{text}");
            assert_eq!(value(text).to_i64(), Some(0), "{text}");
        }
    }

    #[test]
    fn neighbours_beyond_doubles_stay_apart() {
        assert_ne!(value("9007199254740992"), value("9007199254740993"));
        assert!(value("9007199254740992") < value("9007199254740993"));
        assert_eq!(value("9223372036854775807").to_i64(), Some(i64::MAX));
        assert_eq!(value("-9223372036854775808").to_i64(), Some(i64::MIN));
        assert_eq!(value("9223372036854775808").to_i64(), None);
        assert_eq!(value("1e400").to_i64(), None);
        assert!(value("1e400").is_integer());
        assert!(!value("1e-400").is_integer());
        assert!(!value("0.5").is_integer());
    }

    #[test]
    fn an_exponent_beyond_64_bits_has_a_sign_all_the_same() {
        for text in ["0e99999999999999999999", "-0.0e-99999999999999999999"] {
            assert_eq!(value(text), value("0"), "{text}");
        }
        for (text, whole) in [
            ("1e99999999999999999999", true),
            ("1.5E+99999999999999999999", true),
            ("1e-99999999999999999999", false),
            ("1E-99999999999999999999", false),
            ("10e-1", true),
            ("1e-1", false),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(Decimal::is_whole(&number), whole, "{text}");
        }
        assert_eq!(Decimal::parse("0e"), None);
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        let wrong = [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e99999999999999999999",
            "0x1",
        ];
        for text in wrong {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_keep_value_and_order(left: i64, right: i64) {
            prop_assert_eq!(value(&left.to_string()).to_i64(), Some(left));
            let order = value(&left.to_string()).cmp(&value(&right.to_string()));
            prop_assert_eq!(order, left.cmp(&right));
        }

        #[test]
        fn doubles_keep_their_order(left in -1e9..1e9f64, right in -1e9..1e9f64) {
            let order = value(&format!("{left:e}")).cmp(&value(&format!("{right}")));
            prop_assert_eq!(Some(order), left.partial_cmp(&right));
        }
    }
}
