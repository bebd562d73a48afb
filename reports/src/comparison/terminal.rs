//! A comparison for a terminal: what stands against what, then what differs, then one last line.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use mcp_verdict_results::{Comparison, Difference};

use super::{headline, places};
use crate::{
    terminal::{TerminalOptions, wrap},
    text,
};

/// Renders a comparison. Control characters of peers are made visible.
#[must_use]
pub fn comparison_terminal(comparison: &Comparison, options: &TerminalOptions) -> String {
    let mut page = Page {
        out: String::new(),
        options,
    };
    page.head(comparison);
    for difference in &comparison.differences {
        if difference.matters || options.verbose {
            page.difference(difference);
        }
    }
    page.unimportant(comparison);
    page.noise(comparison);
    page.last(comparison);
    page.out
}

struct Page<'o> {
    out: String,
    options: &'o TerminalOptions,
}

impl Page<'_> {
    fn head(&mut self, comparison: &Comparison) {
        let suite = &comparison.suite;
        let name = format!("{} {}", suite.name, suite.version);
        let name = self.paint(Style::new().bold(), &text::line(&name));
        let _ = writeln!(self.out, "{name}  comparison");
        for (side, target) in [("A", &comparison.a), ("B", &comparison.b)] {
            self.line(&format!("  {side}  "), &target.name);
            for note in &target.notes {
                self.line("     note  ", note);
            }
            if target.unfinished {
                self.line(
                    "     note  ",
                    "it did not last: not everything was compared",
                );
            }
        }
        self.out.push('\n');
        for pair in &comparison.pairs {
            let told = format!(
                "{} {} > {}: {} compared",
                pair.revision,
                pair.transport_a,
                pair.transport_b,
                text::count(pair.compared, "vector", "vectors"),
            );
            self.line("  ", &told);
            for left_out in pair.left_out.iter().take(LEFT_OUT_MAX) {
                self.line(
                    &format!("    {:>3} not  ", left_out.vectors),
                    &left_out.reason,
                );
            }
        }
    }

    fn difference(&mut self, difference: &Difference) {
        let color = if difference.matters {
            AnsiColor::Red
        } else {
            AnsiColor::Blue
        };
        let style = Style::new().fg_color(Some(color.into())).bold();
        let kind = self.paint(style, difference.kind.as_str());
        let subject = text::line(&difference.subject);
        let subject = self.paint(Style::new().bold(), &subject);
        let pointer = text::line(&difference.pointer);
        let _ = writeln!(self.out, "\n{kind}  {subject} {pointer}");
        self.line("  what   ", &difference.message);
        self.line("  A      ", difference.a.as_deref().unwrap_or("(nothing)"));
        self.line("  B      ", difference.b.as_deref().unwrap_or("(nothing)"));
        self.line("  where  ", &places(&difference.places, PLACES_MAX));
    }

    /// What does not matter, in one line each.
    fn unimportant(&mut self, comparison: &Comparison) {
        let unimportant = comparison.differences.iter().filter(|it| !it.matters);
        if self.options.verbose || unimportant.clone().next().is_none() {
            return;
        }
        self.out.push('\n');
        for difference in unimportant.clone().take(UNIMPORTANT_MAX) {
            let told = format!(
                "{} {} {}: {}",
                difference.kind, difference.subject, difference.pointer, difference.message
            );
            self.line("  does not matter  ", &told);
        }
        let left = unimportant.count().saturating_sub(UNIMPORTANT_MAX);
        if left > 0 {
            self.line("  does not matter  ", &format!("and {left} more"));
        }
    }

    fn noise(&mut self, comparison: &Comparison) {
        if comparison.noise.is_empty() {
            return;
        }
        self.out.push('\n');
        for noise in comparison.noise.iter().take(NOISE_MAX) {
            let side = noise.side.to_uppercase();
            let told = format!("{side}: {} {}", noise.subject, noise.pointer);
            self.line("  varies by itself  ", &told);
        }
        let left = comparison.noise.len().saturating_sub(NOISE_MAX);
        if left > 0 {
            self.line("  varies by itself  ", &format!("and {left} more"));
        }
    }

    fn last(&mut self, comparison: &Comparison) {
        #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
        let took = text::duration(comparison.suite.duration_ms as f64);
        let color = if comparison.mattering() == 0 {
            AnsiColor::Green
        } else {
            AnsiColor::Red
        };
        let style = Style::new().fg_color(Some(color.into())).bold();
        let told = self.paint(style, &headline(comparison));
        let compared = text::count(comparison.compared(), "vector", "vectors");
        let rest = format!("({compared}, {took}, seed {})", comparison.suite.seed);
        let rest = self.paint(Style::new().dimmed(), &rest);
        let _ = writeln!(self.out, "\n{told} {rest}");
    }

    /// `told` after `label`, its further lines below its first.
    fn line(&mut self, label: &str, told: &str) {
        let indent = label.chars().count();
        let width = self.options.width.clamp(40, 140);
        let lines = wrap(
            &text::line(told),
            width.saturating_sub(indent).max(WIDTH_MIN),
        );
        let lines_max = if self.options.verbose { 200 } else { LINES_MAX };
        for (number, line) in lines.iter().take(lines_max).enumerate() {
            let label = if number == 0 {
                self.paint(Style::new().dimmed(), label)
            } else {
                " ".repeat(indent)
            };
            let _ = writeln!(self.out, "{label}{line}");
        }
        if lines.len() > lines_max {
            let _ = writeln!(self.out, "{}…", " ".repeat(indent));
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.options.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Columns of text at least, however narrow the terminal.
const WIDTH_MIN: usize = 20;
/// Lines of one text.
const LINES_MAX: usize = 4;
/// Places named for one difference.
const PLACES_MAX: usize = 3;
/// Reasons named for what one pair left out.
const LEFT_OUT_MAX: usize = 5;
/// Differences named that do not matter.
const UNIMPORTANT_MAX: usize = 8;
/// Things named that vary by themselves.
const NOISE_MAX: usize = 8;
