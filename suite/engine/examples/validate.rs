//! Judges NDJSON by a definition of a revision: `validate --revision R [--as TYPE] [FILE|-]`.

use std::{fs::File, io, process::ExitCode};

use mcp_verdict_engine::validate;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut revision, mut as_type, mut file) = (None, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--revision" => revision = arguments.next(),
            "--as" => as_type = arguments.next(),
            _ => file = Some(argument),
        }
    }
    let Some(Ok(revision)) = revision.map(|text| text.parse()) else {
        eprintln!("usage: validate --revision R [--as TYPE] [FILE|-]");
        return ExitCode::from(2);
    };
    let output = io::stdout().lock();
    let judged = match file.as_deref() {
        None | Some("-") => validate::run(revision, as_type.as_deref(), io::stdin().lock(), output),
        Some(file) => File::open(file).and_then(|file| {
            validate::run(
                revision,
                as_type.as_deref(),
                io::BufReader::new(file),
                output,
            )
        }),
    };
    match judged {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::from(1),
        Ok(Err(unknown)) => {
            eprintln!("error: {unknown}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
