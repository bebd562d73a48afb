//! Processes that left the group of the child that started them: daemons, and what they start. On Linux they
//! come to us when their parent ends, and are found and ended with the program; elsewhere they are out of reach.

use std::{collections::BTreeMap, fs, process, thread, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Lets the children of children that end become our own, so that [`kill_descendants`] finds them.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
        tracing::debug!(%error, "adopt orphans");
    }
}

/// Kills every process below this one.
pub fn kill_descendants() {
    // One that is being started while others are killed is found in the next round.
    for _ in 0..ROUNDS_MAX {
        let descendants = descendants();
        if descendants.is_empty() {
            return;
        }
        for descendant in descendants {
            // That it is gone already is what we want.
            let _ = kill(descendant, Signal::SIGKILL);
        }
        // Whoever is killed has to be scheduled once more.
        thread::sleep(ROUND);
    }
    tracing::warn!("some processes of the target do not go away");
}

/// The processes below this one that run.
fn descendants() -> Vec<Pid> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for (child, parent) in numbers.filter_map(|number| Some((number, parent(number)?))) {
        children.entry(parent).or_default().push(child);
    }
    let (mut found, mut parents) = (Vec::new(), vec![process::id()]);
    while let Some(parent) = parents.pop() {
        let of = children.remove(&parent).unwrap_or_default();
        found.extend(of.iter().filter_map(|child| i32::try_from(*child).ok()));
        parents.extend(of);
    }
    found.into_iter().map(Pid::from_raw).collect()
}

/// The parent of a process that runs.
fn parent(number: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name before it is the process's own choice, and may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z" && state != "X").then_some(parent)
}

/// How long one round takes.
const ROUND: Duration = Duration::from_millis(5);

/// Rounds of killing: even a process that forks all the time loses against its scheduler.
const ROUNDS_MAX: usize = 100;
