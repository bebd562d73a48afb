//! Lists in pages, with cursors that say nothing to anybody else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::rpc::Refusal;

/// One page of `items` as a result, whose `member` holds them.
pub(crate) fn page(
    params: &Map<String, Value>,
    member: &str,
    items: Vec<Value>,
    page_size: usize,
) -> Result<Value, Refusal> {
    let start = match params.get("cursor") {
        None => 0,
        Some(cursor) => read_cursor(cursor, member, items.len())?,
    };
    let end = items.len().min(start + page_size);
    let mut result = json!({member: items[start..end]});
    if end < items.len() {
        result["nextCursor"] = json!(URL_SAFE_NO_PAD.encode(format!("{member}:{end}")));
    }
    Ok(result)
}

fn read_cursor(cursor: &Value, member: &str, length: usize) -> Result<usize, Refusal> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let position = text.strip_prefix(member)?.strip_prefix(':')?;
        position.parse().ok().filter(|position| *position <= length)
    };
    read().ok_or_else(|| Refusal::invalid_params("Invalid cursor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_the_cursors_brings_every_item_once() {
        let items: Vec<_> = (0..23).map(|number| json!(number)).collect();
        let (mut seen, mut params) = (Vec::new(), Map::new());
        loop {
            let result = page(&params, "things", items.clone(), 10).unwrap();
            seen.extend(result["things"].as_array().unwrap().clone());
            match result.get("nextCursor") {
                Some(cursor) => params.insert("cursor".to_owned(), cursor.clone()),
                None => break,
            };
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn a_cursor_of_another_list_or_of_none_is_refused() {
        let foreign = URL_SAFE_NO_PAD.encode("others:1");
        for cursor in [json!(foreign), json!("x"), json!(""), json!(3), Value::Null] {
            let params = Map::from_iter([("cursor".to_owned(), cursor)]);
            assert!(page(&params, "things", vec![json!(1)], 10).is_err());
        }
    }
}
