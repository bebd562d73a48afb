//! Examples of the HTML standard, and the laws of reader and writer.

use proptest::prelude::*;

use super::*;
use crate::transcript::SseFields;

fn read(text: &str) -> Vec<Item> {
    read_all(text.as_bytes()).unwrap()
}

fn data(text: &str) -> Item {
    Item::Event(Event {
        data: text.into(),
        dispatched: true,
        ..Event::default()
    })
}

fn comment_item(text: &str) -> Item {
    Item::Comment(text.into())
}

fn in_pieces(bytes: &[u8], cuts: &[usize], limit: usize) -> (Vec<Item>, bool) {
    let mut reader = Reader::with_limit(limit);
    let mut items = Vec::new();
    let mut start = 0;
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(bytes.len());
    for cut in cuts {
        if reader
            .push(&bytes[start..cut], &mut |item| items.push(item))
            .is_err()
        {
            return (items, false);
        }
        start = cut;
    }
    items.extend(reader.finish());
    (items, true)
}

#[test]
fn lines_end_in_cr_lf_or_both() {
    for text in [
        "data: a\ndata: b\n\n",
        "data: a\rdata: b\r\r",
        "data: a\r\ndata: b\r\n\r\n",
    ] {
        assert_eq!(read(text), [data("a\nb")], "{text:?}");
    }
    assert_eq!(read("data: a\r\n\ndata: b\n\r\n"), [data("a"), data("b")]);
}

#[test]
fn the_first_space_after_the_colon_alone_is_dropped() {
    assert_eq!(read("data:a\n\ndata:  b \n\n"), [data("a"), data(" b ")]);
}

#[test]
fn data_fields_may_be_empty() {
    assert_eq!(
        read("data\n\ndata\ndata\n\ndata:"),
        [
            data(""),
            data("\n"),
            Item::Incomplete {
                event: Event::default(),
                rest: "data:".into()
            },
        ]
    );
}

#[test]
fn comments_are_told_and_do_not_touch_the_event() {
    assert_eq!(
        read(": hi\ndata: a\n:\ndata: b\n\n:x"),
        [
            comment_item(" hi"),
            comment_item(""),
            data("a\nb"),
            Item::Incomplete {
                event: Event::default(),
                rest: ":x".into()
            },
        ]
    );
}

#[test]
fn an_event_without_data_is_told_but_not_dispatched() {
    let fields = SseFields {
        event: None,
        id: Some("1".into()),
        retry: Some(250),
    };
    let event = Event {
        fields,
        ..Event::default()
    };
    assert_eq!(read("id: 1\nretry: 250\n\n\n"), [Item::Event(event)]);
}

#[test]
fn fields_are_per_event_and_the_last_one_counts() {
    let items = read("event: a\nevent: endpoint\nid: 1\ndata: x\n\ndata: y\n\n");
    let fields = SseFields {
        event: Some("endpoint".into()),
        id: Some("1".into()),
        retry: None,
    };
    let first = Event {
        fields,
        data: "x".into(),
        dispatched: true,
        remarks: vec![],
    };
    assert_eq!(items, [Item::Event(first), data("y")]);
}

#[test]
fn the_last_id_and_retry_are_the_streams() {
    let mut reader = Reader::new();
    let mut push = |bytes: &str| {
        reader.push(bytes.as_bytes(), &mut |_| ()).unwrap();
        (reader.last_event_id().to_owned(), reader.retry())
    };
    assert_eq!(push("id: 1\nretry: 5\n"), (String::new(), Some(5)));
    assert_eq!(push("\ndata: x\n\n"), ("1".into(), Some(5)));
    assert_eq!(push("id: a\0b\n\n"), ("1".into(), Some(5)));
    assert_eq!(push("id\n\n"), (String::new(), Some(5)));
}

#[test]
fn what_a_browser_ignores_is_remarked() {
    let text =
        "id: a\0b\nretry: -1\nretry:\nretry: 99999999999999999999\nfoo: 1\nData: 2\ndata: x\n\n";
    let [Item::Event(event)] = &read(text)[..] else {
        panic!("one event")
    };
    assert_eq!(event.fields, SseFields::default());
    assert_eq!(
        event.remarks,
        [
            Remark::IdWithNul,
            Remark::RetryNotDigits,
            Remark::RetryNotDigits,
            Remark::RetryNotDigits,
            Remark::UnknownField("foo".into()),
            Remark::UnknownField("Data".into()),
        ]
    );
}

#[test]
fn one_byte_order_mark_at_the_start_is_dropped() {
    let [Item::Event(event)] = &read("\u{feff}data: a\n\n")[..] else {
        panic!("one event")
    };
    assert_eq!(
        (&event.data[..], &event.remarks[..]),
        (&b"a"[..], &[Remark::ByteOrderMark][..])
    );
    let [Item::Event(event)] = &read("\u{feff}\u{feff}data: a\n\n")[..] else {
        panic!("one event")
    };
    assert!(!event.dispatched);
    let later = read("data: a\n\n\u{feff}data: b\n\n");
    assert!(
        matches!(&later[1], Item::Event(event) if !event.dispatched),
        "{later:?}"
    );
    assert_eq!(read("\u{feff}"), []);
}

