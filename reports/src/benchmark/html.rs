//! A benchmark as a page: charts drawn here, tables, and the raw data for programs.

use std::fmt::Write as _;

use askama::Template;
use mcp_verdict_results::{
    Benchmark, BenchmarkSide, Environment, Figures, Latency, RateLimit, Ratio,
};

use super::{
    benchmark_json,
    chart::{Axis, Chart, Scale, Series, dot, lines},
    headline, load, number, reached, time,
};
use crate::{
    html::{BENCHMARK_STYLE, BENCHMARK_STYLE_DIGEST, STYLE, STYLE_DIGEST},
    text::{self, Line},
};

/// Renders a benchmark as one HTML page.
#[must_use]
pub fn benchmark_html(benchmark: &Benchmark) -> String {
    Page::of(benchmark)
        .render()
        .expect("the page is written to memory, and its texts to the page")
}

#[derive(Template)]
#[template(path = "benchmark.html")]
struct Page<'a> {
    style: &'static str,
    style_digest: &'static str,
    own_style: &'static str,
    own_style_digest: &'static str,
    suite: Line<'a>,
    version: Line<'a>,
    started: Line<'a>,
    took: String,
    seed: u64,
    headline: String,
    tone: &'static str,
    sign: &'static str,
    load: String,
    machine: String,
    flags: String,
    sides: Vec<Side<'a>>,
    warnings: Vec<Line<'a>>,
    objectives: Vec<(bool, Line<'a>, Line<'a>, Line<'a>)>,
    charts: Vec<Chart>,
    rows: Vec<Row>,
    ratios: Vec<[String; 4]>,
    steps: Vec<[String; 5]>,
    calibration: Option<String>,
    data: String,
}

struct Side<'a> {
    letter: Line<'a>,
    name: String,
    notes: Vec<Line<'a>>,
    asides: Vec<String>,
}

/// A row of the table of figures.
struct Row {
    name: String,
    is_part: bool,
    cells: Vec<String>,
}

impl<'a> Page<'a> {
    fn of(benchmark: &'a Benchmark) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
        let took = text::duration(benchmark.suite.duration_ms as f64);
        let held = benchmark.objectives.iter().all(|it| it.held);
        let (tone, sign) = match (held, benchmark.objectives.is_empty()) {
            (false, _) => ("v-fail", "✗"),
            (true, false) => ("v-pass", "✓"),
            (true, true) => ("v-inconclusive", "·"),
        };
        Self {
            style: STYLE,
            style_digest: STYLE_DIGEST,
            own_style: BENCHMARK_STYLE,
            own_style_digest: BENCHMARK_STYLE_DIGEST,
            suite: Line(&benchmark.suite.name),
            version: Line(&benchmark.suite.version),
            started: Line(&benchmark.suite.started),
            took,
            seed: benchmark.suite.seed,
            headline: text::line(&headline(benchmark)).into_owned(),
            tone,
            sign,
            load: load(&benchmark.plan),
            machine: machine(&benchmark.environment),
            flags: text::line(&benchmark.environment.flags.join(" ")).into_owned(),
            sides: benchmark.sides.iter().map(Side::of).collect(),
            warnings: benchmark.warnings.iter().map(|it| Line(it)).collect(),
            objectives: benchmark
                .objectives
                .iter()
                .map(|it| {
                    let side = Line(it.side.as_str());
                    (it.held, Line(it.text.as_str()), side, Line(it.measured.as_str()))
                })
                .collect(),
            charts: charts(benchmark),
            rows: rows(benchmark),
            ratios: benchmark.ratios.iter().map(ratio_cells).collect(),
            steps: benchmark.limit.iter().flat_map(step_cells).collect(),
            calibration: benchmark.calibration.as_ref().map(|own| {
                format!(
                    "{} answers a second, p50 {} ({}). That is {:.0} % of the p50 above; the target's rate is {:.0} % of it.",
                    number(own.answered_per_second),
                    time(own.latency.p50_us),
                    text::line(&own.server),
                    own.share_of_p50 * 100.0,
                    own.share_of_rate * 100.0
                )
            }),
            data: data(benchmark),
        }
    }
}

