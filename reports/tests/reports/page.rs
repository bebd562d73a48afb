//! The HTML report says what the table says, stays small, and needs nothing from outside.

use mcp_verdict_reports::html;
use mcp_verdict_results::{Run, Summary, Verdict};

use crate::{
    fixture::{COLUMNS, Model, model, run},
    xml::{self, Element},
};

/// Reads a page. It is written so that an XML reader can read it but for its script and its style.
pub(crate) fn parse(page: &str) -> Element {
    let mut page = page.to_owned();
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let from = page.find(start).unwrap() + start.len();
        let to = page.find(end).unwrap();
        page.replace_range(from..to, "");
    }
    xml::parse(&page)
}

/// Every check of a page with its results.
pub(crate) fn rows(page: &Element) -> Model {
    let mut rows = Model::new();
    for check in page
        .all()
        .into_iter()
        .filter(|element| element.has_class("check"))
    {
        let id = check
            .child("summary")
            .unwrap()
            .all()
            .into_iter()
            .find(|one| one.name == "code");
        let id = id.unwrap().own_text.clone();
        for result in check
            .all()
            .into_iter()
            .filter(|element| element.has_class("result"))
        {
            let data = |name: &str| result.attribute(name).unwrap().to_owned();
            let verdict = data("data-verdict");
            let verdict = Verdict::ALL
                .into_iter()
                .find(|one| one.as_str() == verdict)
                .unwrap();
            rows.push((
                id.clone(),
                data("data-revision"),
                data("data-transport"),
                verdict,
            ));
        }
    }
    rows
}

#[test]
fn the_page_holds_the_table() {
    let mut shown = rows(&parse(&html(&run())));
    let mut expected = model();
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
}

#[test]
fn the_matrix_counts_the_table() {
    let page = parse(&html(&run()));
    let all = page
        .all()
        .into_iter()
        .find(|one| one.name == "tr" && one.has_class("all"))
        .unwrap();
    let cells: Vec<_> = all
        .all()
        .into_iter()
        .filter(|one| one.has_class("cell"))
        .collect();
    assert_eq!(cells.len(), COLUMNS.len());
    for (cell, (revision, transport)) in cells.iter().zip(COLUMNS) {
        let of = |verdict: Verdict| {
            model()
                .iter()
                .filter(|row| (&*row.1, &*row.2, row.3) == (revision, transport, verdict))
                .count()
        };
        let told = cell.attribute("title").unwrap();
        assert!(
            told.contains(&format!("{} passed", of(Verdict::Pass))),
            "{told}"
        );
        assert!(told.contains(&format!("{} failed", of(Verdict::Fail))) || of(Verdict::Fail) == 0);
        assert_eq!(cell.attribute("data-revision"), Some(revision));
        assert_eq!(cell.attribute("data-transport"), Some(transport));
    }
}

#[test]
fn more_columns_than_a_page_is_wide_are_a_table_for_each_revision() {
    let mut wide = run();
    let model = wide.results.clone();
    for number in 0..6 {
        wide.results.extend(model.iter().cloned().map(|mut result| {
            result.transport = format!("{}-{number}", result.transport);
            result
        }));
    }
    let page = parse(&html(&wide));
    let sums: Vec<_> = page
        .all()
        .into_iter()
        .filter(|one| one.name == "tr" && one.has_class("all"))
        .collect();
    let cells = |row: &Element| {
        row.all()
            .into_iter()
            .filter(|one| one.has_class("cell"))
            .count()
    };
    // Revisions, and then the transports of each.
    let counts: Vec<usize> = sums.into_iter().map(cells).collect();
    assert_eq!(counts, [4, 7, 14, 7, 7]);
    let over_all = page.all().into_iter().find(|one| {
        one.has_class("cell")
            && one.attribute("data-area") == Some("base")
            && one.attribute("data-transport") == Some("")
    });
    assert!(over_all.is_some(), "a cell that counts all transports");
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let page = parse(&html(&run()));
    let everything = page.all();
    let ids: Vec<_> = everything
        .iter()
        .filter_map(|one| one.attribute("id"))
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "no id twice");
    let mut links = 0;
    for link in everything.iter().filter_map(|one| one.attribute("href")) {
        if let Some(id) = link.strip_prefix('#') {
            links += 1;
            assert!(ids.contains(&id), "{link}");
        } else {
            assert!(link.starts_with("https://example.org/"), "{link}");
        }
    }
    assert!(links > COLUMNS.len());
}

