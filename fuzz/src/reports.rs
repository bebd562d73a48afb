//! Reports: whatever text stands in a run, they are well-formed, and none of it does anything.

use std::{collections::BTreeSet, sync::LazyLock};

use mcp_verdict_reports as reports;

use crate::support::{page, pieces::texts, run::run_of, xml};

/// No element, attribute, script, style or link of the page comes from a text. The texts are divided by the
/// byte 0xFF.
pub fn html(bytes: &[u8]) {
    static HARMLESS: LazyLock<page::Page> = LazyLock::new(harmless);
    let shown = page::read(&reports::html(&run_of(&texts(bytes))));
    let strange: Vec<_> = shown.marks.difference(&HARMLESS.marks).collect();
    assert!(strange.is_empty(), "{strange:?} come from a text");
    let live: Vec<_> = shown.live.difference(&HARMLESS.live).collect();
    assert!(live.is_empty(), "a browser would run {live:?}");
    for link in &shown.links {
        let starts = ["#", "https://", "http://"];
        assert!(starts.iter().any(|start| link.starts_with(start)), "{link}");
    }
}

/// The report is XML with the elements of JUnit and a test case for each result.
pub fn junit(bytes: &[u8]) {
    let run = run_of(&texts(bytes));
    let names = xml::elements(&reports::junit(&run));
    let cases = names.iter().filter(|name| *name == "testcase").count();
    assert_eq!(cases, run.results.len());
    let known = BTreeSet::from(ELEMENTS);
    for name in &names {
        assert!(known.contains(&**name), "{name}");
    }
}

/// What a test report may hold.
const ELEMENTS: [&str; 9] = [
    "testsuites",
    "testsuite",
    "testcase",
    "properties",
    "property",
    "failure",
    "error",
    "skipped",
    "system-out",
];

/// What pages of harmless texts consist of: all there is to a page.
fn harmless() -> page::Page {
    let mut all = page::Page::default();
    let mut add = |texts: &[&str]| {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let page = page::read(&reports::html(&run_of(&texts)));
        all.marks.extend(page.marks);
        all.live.extend(page.live);
    };
    let many: Vec<_> = (0..64).map(|number| format!("text {number}")).collect();
    add(&many.iter().map(String::as_str).collect::<Vec<_>>());
    for turned in 0..HARMLESS_TEXTS.len() {
        let mut texts = HARMLESS_TEXTS;
        texts.rotate_left(turned);
        add(&texts);
        add(&texts[..1]);
    }
    all
}

/// Texts that bring every element and attribute there is into the page.
const HARMLESS_TEXTS: [&str; 11] = [
    "",
    "a",
    "https://example.org/a",
    "{\"a\": [1, \"b\", null, true, {\"c\": {\"d\": []}}]}",
    "POST /mcp HTTP/1.1\na: b\n\n{\"a\": 1}",
    "a\u{1b}[31m\u{202e}",
    "MUST",
    "a\nb",
    "2025-11-25",
    "stdio",
    "tool-any: bind it",
];
