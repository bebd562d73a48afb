//! A benchmark for a terminal: what was sent, the figures, and what to think of them.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use mcp_verdict_results::{Benchmark, BenchmarkSide, Figures, Latency, RateLimit};

use super::{headline, load, number, reached, time};
use crate::{TerminalOptions, text};

/// Renders a benchmark. Control characters of peers are made visible.
#[must_use]
pub fn benchmark_terminal(benchmark: &Benchmark, options: &TerminalOptions) -> String {
    let mut page = Page {
        out: String::new(),
        color: options.color,
    };
    page.head(benchmark);
    page.figures(benchmark);
    for side in &benchmark.sides {
        page.beside(side, benchmark.sides.len() > 1);
    }
    page.calibration(benchmark);
    page.ratios(benchmark);
    if let Some(limit) = &benchmark.limit {
        page.limit(limit);
    }
    page.objectives(benchmark);
    page.last(benchmark);
    page.out
}

struct Page {
    out: String,
    color: bool,
}

/// A row of the table of figures.
struct Row {
    name: String,
    answered: String,
    rate: String,
    failed: String,
    times: Vec<String>,
}

impl Row {
    fn of(name: &str, answered: u64, rate: Option<f64>, failed: u64, latency: &Latency) -> Self {
        let times = [
            latency.p50_us,
            latency.p90_us,
            latency.p99_us,
            latency.p999_us,
            latency.max_us,
        ];
        Self {
            name: text::line(name).into_owned(),
            answered: answered.to_string(),
            rate: rate.map(number).unwrap_or_default(),
            failed: failed.to_string(),
            times: times.into_iter().map(time).collect(),
        }
    }

    /// Times alone.
    fn times(name: &str, latency: &Latency) -> Self {
        Self {
            answered: String::new(),
            failed: String::new(),
            ..Self::of(name, 0, None, 0, latency)
        }
    }

    fn cells(self) -> Vec<String> {
        let mut cells = vec![self.name, self.answered, self.rate, self.failed];
        cells.extend(self.times);
        cells
    }
}

impl Page {
    fn head(&mut self, benchmark: &Benchmark) {
        for side in &benchmark.sides {
            let letter = match benchmark.sides.len() {
                1 => String::new(),
                _ => format!("{}: ", side.letter),
            };
            let line = text::line(&reached(side)).into_owned();
            let line = self.paint(Style::new().bold(), &format!("{letter}{line}"));
            let _ = writeln!(self.out, "{line}");
        }
        let _ = writeln!(self.out, "{}", text::line(&load(&benchmark.plan)));
        for operation in &benchmark.plan.operations {
            let weight = match benchmark.plan.operations.len() {
                1 => String::new(),
                _ => format!("{} × ", operation.weight),
            };
            let bytes = operation.request_bytes;
            let bytes = bytes.map_or_else(String::new, |bytes| format!(", {bytes} bytes"));
            let name = text::line(&operation.name);
            let _ = writeln!(self.out, "  {weight}{name}{bytes}");
        }
        self.out.push('\n');
    }

