//! Who holds a run.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

/// The driver that holds a run's lock.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Holder {
    host: String,
    pid: u64,
    /// The running system and its process ids' namespace.
    machine: Option<String>,
    application_id: String,
    since: String,
}

/// Whether a run is held.
#[derive(Clone, Debug)]
pub(crate) enum Lock {
    /// Nobody holds it, or its holder has given it back.
    Free,
    /// Its holder was a process of this machine and is gone: the next write takes it over by itself.
    Left(String),
    /// Somebody holds it, as far as can be seen from here.
    Held(String),
}

impl Lock {
    /// Reads the lock of a run's directory, whose entries have these names.
    pub(crate) fn read(directory: &Path, names: &BTreeSet<String>) -> Self {
        let number = |name: &String| name.strip_prefix("lock-")?.strip_suffix(".json")?.parse::<u32>().ok();
        let Some(last) = names.iter().filter_map(number).max() else { return Self::Free };
        if names.contains(&format!("unlock-{last}.json")) {
            return Self::Free;
        }
        let text = std::fs::read(directory.join(format!("lock-{last}.json"))).unwrap_or_default();
        match serde_json::from_slice::<Holder>(&text) {
            Ok(holder) if holder.is_gone() => Self::Left(holder.describe()),
            Ok(holder) => Self::Held(holder.describe()),
            // A torn lock is a lock.
            Err(_) => Self::Held("an unknown process".to_owned()),
        }
    }
}

impl Holder {
    fn describe(&self) -> String {
        let Self { host, pid, application_id, since, .. } = self;
        format!("process {pid} on {host}, application {application_id}, since {since}")
    }

    /// Whether its process was one of this machine's and is no more. A process id that was used again since counts as
    /// alive.
    fn is_gone(&self) -> bool {
        self.machine.is_some()
            && self.machine == machine()
            && !Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

/// The boot, and the namespace that process ids belong to, as the driver writes them down.
fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}
