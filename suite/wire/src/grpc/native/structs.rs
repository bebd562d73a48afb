//! `google.protobuf.Struct`, whose numbers are doubles.

use prost_types::{ListValue, Struct, Value as Proto, value::Kind};
use serde_json::{Map, Number, Value};

use super::Unmapped;

/// Beyond it not every integer is a double.
const INTEGER_MAX: u64 = 1 << 53;

/// An object of JSON.
pub(super) fn encode(object: &Map<String, Value>, at: &str) -> Result<Struct, Unmapped> {
    let fields = object.iter();
    let fields = fields
        .map(|(name, value)| Ok((name.clone(), encode_value(value, &format!("{at}/{name}"))?)));
    Ok(Struct {
        fields: fields.collect::<Result<_, Unmapped>>()?,
    })
}

fn encode_value(value: &Value, at: &str) -> Result<Proto, Unmapped> {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(number) => Kind::NumberValue(double(number, at)?),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => {
            let values = items.iter().map(|item| encode_value(item, at));
            Kind::ListValue(ListValue {
                values: values.collect::<Result<_, Unmapped>>()?,
            })
        }
        Value::Object(object) => Kind::StructValue(encode(object, at)?),
    };
    Ok(Proto { kind: Some(kind) })
}

/// The double that a number is, if it is one.
pub(super) fn double(number: &Number, at: &str) -> Result<f64, Unmapped> {
    let text = number.to_string();
    let fits = match text.contains(['.', 'e', 'E']) {
        true => true,
        false => text
            .parse::<i64>()
            .is_ok_and(|integer| integer.unsigned_abs() <= INTEGER_MAX),
    };
    let double = number.as_f64().filter(|double| double.is_finite() && fits);
    double.ok_or_else(|| Unmapped::new(at, format_args!("{text} is no double")))
}

/// An object of protobuf.
pub(super) fn decode(object: Struct) -> Value {
    let fields = object.fields.into_iter();
    Value::Object(
        fields
            .map(|(name, value)| (name, decode_value(value)))
            .collect(),
    )
}

fn decode_value(value: Proto) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::NumberValue(number)) => decode_number(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(decode_value).collect(),
        Some(Kind::StructValue(object)) => decode(object),
    }
}

/// A double as a person writes it: without a fraction where it has none. JSON has no word for what is not finite.
pub(super) fn decode_number(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is an integer within ±2^53"
    )]
    if number.fract() == 0.0 && number.abs() <= INTEGER_MAX as f64 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
