//! What an author is shown for each kind of mistake. One sound vector is broken in one place at a time;
//! what is printed is compared to the letter.

use std::fs;

use mcp_verdict_vectors::{Known, Level, Library, LoadError, ProblemKind};
use mcp_verdict_wire::Revision;

const LEDGER: &str = "\
- {id: server/tools#capabilities.1, level: MUST, binds: server, says: A server with tools declares them.}
- {id: server/tools#naming.1, level: SHOULD, binds: server, says: Names are short.}
";

const SOUND: &str = "\
id: server/call
title: A tool answers
level: MUST
requirements:
  2025-06-18..2025-11-25: [server/tools#capabilities.1]
needs: {fixtures: [tool-any]}
faults:
  - {fault: tool-is-silent, verdict: fail}
steps:
  - request: {method: tools/call, params: {name: '${tool_any.name}'}, as: call}
  - expect:
      response: call
      match: {result: {content: {$type: array}}}
";

const KNOWN: Known<'_> = Known {
    faults: Some(&["tool-is-silent", "tool-is-loud"]),
    fixtures: Some(&["tool-any"]),
};

fn load(files: &[(&str, &str)]) -> Result<Library, LoadError> {
    let ledgers = [
        ("requirements/2025-06-18.yaml", LEDGER),
        ("requirements/2025-11-25.yaml", LEDGER),
    ];
    Library::from_files(&[&ledgers, files].concat(), &KNOWN)
}

/// What is printed when `from` is replaced by `to` in the sound vector.
#[track_caller]
fn printed(from: &str, to: &str) -> String {
    assert_eq!(
        SOUND.matches(from).count(),
        1,
        "`{from}` stands once in the sound vector"
    );
    let text = SOUND.replace(from, to);
    match load(&[("server/call.yaml", &text)]) {
        Ok(_) => panic!("this was taken:\n{text}"),
        Err(error) => error.render(false),
    }
}

#[track_caller]
fn assert_printed(from: &str, to: &str, expected: &str) {
    let printed = printed(from, to);
    assert!(
        printed.trim_end() == expected.trim(),
        "printed:\n{printed}\nexpected:\n{}",
        expected.trim()
    );
}

#[test]
fn a_sound_vector_is_taken() {
    let library = load(&[("server/call.yaml", SOUND)]).unwrap();
    assert_eq!(library.vectors.len(), 1);
}

#[test]
fn a_missing_key() {
    assert_printed(
        "title: A tool answers\n",
        "",
        r#"
error: `title` is missing
 --> vectors/server/call.yaml:1:1
  |
1 | id: server/call
  | ^ in here
"#,
    );
}

#[test]
fn an_unknown_key() {
    assert_printed(
        "title: A tool answers",
        "titel: A tool answers",
        r#"
error: unknown key `titel`
 --> vectors/server/call.yaml:2:1
  |
2 | titel: A tool answers
  | ^^^^^ did you mean `title`?
"#,
    );
}

#[test]
fn a_key_that_is_here_twice() {
    assert_printed(
        "title: A tool answers",
        "title: A tool answers\ntitle: again",
        r#"
error: `title` is here twice
 --> vectors/server/call.yaml:3:1
  |
3 | title: again
  | ^^^^^ the second one
"#,
    );
}

#[test]
fn a_word_that_yaml_reads_otherwise() {
    assert_printed(
        "title: A tool answers",
        "title: no",
        r#"
error: `no` means one thing in YAML and another in JSON
 --> vectors/server/call.yaml:2:8
  |
2 | title: no
  |        ^^ write `false`, or `"no"` for the string
"#,
    );
}

#[test]
fn text_that_is_no_yaml() {
    assert_printed(
        "title: A tool answers",
        "title: [a",
        r#"
error: this is not read as YAML: illegal placement of ':' indicator
 --> vectors/server/call.yaml:3:6
  |
3 | level: MUST
  |      ^
"#,
    );
}

#[test]
fn a_value_of_the_wrong_type() {
    assert_printed(
        "title: A tool answers",
        "title: {a: 1}",
        r#"
error: invalid type: map, expected a string
 --> vectors/server/call.yaml:2:1
  |
2 | title: {a: 1}
  | ^^^^^
"#,
    );
}

#[test]
fn an_id_that_is_not_the_path() {
    assert_printed(
        "id: server/call",
        "id: server/cal",
        r#"
error: the id is not the file's path
 --> vectors/server/call.yaml:1:5
  |
1 | id: server/cal
  |     ^^^^^^^^^^ expected `server/call`
  |
  = help: an id is the path below the folder of vectors, without `.yaml`
"#,
    );
}

#[test]
fn an_unknown_level() {
    assert_printed(
        "level: MUST",
        "level: MSUT",
        r#"
error: unknown level `MSUT`
 --> vectors/server/call.yaml:3:8
  |
3 | level: MSUT
  |        ^^^^ did you mean `MUST`?
"#,
    );
}

#[test]
fn a_level_that_no_check_has() {
    assert_printed(
        "level: MUST",
        "level: MAY",
        r#"
error: a check is a MUST or a SHOULD
 --> vectors/server/call.yaml:3:8
  |
3 | level: MAY
  |        ^^^
"#,
    );
}

#[test]
fn a_level_that_no_statement_supports() {
    assert_printed(
        "2025-06-18..2025-11-25: [server/tools#capabilities.1]",
        "2025-06-18..2025-11-25: [server/tools#naming.1]",
        r#"
error: nothing in 2025-06-18, 2025-11-25 supports the level MUST
 --> vectors/server/call.yaml:5:3
  |
5 |   2025-06-18..2025-11-25: [server/tools#naming.1]
  |   ^^^^^^^^^^^^^^^^^^^^^^ none of the statements named for it is a MUST
  |
  = help: name the statement, lower the level, or leave the revision out
"#,
    );
}

#[test]
fn an_unknown_revision() {
    assert_printed(
        "2025-06-18..2025-11-25",
        "2025-06-19..2025-11-25",
        r#"
error: unknown revision `2025-06-19`
 --> vectors/server/call.yaml:5:3
  |
5 |   2025-06-19..2025-11-25: [server/tools#capabilities.1]
  |   ^^^^^^^^^^^^^^^^^^^^^^ did you mean `2025-06-18`?
"#,
    );
}

#[test]
fn a_range_of_revisions_that_is_empty() {
    assert_printed(
        "2025-06-18..2025-11-25",
        "2025-11-25..2025-06-18",
        r#"
error: `2025-11-25..2025-06-18` holds no revision: 2025-06-18 is older than 2025-11-25
 --> vectors/server/call.yaml:5:3
  |
5 |   2025-11-25..2025-06-18: [server/tools#capabilities.1]
  |   ^^^^^^^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn an_unknown_requirement() {
    assert_printed(
        "[server/tools#capabilities.1]",
        "[server/tools#capabilties.1]",
        r#"
error: there is no requirement `server/tools#capabilties.1` in 2025-06-18, 2025-11-25
 --> vectors/server/call.yaml:5:28
  |
5 |   2025-06-18..2025-11-25: [server/tools#capabilties.1]
  |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `server/tools#capabilities.1`?
  |
  = help: the statements of a revision are in `requirements/REVISION.yaml`
"#,
    );
}

#[test]
fn a_definition_whose_name_is_none() {
    assert_printed(
        "[server/tools#capabilities.1]",
        "[schema#CallToolResult, schema#CalToolResult]",
        r#"
error: there is no requirement `schema#CalToolResult` in 2025-06-18, 2025-11-25
 --> vectors/server/call.yaml:5:51
  |
5 |   2025-06-18..2025-11-25: [schema#CallToolResult, schema#CalToolResult]
  |                                                   ^^^^^^^^^^^^^^^^^^^^ did you mean `schema#CallToolResult`?
  |
  = help: `schema#NAME` is a definition of the official schema of every revision named
"#,
    );
}

#[test]
fn a_definition_that_one_of_the_revisions_does_not_have() {
    assert_printed(
        "[server/tools#capabilities.1]",
        "[schema#ToolExecution]",
        r#"
error: there is no requirement `schema#ToolExecution` in 2025-06-18
 --> vectors/server/call.yaml:5:28
  |
5 |   2025-06-18..2025-11-25: [schema#ToolExecution]
  |                            ^^^^^^^^^^^^^^^^^^^^ nothing has a name like this
  |
  = help: `schema#NAME` is a definition of the official schema of every revision named
"#,
    );
}

#[test]
fn an_unknown_fixture() {
    assert_printed(
        "fixtures: [tool-any]",
        "fixtures: [tool-ayn]",
        r#"
error: unknown fixture `tool-ayn`
 --> vectors/server/call.yaml:6:20
  |
6 | needs: {fixtures: [tool-ayn]}
  |                    ^^^^^^^^ did you mean `tool-any`?
error: unknown name `tool_any`
  --> vectors/server/call.yaml:10:50
   |
10 |   - request: {method: tools/call, params: {name: '${tool_any.name}'}, as: call}
   |                                                  ^^^^^^^^^^^^^^^^^^ did you mean `tool_ayn`?
"#,
    );
}

#[test]
fn an_unknown_fault() {
    assert_printed(
        "fault: tool-is-silent",
        "fault: tool-is-slient",
        r#"
error: unknown fault `tool-is-slient`
 --> vectors/server/call.yaml:8:13
  |
8 |   - {fault: tool-is-slient, verdict: fail}
  |             ^^^^^^^^^^^^^^ did you mean `tool-is-silent`?
  |
  = help: `mcp-verdict mock --list-faults` lists the faults there are
"#,
    );
}

#[test]
fn an_unknown_fault_like_no_other() {
    assert_printed(
        "fault: tool-is-silent",
        "fault: zzz",
        r#"
error: unknown fault `zzz`
 --> vectors/server/call.yaml:8:13
  |
8 |   - {fault: zzz, verdict: fail}
  |             ^^^ known: tool-is-loud, tool-is-silent
  |
  = help: `mcp-verdict mock --list-faults` lists the faults there are
"#,
    );
}

#[test]
fn a_fault_in_a_revision_of_no_concern() {
    assert_printed(
        "verdict: fail}",
        "verdict: fail, revisions: [2024-11-05]}",
        r#"
error: the check does not hold in revision 2024-11-05
 --> vectors/server/call.yaml:8:56
  |
8 |   - {fault: tool-is-silent, verdict: fail, revisions: [2024-11-05]}
  |                                                        ^^^^^^^^^^
"#,
    );
}

#[test]
fn a_vector_without_faults() {
    assert_printed(
        "  - {fault: tool-is-silent, verdict: fail}",
        "  []",
        r#"
error: a check names at least one fault that it must catch
 --> vectors/server/call.yaml:7:1
  |
7 | faults:
  | ^^^^^^
"#,
    );
}

#[test]
fn an_unknown_step() {
    assert_printed(
        "- request:",
        "- requst:",
        r#"
error: unknown step `requst`
  --> vectors/server/call.yaml:10:5
   |
10 |   - requst: {method: tools/call, params: {name: '${tool_any.name}'}, as: call}
   |     ^^^^^^ did you mean `request`?
"#,
    );
}

#[test]
fn a_step_with_two_keys() {
    assert_printed(
        "- request:",
        "- barrier: {}\n    request:",
        r#"
error: a step has one key, this has more
  --> vectors/server/call.yaml:11:5
   |
11 |     request: {method: tools/call, params: {name: '${tool_any.name}'}, as: call}
   |     ^^^^^^^
"#,
    );
}

#[test]
fn a_reference_to_nothing() {
    assert_printed(
        "${tool_any.name}",
        "${tool_an.name}",
        r#"
error: unknown name `tool_an`
  --> vectors/server/call.yaml:10:50
   |
10 |   - request: {method: tools/call, params: {name: '${tool_an.name}'}, as: call}
   |                                                  ^^^^^^^^^^^^^^^^^ did you mean `tool_any`?
"#,
    );
}

#[test]
fn a_reference_that_never_ends() {
    assert_printed(
        "${tool_any.name}",
        "${tool_any",
        r#"
error: `${` without a name and a `}`; write `$${` for the characters
  --> vectors/server/call.yaml:10:50
   |
10 |   - request: {method: tools/call, params: {name: '${tool_any'}, as: call}
   |                                                  ^^^^^^^^^^^^
"#,
    );
}

#[test]
fn an_unknown_key_of_a_step() {
    assert_printed(
        "as: call}",
        "as: call, idd: 1}",
        r#"
error: unknown key `idd`
  --> vectors/server/call.yaml:10:81
   |
10 |   - request: {method: tools/call, params: {name: '${tool_any.name}'}, as: call, idd: 1}
   |                                                                                 ^^^ did you mean `id`?
"#,
    );
}

#[test]
fn a_label_that_no_step_has() {
    assert_printed(
        "response: call",
        "response: cal",
        r#"
error: unknown step label `cal`
  --> vectors/server/call.yaml:12:17
   |
12 |       response: cal
   |                 ^^^ did you mean `call`?
"#,
    );
}

#[test]
fn an_unknown_subject() {
    assert_printed(
        "response: call",
        "respons: call",
        r#"
error: unknown key `respons`
  --> vectors/server/call.yaml:12:7
   |
12 |       respons: call
   |       ^^^^^^^ did you mean `response`?
"#,
    );
}

#[test]
fn two_subjects() {
    assert_printed(
        "response: call",
        "response: call\n      http: call",
        r#"
error: an `expect` has one subject, this has more
  --> vectors/server/call.yaml:11:5
   |
11 |   - expect:
   |     ^^^^^^
"#,
    );
}

#[test]
fn an_unknown_operator() {
    assert_printed(
        "{$type: array}",
        "{$typ: array}",
        r#"
error: unknown operator `$typ`
  --> vectors/server/call.yaml:13:34
   |
13 |       match: {result: {content: {$typ: array}}}
   |                                  ^^^^ did you mean `$type`?
   |
   = help: a member that really starts with `$` goes inside `{$exactly: …}`
"#,
    );
}

#[test]
fn an_unknown_operator_in_a_window() {
    assert_printed(
        "  - expect:\n",
        "  - window: {ms: 10, until: {$typ: array}}\n  - expect:\n",
        r#"
error: unknown operator `$typ`
  --> vectors/server/call.yaml:11:30
   |
11 |   - window: {ms: 10, until: {$typ: array}}
   |                              ^^^^ did you mean `$type`?
   |
   = help: a member that really starts with `$` goes inside `{$exactly: …}`
"#,
    );
}

#[test]
fn an_operator_with_a_wrong_argument() {
    assert_printed(
        "{$type: array}",
        "{$type: list}",
        r#"
error: `$type` takes one or more of null, boolean, integer, number, string, array, object
  --> vectors/server/call.yaml:13:34
   |
13 |       match: {result: {content: {$type: list}}}
   |                                  ^^^^^
"#,
    );
}

#[test]
fn a_case_without_a_reason() {
    assert_printed(
        "      match: {result: {content: {$type: array}}}",
        "      accept:\n        - match: 1\n          outcome: warn",
        r#"
error: a case that does not pass says why in `because`
  --> vectors/server/call.yaml:14:11
   |
14 |         - match: 1
   |           ^^^^^
"#,
    );
}

#[test]
fn a_vector_that_expects_nothing() {
    assert_printed(
        "  - expect:\n      response: call\n      match: {result: {content: {$type: array}}}\n",
        "",
        r#"
error: a vector without `expect` can never fail
 --> vectors/server/call.yaml:9:1
  |
9 | steps:
  | ^^^^^
"#,
    );
}

#[test]
fn a_window_that_is_too_long() {
    assert_printed(
        "  - request: {method: tools/call, params: {name: '${tool_any.name}'}, as: call}\n",
        "  - window: {ms: 5000}\n",
        r#"
error: a window of more than 2000 ms
  --> vectors/server/call.yaml:10:18
   |
10 |   - window: {ms: 5000}
   |                  ^^^^
error: unknown step label `call`
  --> vectors/server/call.yaml:12:17
   |
12 |       response: call
   |                 ^^^^ there is none
"#,
    );
}

#[test]
fn a_check_that_rests_on_what_the_schema_requires() {
    let text = SOUND.replace("server/tools#capabilities.1", "schema#CallToolResult");
    let library = load(&[("server/call.yaml", &text)]).unwrap();
    let vector = &library.vectors[0];
    for (revision, ids) in &vector.requirements {
        assert!(library.requirement(*revision, &ids[0]).is_some());
    }
}

#[test]
fn a_fail_that_an_author_asks_for_needs_a_must() {
    let text = SOUND
        .replace("level: MUST", "level: SHOULD")
        .replace("tools#capabilities.1", "tools#naming.1")
        .replace("verdict: fail", "verdict: warn");
    assert!(load(&[("server/call.yaml", &text)]).is_ok());
    let error = load(&[(
        "server/call.yaml",
        &format!("{text}      otherwise: fail\n"),
    )])
    .unwrap_err();
    assert!(
        matches!(error.problems[0].kind, ProblemKind::Unfounded { .. }),
        "{error}"
    );
    assert_eq!(error.problems[0].line(), 14);
}

/// `SOUND` with a statement that is a MUST in its newer revision only.
fn firmer() -> String {
    SOUND.replace(
        "  2025-06-18..2025-11-25: [server/tools#capabilities.1]",
        "  2025-06-18: [server/tools#naming.1]\n  2025-11-25: [server/tools#capabilities.1]",
    )
}

#[test]
fn a_revision_that_only_recommends_weakens_the_level() {
    let (both, newer) = (Revision::V2025_06_18, Revision::V2025_11_25);
    let split = "- {fault: tool-is-silent, verdict: warn, revisions: [2025-06-18]}
  - {fault: tool-is-silent, verdict: fail, revisions: [2025-11-25]}";
    let text = firmer().replace("- {fault: tool-is-silent, verdict: fail}", split);
    let library = load(&[("server/call.yaml", &text)]).unwrap_or_else(|error| panic!("{error}"));
    let vector = &library.vectors[0];
    assert_eq!(vector.level_in(both), Level::Should);
    assert_eq!(vector.level_in(newer), Level::Must);
}

#[test]
fn a_fault_that_fails_needs_a_must_wherever_it_does() {
    let error = load(&[("server/call.yaml", &firmer())]).unwrap_err();
    let problem = &error.problems[0];
    assert!(
        matches!(&problem.kind, ProblemKind::Unfounded { level: Level::Must, revisions }
            if revisions == &[Revision::V2025_06_18]),
        "{error}"
    );
    assert_eq!((error.problems.len(), problem.line()), (1, 9));
}

#[test]
fn every_session_mode_is_a_plain_word() {
    for mode in ["none", "fresh", "shared"] {
        let text = SOUND.replace("steps:", &format!("session: {mode}\nsteps:"));
        assert!(load(&[("server/call.yaml", &text)]).is_ok(), "{mode}");
    }
}

#[test]
fn an_expectation_knows_its_line() {
    let library = load(&[("server/call.yaml", SOUND)]).unwrap();
    let steps = &library.vectors[0].steps;
    assert!(matches!(&steps[1], mcp_verdict_vectors::Step::Expect(expect) if expect.line == 11));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let one = SOUND
        .replace("tool-is-silent", "a-fault")
        .replace("as: call", "as: cal");
    let other = SOUND
        .replace("server/call", "server/b")
        .replace("level: MUST\n", "");
    let error = load(&[("server/call.yaml", &one), ("server/b.yaml", &other)]).unwrap_err();
    let lines: Vec<_> = error
        .problems
        .iter()
        .map(|it| (it.source.as_str(), it.line()))
        .collect();
    let (one, other) = ("vectors/server/call.yaml", "vectors/server/b.yaml");
    assert_eq!(lines, [(one, 8), (one, 12), (other, 1)]);
    assert_eq!(
        error.to_string(),
        "vectors/server/call.yaml:8: unknown fault `a-fault` (and 2 more)"
    );
}

#[test]
fn a_rule_names_vectors_that_are_there() {
    let rule = "\
id: rules/tools/shape
title: Tools have a shape
level: MUST
requirements: {2025-11-25: [schema#Tool]}
faults: [{fault: tool-is-loud, verdict: fail}]
provoked_by: [server/call]
";
    let files = |rule| {
        [
            ("rules/tools/shape.yaml", rule),
            ("server/call.yaml", SOUND),
        ]
    };
    let library = load(&files(rule)).unwrap();
    assert_eq!(library.rules[0].provoked_by[0].0, "server/call");
    let error = load(&files(&rule.replace("[server/call]", "[server/cal]"))).unwrap_err();
    let expected = "did you mean `server/call`?";
    assert!(
        error.render(false).contains(expected),
        "{}",
        error.render(false)
    );
}

#[test]
fn a_vector_looks_at_rules_that_are_there() {
    let rule = "\
id: rules/tools/shape
title: Tools have a shape
level: MUST
requirements: {2025-11-25: [schema#Tool]}
faults: [{fault: tool-is-loud, verdict: fail}]
";
    let load = |vector: &str| {
        load(&[
            ("rules/tools/shape.yaml", rule),
            ("server/call.yaml", vector),
        ])
    };
    let looks = "  - expect: {rule: rules/tools/shape, match: {$length: 0}}\n";
    assert!(load(&format!("{SOUND}{looks}")).is_ok());
    for step in [
        looks.replace("shape", "shap"),
        "  - capture: {name: it, from: {rule: rules/tools/shap}}\n".to_owned(),
    ] {
        let error = load(&format!("{SOUND}{step}")).unwrap_err();
        let told = error.render(false);
        assert!(told.contains("unknown rule `rules/tools/shap`"), "{told}");
        assert!(told.contains("did you mean `rules/tools/shape`?"), "{told}");
    }
}

#[test]
fn a_ledger_has_each_statement_once() {
    let twice = format!("{LEDGER}{LEDGER}");
    let error =
        Library::from_files(&[("requirements/2025-06-18.yaml", &twice)], &KNOWN).unwrap_err();
    let key = "server/tools#capabilities.1".to_owned();
    assert_eq!(error.problems[0].kind, ProblemKind::DuplicateKey { key });
    assert_eq!(error.problems[0].line(), 3);
    let typo = LEDGER.replace("says: Names", "say: Names");
    let error =
        Library::from_files(&[("requirements/2025-06-18.yaml", &typo)], &KNOWN).unwrap_err();
    assert!(
        error.render(false).contains("did you mean `says`?"),
        "{}",
        error.render(false)
    );
    let error =
        Library::from_files(&[("requirements/2025-06-19.yaml", LEDGER)], &KNOWN).unwrap_err();
    assert!(
        error.render(false).contains("unknown revision"),
        "{}",
        error.render(false)
    );
}

#[test]
fn a_users_folder_is_added_whole_or_not_at_all() {
    let folder = std::env::temp_dir().join(format!("mcp-verdict-vectors-{}", std::process::id()));
    let mut library = load(&[("server/call.yaml", SOUND)]).unwrap();
    fs::create_dir_all(folder.join("mine/deep")).unwrap();
    assert!(
        library.with_dir(&folder).is_err(),
        "a folder without vectors"
    );

    let mine = SOUND.replace("server/call", "mine/deep/one");
    fs::write(folder.join("mine/deep/one.yaml"), &mine).unwrap();
    library.with_dir(&folder).unwrap();
    let ids: Vec<_> = library
        .vectors
        .iter()
        .map(|vector| vector.id.0.as_str())
        .collect();
    assert_eq!(ids, ["mine/deep/one", "server/call"]);

    fs::write(folder.join("two.yaml"), SOUND.replace("server/call", "two")).unwrap();
    let error = library.with_dir(&folder).unwrap_err();
    assert!(
        error
            .render(false)
            .contains("a second check with the id `mine/deep/one`")
    );
    assert_eq!(library.vectors.len(), 2);

    fs::remove_dir_all(&folder).unwrap();
    let error = library.with_dir(&folder).unwrap_err();
    assert!(error.to_string().contains("cannot read"), "{error}");
}

#[test]
fn a_network_without_http_or_a_place() {
    let network = "network: {cal: {fault: reset, after_events: 0}}\nneeds:";
    let printed = printed("needs:", network);
    for words in [
        "`network` is about HTTP: name `transports`",
        "unknown step label `cal`",
        "did you mean `call`?",
        "before the first event there is nothing to resume from",
    ] {
        assert!(printed.contains(words), "`{words}` is not in:\n{printed}");
    }
}
