//! Header values.

use mcp_verdict_wire::header_value;

/// What a header value stands for is kept by encoding it again; whatever text is encoded, a header can
/// hold it.
pub fn header_value(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let header = header_value::encode(text);
    assert!(
        header
            .bytes()
            .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
    );
    assert_eq!(header_value::decode(&header).as_deref(), Ok(text));
    if let Ok(value) = header_value::decode(text) {
        assert_eq!(
            header_value::decode(&header_value::encode(&value)),
            Ok(value)
        );
    }
}
