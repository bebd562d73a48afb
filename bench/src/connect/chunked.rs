//! The chunked transfer coding (RFC 9112, section 7.1), taken off without a copy of what is not needed.

/// Where in a chunked body the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the line that tells a chunk's size: the size so far, and whether its digits are over.
    Size { size: u64, digits: u32, over: bool },
    /// In a chunk: how much of it is to come.
    Data { left: u64 },
    /// In the line break after a chunk.
    DataEnd,
    /// In the lines after the last chunk; whether the current one is empty so far.
    Trailers { empty: bool, bytes: usize },
    /// Behind it all.
    Done,
}

/// Decodes one body, in any pieces.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    place: Place,
}

/// What is no chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotChunked;

impl Chunked {
    pub(super) fn new() -> Self {
        Self { place: SIZE }
    }

    pub(super) fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// Gives each run of the body's bytes in `piece` to `emit`, and says how many bytes of `piece` belong to the body
    /// and its coding: all of them, unless the body ends before.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, NotChunked> {
        let mut at = 0;
        while at < piece.len() && !self.is_done() {
            if let Place::Data { left } = &mut self.place {
                let room = usize::try_from(*left).unwrap_or(usize::MAX);
                let count = room.min(piece.len() - at);
                emit(&piece[at..at + count]);
                at += count;
                *left -= count as u64;
                if *left == 0 {
                    self.place = Place::DataEnd;
                }
                continue;
            }
            self.byte(piece[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn byte(&mut self, byte: u8) -> Result<(), NotChunked> {
        self.place = match self.place {
            Place::Size { size, digits, over } => match (byte, char::from(byte).to_digit(16)) {
                (_, Some(digit)) if !over && digits < SIZE_DIGITS_MAX => Place::Size {
                    size: size * 16 + u64::from(digit),
                    digits: digits + 1,
                    over,
                },
                (b'\n', _) if digits == 0 => return Err(NotChunked),
                (b'\n', _) if size == 0 => Place::Trailers {
                    empty: true,
                    bytes: 0,
                },
                (b'\n', _) => Place::Data { left: size },
                (_, Some(_)) if !over => return Err(NotChunked),
                (b'\r' | b' ' | b'\t' | b';', _) => Place::Size {
                    size,
                    digits,
                    over: true,
                },
                // What an extension may say is passed over.
                _ if over => self.place,
                _ => return Err(NotChunked),
            },
            Place::DataEnd => match byte {
                b'\r' => Place::DataEnd,
                b'\n' => SIZE,
                _ => return Err(NotChunked),
            },
            Place::Trailers { empty, bytes } => match byte {
                b'\n' if empty => Place::Done,
                b'\n' => Place::Trailers { empty: true, bytes },
                _ if bytes >= TRAILER_BYTES_MAX => return Err(NotChunked),
                b'\r' => Place::Trailers { empty, bytes },
                _ => Place::Trailers {
                    empty: false,
                    bytes: bytes + 1,
                },
            },
            place @ (Place::Data { .. } | Place::Done) => place,
        };
        Ok(())
    }
}

const SIZE: Place = Place::Size {
    size: 0,
    digits: 0,
    over: false,
};

/// A size of more digits is no honest one, and does not fit.
const SIZE_DIGITS_MAX: u32 = 15;

/// Trailers are passed over, and few.
const TRAILER_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], size: usize) -> Result<(Vec<u8>, usize, bool), NotChunked> {
        let mut chunked = Chunked::new();
        let (mut body, mut used) = (Vec::new(), 0);
        for piece in bytes.chunks(size) {
            used += chunked.push(piece, &mut |run| body.extend_from_slice(run))?;
        }
        Ok((body, used, chunked.is_done()))
    }

    #[test]
    fn a_body_is_the_same_in_any_pieces_and_ends_where_it_ends() {
        let bytes = b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nx: y\r\n\r\nHTTP/1.1 200";
        for size in 1..=bytes.len() {
            let (body, used, done) = decode(bytes, size).expect("chunked");
            assert_eq!(body, b"hello!");
            assert_eq!(&bytes[used..], b"HTTP/1.1 200");
            assert!(done);
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bytes in [&b"\r\n"[..], b"x\r\n", b"1\r\nab", b"fffffffffffffffff\r\n"] {
            assert_eq!(decode(bytes, 64), Err(NotChunked), "{bytes:?}");
        }
    }
}
