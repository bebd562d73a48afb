//! HTTP/1.1 as far as whoever passes it on must read it: where heads and bodies end (RFC 9112, section 6).

/// Where a body ends.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    Chunked(Chunk),
    Length(u64),
    UntilClose,
}

/// Where a chunked body is.
#[derive(Clone, Debug)]
pub(super) enum Chunk {
    /// The line with its size, as far as it came.
    Size(Vec<u8>),
    Data(u64),
    /// The line that ends it.
    DataEnd,
    /// The line of the trailer, and how long it is so far.
    Trailer(usize),
    Done,
}

/// Bytes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) bytes: usize,
    pub(super) content: bool,
    pub(super) ends_chunk: bool,
}

/// A request, as far as it matters.
#[derive(Clone, Debug)]
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) framing: Framing,
    /// Something else than HTTP may follow.
    pub(super) upgrades: bool,
}

/// A response, as far as it matters.
#[derive(Clone, Debug)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) is_stream: bool,
    pub(super) framing: Framing,
}

/// A head at the beginning of what was read.
pub(super) enum Reading<T> {
    /// It, and its length.
    Head(T, usize),
    /// It has not come whole.
    Partial,
    /// This is not the HTTP that is read here.
    Unreadable,
}

/// Most fields of a head.
const FIELDS_MAX: usize = 128;

/// Longest line of the chunked coding.
const LINE_BYTES_MAX: usize = 8 * 1024;

impl Framing {
    /// Whether the body has ended.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    /// The bytes of the body that come next and are of one kind. What cannot be read lasts until the end.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Run {
        let content = |bytes| Run {
            bytes,
            content: true,
            ends_chunk: false,
        };
        match self {
            Self::UntilClose => content(bytes.len()),
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => {
                let take = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= take as u64;
                if let Self::Chunked(chunk @ Chunk::Data(0)) = self {
                    *chunk = Chunk::DataEnd;
                }
                content(take)
            }
            Self::Chunked(chunk) => {
                let end = bytes.iter().position(|&byte| byte == b'\n');
                let take = end.map_or(bytes.len(), |end| end + 1);
                let was_data = matches!(chunk, Chunk::DataEnd);
                if !chunk.line(&bytes[..take], end.is_some()) {
                    *self = Self::UntilClose;
                }
                Run {
                    bytes: take,
                    content: false,
                    ends_chunk: was_data && end.is_some(),
                }
            }
        }
    }
}

impl Chunk {
    fn new() -> Self {
        Self::Size(Vec::new())
    }

    /// Takes a line, or a part of it; whether it can be one.
    fn line(&mut self, bytes: &[u8], ended: bool) -> bool {
        match self {
            Self::Size(line) => {
                line.extend_from_slice(bytes);
                if !ended {
                    return line.len() <= LINE_BYTES_MAX;
                }
                let Some(size) = read_size(line) else {
                    return false;
                };
                *self = match size {
                    0 => Self::Trailer(0),
                    size => Self::Data(size),
                };
            }
            Self::DataEnd => {
                if ended {
                    *self = Self::new();
                }
                return bytes.trim_ascii().is_empty();
            }
            Self::Trailer(length) => {
                *length += bytes.trim_ascii_end().len();
                if ended {
                    *self = match *length {
                        0 => Self::Done,
                        _ => Self::Trailer(0),
                    };
                }
            }
            Self::Data(_) | Self::Done => {}
        }
        true
    }
}

fn read_size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = text.split(';').next()?.trim();
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// A request at the beginning of these bytes.
pub(super) fn request(bytes: &[u8]) -> Reading<RequestHead> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Reading::Partial,
        Err(_) => return Reading::Unreadable,
    };
    let framing = match framing(request.headers) {
        Some(Framing::UntilClose) => Framing::Length(0),
        Some(framing) => framing,
        None => return Reading::Unreadable,
    };
    let method = request.method.unwrap_or_default();
    let path = request.path.unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let head = RequestHead {
        method: method.to_owned(),
        path: path.to_owned(),
        framing,
        upgrades: method == "CONNECT" || value(request.headers, "upgrade").is_some(),
    };
    Reading::Head(head, length)
}