    fn figures(&mut self, benchmark: &Benchmark) {
        let head = [
            "", "answered", "/s", "failed", "p50", "p90", "p99", "p99.9", "max",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for side in &benchmark.sides {
            let name = match benchmark.sides.len() {
                1 => "all".to_owned(),
                _ => side.letter.clone(),
            };
            rows.extend(rows_of(&name, &side.total));
        }
        let widths: Vec<usize> = (0..head.len())
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        for (index, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(line, "{cell:width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            let line = line.trim_end();
            let line = match index {
                0 => self.paint(Style::new().dimmed(), line),
                _ => line.to_owned(),
            };
            let _ = writeln!(self.out, "{line}");
        }
    }

    /// What does not fit the table.
    fn beside(&mut self, side: &BenchmarkSide, several: bool) {
        let letter = if several { side.letter.as_str() } else { "" };
        let total = &side.total;
        if let Some(spread) = &side.spread {
            let told = format!(
                "{} runs: {} to {}/s, median {}; p99 {} to {}",
                side.runs.len(),
                number(spread.answered_per_second.min),
                number(spread.answered_per_second.max),
                number(spread.answered_per_second.median),
                time(spread.p99_us.min),
                time(spread.p99_us.max)
            );
            self.aside(letter, "spread", &told);
        }
        if let Some(lag) = &total.lag {
            let told = format!(
                "{} late, {} never sent; of the latency at most {} (p99) are our own",
                total.late,
                total.dropped,
                time(lag.p99_us)
            );
            self.aside(letter, "open loop", &told);
        }
        if let Some((before, after)) = total.memory_kib {
            let told = format!("{before} KiB before, {after} KiB after");
            self.aside(letter, "memory", &told);
        }
        for (name, count) in total.errors.iter().take(ERRORS_MAX) {
            self.aside(letter, "error", &format!("{count} × {name}"));
        }
        let found: u64 = side.samples.findings.iter().map(|it| it.samples).sum();
        let told = format!("{} answers, {found} findings", side.samples.judged);
        self.aside(letter, "judged", &told);
    }

    fn calibration(&mut self, benchmark: &Benchmark) {
        if let Some(own) = &benchmark.calibration {
            let told = format!(
                "{}/s, p50 {} against a server that does nothing ({}); {:.0} % of the p50 above",
                number(own.answered_per_second),
                time(own.latency.p50_us),
                own.server,
                own.share_of_p50 * 100.0
            );
            self.aside("", "generator", &told);
        }
    }

    fn ratios(&mut self, benchmark: &Benchmark) {
        for ratio in &benchmark.ratios {
            let told = format!(
                "{} {:.3}, {:.0} % between {:.3} and {:.3}, {} pairs",
                ratio.of.replace('_', " "),
                ratio.ratio,
                ratio.confidence_percent,
                ratio.low,
                ratio.high,
                ratio.pairs
            );
            self.aside("", "B / A", &told);
        }
    }

    fn limit(&mut self, limit: &RateLimit) {
        for step in &limit.steps {
            let broken = match step.broken.as_slice() {
                [] => "holds".to_owned(),
                broken => broken.join("; "),
            };
            let told = format!(
                "{}/s: p50 {}, p99 {}, {} failed: {broken}",
                number(step.rate_per_second),
                time(step.p50_us),
                time(step.p99_us),
                step.failed
            );
            self.aside("", "rate", &told);
        }
        let at = |rate: Option<f64>| rate.map_or_else(|| "no rate".to_owned(), number);
        let told = format!(
            "{} hold at {}/s and break at {}/s",
            limit.objectives.join(", "),
            at(limit.holds_at_per_second),
            at(limit.breaks_at_per_second)
        );
        self.aside("", "limit", &told);
    }

    fn objectives(&mut self, benchmark: &Benchmark) {
        for objective in &benchmark.objectives {
            let (sign, color) = match objective.held {
                true => ("✓", AnsiColor::Green),
                false => ("✗", AnsiColor::Red),
            };
            let sign = self.paint(Style::new().fg_color(Some(color.into())).bold(), sign);
            let told = format!("{}: {}", objective.text, objective.measured);
            let _ = writeln!(self.out, "{sign} {}", text::line(&told));
        }
    }

    fn last(&mut self, benchmark: &Benchmark) {
        let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
        for warning in &benchmark.warnings {
            let label = self.paint(yellow, "warning:");
            let _ = writeln!(self.out, "{label} {}", text::line(warning));
        }
        let environment = &benchmark.environment;
        let told = format!(
            "{} {}, {} cores, {} build, seed {}",
            environment.os,
            environment
                .processor
                .as_deref()
                .unwrap_or(&environment.architecture),
            environment.cores,
            environment.build,
            benchmark.suite.seed
        );
        let told = self.paint(Style::new().dimmed(), &text::line(&told));
        let headline = self.paint(Style::new().bold(), &headline(benchmark));
        let _ = writeln!(self.out, "\n{headline}\n{told}");
    }

    fn aside(&mut self, letter: &str, label: &str, told: &str) {
        let label = format!("{letter:1} {label:10}");
        let label = self.paint(Style::new().dimmed(), label.trim_start());
        let _ = writeln!(self.out, "{label} {}", text::line(told));
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// All of a target's figures, then each operation's, and what its answers were preceded by.
fn rows_of(name: &str, figures: &Figures) -> Vec<Vec<String>> {
    let rate = Some(figures.answered_per_second);
    let (answered, failed) = (figures.answered, figures.failed);
    let mut rows = vec![Row::of(name, answered, rate, failed, &figures.latency)];
    for operation in &figures.operations {
        if figures.operations.len() > 1 {
            let name = format!("  {}", operation.name);
            let (answered, failed) = (operation.answered, operation.failed);
            rows.push(Row::of(&name, answered, None, failed, &operation.latency));
        }
        if let Some(first) = &operation.first_event {
            rows.push(Row::times("  to first event", first));
        }
    }
    if let Some(opening) = &figures.opening {
        rows.push(Row::times("  to open", opening));
    }
    rows.into_iter().map(Row::cells).collect()
}

/// Errors that are named.
const ERRORS_MAX: usize = 8;
