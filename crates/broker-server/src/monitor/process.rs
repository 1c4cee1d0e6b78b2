//! The process's resource usage, on Linux.

/// Returns the resident memory in bytes; 0 if unknown.
pub(super) fn resident() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let pages = std::fs::read_to_string("/proc/self/statm").ok();
        let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
        pages.unwrap_or_default() * rustix::param::page_size() as u64
    }
    #[cfg(not(target_os = "linux"))]
    0
}

/// Returns the CPU time used, in seconds; 0 if unknown.
pub(super) fn cpu_seconds() -> f64 {
    #[cfg(target_os = "linux")]
    {
        let ticks = || -> Option<f64> {
            let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
            // The program's name, in parentheses, may contain anything.
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
            let mut next = || fields.next()?.parse::<u32>().ok();
            let (user, system) = (next()?, next()?);
            let per_second = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
            Some((f64::from(user) + f64::from(system)) / f64::from(per_second))
        };
        ticks().unwrap_or_default()
    }
    #[cfg(not(target_os = "linux"))]
    0.0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_uses_memory() {
        assert!(resident() > 100_000);
        assert!(cpu_seconds() >= 0.0);
    }
}
