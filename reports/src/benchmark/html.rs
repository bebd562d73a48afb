//! A benchmark as a page.

use mcp_verdict_results::Benchmark;

/// Renders a benchmark as one HTML page.
#[must_use]
pub fn benchmark_html(benchmark: &Benchmark) -> String {
    super::headline(benchmark)
}
