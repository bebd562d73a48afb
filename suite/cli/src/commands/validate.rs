//! `mcp-verdict validate`.

use std::{fs::File, io, path::Path};

use mcp_verdict_engine::validate;

use crate::{
    arguments::Validate,
    exit::{Exit, Expected},
};

/// One line of verdict for each line of input. Exit code 1 when one of them is not valid.
pub(crate) fn perform(arguments: &Validate) -> anyhow::Result<Exit> {
    let output = io::stdout().lock();
    let as_type = arguments.as_type.as_deref();
    let judged = if arguments.file == Path::new("-") {
        validate::run(arguments.revision, as_type, io::stdin().lock(), output)?
    } else {
        let file = File::open(&arguments.file).map_err(|error| {
            Expected::usage(format!("open `{}`: {error}", arguments.file.display()))
        })?;
        validate::run(
            arguments.revision,
            as_type,
            io::BufReader::new(file),
            output,
        )?
    };
    match judged {
        Ok(true) => Ok(Exit::Conformant),
        Ok(false) => Ok(Exit::NotConformant),
        Err(unknown) => Err(Expected::usage(unknown.to_string()).into()),
    }
}
