//! `mcp-verdict relay`: what a client starts as its server when it is fuzzed. It joins its standard streams with a
//! socket, behind which the fuzzer is.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
};

use crate::{
    arguments::Relay,
    exit::{Exit, Expected},
};

/// Joins the streams until the server ends.
pub(crate) fn perform(arguments: &Relay) -> anyhow::Result<Exit> {
    let address = arguments.address.trim_start_matches("tcp://");
    let refused = |error: io::Error| Expected {
        message: format!("connect to {address}: {error}"),
        hint: None,
        exit: Exit::Unreachable,
    };
    let mut server = TcpStream::connect(address).map_err(refused)?;
    let mut to_server = server.try_clone()?;
    thread::spawn(move || {
        // Whoever cannot be written to is gone, and then so are we.
        let _ = pass(&mut io::stdin().lock(), &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    // A client that does not listen any more has its reasons.
    let _ = pass(&mut server, &mut io::stdout().lock());
    Ok(Exit::Conformant)
}

fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&piece[..count])?;
        to.flush()?;
    }
}

/// Bytes passed on at once.
const PIECE_BYTES: usize = 64 * 1024;
