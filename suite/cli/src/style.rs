//! Colour, decided once.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style as Ansi};

use crate::arguments::Colour;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    choice: anstream::ColorChoice,
}

impl Style {
    /// As the flag says; `auto` honours `NO_COLOR` when it is set and not empty.
    pub(crate) fn of(colour: Colour) -> Self {
        let choice = match colour {
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
            Colour::Auto => anstream::ColorChoice::Auto,
        };
        choice.write_global();
        Self { choice }
    }

    /// Whether standard output is coloured.
    pub(crate) fn stdout(self) -> bool {
        match self.choice {
            anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
            anstream::ColorChoice::Never => false,
            anstream::ColorChoice::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                std::io::stdout().is_terminal() && !refused
            }
        }
    }

    /// `text` as the head of an error. The stream strips the colour where there should be none.
    pub(crate) fn error(self, text: &str) -> String {
        paint(
            Ansi::new().bold().fg_color(Some(AnsiColor::Red.into())),
            text,
        )
    }

    /// `text` in bold.
    pub(crate) fn bold(self, text: &str) -> String {
        paint(Ansi::new().bold(), text)
    }

    /// `text` as an aside.
    pub(crate) fn dim(self, text: &str) -> String {
        paint(Ansi::new().dimmed(), text)
    }
}

fn paint(style: Ansi, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Columns of the terminal, or 100 where there is none.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    columns
        .filter(|columns| (40..=400).contains(columns))
        .unwrap_or(100)
}
