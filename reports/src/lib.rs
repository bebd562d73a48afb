//! Results rendered: a summary for the terminal, JSON, JUnit and HTML.
//!
//! Every format renders the [`Run`](mcp_verdict_results::Run) that it is given. None recomputes a
//! verdict, and none trusts a text in it: whatever a peer sent stays text.

mod benchmark;
mod comparison;
mod groups;
mod html;
mod json;
mod junit;
mod terminal;
mod text;
mod verdicts;
mod write;

pub use benchmark::{
    BENCHMARK_SCHEMA, benchmark_html, benchmark_json, benchmark_junit, benchmark_terminal,
};
pub use comparison::{
    COMPARISON_SCHEMA, comparison_html, comparison_json, comparison_junit, comparison_terminal,
};
pub use html::html;
pub use json::{FORMAT, SCHEMA, json};
pub use junit::junit;
pub use terminal::{TerminalOptions, terminal};
pub use text::lines as visible;
pub use write::{
    Format, ReportSpec, SpecError, WriteError, write, write_benchmark, write_comparison,
};