impl<'a> Side<'a> {
    fn of(side: &'a BenchmarkSide) -> Self {
        let mut asides = Vec::new();
        if let Some(spread) = &side.spread {
            let rate = &spread.answered_per_second;
            asides.push(format!(
                "{} runs: {} to {} answers a second, median {}; p99 {} to {}",
                side.runs.len(),
                number(rate.min),
                number(rate.max),
                number(rate.median),
                time(spread.p99_us.min),
                time(spread.p99_us.max)
            ));
        }
        if let Some((before, after)) = side.total.memory_kib {
            asides.push(format!(
                "memory of children: {before} KiB before, {after} KiB after"
            ));
        }
        if let Some(lag) = &side.total.lag {
            asides.push(format!(
                "{} requests sent late, {} never; of the latency at most {} (p99) are the generator's own",
                side.total.late,
                side.total.dropped,
                time(lag.p99_us)
            ));
        }
        for (name, count) in &side.total.errors {
            asides.push(format!("{count} × {}", text::line(name)));
        }
        let findings = side.samples.findings.iter();
        let found: u64 = findings.map(|it| it.samples).sum();
        asides.push(format!(
            "{} answers were judged by every rule, {found} findings",
            side.samples.judged
        ));
        Self {
            letter: Line(&side.letter),
            name: text::line(&reached(side)).into_owned(),
            notes: side.notes.iter().map(|note| Line(note)).collect(),
            asides,
        }
    }
}

fn machine(environment: &Environment) -> String {
    let memory = environment
        .memory_kib
        .map_or_else(String::new, |kib| format!(", {} MiB of memory", kib / 1024));
    let told = format!(
        "{} {}, {}, {} cores{memory}, {} build",
        environment.os,
        environment.kernel.as_deref().unwrap_or_default(),
        environment
            .processor
            .as_deref()
            .unwrap_or(&environment.architecture),
        environment.cores,
        environment.build
    );
    text::line(&told).into_owned()
}

/// All that is known, as JSON in which nothing can end its element.
fn data(benchmark: &Benchmark) -> String {
    let mut data = String::new();
    for character in benchmark_json(benchmark).chars() {
        if matches!(character, ' '..='~' | '\n') && !matches!(character, '<' | '>' | '&') {
            data.push(character);
            continue;
        }
        // Any of these stands in a string of JSON, where it may be spelled so.
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(data, "\\u{unit:04x}");
        }
    }
    data
}

fn rows(benchmark: &Benchmark) -> Vec<Row> {
    let mut rows = Vec::new();
    for side in &benchmark.sides {
        let name = match benchmark.sides.len() {
            1 => "all".to_owned(),
            _ => text::line(&side.letter).into_owned(),
        };
        rows.extend(rows_of(name, &side.total));
    }
    rows
}

fn rows_of(name: String, figures: &Figures) -> Vec<Row> {
    let counts = |answered: u64, rate: Option<f64>, failed: u64| {
        let rate = rate.map(number).unwrap_or_default();
        vec![answered.to_string(), rate, failed.to_string()]
    };
    let row = |name: String, is_part, mut cells: Vec<String>, latency: &Latency| {
        cells.extend(times(latency));
        Row {
            name,
            is_part,
            cells,
        }
    };
    let none = || vec![String::new(); 3];
    let rate = Some(figures.answered_per_second);
    let mut rows = vec![row(
        name,
        false,
        counts(figures.answered, rate, figures.failed),
        &figures.latency,
    )];
    for operation in &figures.operations {
        let name = text::line(&operation.name).into_owned();
        if figures.operations.len() > 1 {
            let cells = counts(operation.answered, None, operation.failed);
            rows.push(row(name.clone(), true, cells, &operation.latency));
        }
        if let Some(first) = &operation.first_event {
            rows.push(row(format!("{name}: to first event"), true, none(), first));
        }
    }
    if let Some(opening) = &figures.opening {
        rows.push(row("to open a session".to_owned(), true, none(), opening));
    }
    rows
}

