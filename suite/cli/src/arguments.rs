//! The command line, as clap sees it.

mod bench;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use mcp_verdict_reports::ReportSpec;
use mcp_verdict_wire::{Revision, TransportKind};

pub(crate) use self::bench::{Bench, LoadArguments, MixArguments, Null, Spread};
use crate::exit::EXIT_CODES;

/// The conformance suite for the Model Context Protocol: judges servers by clause, bytes and one command.
#[derive(Debug, Parser)]
#[command(name = "mcp-verdict", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Colour in the terminal.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub(crate) color: Colour,
    /// More of what the program does, on standard error.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge a server; without a target, the built-in mock server.
    Run(Run),
    /// Compare two servers, such as one and the same behind a bridge: what the middle changes, drops or reorders.
    Compare(Compare),
    /// Send a server what it may not expect, or a client with --client, and keep what it does wrong; without a target,
    /// to the mock.
    Fuzz(Fuzz),
    /// Put a server under load: throughput and latency that can be trusted; without a target, the mock.
    Bench(Box<Bench>),
    /// Show what a target offers: revisions, capabilities, and the fixtures found and missing.
    Inspect(Inspect),
    /// Judge saved transcripts again.
    Judge(Judge),
    /// Validate messages against the schema of a revision: NDJSON in, NDJSON out.
    Validate(Validate),
    /// Serve the mock server, conformant or with faults; or stand before another server as a faulty network.
    Mock(Mock),
    /// Join the standard streams with a socket: the server that a client starts that is fuzzed.
    #[command(hide = true)]
    Relay(Relay),
    /// Answer every request on standard streams with nothing: what `bench` measures itself against.
    #[command(hide = true)]
    Null(Null),
    /// Prove that every check catches the faults it names, and that the conformant mock passes.
    SelfTest(SelfTest),
    /// List the checks.
    List(List),
}

/// How to reach the target.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TargetArguments {
    /// The URL of the server's endpoint.
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The command that starts a stdio server, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// The command that serves the URL, in quotes. It is started, waited for until it listens, started again when it
    /// has ended, and ended at last.
    #[arg(long, value_name = "COMMAND", conflicts_with = "command")]
    pub(crate) start: Option<String>,
    /// A client's configuration file (`mcpServers` or `servers`) to take the target from.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which server of `--config`.
    #[arg(long, value_name = "NAME", requires = "config")]
    pub(crate) server: Option<String>,
    /// A target description of ours (mcp-verdict.toml).
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A header for every HTTP request, as NAME:VALUE. Its value is never written to a file.
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header: Vec<String>,
    /// The environment variable that holds a bearer token.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) bearer_env: Option<String>,
    /// Further root certificates, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Do not verify certificates.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Only this revision; repeatable. Default: every revision that the target speaks.
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Vec<Revision>,
    /// Only this transport, such as stdio or streamable-http; repeatable.
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) transport: Vec<TransportKind>,
    /// How long to wait for an answer, in milliseconds. Default: 5000.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(50..=600_000))]
    pub(crate) timeout: Option<u64>,
}

/// Which checks.
#[derive(Debug, Default, Args)]
pub(crate) struct Selection {
    /// Only this check, all checks below this part of an id, or those that match a glob; repeatable.
    #[arg(long = "check", value_name = "ID")]
    pub(crate) checks: Vec<String>,
    /// A folder of vectors of your own, beside the built-in ones; repeatable.
    #[arg(long, value_name = "DIR")]
    pub(crate) vectors: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Write a report: json=PATH, junit=PATH or html=PATH; repeatable.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(crate) reports: Vec<ReportSpec>,
    /// Save every transcript in this folder, for `mcp-verdict judge`.
    #[arg(long, value_name = "DIR")]
    pub(crate) transcript: Option<PathBuf>,
    /// Expected verdicts: only what differs from this file counts. `--write-baseline` writes the first one.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the verdicts of this run as a baseline, to be confirmed and commented by hand.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// A broken SHOULD counts like a broken MUST.
    #[arg(long)]
    pub(crate) strict: bool,
    /// How many sessions at a time. Default: the number of cores.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,
    /// Stop after so many seconds; what is left then is inconclusive.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_time: Option<u64>,
    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only list what would run.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = COMPARE_HELP)]
