//! What processes hold in memory, as Linux tells it (proc(5)).

use std::{fs, path::Path};

/// What is resident of all processes of a group, in KiB; `None` where there is no `/proc`, or nobody in the
/// group.
pub(super) fn of_group(group: i32) -> Option<u64> {
    let entries = fs::read_dir("/proc").ok()?;
    let processes = entries.flatten().map(|entry| entry.path());
    let sizes: Vec<u64> = processes
        .filter_map(|process| resident_kib(&process, group))
        .collect();
    (!sizes.is_empty()).then(|| sizes.iter().sum())
}

/// What is resident of a process, if it belongs to the group.
fn resident_kib(process: &Path, group: i32) -> Option<u64> {
    let name = process.file_name()?.to_str()?;
    if !name.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The name of the program, in parentheses, may hold anything: `pid (name) state ppid pgrp …`.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    if fields.nth(2)?.parse::<i32>().ok()? != group {
        return None;
    }
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
