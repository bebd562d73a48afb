//! The frame of a message: a flag that says whether it is compressed, its length, and its bytes
//! (gRPC over HTTP/2, `Length-Prefixed-Message`).

/// Bytes before each message: the flag and the length.
pub const FRAME_HEAD_BYTES: usize = 5;

/// A message as it is framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The flag in front. 0 and 1 are defined: plain, and compressed.
    pub flag: u8,
    /// The message; compressed bytes where it is.
    pub bytes: Vec<u8>,
}

/// A message that is longer than it may be. What follows is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a gRPC message holds at most {limit} bytes")]
pub struct TooLarge {
    /// The limit.
    pub limit: usize,
    /// The length that its frame states.
    pub stated: usize,
}

/// Collects messages from a stream of bytes, however it comes in pieces.
#[derive(Debug)]
pub struct Frames {
    limit: usize,
    buffered: Vec<u8>,
    broken: bool,
}

impl Frames {
    /// For messages of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffered: Vec::new(),
            broken: false,
        }
    }

    /// Hands each message that `piece` completes to `emit`.
    ///
    /// # Errors
    /// When a message is longer than it may be.
    pub fn push(&mut self, piece: &[u8], emit: &mut impl FnMut(Frame)) -> Result<(), TooLarge> {
        if self.broken {
            return Err(self.too_large(0));
        }
        self.buffered.extend_from_slice(piece);
        let mut from = 0;
        while let Some((head, rest)) = self.buffered[from..].split_first_chunk::<FRAME_HEAD_BYTES>()
        {
            let [flag, length @ ..] = *head;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            if length > self.limit {
                self.broken = true;
                self.buffered = Vec::new();
                return Err(self.too_large(length));
            }
            let Some(bytes) = rest.get(..length) else {
                break;
            };
            emit(Frame {
                flag,
                bytes: bytes.to_vec(),
            });
            from += FRAME_HEAD_BYTES + length;
        }
        self.buffered.drain(..from);
        Ok(())
    }

    /// Bytes that wait for the rest of their frame.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffered.len()
    }

    /// The beginning of a frame that was not completed.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.buffered
    }

    fn too_large(&self, stated: usize) -> TooLarge {
        TooLarge {
            limit: self.limit,
            stated,
        }
    }
}

/// A message in its frame, not compressed.
#[must_use]
pub fn encode(message: &[u8]) -> Vec<u8> {
    // No message of ours comes near the limit of the length field.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(FRAME_HEAD_BYTES + message.len());
    frame.push(0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]], limit: usize) -> (Vec<Frame>, Result<Vec<u8>, TooLarge>) {
        let mut frames = Frames::new(limit);
        let mut seen = Vec::new();
        for piece in pieces {
            if let Err(too_large) = frames.push(piece, &mut |frame| seen.push(frame)) {
                return (seen, Err(too_large));
            }
        }
        (seen, Ok(frames.finish()))
    }

    #[test]
    fn every_cut_gives_the_same_messages() {
        let mut whole = encode(b"one");
        whole.extend(encode(b""));
        whole.extend([1, 0, 0, 0, 2, b'x', b'y', 0, 0]);
        let expected = read(&[&whole], 10);
        assert_eq!(expected.0.len(), 3);
        assert_eq!(expected.0[2].flag, 1);
        assert_eq!(expected.1, Ok(vec![0, 0]));
        for cut in 0..=whole.len() {
            assert_eq!(read(&[&whole[..cut], &whole[cut..]], 10), expected, "{cut}");
        }
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(&single, 10), expected);
    }

    #[test]
    fn a_length_beyond_the_limit_is_not_waited_for() {
        let (seen, end) = read(&[&[0, 0xff, 0xff, 0xff, 0xff], b"x"], 4);
        assert!(seen.is_empty());
        assert_eq!(
            end,
            Err(TooLarge {
                limit: 4,
                stated: 0xffff_ffff
            })
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(messages: Vec<Vec<u8>>) {
            let bytes: Vec<u8> = messages.iter().flat_map(|message| encode(message)).collect();
            let (seen, end) = read(&[&bytes], usize::MAX);
            prop_assert_eq!(end, Ok(Vec::new()));
            let seen: Vec<Vec<u8>> = seen.into_iter().map(|frame| frame.bytes).collect();
            prop_assert_eq!(seen, messages);
        }
    }
}