#[test]
fn invalid_utf8_stays_in_the_data() {
    let items = read_all(b"data: \xff\xfe\nid: \xff\n\n").unwrap();
    let [Item::Event(event)] = &items[..] else {
        panic!("one event")
    };
    assert_eq!(event.data, b"\xff\xfe");
    assert_eq!(event.fields.id.as_deref(), Some("\u{fffd}"));
    assert_eq!(event.remarks, [Remark::NotUtf8]);
}

#[test]
fn a_cut_off_event_is_incomplete() {
    let event = Event {
        data: "a".into(),
        dispatched: true,
        ..Event::default()
    };
    assert_eq!(
        read("data: a\n"),
        [Item::Incomplete {
            event: event.clone(),
            rest: vec![]
        }]
    );
    assert_eq!(
        read("data: a\r\nda"),
        [Item::Incomplete {
            event,
            rest: "da".into()
        }]
    );
    assert_eq!(read("data: a\n\n"), [data("a")]);
    assert_eq!(read("\n\r\n"), []);
}

#[test]
fn an_event_is_complete_before_the_next_byte_comes() {
    let mut count = 0;
    let mut reader = Reader::new();
    reader.push(b"data: a\r\n\r", &mut |_| count += 1).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn lines_and_events_are_bounded() {
    let fits = |text: &str| in_pieces(text.as_bytes(), &[], 20).1;
    assert!(fits("data: 34567890123456\n\ndata: 34567890123456\n\n"));
    assert!(!fits("data: 345678901234567"));
    assert!(!fits("data: 345678901234567\n\n"));
    assert!(!fits("data: 7\ndata: 7\ndata: 7\n\n"));
    assert!(!fits("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n\n"));
    assert!(fits(&": keep-alive\n".repeat(100)));
    let mut reader = Reader::with_limit(4);
    assert!(reader.push(b"data: a", &mut |_| ()).is_err());
    assert_eq!(
        reader.push(b"\n\n", &mut |_| panic!("it is broken")),
        Err(TooLong { limit: 4 })
    );
}

#[test]
fn the_writer_cannot_be_injected() {
    let bytes = encode(
        Some("a\ndata: x"),
        Some("1\r\n\r\nid: 2\0"),
        Some(3),
        b"x\r\n\ndata: y\r",
    );
    let fields = SseFields {
        event: Some("adata: x".into()),
        id: Some("1id: 2".into()),
        retry: Some(3),
    };
    let event = Event {
        fields,
        data: b"x\n\ndata: y\n".into(),
        dispatched: true,
        remarks: vec![],
    };
    assert_eq!(read_all(&bytes).unwrap(), [Item::Event(event)]);
    let items = read_all(&comment("a\n\ndata: x")).unwrap();
    assert_eq!(
        items,
        [comment_item("a"), comment_item(""), comment_item("data: x")]
    );
}

/// Streams made of what matters to a reader.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n"]).prop_map(Vec::from),
        3 => prop::sample::select(vec![
            "data", "data:", "data: x", "id: 1", "id: \0", "event: e", "retry: 1", "retry: x", ":", "z",
            "\u{feff}", " ",
        ]).prop_map(Vec::from),
        1 => prop::collection::vec(any::<u8>(), 0..80),
    ];
    prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_items(
        bytes in stream(),
        cuts in prop::collection::vec(any::<usize>(), 0..10),
        limit in prop_oneof![Just(crate::limits::MESSAGE_BYTES_MAX), 1..200usize],
    ) {
        let whole = in_pieces(&bytes, &[], limit);
        prop_assert_eq!(&in_pieces(&bytes, &cuts, limit), &whole);
        let every_byte: Vec<_> = (0..=bytes.len()).collect();
        prop_assert_eq!(&in_pieces(&bytes, &every_byte, limit), &whole);
    }

    #[test]
    fn what_was_written_is_read_back(
        event in prop::option::of("[^\r\n]{0,20}"),
        id in prop::option::of("[^\r\n\0]{0,20}"),
        retry: Option<u64>,
        data in prop::collection::vec(any::<u8>().prop_filter("LF only", |&byte| byte != b'\r'), 0..200),
    ) {
        let bytes = encode(event.as_deref(), id.as_deref(), retry, &data);
        let fields = SseFields { event, id, retry };
        let event = Event { fields, data, dispatched: true, remarks: vec![] };
        prop_assert_eq!(read_all(&bytes).unwrap(), vec![Item::Event(event)]);
    }

    #[test]
    fn whatever_is_written_is_one_event(event: String, id: String, data: Vec<u8>) {
        let items = read_all(&encode(Some(&event), Some(&id), None, &data)).unwrap();
        prop_assert!(matches!(&items[..], [Item::Event(event)] if event.dispatched), "{:?}", items);
    }
}
