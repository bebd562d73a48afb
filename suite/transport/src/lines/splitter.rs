//! Cuts a byte stream at its newlines, however it comes in pieces. No I/O.

/// A line that is longer than it may be. The splitter reads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    /// The limit.
    pub(crate) limit: usize,
}

/// Collects lines of at most `limit` bytes.
#[derive(Debug)]
pub(crate) struct Lines {
    limit: usize,
    /// The current line as far as it came in earlier pieces.
    partial: Vec<u8>,
    broken: bool,
}

impl Lines {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            partial: Vec::new(),
            broken: false,
        }
    }

    /// Hands each line that `piece` completes to `emit`, without its newline; a carriage return before
    /// it stays.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        emit: &mut impl FnMut(Vec<u8>),
    ) -> Result<(), TooLong> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.extend(&rest[..end])?;
            emit(std::mem::take(&mut self.partial));
            rest = &rest[end + 1..];
        }
        self.extend(rest)
    }

    /// Bytes that wait for the end of their line.
    pub(crate) fn held(&self) -> usize {
        self.partial.len()
    }

    /// What followed the last newline.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.partial
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.broken || self.partial.len() + bytes.len() > self.limit {
            self.broken = true;
            self.partial = Vec::new();
            return Err(TooLong { limit: self.limit });
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, Result<Vec<u8>, TooLong>) {
        let mut lines = Lines::new(limit);
        let mut seen = Vec::new();
        for piece in pieces {
            if let Err(too_long) = lines.push(piece, &mut |line| seen.push(line)) {
                return (seen, Err(too_long));
            }
        }
        (seen, Ok(lines.finish()))
    }

    #[test]
    fn every_split_gives_the_same_lines() {
        let whole = b"{\"a\":1}\r\n\n\xff\nlast";
        let expected = split(&[whole], 100);
        assert_eq!(
            expected.0,
            [b"{\"a\":1}\r".to_vec(), b"".to_vec(), b"\xff".to_vec()]
        );
        assert_eq!(expected.1, Ok(b"last".to_vec()));
        for cut in 0..=whole.len() {
            assert_eq!(
                split(&[&whole[..cut], &whole[cut..]], 100),
                expected,
                "cut at {cut}"
            );
        }
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(split(&single, 100), expected);
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_beyond_it_does_not() {
        assert_eq!(
            split(&[b"1234\n", b"12345"], 4),
            (vec![b"1234".to_vec()], Err(TooLong { limit: 4 }))
        );
        assert_eq!(
            split(&[b"123", b"4", b"\n"], 4),
            (vec![b"1234".to_vec()], Ok(Vec::new()))
        );
        assert_eq!(split(&[b"123", b"45\n"], 4).1, Err(TooLong { limit: 4 }));
    }

    #[test]
    fn nothing_follows_a_line_that_is_too_long() {
        let mut lines = Lines::new(2);
        assert!(lines.push(b"123", &mut |_| panic!("no line")).is_err());
        assert!(lines.push(b"\n1\n", &mut |_| panic!("no line")).is_err());
    }
}
