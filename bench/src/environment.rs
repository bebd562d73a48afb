//! The machine, as far as it tells.

use std::fs;

use mcp_verdict_results::Environment;

/// Where we are. `flags` is the command line without what is secret.
#[must_use]
pub fn environment(flags: Vec<String>) -> Environment {
    let read = |path: &str| fs::read_to_string(path).ok();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        let (_, value) = line.split_once(':')?;
        Some(value.trim().to_owned())
    };
    Environment {
        os: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
        processor: read("/proc/cpuinfo").and_then(|text| field(&text, "model name")),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_kib: read("/proc/meminfo")
            .and_then(|text| field(&text, "MemTotal"))
            .and_then(|text| text.split(' ').next()?.parse().ok()),
        load_percent: read("/proc/loadavg").and_then(|text| load_percent(&text)),
        build: if cfg!(debug_assertions) {
            "debug".to_owned()
        } else {
            "release".to_owned()
        },
        flags,
    }
}

/// `0.53 0.61 …` as 53.
fn load_percent(text: &str) -> Option<u64> {
    let first = text.split(' ').next()?;
    let (whole, part) = first.split_once('.')?;
    let whole: u64 = whole.parse().ok()?;
    Some(whole * 100 + part.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_read_in_hundredths() {
        assert_eq!(load_percent("1.05 0.61 0.70 2/345 678\n"), Some(105));
        assert_eq!(load_percent(""), None);
    }
}
