//! What results carry.

use serde_json::{Value, json};

use crate::helper::{
    BATCHES, LEGACY, MIDDLE, MODERN, OLDEST, Talk, breaks, holds, idles, spares, warns,
};

fn called(content: Value) -> Talk {
    let talk = Talk::stdio(LEGACY).asks(1, "tools/call", json!({"name": "x"}));
    talk.answers(1, json!({"content": content}))
}

fn prompted(content: Value) -> Talk {
    let talk = Talk::stdio(OLDEST).asks(1, "prompts/get", json!({"name": "x"}));
    talk.answers(
        1,
        json!({"messages": [{"role": "user", "content": content}]}),
    )
}

fn read(contents: Value) -> Talk {
    let talk = Talk::stdio(LEGACY).asks(1, "resources/read", json!({"uri": "a:b"}));
    talk.answers(1, json!({"contents": [contents]}))
}

fn resources(resource: Value) -> Talk {
    let talk = Talk::stdio(LEGACY).asks(1, "resources/list", json!({}));
    talk.answers(1, json!({"resources": [resource]}))
}

#[test]
fn data_that_is_not_base64() {
    let image = |data: &str| json!([{"type": "image", "data": data, "mimeType": "image/png"}]);
    breaks(
        "content/base64",
        &called(image("not base64!")),
        "not base64!",
    );
    breaks("content/base64", &called(image("_-8=")), "_-8=");
    warns("content/base64", &called(image("AAA")), "padding");
    warns("content/base64", &called(image("AA\nA=")), "white space");
    holds("content/base64", &called(image("AAA=")));
    holds("content/base64", &called(image("")));
    breaks(
        "content/base64",
        &read(json!({"uri": "a:b", "blob": "%%"})),
        "%%",
    );
    let embedded = json!([{"type": "resource", "resource": {"uri": "a:b", "blob": "%%"}}]);
    breaks("content/base64", &called(embedded), "%%");
    breaks(
        "content/base64",
        &prompted(json!({"type": "image", "data": "%%", "mimeType": "image/png"})),
        "%%",
    );
    // `data` is somebody else's elsewhere.
    idles(
        "content/base64",
        &called(json!([{"type": "text", "text": "", "data": "%%"}])),
    );
}

#[test]
fn a_media_type_in_one_word() {
    let image = |kind: &str| json!({"type": "image", "data": "AAA=", "mimeType": kind});
    breaks("content/media-types", &prompted(image("png")), "png");
    warns("content/media-types", &called(json!([image("png")])), "png");
    for kind in [
        "image/png",
        "image/svg+xml",
        "text/plain; charset=utf-8",
        "application/vnd.a-b.c+json",
    ] {
        holds("content/media-types", &prompted(image(kind)));
    }
    warns(
        "content/media-types",
        &resources(json!({"uri": "a:b", "name": "", "mimeType": "text"})),
        "text",
    );
}

#[test]
fn a_uri_without_a_scheme() {
    let of = |uri: &str| resources(json!({"uri": uri, "name": ""}));
    for uri in [
        "config.json",
        "/a/b",
        "1a:b",
        "a b:c",
        "file:///a b",
        "",
        "é:a",
    ] {
        breaks("content/uris", &of(uri), "with its scheme");
    }
    for uri in [
        "file:///a",
        "urn:x:y",
        "test://é",
        "C:\\windows",
        "a+b.c-d:",
    ] {
        holds("content/uris", &of(uri));
    }
    breaks(
        "content/uris",
        &read(json!({"uri": "x", "text": ""})),
        "\"x\"",
    );
}

#[test]
fn a_time_in_words() {
    let of = |time: &str| {
        resources(json!({"uri": "a:b", "name": "", "annotations": {"lastModified": time}}))
    };
    for time in [
        "yesterday",
        "12 Jan 2025",
        "2025-1-12",
        "",
        "2025-01-12 at noon",
    ] {
        breaks("content/timestamps", &of(time), "ISO 8601");
    }
    for time in [
        "2025-01-12T15:00:58Z",
        "2025-01-12",
        "2025-01-12T15:00:58.123+02:00",
    ] {
        holds("content/timestamps", &of(time));
    }
}

