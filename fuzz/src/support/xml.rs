//! XML as a reader that we did not write sees it.

use quick_xml::{Reader, events::Event};

/// The names of the elements of a document, which must be well-formed.
pub(crate) fn elements(text: &str) -> Vec<String> {
    if let Some(character) = text.chars().find(|&character| !is_xml(character)) {
        panic!("{character:?} is no character of XML 1.0");
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let (mut names, mut open) = (Vec::new(), 0_usize);
    loop {
        match reader.read_event().expect("the document is well-formed") {
            Event::Start(tag) => {
                names.push(element(&tag));
                open += 1;
            }
            Event::Empty(tag) => names.push(element(&tag)),
            Event::End(_) => open = open.checked_sub(1).expect("an end has a start"),
            Event::Text(text) => {
                let text = text.decode().expect("text is UTF-8");
                assert!(!text.contains("]]>"), "`]]>` stands in text");
                assert!(open > 0 || text.trim().is_empty(), "text is in the root");
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().expect("the number is sound");
                let name = reference.decode().expect("a name is UTF-8");
                let known = ["amp", "lt", "gt", "quot", "apos"].contains(&&*name);
                assert!(character.map_or(known, is_xml), "{name:?}");
            }
            Event::CData(_) | Event::Decl(_) | Event::DocType(_) => {}
            Event::Eof => break,
            other => panic!("no report has {other:?}"),
        }
    }
    assert_eq!(open, 0, "every element ends");
    names
}

fn element(tag: &quick_xml::events::BytesStart<'_>) -> String {
    for attribute in tag.attributes().with_checks(true) {
        let attribute = attribute.expect("attributes are well-formed and differ");
        assert!(!attribute.value.contains(&b'<'), "`<` is in an attribute");
        let value = attribute.unescape_value().expect("references are known");
        assert!(value.chars().all(is_xml));
    }
    String::from_utf8_lossy(tag.name().as_ref()).into_owned()
}

/// The `Char` production of XML 1.0.
fn is_xml(character: char) -> bool {
    matches!(u32::from(character), 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..=0x10FFFF)
}
