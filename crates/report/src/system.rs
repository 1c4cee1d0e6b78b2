//! The properties of the machine that affect times.

use std::collections::BTreeSet;
use std::fs;

use serde::Serialize;

use crate::child::kibibytes;
use crate::load::Load;
use crate::statistics::as_number;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct System {
    pub(crate) kernel: Option<String>,
    pub(crate) cpu: Option<String>,
    /// How many threads can run at the same time.
    pub(crate) cpus: usize,
    pub(crate) memory_bytes: Option<f64>,
    /// The CPU frequency governor. Virtual machines have none.
    pub(crate) governor: Option<String>,
    pub(crate) load: Load,
}

impl System {
    /// Describes this machine.
    pub(crate) fn describe(load: Load) -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        Self {
            kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            cpu: read("/proc/cpuinfo").and_then(|text| cpu(&text)),
            cpus: cpus(),
            memory_bytes: read("/proc/meminfo").and_then(|text| memory(&text)),
            governor: governor(),
            load,
        }
    }
}

/// Returns how many threads can run at the same time.
pub(crate) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn cpu(cpuinfo: &str) -> Option<String> {
    let field = |wanted: &str| {
        let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        fields
            .find(|(name, _)| name.trim() == wanted)
            .map(|(_, value)| value.trim().to_owned())
    };
    // ARM has numbers instead of a name.
    field("model name").or_else(|| Some(format!("CPU part {}", field("CPU part")?)))
}

fn memory(meminfo: &str) -> Option<f64> {
    kibibytes(meminfo, "MemTotal:").map(as_number)
}

fn governor() -> Option<String> {
    let cpus = fs::read_dir("/sys/devices/system/cpu").ok()?;
    let governors: BTreeSet<String> = cpus
        .flatten()
        .filter_map(|cpu| fs::read_to_string(cpu.path().join("cpufreq/scaling_governor")).ok())
        .map(|text| text.trim().to_owned())
        .collect();
    let governors: Vec<_> = governors.into_iter().collect();
    (!governors.is_empty()).then(|| governors.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_of_both_kinds() {
        let x86 = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R)\n";
        assert_eq!(cpu(x86).as_deref(), Some("Intel(R) Xeon(R)"));
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu(arm).as_deref(), Some("CPU part 0xd0c"));
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn memory_in_bytes() {
        assert_eq!(
            memory("MemTotal:       2048 kB\nMemFree: 1 kB\n"),
            Some(2_097_152.0)
        );
        assert_eq!(memory("MemFree: 1 kB\n"), None);
    }
}
