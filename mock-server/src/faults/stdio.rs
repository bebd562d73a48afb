//! Faults of stdio: what is on standard output, and when the process ends.

use super::{Act, Fault, Hook, LineIn, Moment};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "banner-on-stdout",
        about: "The process greets on its standard output",
        hook: Hook::Process(|moment| match moment {
            Moment::Started => Act::Print(b"mock server 1.0 is ready"),
            Moment::InputClosed => Act::Nothing,
        }),
    },
    Fault {
        name: "crash-on-start",
        about: "The process ends as soon as it was started",
        hook: Hook::Process(|moment| match moment {
            Moment::Started => Act::Exit(1),
            Moment::InputClosed => Act::Nothing,
        }),
    },
    Fault {
        name: "lingers-after-eof",
        about: "The process stays when its input is closed",
        hook: Hook::Process(|moment| match moment {
            Moment::Started => Act::Nothing,
            Moment::InputClosed => Act::Linger,
        }),
    },
    Fault {
        name: "exit-code-on-eof",
        about: "The process ends with code 1 when its input is closed",
        hook: Hook::Process(|moment| match moment {
            Moment::Started => Act::Nothing,
            Moment::InputClosed => Act::Exit(1),
        }),
    },
    Fault {
        name: "parse-error-kills-line-service",
        about: "A line that is no JSON ends the process",
        hook: Hook::LineIn(|line| {
            let blank = line.iter().all(u8::is_ascii_whitespace);
            match serde_json::from_slice::<serde_json::Value>(line) {
                Err(_) if !blank => LineIn::Exit(1),
                _ => LineIn::Take,
            }
        }),
    },
    Fault {
        name: "log-on-stdout",
        about: "Every message on standard output is followed by a line of log",
        hook: Hook::LineOut(|mut line| {
            line.extend_from_slice(b"[info] sent a message\n");
            line
        }),
    },
    Fault {
        name: "newlines-in-messages",
        about: "Messages are spread over several lines",
        hook: Hook::LineOut(|line| {
            let pretty = serde_json::from_slice::<serde_json::Value>(&line)
                .and_then(|message| serde_json::to_vec_pretty(&message));
            let Ok(mut pretty) = pretty else { return line };
            pretty.push(b'\n');
            pretty
        }),
    },
    Fault {
        name: "content-length-framing",
        about: "Messages are framed by Content-Length headers",
        hook: Hook::LineOut(|line| {
            let body = line.strip_suffix(b"\n").unwrap_or(&line);
            let mut framed = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
            framed.extend_from_slice(body);
            framed
        }),
    },
    Fault {
        name: "latin-1-on-stdout",
        about: "Messages hold a byte that is no UTF-8",
        hook: Hook::LineOut(|line| {
            let at = line.windows(7).position(|bytes| bytes == b"jsonrpc");
            let Some(at) = at else { return line };
            // A member whose name is one byte of Latin-1, put before the first.
            [&line[..at - 1], b"\"\xe9\":0,", &line[at - 1..]].concat()
        }),
    },
    Fault {
        name: "banner-without-newline",
        about: "The process greets on its standard output, in the line of its first message",
        hook: Hook::All(&[
            Hook::Process(|moment| match moment {
                Moment::Started => Act::Print(BANNER),
                Moment::InputClosed => Act::Nothing,
            }),
            Hook::LineOut(|mut line| {
                if line.starts_with(BANNER) {
                    line.pop();
                }
                line
            }),
        ]),
    },
    Fault {
        name: "each-read-is-a-message",
        about: "What one read brings is taken for one message",
        hook: Hook::WholeReads,
    },
    Fault {
        name: "carriage-return-ignored",
        about: "Lines that end with CRLF are not read",
        hook: Hook::LineIn(|line| {
            if line.ends_with(b"\r") {
                LineIn::Ignore
            } else {
                LineIn::Take
            }
        }),
    },
    Fault {
        name: "blank-line-ends-process",
        about: "A line with nothing on it ends the process",
        hook: Hook::LineIn(|line| {
            if line.iter().all(u8::is_ascii_whitespace) {
                LineIn::Exit(1)
            } else {
                LineIn::Take
            }
        }),
    },
    Fault {
        name: "invalid-utf-8-ends-process",
        about: "A line that is no UTF-8 ends the process",
        hook: Hook::LineIn(|line| {
            if std::str::from_utf8(line).is_err() {
                LineIn::Exit(1)
            } else {
                LineIn::Take
            }
        }),
    },
    Fault {
        name: "byte-order-mark-ends-process",
        about: "A byte order mark ends the process",
        hook: Hook::LineIn(|line| {
            if line.starts_with(b"\xef\xbb\xbf") {
                LineIn::Exit(1)
            } else {
                LineIn::Take
            }
        }),
    },
    Fault {
        name: "long-line-ends-process",
        about: "A line of more than a megabyte ends the process",
        hook: Hook::LineIn(|line| {
            if line.len() > 1_000_000 {
                LineIn::Exit(1)
            } else {
                LineIn::Take
            }
        }),
    },
    Fault {
        name: "long-line-ignored",
        about: "Lines of more than a megabyte are not read",
        hook: Hook::LineIn(|line| {
            if line.len() > 1_000_000 {
                LineIn::Ignore
            } else {
                LineIn::Take
            }
        }),
    },
    Fault {
        name: "line-feeds-unescaped",
        about: "Line feeds in strings are not escaped",
        hook: Hook::LineOut(|line| {
            String::from_utf8_lossy(&line)
                .replace("\\n", "\n")
                .into_bytes()
        }),
    },
    Fault {
        name: "term-ignored",
        about: "SIGTERM is ignored, and so is the end of the input",
        hook: Hook::Process(|moment| match moment {
            Moment::Started => Act::DeafToTerm,
            Moment::InputClosed => Act::Linger,
        }),
    },
    Fault {
        name: "crash-at-eof",
        about: "The process crashes when its input is closed",
        hook: Hook::Process(|moment| match moment {
            Moment::Started => Act::Nothing,
            Moment::InputClosed => Act::Crash,
        }),
    },
];

const BANNER: &[u8] = b"Starting server... ";
