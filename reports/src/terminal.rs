//! The summary for a terminal: counts, then what has to be looked at, then one last line.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use mcp_verdict_results::{CheckResult, Run, Summary, Verdict};

use crate::{
    groups::{self, Column, Finding, Reason},
    text,
    verdicts::{SHOWN, heading, participle, sign},
};

/// How to write the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Whether to use colour.
    pub color: bool,
    /// Columns to stay within. Commands are never wrapped, so that they can be copied.
    pub width: usize,
    /// Every result on its own, texts in full, and what passed or did not apply as well.
    pub verbose: bool,
}

/// Renders a run's summary. Control characters of peers are made visible.
#[must_use]
pub fn terminal(run: &Run, options: &TerminalOptions) -> String {
    let width = options.width.clamp(WIDTH_MIN, WIDTH_MAX);
    let mut page = Page {
        out: String::new(),
        color: options.color,
        width,
        verbose: options.verbose,
    };
    page.head(run);
    page.counts(run);
    page.side_by_side(run);
    if options.verbose {
        page.passed(run);
    }
    for finding in groups::findings(run) {
        page.finding(&finding);
    }
    page.reasons(run, Verdict::Inconclusive);
    if options.verbose {
        page.reasons(run, Verdict::NotApplicable);
    }
    page.last(run);
    page.out
}

struct Page {
    out: String,
    color: bool,
    width: usize,
    verbose: bool,
}

impl Page {
    fn head(&mut self, run: &Run) {
        let name = format!("{} {}", run.suite.name, run.suite.version);
        let name = self.paint(BOLD, &text::line(&name));
        let _ = writeln!(self.out, "{name}  {}", text::line(&run.target.name));
        for note in &run.target.notes {
            self.wrapped("  note  ", DIM, note);
        }
    }

    /// One line for each revision and transport, one column for each verdict that occurs.
    fn counts(&mut self, run: &Run) {
        let counts = groups::counts(run);
        if counts.is_empty() {
            return;
        }
        let occurring: Vec<Verdict> = SHOWN
            .into_iter()
            .filter(|&verdict| run.summary.count(verdict) > 0)
            .collect();
        let names: Vec<String> = counts.keys().map(place).collect();
        let name_width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        let mut header = " ".repeat(name_width + 2);
        for &verdict in &occurring {
            let _ = write!(header, "  {}", column_name(verdict));
        }
        self.out.push('\n');
        let header = self.paint(DIM, &header);
        let _ = writeln!(self.out, "{header}");
        for (name, summary) in names.iter().zip(counts.values()) {
            let _ = write!(self.out, "  {name:name_width$}");
            for &verdict in &occurring {
                let width = column_name(verdict).chars().count();
                let number = summary.count(verdict);
                let style = if number == 0 { DIM } else { style(verdict) };
                let number = self.paint(style, &format!("{number:>width$}"));
                let _ = write!(self.out, "  {number}");
            }
            self.out.push('\n');
        }
    }

    /// How the transports compare, where there are several.
    fn side_by_side(&mut self, run: &Run) {
        let (compared, differing) = groups::differing(run);
        if compared == 0 {
            return;
        }
        let told = match differing.len() {
            0 => format!("over several transports the same verdict each time ({compared} times)"),
            count => format!(
                "{count} of {compared} verdicts depend on the transport; the HTML report shows them"
            ),
        };
        self.out.push('\n');
        self.wrapped("  ", DIM, &told);
    }

    fn passed(&mut self, run: &Run) {
        self.out.push('\n');
        for result in run
            .results
            .iter()
            .filter(|result| result.verdict == Verdict::Pass)
        {
            let sign = self.paint(style(Verdict::Pass), sign(Verdict::Pass));
            let took = self.paint(DIM, &text::duration(result.duration_ms));
            let check = text::line(&result.check);
            let _ = writeln!(
                self.out,
                "{sign} {check}  {}  {took}",
                place(&Column::of(result))
            );
        }
    }

    fn finding(&mut self, finding: &Finding<'_>) {
        if self.verbose {
            for result in &finding.results {
                self.result(finding.verdict, result, &[result]);
            }
        } else {
            self.result(finding.verdict, finding.results[0], &finding.results);
        }
    }

    /// One result in full, for all the places where the check ended like this.
    fn result(&mut self, verdict: Verdict, result: &CheckResult, all: &[&CheckResult]) {
        let heading = format!("{} {}", sign(verdict), heading(verdict));
        let heading = self.paint(style(verdict).bold(), &heading);
        let check = self.paint(BOLD, &text::line(&result.check));
        let _ = writeln!(self.out, "\n{heading}  {check}");
        self.wrapped("  ", Style::new(), &result.title);
        self.wrapped("  where     ", Style::new(), &places(all));
        for clause in &result.requirements {
            let told = format!("{} {}: {}", clause.level, clause.id, clause.says);
            self.wrapped("  clause    ", Style::new(), &told);
            if let Some(doubt) = &clause.doubt {
                self.wrapped("  doubt     ", Style::new(), doubt);
            }
        }
        self.wrapped("  why       ", Style::new(), &result.message);
        for (name, value) in [
            ("  expected  ", &result.expected),
            ("  seen      ", &result.actual),
        ] {
            if let Some(value) = value {
                self.wrapped(name, Style::new(), value);
            }
        }
        let label = self.paint(DIM, "  again     ");
        let command = self.paint(
            Style::new().fg_color(Some(AnsiColor::Cyan.into())),
            &text::line(&result.reproduce),
        );
        let _ = writeln!(self.out, "{label}{command}");
    }

