//! The texts of rules, and their code.

use std::collections::BTreeSet;

use mcp_verdict_engine::rules;
use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::{Revision, TransportKind};

use crate::helper::{MODERN, Talk, spares};

#[test]
fn every_rule_has_a_text_and_every_text_a_rule() {
    let library = Library::embedded(&Known::default()).unwrap_or_else(|error| panic!("{error}"));
    let texts: BTreeSet<&str> = library
        .rules
        .iter()
        .map(|rule| rule.id.0.as_str())
        .collect();
    let code: BTreeSet<&str> = rules::all().iter().map(|rule| rule.id()).collect();
    assert_eq!(texts, code);
    assert_eq!(code.len(), rules::all().len(), "an id is there twice");
    for rule in &library.rules {
        assert!(
            !rule.provoked_by.is_empty(),
            "{} is provoked by nothing",
            rule.id
        );
    }
}

#[test]
fn rules_come_in_the_order_of_their_ids() {
    assert!(rules::all().is_sorted_by_key(|rule| rule.id()));
}

#[test]
fn a_plain_conversation_breaks_no_rule() {
    for revision in Revision::ALL {
        // Such a talk over exchanges is one of HTTP/1.1, which gRPC is not.
        let is_grpc =
            |it: &TransportKind| matches!(it, TransportKind::Grpc | TransportKind::GrpcNative);
        for transport in TransportKind::ALL.into_iter().filter(|it| !is_grpc(it)) {
            let talk = Talk::bare(revision, transport).opened(crate::helper::everything());
            let talk = talk.asks("a", "no/such", serde_json::json!({}));
            let status = if revision == MODERN { 404 } else { 200 };
            let error = serde_json::json!({"code": -32601, "message": "no such method"});
            let answer = serde_json::json!({"jsonrpc": "2.0", "id": "a", "error": error});
            let talk = talk.replies_with(status, &answer);
            for rule in rules::all() {
                spares(rule.id().trim_start_matches("rules/"), &talk);
            }
        }
    }
}