fn times(latency: &Latency) -> impl Iterator<Item = String> {
    [
        latency.mean_us,
        latency.p50_us,
        latency.p90_us,
        latency.p99_us,
        latency.p999_us,
        latency.max_us,
    ]
    .into_iter()
    .map(time)
}

fn ratio_cells(ratio: &Ratio) -> [String; 4] {
    [
        text::line(&ratio.of.replace('_', " ")).into_owned(),
        format!("{:.3}", ratio.ratio),
        format!("{:.3} to {:.3}", ratio.low, ratio.high),
        ratio.pairs.to_string(),
    ]
}

fn step_cells(limit: &RateLimit) -> Vec<[String; 5]> {
    let cells = limit.steps.iter().map(|step| {
        let broken = match step.broken.as_slice() {
            [] => "holds".to_owned(),
            broken => text::line(&broken.join("; ")).into_owned(),
        };
        [
            number(step.rate_per_second),
            number(step.answered_per_second),
            time(step.p50_us),
            time(step.p99_us),
            broken,
        ]
    });
    cells.collect()
}

fn charts(benchmark: &Benchmark) -> Vec<Chart> {
    let sides = &benchmark.sides;
    let mut charts = vec![percentiles(sides)];
    if let Some(limit) = &benchmark.limit {
        charts.push(rates(limit));
    }
    if sides.len() == 2 {
        charts.push(pairs(sides));
    }
    charts.push(throughput(sides));
    charts.push(course(sides));
    charts
}

const CLASSES: [&str; 2] = ["one", "two"];

/// Which share of all was answered within which time.
fn percentiles(sides: &[BenchmarkSide]) -> Chart {
    let points = || sides.iter().flat_map(|side| &side.total.latency.curve);
    let axes = (
        Axis::over(Scale::Nines, points().map(|point| point.0)),
        Axis::over(Scale::Log, points().map(|point| point.1)),
    );
    let series = sides.iter().zip(CLASSES).map(|(side, class)| Series {
        class,
        label: text::line(&side.letter).into_owned(),
        points: side.total.latency.curve.clone(),
    });
    lines(
        "Latency by percentile".to_owned(),
        ("", "percentile, an equal distance for each further nine"),
        axes,
        (&|percent| format!("{percent} %"), &|us| time(us)),
        series.collect(),
    )
}

fn throughput(sides: &[BenchmarkSide]) -> Chart {
    let of = |side: &BenchmarkSide| {
        course_of(side, |slot, per_second| {
            #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
            let answered = slot.answered as f64;
            answered * per_second
        })
    };
    let series: Vec<Series> = sides
        .iter()
        .zip(CLASSES)
        .map(|(side, class)| Series {
            class,
            label: text::line(&side.letter).into_owned(),
            points: of(side),
        })
        .collect();
    let axes = (seconds(sides), over(&series, Scale::Linear));
    lines(
        several("Answers a second over time", sides),
        ("", "seconds"),
        axes,
        (&short, &short),
        series,
    )
}

/// The median and the longest over time.
fn course(sides: &[BenchmarkSide]) -> Chart {
    let mut series = Vec::new();
    for (side, (class, faint)) in sides
        .iter()
        .zip([("one", "one faint"), ("two", "two faint")])
    {
        let letter = text::line(&side.letter);
        series.push(Series {
            class,
            label: format!("{letter} p50"),
            points: course_of(side, |slot, _| slot.p50_us),
        });
        series.push(Series {
            class: faint,
            label: format!("{letter} max"),
            points: course_of(side, |slot, _| slot.max_us),
        });
    }
    let axes = (seconds(sides), over(&series, Scale::Log));
    lines(
        several("Latency over time", sides),
        ("", "seconds"),
        axes,
        (&short, &|us| time(us)),
        series,
    )
}