    /// Results that say the same, counted.
    fn reasons(&mut self, run: &Run, verdict: Verdict) {
        let reasons = groups::reasons(run, verdict);
        let number: usize = reasons.iter().map(|reason| reason.results.len()).sum();
        if number == 0 {
            return;
        }
        let head = format!("{} {number} {}", sign(verdict), participle(verdict));
        let head = self.paint(style(verdict).bold(), &head);
        let _ = writeln!(self.out, "\n{head}");
        let shown = if self.verbose {
            reasons.len()
        } else {
            REASONS_MAX
        };
        for Reason { message, results } in reasons.iter().take(shown) {
            self.wrapped(&format!("{:>5}  ", results.len()), Style::new(), message);
        }
        let left = reasons.len().saturating_sub(shown);
        if left > 0 {
            let more = text::count(left, "other reason", "other reasons");
            let _ = writeln!(self.out, "       and {more}; --verbose shows them");
        }
    }

    fn last(&mut self, run: &Run) {
        let summary = run.summary;
        if summary.total() == 0 {
            let told = self.paint(style(Verdict::Error).bold(), "Nothing was judged.");
            let _ = writeln!(self.out, "\n{told}");
            return;
        }
        let verdict = [
            Verdict::Error,
            Verdict::Fail,
            Verdict::Warn,
            Verdict::Inconclusive,
        ]
        .into_iter()
        .find(|&verdict| summary.count(verdict) > 0)
        .unwrap_or(Verdict::Pass);
        let counts = self.paint(style(verdict).bold(), &counted(summary));
        let took = run.suite.duration_ms;
        #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
        let took = text::duration(took as f64);
        let rest = format!("({took}, seed {})", run.suite.seed);
        let rest = self.paint(DIM, &rest);
        let _ = writeln!(self.out, "\n{counts} {rest}");
    }

    /// `text` after `label`, its further lines below its first.
    fn wrapped(&mut self, label: &str, style: Style, text: &str) {
        let indent = label.chars().count();
        let mut lines = wrap(
            &text::lines(text),
            self.width.saturating_sub(indent).max(WIDTH_MIN / 2),
        );
        let lines_max = if self.verbose {
            LINES_MAX_VERBOSE
        } else {
            LINES_MAX
        };
        let hidden = lines.len().saturating_sub(lines_max);
        lines.truncate(lines_max);
        if hidden > 0 {
            lines.push(format!("… ({} more)", text::count(hidden, "line", "lines")));
        }
        for (number, line) in lines.iter().enumerate() {
            if line.is_empty() && number > 0 {
                self.out.push('\n');
                continue;
            }
            let label = if number == 0 {
                self.paint(DIM, label)
            } else {
                " ".repeat(indent)
            };
            let line = self.paint(style, line);
            let _ = writeln!(self.out, "{label}{line}");
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color && style != Style::new() && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks at spaces where it can, inside words where it must.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.replace('\t', "    ").split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if used > 0 && used + length > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            for character in word.chars() {
                if used >= width && character != ' ' {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(character);
                used += 1;
            }
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push("(empty)".to_owned());
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

fn place(column: &Column<'_>) -> String {
    format!(
        "{} {}",
        text::line(column.revision),
        text::line(column.transport)
    )
}

/// All places if they are few, else the first and how many more there are.
fn places(results: &[&CheckResult]) -> String {
    let shown = if results.len() <= PLACES_MAX {
        results.len()
    } else {
        PLACES_MAX - 1
    };
    let mut places: Vec<String> = results[..shown]
        .iter()
        .map(|result| place(&Column::of(result)))
        .collect();
    if shown < results.len() {
        places.push(format!("{} more", results.len() - shown));
    }
    places.join(", ")
}

/// `2 failed, 1 warned, 40 passed`.
fn counted(summary: Summary) -> String {
    let counts: Vec<String> = SHOWN
        .into_iter()
        .filter(|&verdict| summary.count(verdict) > 0)
        .map(|verdict| format!("{} {}", summary.count(verdict), participle(verdict)))
        .collect();
    counts.join(", ")
}

const fn column_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "  n/a",
        Verdict::Pass => " pass",
        Verdict::Warn => " warn",
        Verdict::Fail => " fail",
        verdict => heading(verdict),
    }
}

const fn style(verdict: Verdict) -> Style {
    let color = match verdict {
        Verdict::NotApplicable => return DIM,
        Verdict::Pass => AnsiColor::Green,
        Verdict::Inconclusive => AnsiColor::Blue,
        Verdict::Warn => AnsiColor::Yellow,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Error => AnsiColor::Magenta,
    };
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// Below this, wrapping does more harm than a terminal that wraps by itself.
const WIDTH_MIN: usize = 40;
/// Above this, lines are hard to read.
const WIDTH_MAX: usize = 140;
/// Lines of one text of a finding.
const LINES_MAX: usize = 4;
/// The same with `--verbose`: a bound still, since the peer decides how much there is.
const LINES_MAX_VERBOSE: usize = 200;
/// Places named for one finding, or one less and a count.
const PLACES_MAX: usize = 5;
/// Reasons named for one verdict.
const REASONS_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_breaks_at_spaces_and_then_inside_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\n\nb", 3), ["a", "", "b"]);
        assert_eq!(wrap("", 3), ["(empty)"]);
    }
}
