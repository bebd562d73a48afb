//! Bytes to send, in pieces that may stand there many times: what makes a large message large is told in a
//! few words.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Some bytes, so many times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How often they stand there.
    pub times: usize,
}

impl Piece {
    /// `bytes`, so many times.
    #[must_use]
    pub fn repeated(bytes: &[u8], times: usize) -> Self {
        Self {
            bytes: bytes.to_vec(),
            times,
        }
    }
}

/// Pieces, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pieces(pub Vec<Piece>);

impl Pieces {
    /// Just these bytes.
    #[must_use]
    pub fn of(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self(vec![Piece { bytes, times: 1 }])
    }

    /// Adds a piece at the end.
    pub fn push(&mut self, piece: Piece) {
        match self.0.last_mut() {
            Some(last) if last.times == 1 && piece.times == 1 => last.bytes.extend(piece.bytes),
            _ => self.0.push(piece),
        }
    }

    /// Adds a text at the end.
    pub fn push_text(&mut self, text: &str) {
        self.push(Piece::repeated(text.as_bytes(), 1));
    }

    /// Makes one piece of those beside each other that stand there once.
    pub(crate) fn join(&mut self) {
        for piece in std::mem::take(&mut self.0) {
            if !piece.bytes.is_empty() {
                self.push(piece);
            }
        }
    }

    /// How many bytes they are together.
    #[must_use]
    pub fn len(&self) -> usize {
        let length = |piece: &Piece| piece.bytes.len().saturating_mul(piece.times);
        self.0.iter().map(length).fold(0, usize::saturating_add)
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        for piece in &self.0 {
            for _ in 0..piece.times {
                bytes.extend_from_slice(&piece.bytes);
            }
        }
        bytes
    }

    /// As a step of a vector spells them: `text`, `base64` or `parts`, in `step`.
    pub(crate) fn spell(&self, step: &mut Value) {
        match self.0.as_slice() {
            [] => step["text"] = json!(""),
            [Piece { bytes, times: 1 }] => spell_bytes(bytes, step),
            pieces => step["parts"] = pieces.iter().map(spelled).collect(),
        }
    }
}

fn spelled(piece: &Piece) -> Value {
    let mut part = json!({});
    spell_bytes(&piece.bytes, &mut part);
    if piece.times != 1 {
        part["times"] = json!(piece.times);
    }
    part
}

fn spell_bytes(bytes: &[u8], into: &mut Value) {
    match std::str::from_utf8(bytes) {
        // What begins a reference stands for itself.
        Ok(text) => into["text"] = json!(text.replace("${", "$${")),
        Err(_) => into["base64"] = json!(STANDARD.encode(bytes)),
    }
}
