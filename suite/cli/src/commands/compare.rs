//! `mcp-verdict compare`.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use indicatif::ProgressBar;
use mcp_verdict_engine::{
    compare::{self as engine, Expected as Known, NothingToCompare, Options, Progress, Side},
    run,
};
use mcp_verdict_reports::{comparison_terminal, write_comparison};
use mcp_verdict_results::{Comparison, DifferenceKind};

use crate::{
    arguments::{Compare, TargetArguments},
    commands::run::progress_bar,
    exit::{Exit, Expected},
    output::visible,
    selection::Selected,
    signals,
    style::Style,
    target,
};

/// Compares two targets.
pub(crate) fn perform(arguments: &Compare, verbose: bool, style: Style) -> anyhow::Result<Exit> {
    let selected = Selected::load(&arguments.selection)?;
    let known = arguments
        .baseline
        .as_deref()
        .map(Known::read)
        .transpose()
        .map_err(|error| Expected::usage(error.to_string()))?;
    let [a, b] = sides(arguments)?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let comparison = runtime.block_on(signals::interruptible(async {
        let a = reach("A", &a).await?;
        let b = reach("B", &b).await?;
        drive(arguments, &selected, [&a, &b]).await
    }))??;
    if let Some(path) = &arguments.write_baseline {
        write_baseline(path, &comparison)?;
    }
    show(&comparison, arguments, verbose, style)?;
    let exit = match known {
        Some(known) => against(&known, &comparison, style)?,
        None if comparison.mattering() > 0 => Exit::NotConformant,
        None => Exit::Conformant,
    };
    let unfinished = comparison.a.unfinished || comparison.b.unfinished;
    Ok(match exit {
        Exit::Conformant if unfinished => Exit::Unreachable,
        exit => exit,
    })
}

async fn reach(letter: &str, arguments: &TargetArguments) -> Result<Side, Expected> {
    let spec = target::spec(arguments)?
        .ok_or_else(|| Expected::usage(format!("{letter} is no target")))?;
    let prepared = target::prepare(&spec).await.map_err(|error| Expected {
        message: format!("{letter}: {}", error.message),
        ..error
    })?;
    Ok(Side { spec, prepared })
}

async fn drive(
    arguments: &Compare,
    selected: &Selected,
    sides: [&Side; 2],
) -> anyhow::Result<Comparison> {
    let defaults = run::Options::default();
    let options = Options {
        selection: selected.selection.clone(),
        jobs: arguments.jobs.map(usize::from),
        timeout: arguments
            .timeout
            .map_or(defaults.timeout, Duration::from_millis),
        seed: arguments.seed,
        again: selected.again.clone(),
    };
    let bar = progress_bar();
    let told = |progress: Progress<'_>| tell(&bar, &progress);
    let compared = engine::compare(&selected.library, sides, &options, &told).await;
    bar.finish_and_clear();
    compared.map_err(|nothing| {
        let hint = match nothing {
            NothingToCompare::Selection(_) => None,
            _ => Some("`mcp-verdict inspect` shows what each of them offers".to_owned()),
        };
        let expected = Expected {
            message: nothing.to_string(),
            hint,
            exit: Exit::NothingSelected,
        };
        expected.into()
    })
}

fn tell(bar: &ProgressBar, progress: &Progress<'_>) {
    match progress {
        Progress::Begun { what, total } => {
            bar.set_position(0);
            bar.set_length(*total as u64);
            bar.set_prefix((*what).to_owned());
        }
        Progress::Done { check } => {
            bar.inc(1);
            bar.set_message(format!("{}: {check}", bar.prefix()));
        }
    }
}

/// The two sides, in the order in which they stand on the command line.
fn sides(arguments: &Compare) -> Result<[TargetArguments; 2], Expected> {
    let mut sides: Vec<TargetArguments> = arguments
        .sides
        .iter()
        .map(|text| side(text))
        .collect::<Result<_, _>>()?;
    if !arguments.command.is_empty() {
        sides.push(TargetArguments {
            command: arguments.command.clone(),
            ..TargetArguments::default()
        });
    }
    let count = sides.len();
    let Ok([mut a, mut b]) = <[TargetArguments; 2]>::try_from(sides) else {
        let message = match count {
            0 => "no target is given, and two are compared".to_owned(),
            1 => "one target is given, and two are compared".to_owned(),
            _ => format!("{count} targets are given, and two are compared"),
        };
        return Err(Expected::usage(message).hint(HOW));
    };
    let own = [
        (&mut a, &arguments.header_a, &arguments.bearer_env_a),
        (&mut b, &arguments.header_b, &arguments.bearer_env_b),
    ];
    for (side, headers, bearer) in own {
        side.header = [arguments.header.as_slice(), headers].concat();
        side.bearer_env.clone_from(bearer);
        side.ca_cert.clone_from(&arguments.ca_cert);
        side.insecure = arguments.insecure;
        side.revision.clone_from(&arguments.revision);
        side.timeout = arguments.timeout;
    }
    a.transport.clone_from(&arguments.transport_a);
    b.transport.clone_from(&arguments.transport_b);
    Ok([a, b])
}

