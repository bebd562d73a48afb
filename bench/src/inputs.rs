//! Inputs of the benchmarks: the same bytes for every contender.

use mcp_verdict_wire::sse;

/// A named input.
#[derive(Clone, Debug)]
pub struct Input {
    /// What it is, in a word or two.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Messages as servers send them: a short answer, a list with schemas, an image in base64.
#[must_use]
pub fn messages() -> Vec<Input> {
    let ping = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned();
    let tools: Vec<_> = (0..200).map(tool).collect();
    let list = format!(
        r#"{{"jsonrpc":"2.0","id":2,"result":{{"tools":[{}]}}}}"#,
        tools.join(",")
    );
    let image = format!(
        r#"{{"jsonrpc":"2.0","id":3,"result":{{"content":[{{"type":"image","mimeType":"image/png","data":"{}"}}]}}}}"#,
        "iVBORw0KGgoAAAANSUhEUg+/".repeat(1 << 15)
    );
    [
        ("empty result", ping),
        ("list of 200 tools", list),
        ("image of 768 KiB", image),
    ]
    .map(|(name, text)| Input {
        name,
        bytes: text.into_bytes(),
    })
    .into()
}

/// Event streams: many short events with ids, and few long ones.
#[must_use]
pub fn streams() -> Vec<Input> {
    let stream = |count: u32, data: &str| {
        let event =
            |number: u32| sse::encode(None, Some(&number.to_string()), None, data.as_bytes());
        (0..count).flat_map(event).collect::<Vec<_>>()
    };
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":5}}"#;
    vec![
        Input {
            name: "4096 short events",
            bytes: stream(4096, progress),
        },
        Input {
            name: "4 events of 256 KiB",
            bytes: stream(4, &"0123456789abcdef".repeat(1 << 14)),
        },
    ]
}

fn tool(number: usize) -> String {
    format!(
        r#"{{"name":"tool_{number}","title":"Tool {number}","description":"Says \"{number}\" — and a newline:\n","inputSchema":{{"type":"object","properties":{{"text":{{"type":"string"}},"count":{{"type":"integer","minimum":0,"maximum":{number}}}}},"required":["text"]}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use mcp_verdict_wire::message::Strict;

    use super::*;

    #[test]
    fn every_message_is_one() {
        for input in messages() {
            assert!(Strict::parse(&input.bytes).is_ok(), "{}", input.name);
        }
    }

    #[test]
    fn every_stream_holds_the_events_of_its_name() {
        let count = |input: &Input| {
            let items = sse::read_all(&input.bytes).unwrap();
            let event =
                |item: &sse::Item| matches!(item, sse::Item::Event(event) if event.dispatched);
            assert!(items.iter().all(event), "{}", input.name);
            items.len()
        };
        assert_eq!(streams().iter().map(count).collect::<Vec<_>>(), [4096, 4]);
    }
}