/// Answers a second of each pair of blocks.
fn pairs(sides: &[BenchmarkSide]) -> Chart {
    let of = |side: &BenchmarkSide| {
        let runs = side.runs.iter().zip(1_u32..);
        runs.map(|(run, number)| (f64::from(number), run.answered_per_second))
            .collect()
    };
    let series: Vec<Series> = sides
        .iter()
        .zip(CLASSES)
        .map(|(side, class)| Series {
            class,
            label: text::line(&side.letter).into_owned(),
            points: of(side),
        })
        .collect();
    let places = series.iter().flat_map(|it| &it.points).map(|point| point.0);
    let axes = (
        Axis::over(Scale::Linear, places),
        over(&series, Scale::Linear),
    );
    lines(
        "Answers a second, pair by pair".to_owned(),
        ("", "pair of blocks"),
        axes,
        (&short, &short),
        series,
    )
}

/// What each rate brought.
fn rates(limit: &RateLimit) -> Chart {
    let steps = || limit.steps.iter();
    let axes = (
        Axis::over(Scale::Linear, steps().map(|step| step.rate_per_second)),
        Axis::over(Scale::Log, steps().map(|step| step.p99_us)),
    );
    let mut chart = lines(
        "p99 by rate".to_owned(),
        ("", "requests a second"),
        axes,
        (&short, &|us| time(us)),
        Vec::new(),
    );
    chart.dots = steps()
        .map(|step| {
            let (class, means) = match step.broken.is_empty() {
                true => ("held", "holds"),
                false => ("broken", "breaks"),
            };
            let rate = number(step.rate_per_second);
            let told = format!("{rate}/s: p99 {}, {means}", time(step.p99_us));
            dot(class, (step.rate_per_second, step.p99_us), axes, told)
        })
        .collect();
    chart
}

/// A label of an axis: its steps are round, their sums may not be.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A figure of each slot of a timeline, with what makes a count in it a mean rate of the runs. The last slot may be cut
/// short, and is left out.
fn course_of(
    side: &BenchmarkSide,
    get: impl Fn(&mcp_verdict_results::Slot, f64) -> f64,
) -> Vec<(f64, f64)> {
    let timeline = &side.total.timeline;
    let slot_seconds = timeline.slot_ms / 1000.0;
    #[expect(clippy::cast_precision_loss, reason = "nobody repeats so often")]
    let runs = side.runs.len().max(1) as f64;
    let whole = match timeline.slots.as_slice() {
        [whole @ .., _] if !whole.is_empty() => whole,
        all => all,
    };
    let slots = whole.iter().zip(0_u32..);
    slots
        .map(|(slot, number)| {
            let at = f64::from(number) * slot_seconds;
            (at, get(slot, 1.0 / (slot_seconds * runs)))
        })
        .collect()
}

fn seconds(sides: &[BenchmarkSide]) -> Axis {
    let ends = sides.iter().map(|side| {
        let last = course_of(side, |_, _| 0.0).last().copied();
        last.map_or(0.0, |(at, _)| at)
    });
    Axis::over(Scale::Linear, ends)
}

fn over(series: &[Series], scale: Scale) -> Axis {
    let points = series.iter().flat_map(|series| &series.points);
    Axis::over(scale, points.map(|point| point.1).filter(|it| *it > 0.0))
}

/// A title that says that runs lie over each other.
fn several(title: &str, sides: &[BenchmarkSide]) -> String {
    match sides.first().map_or(0, |side| side.runs.len()) {
        0 | 1 => title.to_owned(),
        runs => format!("{title}, {runs} runs laid over each other"),
    }
}
