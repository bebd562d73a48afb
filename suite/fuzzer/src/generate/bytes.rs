//! Bytes that are no message, or a message that comes in an odd way.

use serde_json::{Map, Value, json};

use crate::{
    case::{Mutation, Sending},
    piece::{Piece, Pieces},
    source::Source,
};

/// What can be done to the bytes of a message, and how often it is.
const KINDS: [(usize, Mutation); 19] = [
    (5, "cut short"),
    (4, "bit flipped"),
    (3, "byte inserted"),
    (3, "byte removed"),
    (3, "range removed"),
    (3, "range repeated"),
    (3, "spliced"),
    (3, "invalid utf-8"),
    (2, "byte order mark"),
    (2, "carriage return"),
    (2, "white space"),
    (2, "raw control"),
    (2, "newline within"),
    (3, "two at once"),
    (3, "many writes"),
    (3, "garbage"),
    (2, "blank"),
    (1, "padding"),
    (2, "trailing garbage"),
];

/// Damages a message, or its delivery, in one way, and tells how. `other` is another message.
pub(crate) fn mutate(source: &mut Source, bytes: Vec<u8>, other: &[u8]) -> (Mutation, Sending) {
    let kind = source.weighted(&KINDS);
    let length = bytes.len().max(1);
    let mut sending = Sending::default();
    let mut damaged = bytes;
    match kind {
        "cut short" => damaged.truncate(source.below(length)),
        "bit flipped" => flip(source, &mut damaged),
        "byte inserted" => {
            let byte = *source.pick(&[0, b'"', b'\\', b'{', b'[', b',', 0x7f, 0x80, 0xff]);
            damaged.insert(source.below(length), byte);
        }
        "byte removed" => {
            if !damaged.is_empty() {
                damaged.remove(source.below(length));
            }
        }
        "range removed" => {
            let (from, to) = range(source, damaged.len());
            damaged.drain(from..to);
        }
        "range repeated" => {
            let (from, to) = range(source, damaged.len());
            let again = damaged[from..to].to_vec();
            damaged.splice(to..to, again);
        }
        "spliced" => {
            damaged.truncate(source.below(length));
            damaged.extend_from_slice(&other[source.below(other.len().max(1))..]);
        }
        "invalid utf-8" => {
            let sequence: &[u8] = source.pick::<&[u8]>(&[
                b"\xff",
                b"\xc0\x80",
                b"\xed\xa0\x80",
                b"\xf4\x90\x80\x80",
                b"\xe2\x82",
                b"\x80",
            ]);
            let place = source.below(length);
            damaged.splice(place..place, sequence.iter().copied());
        }
        "byte order mark" => damaged.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        "carriage return" => set(&mut sending.delivery, "after", json!("\r")),
        "white space" => {
            let space = *source.pick(&[" ", "\t", "  \t ", "\u{a0}", "\u{c}", "\u{b}"]);
            let side = *source.pick(&["before", "after"]);
            set(&mut sending.delivery, side, json!(space));
        }
        "raw control" => {
            let byte = *source.pick(&[0x00, 0x01, 0x08, 0x0b, 0x1b, 0x1f, 0x7f]);
            damaged.insert(source.below(length), byte);
        }
        "newline within" => {
            let place = source.below(length);
            let line_end: &[u8] = source.pick::<&[u8]>(&[b"\n", b"\r\n", b"\r", b"\xe2\x80\xa8"]);
            damaged.splice(place..place, line_end.iter().copied());
        }
        "two at once" => {
            let between = *source.pick(&["", " ", "\n", "\r\n", "\n\n", ","]);
            damaged.extend_from_slice(between.as_bytes());
            damaged.extend_from_slice(other);
        }
        "many writes" => set(&mut sending.delivery, "pieces", json!(2 + source.below(6))),
        "garbage" => damaged = garbage(source),
        "blank" => {
            damaged = source
                .pick::<&[u8]>(&[b"", b" ", b"\t", b"\r", b"\0"])
                .to_vec()
        }
        "padding" => {
            let room = *source.pick(&[1_000, 70_000, 300_000]);
            sending.pieces.push(Piece::repeated(b" ", room));
        }
        _ => {
            let garbage: &[u8] =
                source.pick::<&[u8]>(&[b",", b"}", b"]", b"x", b"\0", b"{}", b"null"]);
            damaged.extend_from_slice(garbage);
        }
    }
    sending.pieces.0.insert(0, Piece::repeated(&damaged, 1));
    (kind, sending)
}

fn set(delivery: &mut Map<String, Value>, name: &str, value: Value) {
    delivery.insert(name.to_owned(), value);
}

fn flip(source: &mut Source, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        let place = source.below(bytes.len());
        bytes[place] ^= 1 << source.below(8);
    }
}

fn range(source: &mut Source, length: usize) -> (usize, usize) {
    let from = source.below(length.max(1)).min(length);
    let to = from + source.below(length - from + 1);
    (from, to)
}

fn garbage(source: &mut Source) -> Vec<u8> {
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 0..64);
    let ready: [&[u8]; 10] = [
        b"GET / HTTP/1.1",
        b"Content-Length: 5",
        b"[",
        b"[]",
        b"[[]]",
        b"{}",
        b"null",
        b"\"",
        b"{\"jsonrpc\"",
        b"true",
    ];
    if source.one_in(2) {
        return source.pick(&ready).to_vec();
    }
    source.draw(bytes).unwrap_or_default()
}

/// Many of one small thing: where a reader does for each what it should do once, or never gives anything back.
pub(crate) fn many(source: &mut Source) -> (Mutation, Pieces) {
    let (before, unit, after): (&[u8], &[u8], &[u8]) = *source.pick(&[
        (&b"["[..], &b"1,"[..], &b"1]"[..]),
        (b"[", b"{},", b"{}]"),
        (b"{", b"\"a\":1,", b"\"b\":1}"),
        (b"", b"[", b""),
        (b"", b"{\"a\":", b""),
        (b"\"", b"\\u0041", b"\""),
        (b"", b" ", b""),
        (b"\"", b"\\\\", b"\""),
    ]);
    let times = source.weighted(&[(4, 300), (4, 3_000), (1, 20_000), (1, 60_000)]);
    let mut pieces = Pieces::of(before);
    pieces.0.push(Piece::repeated(unit, times));
    pieces.0.push(Piece::repeated(after, 1));
    ("many", pieces)
}