/// A response at the beginning of these bytes, to a request of this method.
pub(super) fn response(bytes: &[u8], method: &str) -> Reading<ResponseHead> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Reading::Partial,
        Err(_) => return Reading::Unreadable,
    };
    let status = response.code.unwrap_or_default();
    let bodiless = method == "HEAD" || status / 100 == 1 || matches!(status, 204 | 304);
    let framing = match framing(response.headers) {
        _ if bodiless => Framing::Length(0),
        Some(framing) => framing,
        None => return Reading::Unreadable,
    };
    let media_type = value(response.headers, "content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let head = ResponseHead {
        status,
        is_stream: media_type.eq_ignore_ascii_case("text/event-stream"),
        framing,
    };
    Reading::Head(head, length)
}

/// How a body with these fields ends; nothing where they contradict each other.
fn framing(fields: &[httparse::Header<'_>]) -> Option<Framing> {
    if let Some(coding) = value(fields, "transfer-encoding") {
        let last = coding.rsplit(',').next().unwrap_or_default().trim();
        return Some(match last.eq_ignore_ascii_case("chunked") {
            true => Framing::Chunked(Chunk::new()),
            false => Framing::UntilClose,
        });
    }
    match value(fields, "content-length") {
        Some(length) => length.trim().parse().ok().map(Framing::Length),
        None => Some(Framing::UntilClose),
    }
}

fn value<'h>(fields: &[httparse::Header<'h>], name: &str) -> Option<&'h str> {
    let mut named = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(name));
    named
        .next()
        .map(|field| std::str::from_utf8(field.value).unwrap_or_default())
}

/// A request's head in which fields that name `own` name `upstream` instead: `Host`, and the authority of an
/// `Origin` that is the proxy's own. All other bytes stay.
pub(super) fn renamed(head: &[u8], own: &[String], upstream: (&str, &str)) -> Vec<u8> {
    let (authority, origin) = upstream;
    let mut renamed = Vec::with_capacity(head.len() + authority.len());
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        let replaced = std::str::from_utf8(line).ok().and_then(|line| {
            let (name, value) = line.split_once(':')?;
            let text = value.trim();
            let is_own = |authority: &str| own.iter().any(|of| of.eq_ignore_ascii_case(authority));
            let new = match name.to_ascii_lowercase().as_str() {
                "host" if is_own(text) => authority,
                "origin" if text.strip_prefix("http://").is_some_and(is_own) => origin,
                _ => return None,
            };
            Some(format!("{name}:{}", value.replacen(text, new, 1)))
        });
        match replaced {
            Some(line) => renamed.extend_from_slice(line.as_bytes()),
            None => renamed.extend_from_slice(line),
        }
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_told_apart_however_it_is_cut() {
        let body = b"5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\nGET";
        for cut in 0..=body.len() {
            let (mut framing, mut content, mut read) =
                (Framing::Chunked(Chunk::new()), Vec::new(), 0);
            let mut chunks = 0;
            for piece in [&body[..cut], &body[cut..]] {
                let mut rest = piece;
                while !rest.is_empty() && !framing.is_done() {
                    let run = framing.run(rest);
                    if run.content {
                        content.extend_from_slice(&rest[..run.bytes]);
                    }
                    chunks += usize::from(run.ends_chunk);
                    read += run.bytes;
                    rest = &rest[run.bytes..];
                }
            }
            assert_eq!(content, b"hello0123456789", "cut at {cut}");
            assert_eq!((read, chunks), (body.len() - 3, 2), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_chunk_lasts_until_the_end() {
        let mut framing = Framing::Chunked(Chunk::new());
        framing.run(b"xyz\r\n");
        assert!(matches!(framing, Framing::UntilClose));
    }

    #[test]
    fn the_proxy_is_renamed_and_nobody_else() {
        let own = ["127.0.0.1:9".to_owned(), "localhost:9".to_owned()];
        let rename = |head: &str| {
            let new = renamed(head.as_bytes(), &own, ("up:80", "https://up"));
            String::from_utf8(new).unwrap()
        };
        assert_eq!(
            rename(
                "GET / HTTP/1.1\r\nhOst:  127.0.0.1:9\r\nOrigin: http://localhost:9\r\nx: 127.0.0.1:9\r\n\r\n"
            ),
            "GET / HTTP/1.1\r\nhOst:  up:80\r\nOrigin: https://up\r\nx: 127.0.0.1:9\r\n\r\n"
        );
        let foreign = "GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n";
        assert_eq!(rename(foreign), foreign);
    }
}