#[test]
fn keys_of_metadata() {
    let of = |key: &str| {
        let talk = Talk::stdio(LEGACY).asks(1, "ping", json!({}));
        talk.answers(1, json!({"_meta": {key: 1}}))
    };
    for key in [
        "-a",
        "a-",
        "a.",
        "1a/b",
        "a-/b",
        "a..b/c",
        "/a",
        "com.example/_x",
    ] {
        breaks("content/meta-keys", &of(key), "agreed form");
    }
    for key in ["a b", "com.example/a:b", "a/b/c"] {
        warns("content/meta-keys", &of(key), "agreed form");
    }
    for key in [
        "",
        "a",
        "com.example/",
        "com.example/a_b.c-d",
        "io.modelcontextprotocol/x",
        "progressToken",
        "1",
    ] {
        holds("content/meta-keys", &of(key));
    }
}

#[test]
fn metadata_of_ones_own() {
    let talk = |revision| Talk::stdio(revision).asks(1, "tools/call", json!({"name": "x"}));
    let own = json!({"content": [], "structuredContent": {"_meta": {"-": 1}}});
    spares("content/meta-keys", &talk(LEGACY).answers(1, own));
    for revision in [OLDEST, BATCHES] {
        idles(
            "content/meta-keys",
            &talk(revision).answers(1, json!({"content": [], "_meta": {"-": 1}})),
        );
    }
    for revision in [MIDDLE, MODERN] {
        let seen = talk(revision).hears("notifications/x", json!({"_meta": {"-": 1}}));
        assert!(
            !crate::helper::observe("content/meta-keys", &seen)
                .findings
                .is_empty()
        );
    }
}

#[test]
fn structure_without_text() {
    let of = |content: Value| {
        let talk = Talk::stdio(MIDDLE).asks(1, "tools/call", json!({"name": "x"}));
        talk.answers(
            1,
            json!({"content": content, "structuredContent": {"a": 1}}),
        )
    };
    breaks(
        "content/text-beside-structure",
        &of(json!([])),
        "no text block",
    );
    holds(
        "content/text-beside-structure",
        &of(json!([{"type": "text", "text": "{\"a\":1}"}])),
    );
    idles("content/text-beside-structure", &called(json!([])));
}

#[test]
fn the_context_of_a_trace() {
    let rule = "content/trace-context";
    let with = |name: &str, value: Value| {
        let talk = Talk::stdio(MODERN).asks(1, "tools/list", json!({}));
        talk.answers(1, json!({"tools": [], "_meta": {name: value}}))
    };
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for sound in [
        format!("00-{trace}-00f067aa0ba902b7-01"),
        format!("cc-{trace}-00f067aa0ba902b7-01-what-the-future-brings"),
    ] {
        holds(rule, &with("traceparent", json!(sound)));
    }
    for broken in [
        json!("x"),
        json!(1),
        json!(format!("00-{trace}-01")),
        json!(format!("00-{trace}-00f067aa0ba902b7-01-more")),
        json!(format!("ff-{trace}-00f067aa0ba902b7-01")),
        json!(format!("00-{trace}-0000000000000000-01")),
        json!(format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase())),
    ] {
        breaks(rule, &with("traceparent", broken), "traceparent");
    }
    holds(
        rule,
        &with("tracestate", json!("rojo=00f067aa0ba902b7, congo=t61r,")),
    );
    breaks(rule, &with("tracestate", json!("rojo")), "tracestate");
    holds(rule, &with("baggage", json!("a=1;p=2,b=%20")));
    breaks(rule, &with("baggage", json!("=1")), "baggage");
    let elsewhere = Talk::stdio(LEGACY).asks(1, "tools/list", json!({}));
    let elsewhere = elsewhere.answers(1, json!({"tools": [], "_meta": {"traceparent": "x"}}));
    spares(rule, &elsewhere);
}
