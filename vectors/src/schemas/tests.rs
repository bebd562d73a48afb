//! Tests of the notation, and of what the embedded files come to.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn rejects(text: &str) -> String {
    let book = match Book::read(&[("a.types", text)]) {
        Ok(book) => book,
        Err(error) => return error.to_string(),
    };
    let errors = Revision::ALL
        .into_iter()
        .filter_map(|revision| book.document(revision).err());
    errors
        .map(|error| error.to_string())
        .next()
        .expect("an error")
}

fn expands(text: &str, revision: Revision) -> Value {
    let book = Book::read(&[("a.types", text)]).expect("it parses");
    book.document(revision).expect("it expands")["$defs"].take()
}

#[test]
fn every_file_is_read_and_every_revision_expands() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
    let there = std::fs::read_dir(folder).expect("the folder is there");
    let there = there.map(|entry| {
        entry
            .expect("it can be read")
            .file_name()
            .into_string()
            .expect("a name")
    });
    let there = there
        .filter(|name| name.ends_with(".types"))
        .collect::<BTreeSet<_>>();
    assert_eq!(
        there,
        FILES.iter().map(|(name, _)| (*name).to_owned()).collect()
    );
    let counts = Revision::ALL.map(|revision| definition_names(revision).len());
    assert_eq!(
        counts,
        [79, 83, 91, 145, 155],
        "as many as the specification defines"
    );
}

#[test]
fn every_reference_of_every_revision_leads_to_a_definition() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(
                    members
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                members.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    for revision in Revision::ALL {
        let mut found = Vec::new();
        walk(document(revision), &mut found);
        assert!(found.len() > 90);
        for reference in found {
            let target = document(revision).pointer(&reference[1..]);
            assert!(target.is_some(), "{reference} in {revision}");
        }
    }
}

#[test]
fn the_schemas_are_valid_json_schemas() {
    for revision in Revision::ALL {
        jsonschema::meta::validate(document(revision)).expect("valid against its metaschema");
    }
}

