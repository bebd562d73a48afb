//! The chunked coding of a response's body (RFC 9112, section 7.1), however it comes in pieces. No I/O.

/// Longest line that gives a chunk's size, with its extensions.
const SIZE_LINE_BYTES_MAX: usize = 4 * 1024;

/// All trailer lines together.
const TRAILER_BYTES_MAX: usize = 64 * 1024;

/// Takes the coding off.
#[derive(Debug)]
pub(super) struct Decoder {
    state: State,
    line: Vec<u8>,
    trailer_bytes: usize,
    /// What came after the end.
    surplus: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Data { left: u64 },
    DataEnd,
    Trailer,
    Done,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            state: State::Size,
            line: Vec::new(),
            trailer_bytes: 0,
            surplus: Vec::new(),
        }
    }

    /// Whether the last chunk and the trailer were read.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The content in the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        let mut rest = piece;
        while !rest.is_empty() && self.state != State::Done {
            if let State::Data { left } = self.state {
                let take = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                content.extend_from_slice(&rest[..take]);
                rest = &rest[take..];
                let left = left - take as u64;
                self.state = if left == 0 {
                    State::DataEnd
                } else {
                    State::Data { left }
                };
                continue;
            }
            let end = rest.iter().position(|&byte| byte == b'\n');
            let take = end.map_or(rest.len(), |end| end + 1);
            self.line.extend_from_slice(&rest[..take]);
            rest = &rest[take..];
            if self.line.len() > SIZE_LINE_BYTES_MAX {
                return Err("a line of the chunked coding is too long".to_owned());
            }
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                self.take_line(line.trim_ascii_end())?;
            }
        }
        self.surplus.extend_from_slice(rest);
        Ok(content)
    }

    /// What came after the end, with the last piece of the content.
    pub(super) fn into_surplus(self) -> Vec<u8> {
        self.surplus
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), String> {
        self.state = match self.state {
            State::Size => match read_size(line)? {
                0 => State::Trailer,
                left => State::Data { left },
            },
            State::DataEnd if line.is_empty() => State::Size,
            State::DataEnd => return Err("a chunk is longer than it says".to_owned()),
            State::Trailer if line.is_empty() => State::Done,
            State::Trailer => {
                self.trailer_bytes += line.len();
                if self.trailer_bytes > TRAILER_BYTES_MAX {
                    return Err("the trailer is too long".to_owned());
                }
                State::Trailer
            }
            other @ (State::Data { .. } | State::Done) => other,
        };
        Ok(())
    }
}

fn read_size(line: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let digits = text.split(';').next().unwrap_or_default().trim();
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_digits
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
        .ok_or_else(|| "a chunk's size is no hexadecimal number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), String> {
        let mut decoder = Decoder::new();
        let mut content = Vec::new();
        for piece in pieces {
            content.extend(decoder.push(piece)?);
        }
        Ok((content, decoder.is_done()))
    }

    #[test]
    fn every_split_gives_the_same_content() {
        let whole = b"5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
        for cut in 0..=whole.len() {
            let decoded = decode(&[&whole[..cut], &whole[cut..]]).unwrap();
            assert_eq!(decoded, (b"hello0123456789".to_vec(), true), "cut at {cut}");
        }
    }

    #[test]
    fn a_cut_off_body_is_not_done() {
        assert_eq!(decode(&[b"5\r\nhel"]), Ok((b"hel".to_vec(), false)));
        assert_eq!(
            decode(&[b"5\r\nhello\r\n0\r\n"]),
            Ok((b"hello".to_vec(), false))
        );
    }

    #[test]
    fn what_is_no_chunk_is_an_error() {
        for bad in [
            &b"\r\n"[..],
            b"-1\r\n",
            b"+5\r\nhello\r\n",
            b"xyz\r\n",
            b"fffffffffffffffff\r\n",
            b"1\r\nab\r\n",
        ] {
            assert!(decode(&[bad]).is_err(), "{}", bad.escape_ascii());
        }
        assert!(decode(&[&[b'0'; SIZE_LINE_BYTES_MAX + 1]]).is_err());
    }

    #[test]
    fn an_endless_trailer_is_an_error() {
        let line = [b"x: ".as_slice(), &[b'y'; 1000], b"\r\n"].concat();
        let mut decoder = Decoder::new();
        decoder.push(b"0\r\n").unwrap();
        assert!((0..100).any(|_| decoder.push(&line).is_err()));
    }
}
