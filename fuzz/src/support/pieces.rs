//! One input as several texts.

/// The texts between the bytes 0xFF, which no text holds; what is no UTF-8 is replaced.
pub(crate) fn texts(bytes: &[u8]) -> Vec<String> {
    let pieces = bytes.split(|&byte| byte == 0xFF);
    pieces
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
        .collect()
}
