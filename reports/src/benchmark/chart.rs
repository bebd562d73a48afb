//! Charts as shapes: paths and labels with their places, which a template draws as SVG. Colours are the style's.

use std::fmt::Write as _;

/// A chart.
pub(super) struct Chart {
    pub(super) title: String,
    /// What its vertical axis shows.
    pub(super) unit: &'static str,
    /// What its horizontal axis shows.
    pub(super) below: &'static str,
    pub(super) across: Vec<Tick>,
    pub(super) up: Vec<Tick>,
    pub(super) lines: Vec<Line>,
    pub(super) dots: Vec<Dot>,
}

/// A label on an axis, and where.
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) label: String,
}

/// A line, and what it stands for.
pub(super) struct Line {
    pub(super) class: &'static str,
    pub(super) path: String,
    pub(super) label: String,
}

/// A dot, and what it stands for.
pub(super) struct Dot {
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) told: String,
}

/// How numbers become places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// From 0.
    Linear,
    /// By the logarithm; from a decade to a decade.
    Log,
    /// Percents by how many nines they have: 90, 99 and 99.9 are at equal distances.
    Nines,
}

/// An axis with its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

/// Data of one line.
pub(super) struct Series {
    pub(super) class: &'static str,
    pub(super) label: String,
    pub(super) points: Vec<(f64, f64)>,
}

impl Axis {
    /// One that holds all of these values.
    pub(super) fn over(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let values = values
            .map(|value| scale.place(value))
            .filter(|it| it.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = match scale {
            _ if low > high => (0.0, 1.0),
            Scale::Linear | Scale::Nines => (0.0, high.max(f64::MIN_POSITIVE)),
            Scale::Log => (low.floor(), high.ceil().max(low.floor() + 1.0)),
        };
        Self { scale, low, high }
    }

    /// Where a value is, from 0 to 1.
    fn at(self, value: f64) -> f64 {
        let place = (self.scale.place(value) - self.low) / (self.high - self.low);
        if place.is_finite() {
            place.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Values to be labelled.
    fn ticks(self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = step(self.high / 5.0);
                let count = (self.high / step).floor();
                let mut ticks = vec![0.0];
                while ticks.len() < TICKS_MAX && last(&ticks) + step <= count * step + step / 2.0 {
                    ticks.push(last(&ticks) + step);
                }
                ticks
            }
            Scale::Log => {
                let mut ticks = Vec::new();
                let mut decade = self.low;
                while decade <= self.high && ticks.len() < TICKS_MAX {
                    ticks.push(10_f64.powf(decade));
                    decade += 1.0;
                }
                ticks
            }
            Scale::Nines => [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999]
                .into_iter()
                .filter(|percent| Scale::Nines.place(*percent) <= self.high + 1e-9)
                .collect(),
        }
    }
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
            Self::Nines => -(1.0 - value / 100.0).log10(),
        }
    }
}

/// A chart of lines. `x` and `y` label the ticks of their axes.
pub(super) fn lines(
    title: String,
    (unit, below): (&'static str, &'static str),
    (across, up): (Axis, Axis),
    (x, y): (&dyn Fn(f64) -> String, &dyn Fn(f64) -> String),
    series: Vec<Series>,
) -> Chart {
    let tick = |at: f64, label: String| Tick {
        at: number(at),
        label,
    };
    Chart {
        title,
        unit,
        below,
        across: across
            .ticks()
            .into_iter()
            .map(|value| tick(left(across.at(value)), x(value)))
            .collect(),
        up: up
            .ticks()
            .into_iter()
            .map(|value| tick(top(up.at(value)), y(value)))
            .collect(),
        lines: series
            .into_iter()
            .map(|series| Line {
                class: series.class,
                path: path(&series.points, across, up),
                label: series.label,
            })
            .collect(),
        dots: Vec::new(),
    }
}

/// A dot at these values.
pub(super) fn dot(
    class: &'static str,
    (x, y): (f64, f64),
    (across, up): (Axis, Axis),
    told: String,
) -> Dot {
    Dot {
        class,
        x: number(left(across.at(x))),
        y: number(top(up.at(y))),
        told,
    }
}

fn path(points: &[(f64, f64)], across: Axis, up: Axis) -> String {
    let mut path = String::new();
    let drawable = points
        .iter()
        .filter(|(_, y)| up.scale.place(*y).is_finite());
    for (index, (x, y)) in drawable.enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let (x, y) = (left(across.at(*x)), top(up.at(*y)));
        let _ = write!(path, "{command}{} {}", number(x), number(y));
    }
    path
}

fn left(share: f64) -> f64 {
    LEFT + share * (RIGHT - LEFT)
}

fn top(share: f64) -> f64 {
    BOTTOM - share * (BOTTOM - TOP)
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let fits = steps.into_iter().map(|it| it * decade);
    fits.into_iter()
        .find(|step| *step >= least)
        .filter(|step| step.is_finite() && *step > 0.0)
        .unwrap_or(1.0)
}

fn last(ticks: &[f64]) -> f64 {
    ticks.last().copied().unwrap_or_default()
}

// The plane that is drawn on, in the units of the view box of 720 × 300.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 706.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 262.0;

/// Labels of an axis.
const TICKS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_are_at_equal_distances() {
        let axis = Axis::over(Scale::Nines, [99.9].into_iter());
        let at = [90.0, 99.0, 99.9].map(|percent| axis.at(percent));
        assert!((at[1] - at[0] - (at[2] - at[1])).abs() < 1e-9);
        assert_eq!(axis.ticks(), [0.0, 50.0, 90.0, 99.0, 99.9]);
    }

    #[test]
    fn a_logarithmic_axis_goes_from_decade_to_decade() {
        let axis = Axis::over(Scale::Log, [150.0, 9000.0].into_iter());
        let rounded: Vec<f64> = axis.ticks().into_iter().map(f64::round).collect();
        assert_eq!(rounded, [100.0, 1000.0, 10_000.0]);
    }

    #[test]
    fn a_linear_axis_has_round_labels() {
        let axis = Axis::over(Scale::Linear, [0.0, 4321.0].into_iter());
        assert_eq!(axis.ticks(), [0.0, 1000.0, 2000.0, 3000.0, 4000.0]);
    }

    #[test]
    fn nothing_to_draw_is_drawn_as_nothing() {
        for scale in [Scale::Linear, Scale::Log, Scale::Nines] {
            let axis = Axis::over(scale, [f64::NAN, 0.0].into_iter());
            assert!(axis.ticks().len() <= TICKS_MAX);
            let path = path(&[(0.0, 0.0), (1.0, f64::NAN)], axis, axis);
            assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
        }
    }
}
