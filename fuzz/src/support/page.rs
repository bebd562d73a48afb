//! A page as a browser's tokenizer sees it.

use std::collections::BTreeSet;

use html5gum::{Token, Tokenizer, emitters::default::DefaultEmitter};

/// What a page consists of, beside its text.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The elements, each with its attributes.
    pub(crate) marks: BTreeSet<String>,
    /// Everything that a browser runs or lays out by: scripts, styles, and values of attributes like them.
    pub(crate) live: BTreeSet<String>,
    /// Where its links lead.
    pub(crate) links: Vec<String>,
}

/// Reads a page, which must have no error that the standard names.
pub(crate) fn read(text: &str) -> Page {
    let mut emitter = DefaultEmitter::<()>::default();
    emitter.naively_switch_states(true);
    let mut page = Page::default();
    let (mut raw, mut open) = (false, Vec::new());
    for token in Tokenizer::new_with_emitter(text, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                raw = matches!(&*name, "script" | "style");
                for (key, value) in &tag.attributes {
                    let key = String::from_utf8_lossy(key).into_owned();
                    let value = String::from_utf8_lossy(value).into_owned();
                    page.attribute(&name, &key, value);
                }
                if !tag.self_closing && !VOID.contains(&&*name) {
                    open.push(name.clone());
                }
                page.marks.insert(name);
            }
            Token::EndTag(tag) => {
                raw = false;
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert_eq!(open.pop().as_ref(), Some(&name), "elements cross");
            }
            Token::String(text) if raw => {
                let text = String::from_utf8_lossy(&text).into_owned();
                page.live.insert(text);
            }
            Token::String(_) | Token::Doctype(_) => {}
            Token::Comment(comment) => panic!("a comment: {comment:?}"),
            Token::Error(error) => panic!("the page is not well-formed: {error:?}"),
        }
    }
    assert!(open.is_empty(), "{open:?} do not end");
    page
}

impl Page {
    fn attribute(&mut self, element: &str, key: &str, value: String) {
        self.marks.insert(format!("{element} {key}"));
        match key {
            "href" => self.links.push(value),
            _ if key.starts_with("on") || LIVE.contains(&key) => {
                self.live.insert(format!("{element} {key}={value}"));
            }
            _ => {}
        }
    }
}

/// Elements without an end.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// Attributes that a browser acts on.
const LIVE: [&str; 8] = [
    "action",
    "content",
    "formaction",
    "http-equiv",
    "src",
    "srcdoc",
    "style",
    "type",
];