pub(crate) struct Compare {
    /// The two servers, A and B: each a URL, a target file (FILE.toml), an entry of a client's configuration
    /// (FILE.json#NAME), or a command in quotes.
    #[arg(value_name = "TARGET")]
    pub(crate) sides: Vec<String>,
    /// The command that starts B, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only this revision; repeatable. Default: every revision that both speak.
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Vec<Revision>,
    /// Only this transport of A; repeatable.
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) transport_a: Vec<TransportKind>,
    /// Only this transport of B; repeatable.
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) transport_b: Vec<TransportKind>,
    /// A header for every HTTP request to either, as NAME:VALUE. Its value is never written to a file.
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header: Vec<String>,
    /// A header for A only.
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header_a: Vec<String>,
    /// A header for B only.
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header_b: Vec<String>,
    /// The environment variable that holds a bearer token for A.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) bearer_env_a: Option<String>,
    /// The environment variable that holds a bearer token for B.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) bearer_env_b: Option<String>,
    /// Further root certificates, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Do not verify certificates.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// How long to wait for an answer, in milliseconds. Default: 5000.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(50..=600_000))]
    pub(crate) timeout: Option<u64>,
    /// Write a report: json=PATH, junit=PATH or html=PATH; repeatable.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(crate) reports: Vec<ReportSpec>,
    /// Known differences: only what is not as this file says counts. `--write-baseline` writes the first one.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the differences found as a baseline, to be confirmed and commented by hand.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// How many sessions at a time. Default: children as many as there are cores, on a server one.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,
    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Shown at the end of `compare --help`.
const COMPARE_HELP: &str = "\
Examples:
  mcp-verdict compare 'node server.js' http://127.0.0.1:3000/mcp
  mcp-verdict compare http://127.0.0.1:3000/mcp -- node server.js
  mcp-verdict compare mcp.json#direct mcp.json#bridged --baseline known.toml

What differs between two runs of the same server is not counted. Beside the
checks, tools that echo or add are called with texts and numbers at the
edges; `--check compare/echo` does only that.

Exit codes:
   0  no difference that matters, or all as the baseline says
   1  they differ, or not as the baseline says
   2  wrong usage, or a file that cannot be read
   3  one of them could not be reached, or did not last until the end
   4  there is nothing to compare";

#[derive(Debug, Args)]
#[command(after_help = FUZZ_HELP)]
pub(crate) struct Fuzz {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Fuzz a client: the command after `--` starts it, `{url}` in it is where the mock server is, and `{server}` how to
    /// start one that speaks on its standard streams. What the mock answers is changed on its way.
    #[arg(long)]
    pub(crate) client: bool,
    /// --client: run a finding again, or all of a folder; repeatable.
    #[arg(long, value_name = "FILE", requires = "client")]
    pub(crate) replay: Vec<PathBuf>,
    /// For how long: 60s, 10m or 2h. Default: 60s, or until --cases are sent.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// How many cases at most. Default: 20000, or as many as --time allows.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) cases: Option<u64>,
    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where what is found is kept: a folder of vectors, for `run --vectors`, or of findings, for `--replay`. What a
    /// server's has from before is tried first.
    #[arg(long, value_name = "DIR", default_value = "mcp-verdict-fuzz")]
    pub(crate) corpus: PathBuf,
    /// Only what is about the transport: bytes, framing, and what is around messages in HTTP.
    #[arg(long)]
    pub(crate) transport_level: bool,
    /// Also what an honest server may fall over: messages that are very deep, very long, or very many.
    #[arg(long)]
    pub(crate) aggressive: bool,
    /// Write a report: json=PATH, junit=PATH or html=PATH; repeatable.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(crate) reports: Vec<ReportSpec>,
    /// A finding that is a warning counts like a failure.
    #[arg(long)]
    pub(crate) strict: bool,
    /// How many sessions side by side. Default: the number of cores; with --client twice as many visits.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,
}

/// Shown at the end of `fuzz --help`.
const FUZZ_HELP: &str = "\
Examples:
  mcp-verdict fuzz -- node server.js
  mcp-verdict fuzz http://127.0.0.1:3000/mcp --time 10m --seed 7
  mcp-verdict fuzz http://127.0.0.1:3000/mcp --start 'node server.js'
  mcp-verdict run --vectors mcp-verdict-fuzz --check fuzz -- node server.js
  mcp-verdict fuzz --client -- node client.js {url}
  mcp-verdict fuzz --client -- python client.py {server}
  mcp-verdict fuzz --client --replay mcp-verdict-fuzz -- node client.js {url}