/// What a word on the command line says: a URL, a target file, an entry of a client's configuration, or a command.
pub(super) fn side(text: &str) -> Result<TargetArguments, Expected> {
    let empty = TargetArguments::default();
    let is_one_word = !text.contains(char::is_whitespace);
    let has_extension = |path: &str, extension: &str| {
        Path::new(path)
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case(extension))
    };
    if text.contains("://") && is_one_word || text.starts_with("unix:") {
        return Ok(TargetArguments {
            url: Some(text.to_owned()),
            ..empty
        });
    }
    if is_one_word && has_extension(text, "toml") {
        return Ok(TargetArguments {
            file: Some(text.into()),
            ..empty
        });
    }
    let (path, server) = match text.split_once('#') {
        Some((path, server)) => (path, Some(server.to_owned())),
        None => (text, None),
    };
    if is_one_word && has_extension(path, "json") {
        return Ok(TargetArguments {
            config: Some(path.into()),
            server,
            ..empty
        });
    }
    let command = words(text).ok_or_else(|| {
        Expected::usage(format!("a quotation mark is not closed in `{text}`")).hint(HOW)
    })?;
    // `localhost:3000/mcp` is no program.
    let is_address = is_one_word
        && text.split_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.starts_with(|it: char| it.is_ascii_digit())
        });
    if is_address {
        return Ok(TargetArguments {
            url: Some(text.to_owned()),
            ..empty
        });
    }
    if command.is_empty() {
        return Err(Expected::usage("a target is empty").hint(HOW));
    }
    Ok(TargetArguments { command, ..empty })
}

/// Splits a command line as a POSIX shell does, without expanding anything. `None` if a quotation is not closed.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

fn show(
    comparison: &Comparison,
    arguments: &Compare,
    verbose: bool,
    style: Style,
) -> anyhow::Result<()> {
    let reports = &arguments.reports;
    write_comparison(comparison, reports).map_err(|error| Expected::usage(error.to_string()))?;
    super::run::tell(reports, verbose, style, |options| {
        comparison_terminal(comparison, options)
    })
}

fn write_baseline(path: &Path, comparison: &Comparison) -> Result<(), Expected> {
    fs::write(path, Known::of(comparison).to_toml())
        .map_err(|error| Expected::usage(format!("write baseline `{}`: {error}", path.display())))
}

/// Prints what is not as the baseline says.
fn against(known: &Known, comparison: &Comparison, style: Style) -> anyhow::Result<Exit> {
    let unexpected = known.unexpected(comparison);
    let mut text = String::new();
    let told = |kind: DifferenceKind, subject: &str, pointer: &str| {
        visible(format!("{kind}: {subject} {pointer}").trim_end())
    };
    for index in &unexpected.new {
        let it = &comparison.differences[*index];
        let label = style.error("not in the baseline:");
        text += &format!("{label} {}\n", told(it.kind, &it.subject, &it.pointer));
    }
    for it in &unexpected.stale {
        let label = style.error("in the baseline, but not seen:");
        text += &format!("{label} {}\n", told(it.kind, &it.subject, &it.pointer));
    }
    let exit = if unexpected.is_empty() {
        text += "as the baseline says\n";
        Exit::Conformant
    } else {
        Exit::NotConformant
    };
    // A report on standard output has it for itself.
    crate::output::complain(&text);
    Ok(exit)
}

/// The way out of a wrong number of targets.
const HOW: &str = "give two, each a URL, a target file, FILE.json#NAME or a command in quotes; \
                   the second may be a command after `--`:\n  \
                   mcp-verdict compare 'node server.js' http://127.0.0.1:3000/mcp\n  \
                   mcp-verdict compare http://127.0.0.1:3000/mcp -- node server.js";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_does() {
        let split = |text| words(text).expect("closed");
        assert_eq!(split("node server.js  --x"), ["node", "server.js", "--x"]);
        assert_eq!(
            split(r#"sh -c 'a "b" c' "d \"e\" \n" f\ g """#),
            ["sh", "-c", r#"a "b" c"#, r#"d "e" \n"#, "f g", ""]
        );
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("a \"b"), None);
        assert_eq!(words(""), Some(vec![]));
    }

    #[test]
    fn a_side_is_what_it_looks_like() {
        let of = |text| side(text).expect("a side");
        assert!(of("http://127.0.0.1:1/mcp").url.is_some());
        assert!(of("unix:/tmp/x").url.is_some());
        assert!(of("localhost:3000/mcp").url.is_some());
        assert!(of("verdict.toml").file.is_some());
        let entry = of("mcp.json#mine");
        assert_eq!(entry.server.as_deref(), Some("mine"));
        assert!(entry.config.is_some());
        assert_eq!(of("node x.json").command, ["node", "x.json"]);
        assert_eq!(of("curl http://x").command, ["curl", "http://x"]);
        assert!(side("").is_err());
    }
}