#[test]
fn a_definition_shows_what_each_revision_asks() {
    let text = "
        Old @..2025-03-26 = { a: string  b?: integer(0..) @2025-03-26.. }
        Params @2025-11-25.. inline @..2025-06-18 = { a: \"x\"  c: Others[..3] }
        Others = string | integer | Old[] @..2024-11-05
        Kind = \"x\" | \"y\" @2026-07-28..
        Call = { ...Params  d?: Params  c?: any  *: boolean @2024-11-05 }
    ";
    assert_eq!(
        expands(text, Revision::V2024_11_05),
        json!({
            "Call": {
                "type": "object",
                "required": ["a"],
                "properties": {
                    "a": {"const": "x"},
                    "c": {},
                    "d": {
                        "type": "object",
                        "required": ["a", "c"],
                        "properties": {
                            "a": {"const": "x"},
                            "c": {"type": "array", "items": {"$ref": "#/$defs/Others"}, "maxItems": 3},
                        },
                    },
                },
                "additionalProperties": {"type": "boolean"},
            },
            "Kind": {"const": "x"},
            "Old": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
            "Others": {"anyOf": [
                {"type": "string"},
                {"type": "integer"},
                {"type": "array", "items": {"$ref": "#/$defs/Old"}},
            ]},
        })
    );
    let newest = expands(text, Revision::V2026_07_28);
    assert_eq!(newest["Kind"], json!({"enum": ["x", "y"]}));
    assert_eq!(newest["Others"], json!({"type": ["string", "integer"]}));
    assert_eq!(
        newest["Call"]["properties"]["d"],
        json!({"$ref": "#/$defs/Params"})
    );
    assert!(newest.get("Old").is_none() && newest.get("Params").is_some());
}

#[test]
fn the_examples_of_the_readme_are_in_the_notation() {
    let readme = include_str!("../../schemas/README.md");
    let example = readme.split("```").nth(1).expect("an example");
    let found = super::notation::definitions("README.md", example).expect("in the notation");
    assert_eq!(found.len(), 3);
}

#[test]
fn an_unknown_type_is_refused_with_its_place_and_a_suggestion() {
    let message = rejects("Tool = { name: string }\nList = {\n  tools: Tol[]\n}");
    assert_eq!(
        message,
        "a.types:3:10: unknown type `Tol` in 2024-11-05; did you mean `Tool`?"
    );
    let message = rejects("Alpha @2025-11-25.. = string\nB @2025-06-18.. = Alpha");
    assert_eq!(message, "a.types:2:19: unknown type `Alpha` in 2025-06-18");
    assert!(rejects("A = { ...B }").contains("unknown type `B`"));
    assert!(rejects("A -> B = { method: \"a\" }").contains("unknown type `B`"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (text, message) in [
        (
            "A = string A = integer",
            "a.types:1:12: `A` is defined twice in 2024-11-05",
        ),
        (
            "A = { b: string b?: any }",
            "a.types:1:17: member `b` is there twice in 2024-11-05",
        ),
        (
            "A = { *: string *: any }",
            "a.types:1:17: `*` is there twice in 2024-11-05",
        ),
        (
            "A = { ...B } B = string",
            "a.types:1:7: only an object has members to spread",
        ),
        (
            "A inline = { ...A }",
            "a.types:1:14: a definition is spread into itself",
        ),
        (
            "A inline = { a: A }",
            "a.types:1:17: `A` is written out within itself",
        ),
        (
            "A @2025-06-19 = any",
            "a.types:1:3: unknown revision `2025-06-19`",
        ),
        ("A @2025-11-25..2025-06-18 = any", "runs backwards"),
        (
            "A = { b string }",
            "a.types:1:9: expected `:`, found `string`",
        ),
        (
            "A = string |",
            "a.types:2:1: expected a type, found the end of the file",
        ),
        (
            "A = {",
            "expected a member or `}`, found the end of the file",
        ),
        (
            "A = string[..]",
            "a.types:1:14: expected a number, found `]`",
        ),
        ("A = \"b", "a.types:1:5: a text without its closing `\"`"),
        ("A = ~", "a.types:1:5: `~` has no meaning here"),
        ("A = -x", "`-` has no meaning here"),
        ("A = 99999999999999999999", "is too long"),
    ] {
        let found = rejects(text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn every_request_has_an_answer_and_every_method_one_definition() {
    for revision in Revision::ALL {
        let mut names = BTreeSet::new();
        for method in methods(revision) {
            assert!(
                names.insert(method.name),
                "{} twice in {revision}",
                method.name
            );
            assert_eq!(
                method.kind == MethodKind::Request,
                !method.results.is_empty(),
                "{method:?}"
            );
            for result in &method.results {
                assert!(
                    definition(revision, result).is_some(),
                    "{result} in {revision}"
                );
            }
        }
        assert!(names.contains("tools/call") && names.contains("notifications/cancelled"));
    }
}

#[test]
fn methods_tell_who_sends_them_and_what_belongs_to_them() {
    let method = |revision, name: &str| {
        let found = methods(revision).iter().find(|method| method.name == name);
        found.expect("the revision has the method").clone()
    };
    let call = method(Revision::V2026_07_28, "tools/call");
    assert_eq!(call.results, ["CallToolResult", "InputRequiredResult"]);
    assert_eq!(call.params, Some("CallToolRequestParams"));
    assert!(call.from_client && !call.from_server);
    assert_eq!(method(Revision::V2025_06_18, "tools/call").params, None);
    assert_eq!(
        method(Revision::V2025_06_18, "tools/call").results,
        ["CallToolResult"]
    );
    let ping = method(Revision::V2025_11_25, "ping");
    assert!(ping.from_client && ping.from_server && ping.results == ["EmptyResult"]);
    let sampling = method(Revision::V2026_07_28, "sampling/createMessage");
    assert!(
        !sampling.from_client && !sampling.from_server,
        "it travels within a result"
    );
    assert!(method(Revision::V2026_07_28, "notifications/cancelled").from_client);
}

#[test]
fn the_closest_names_are_few_and_near() {
    assert_eq!(
        closest(Revision::V2025_11_25, "calltoolresult").first(),
        Some(&"CallToolResult")
    );
    assert!(closest(Revision::V2025_11_25, "ListToolResult").contains(&"ListToolsResult"));
    assert!(closest(Revision::V2025_11_25, "NoSuchDefinitionForProbing").is_empty());
    assert!(closest(Revision::V2025_11_25, &"Tool".repeat(1000)).is_empty());
}