Each finding is a vector: the smallest script that still shows it. `run
--vectors` says of each whether it STILL FAILS or is FIXED. Of the target's
tools only those are called that are known to be safe. Of its revisions the
newest of each era is spoken, unless --revision names others. A server at a
URL that crashes cannot be tried again, and its memory cannot be seen, unless
--start says how to start it.

A client is started again and again, and has to come to its end by itself. It
is served over Streamable HTTP unless --transport names http+sse or ws, in all
revisions unless --revision names some. It may give up on what it gets; it
should not crash, nor wait for what it has. Its --timeout is for a whole visit.

Exit codes:
   0  nothing found, or only warnings
   1  found what breaks a MUST (with --strict: anything)
   2  wrong usage, or a file that cannot be written
   3  the target could not be reached, or did not last until the end";

/// A number of seconds, minutes or hours.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().find(|(_, it)| !it.is_ascii_digit()) {
        Some((place, _)) => text.split_at(place),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a duration is written as 60s, 10m or 2h".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "there is no number".to_owned())?;
    match number.checked_mul(factor) {
        Some(seconds @ 1..=MAX_SECONDS) => Ok(Duration::from_secs(seconds)),
        _ => Err("a duration is at least 1s, and at most a week".to_owned()),
    }
}

/// A week.
const MAX_SECONDS: u64 = 7 * 24 * 3600;

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// Transcripts, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Write a report: json=PATH, junit=PATH or html=PATH; repeatable.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(crate) reports: Vec<ReportSpec>,
    /// A broken SHOULD counts like a broken MUST.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The revision whose schema decides.
    #[arg(long)]
    pub(crate) revision: Revision,
    /// The definition to validate against, by its name in the official schema. Default: any message.
    #[arg(long = "as", value_name = "TYPE")]
    pub(crate) as_type: Option<String>,
    /// One JSON text a line; `-` for standard input.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Mock {
    /// The transport to serve: stdio, streamable-http, http+sse, ws, grpc, grpc-native, tcp or unix.
    #[arg(
        long,
        value_name = "TRANSPORT",
        required_unless_present_any = ["list_faults", "proxy"]
    )]
    pub(crate) transport: Option<TransportKind>,
    /// Where to listen: an address, or for unix the path of the socket. The URL is printed. Default: a free
    /// port of 127.0.0.1.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Serve over TLS (https, wss, grpcs), with a certificate that is made for the loopback of this machine. Its
    /// file is printed in a second line, for `run --ca-cert`, and is there as long as the mock.
    #[arg(long, conflicts_with = "proxy")]
    pub(crate) tls: bool,
    /// Serve no mock, but stand before this server (http, https or tcp) and do to what passes what --fault says.
    /// Only `Host`, and an `Origin` of the proxy's own, are changed, to name the server.
    #[arg(long, value_name = "URL", conflicts_with = "transport")]
    pub(crate) proxy: Option<String>,
    /// A fault to start with; repeatable. Those of --proxy take numbers: NAME[=N][,KEY=N…], where a range such
    /// as 1..5 stands for a number that the seed decides; method=, path= and nth= say which responses, or with
    /// toward=server which requests.
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<String>,
    /// --proxy: the seed of everything random.
    #[arg(long, default_value_t = 1, requires = "proxy")]
    pub(crate) seed: u64,
    /// --proxy: further root certificates for an https server, PEM.
    #[arg(long, value_name = "FILE", requires = "proxy")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// --proxy: do not verify the certificate of an https server.
    #[arg(long, requires = "proxy")]
    pub(crate) insecure: bool,
    /// List the faults, those of the mock and those of --proxy.
    #[arg(long)]
    pub(crate) list_faults: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Relay {
    /// The address of the socket.
    pub(crate) address: String,
}

#[derive(Debug, Args)]
pub(crate) struct SelfTest {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only this fault; repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<String>,
    /// Only over this transport, and there in full; repeatable. Default: all, the custom ones in part.
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) transport: Vec<TransportKind>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// How many mock servers at a time. Default: 16.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only checks that apply to this revision.
    #[arg(long)]
    pub(crate) revision: Option<Revision>,
    /// List the statements of the specification instead, with the checks that test each, or why none does.
    #[arg(long)]
    pub(crate) requirements: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
