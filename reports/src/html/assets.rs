//! The page's style and script, and the digests by which its policy admits them.

/// The style.
pub(crate) const STYLE: &str = include_str!("../../templates/report.css");

/// What the page of a comparison has beside it.
pub(crate) const COMPARISON_STYLE: &str = include_str!("../../templates/comparison.css");

/// What the page of a benchmark has beside it.
pub(crate) const BENCHMARK_STYLE: &str = include_str!("../../templates/benchmark.css");

/// The script.
pub(super) const SCRIPT: &str = include_str!("../../templates/report.js");

/// SHA-256 of [`STYLE`]; a test tells the new value when the file changes.
pub(crate) const STYLE_DIGEST: &str = "sha256-Zwlg4be1pFwUp/Dq2l4S5+2hgvvw4bB56BVr6VcH3vo=";

/// SHA-256 of [`COMPARISON_STYLE`].
pub(crate) const COMPARISON_STYLE_DIGEST: &str =
    "sha256-DJ4+MyliSUsZv2v9PwMKtdnTYCvb9ghN+ln0xBi7Sc0=";

/// SHA-256 of [`BENCHMARK_STYLE`].
pub(crate) const BENCHMARK_STYLE_DIGEST: &str =
    "sha256-1vCPO8SHbpjoxTH6fj6Zdp8K54lyXlKzrW/UViB3s30=";

/// SHA-256 of [`SCRIPT`].
pub(super) const SCRIPT_DIGEST: &str = "sha256-fMjLxNyOqaPgxPJbWQhieu1IvYkVhDeOhwYwKd9bUcc=";

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// As a browser computes it: from the text, whose line ends are newlines.
    fn digest(text: &str) -> String {
        format!(
            "sha256-{}",
            STANDARD.encode(Sha256::digest(text.replace("\r\n", "\n")))
        )
    }

    #[test]
    fn the_policy_admits_the_style_and_the_script_as_they_are() {
        assert_eq!(STYLE_DIGEST, digest(STYLE), "of report.css");
        assert_eq!(SCRIPT_DIGEST, digest(SCRIPT), "of report.js");
        assert_eq!(
            COMPARISON_STYLE_DIGEST,
            digest(COMPARISON_STYLE),
            "of comparison.css"
        );
        assert_eq!(
            BENCHMARK_STYLE_DIGEST,
            digest(BENCHMARK_STYLE),
            "of benchmark.css"
        );
    }

    #[test]
    fn neither_ends_its_element() {
        assert!(!STYLE.contains("</") && !COMPARISON_STYLE.contains("</"));
        assert!(!BENCHMARK_STYLE.contains("</"));
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
