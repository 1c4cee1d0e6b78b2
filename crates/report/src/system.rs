//! The machine, as far as times depend on it.

use std::collections::BTreeSet;
use std::fs;

use serde::Serialize;

use crate::load::Load;
use crate::strace::as_number;

/// The machine.
#[derive(Debug, Clone, Serialize)]
pub struct System {
    /// Release of the kernel.
    pub kernel: Option<String>,
    /// Name of the CPU.
    pub cpu: Option<String>,
    /// How many threads can run at the same time.
    pub cpus: usize,
    /// Memory in bytes.
    pub memory_bytes: Option<f64>,
    /// What chooses the frequency of CPUs. Virtual machines have none.
    pub governor: Option<String>,
    /// What else it did at the start.
    pub load: Load,
}

impl System {
    /// Looks around.
    #[must_use]
    pub fn describe(load: Load) -> Self {
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

/// How many threads can run at the same time.
#[must_use]
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn cpu(cpuinfo: &str) -> Option<String> {
    let field = |wanted: &str| {
        let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        fields
            .find(|(name, _)| name.trim() == wanted)
            .map(|(_, value)| value.trim().to_owned())
    };
    // ARM gives numbers instead of a name.
    field("model name").or_else(|| Some(format!("CPU part {}", field("CPU part")?)))
}

fn memory(meminfo: &str) -> Option<f64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(as_number(kibibytes) * 1024.0)
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
