//! A strict XML reader for what reports write.

use quick_xml::{Reader, events::Event};

/// An element with everything in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// All text directly inside, in order.
    pub(crate) own_text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }

    /// Itself and all elements below, in document order.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        for child in &self.children {
            found.extend(child.all());
        }
        found
    }

    /// The text of itself and all below; text between elements comes first.
    pub(crate) fn text(&self) -> String {
        self.all()
            .iter()
            .map(|element| element.own_text.as_str())
            .collect()
    }
}

/// Reads a document.
pub(crate) fn parse(text: &str) -> Element {
    if let Some(character) = text.chars().find(|&character| !is_xml(character)) {
        panic!("{character:?} is no character of XML 1.0");
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().expect("the report is well-formed") {
            Event::Start(tag) => open.push(element(&tag)),
            Event::Empty(tag) => {
                let element = element(&tag);
                open.last_mut().unwrap().children.push(element);
            }
            Event::End(_) => {
                let closed = open.pop().unwrap();
                open.last_mut()
                    .expect("an end has a start")
                    .children
                    .push(closed);
            }
            Event::Text(text) => {
                let text = text.decode().unwrap();
                assert!(!text.contains("]]>"), "`]]>` stands in text");
                open.last_mut().unwrap().own_text.push_str(&text);
            }
            Event::CData(text) => open
                .last_mut()
                .unwrap()
                .own_text
                .push_str(&text.decode().unwrap()),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().unwrap() {
                    Some(character) => character,
                    None => named(&reference.decode().unwrap()),
                };
                assert!(
                    is_xml(character),
                    "{character:?} is no character of XML 1.0"
                );
                open.last_mut().unwrap().own_text.push(character);
            }
            Event::Decl(_) | Event::DocType(_) => {}
            Event::Eof => break,
            other => panic!("no report has {other:?}"),
        }
    }
    let mut document = open.pop().unwrap();
    assert!(open.is_empty(), "every element ends");
    assert_eq!(document.children.len(), 1, "there is one root");
    assert_eq!(document.own_text.trim(), "", "all text is in the root");
    document.children.remove(0)
}

fn element(tag: &quick_xml::events::BytesStart<'_>) -> Element {
    let attributes = tag
        .attributes()
        .with_checks(true)
        .map(|attribute| {
            let attribute = attribute.expect("attributes are well-formed and differ");
            let name = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
            assert!(
                !attribute.value.contains(&b'<'),
                "`<` stands in an attribute"
            );
            let value = attribute.unescape_value().expect("references are known");
            assert!(value.chars().all(is_xml));
            (name, value.into_owned())
        })
        .collect();
    let name = String::from_utf8(tag.name().as_ref().to_vec()).unwrap();
    Element {
        name,
        attributes,
        ..Element::default()
    }
}

fn named(name: &str) -> char {
    match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        other => panic!("XML has no entity `{other}`"),
    }
}

/// The `Char` production of XML 1.0.
fn is_xml(character: char) -> bool {
    matches!(u32::from(character), 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..=0x10FFFF)
}
