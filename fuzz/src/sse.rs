//! The reader of event streams against itself.

use mcp_verdict_wire::sse::{self, Item};

/// However the bytes of an event stream are cut, the same items come out. The first byte chooses the
/// limit, the second how long the pieces are; the rest is the stream.
pub fn sse_split(bytes: &[u8]) {
    let [limit, step, stream @ ..] = bytes else {
        return;
    };
    let limit = usize::from(*limit) * 4;
    let whole = read_in_pieces(stream, stream.len().max(1), limit);
    assert_eq!(
        read_in_pieces(stream, usize::from(*step).max(1), limit),
        whole
    );
    assert_eq!(read_in_pieces(stream, 1, limit), whole);
    for item in &whole.0 {
        if let Item::Event(event) = item {
            assert!(event.data.len() <= limit);
            assert!(event.dispatched || event.data.is_empty());
        }
    }
}

fn read_in_pieces(stream: &[u8], step: usize, limit: usize) -> (Vec<Item>, bool) {
    let mut items = Vec::new();
    let mut reader = sse::Reader::with_limit(limit);
    for piece in stream.chunks(step) {
        if reader.push(piece, &mut |item| items.push(item)).is_err() {
            return (items, false);
        }
    }
    items.extend(reader.finish());
    (items, true)
}