#[test]
fn nothing_is_loaded_and_nothing_inline_acts() {
    let page = parse(&html(&run()));
    let policy = page
        .all()
        .into_iter()
        .find(|one| one.attribute("http-equiv") == Some("Content-Security-Policy"));
    let policy = policy.unwrap().attribute("content").unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for element in page.all() {
        let is_known = !["img", "iframe", "object", "link", "base"].contains(&&*element.name);
        assert!(is_known, "{}", element.name);
        for (name, _) in &element.attributes {
            assert!(
                !name.starts_with("on") && !["src", "style", "srcset"].contains(&&**name),
                "{name}"
            );
        }
    }
}

#[test]
fn the_evidence_is_marked_and_peer_text_stays_text() {
    let page = parse(&html(&run()));
    let evidence: Vec<_> = page
        .all()
        .into_iter()
        .filter(|one| one.name == "li" && one.has_class("evidence"))
        .collect();
    let found = model().iter().filter(|row| row.3 > Verdict::Pass).count();
    assert_eq!(evidence.len(), found);
    assert!(evidence.iter().all(|one| one.has_class("target")));
    assert_eq!(
        page.all()
            .into_iter()
            .filter(|one| one.name == "script")
            .count(),
        1
    );
    assert!(
        page.text()
            .contains(r"\u{1b}[31mwarning\u{1b}[0m: <script>alert(1)</script>")
    );
    assert!(page.text().contains("120 more bytes"));
}

#[test]
fn an_address_that_is_not_on_the_web_is_no_link() {
    let mut run = run();
    for clause in run
        .results
        .iter_mut()
        .flat_map(|result| &mut result.requirements)
    {
        clause.url = Some("javascript:alert(1)".to_owned());
    }
    assert!(!html(&run).contains("javascript:"));
}

#[test]
fn an_address_with_a_character_that_none_has_is_no_link() {
    let mut run = run();
    for (clause, character) in run
        .results
        .iter_mut()
        .flat_map(|result| &mut result.requirements)
        .zip(
            ['\u{1}', '\r', ' ', '\u{85}', '\u{fffe}']
                .into_iter()
                .cycle(),
        )
    {
        clause.url = Some(format!("https://strange.example/{character}"));
    }
    assert!(!html(&run).contains("strange.example"));
}

#[test]
fn five_thousand_results_fit_into_a_few_megabytes() {
    let run = big(
        5000,
        |index| {
            if index % 50 == 0 {
                Verdict::Fail
            } else {
                Verdict::Pass
            }
        },
        2000,
    );
    let page = html(&run);
    assert!(page.len() < 9_000_000, "{} bytes", page.len());
    let page = parse(&page);
    assert_eq!(rows(&page).len(), run.results.len());
    assert!(page.text().contains("To keep this page small"));
    let shown: Vec<_> = page
        .all()
        .into_iter()
        .filter(|one| one.has_class("result"))
        .filter(|one| one.all().iter().any(|one| one.has_class("timeline")))
        .filter(|one| one.attribute("data-verdict") == Some("fail"))
        .collect();
    assert_eq!(shown.len(), 100, "every failure shows its exchange");
}

#[test]
fn a_target_that_sends_megabytes_does_not_make_the_page_grow() {
    let run = big(300, |_| Verdict::Fail, 300_000);
    let page = html(&run);
    assert!(page.len() < 9_000_000, "{} bytes", page.len());
    assert!(page.contains("more bytes"));
}

/// Many results, each with a message of this many bytes in its exchange.
fn big(number: usize, verdict: impl Fn(usize) -> Verdict, bytes: usize) -> Run {
    let mut run = run();
    let model = run.results[7].clone();
    run.results = (0..number)
        .map(|index| {
            let mut result = model.clone();
            result.check = format!("server/tools/check-{}", index / 10);
            result.transport = format!("transport-{}", index % 10);
            result.verdict = verdict(index);
            result.exchange[2].text = "x".repeat(bytes);
            result
        })
        .collect();
    run.summary = Summary::of(&run.results);
    run
}
