//! Writing: nothing that goes in can end a line, a field or an event.

/// An event. Lines of `data` become `data` fields, whichever newlines divide them; what no field can
/// hold is left out: newlines of `event` and `id`, and NUL in `id`.
#[must_use]
pub fn encode(event: Option<&str>, id: Option<&str>, retry: Option<u64>, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() + 32);
    if let Some(event) = event {
        field(&mut bytes, "event", &event.replace(['\r', '\n'], ""));
    }
    if let Some(id) = id {
        field(&mut bytes, "id", &id.replace(['\r', '\n', '\0'], ""));
    }
    if let Some(retry) = retry {
        field(&mut bytes, "retry", &retry.to_string());
    }
    for line in lines(data) {
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    bytes.push(b'\n');
    bytes
}

/// A comment, on as many lines as `text` has. It keeps a connection alive and means nothing.
#[must_use]
pub fn comment(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 2);
    for line in lines(text.as_bytes()) {
        bytes.push(b':');
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    bytes
}

fn field(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

/// The lines that CR, LF and CRLF divide; one empty line for nothing.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let Some(end) = end else {
            return rest.take();
        };
        let ending = if bytes[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = Some(&bytes[end + ending..]);
        Some(&bytes[..end])
    })
}
