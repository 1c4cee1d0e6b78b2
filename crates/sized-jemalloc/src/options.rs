//! jemalloc's option string, which it reads before its first allocation.

/// Larger than any allocation, and representable on the target: 2^60 or 2^30.
/// Zero is meant to turn the threshold off as well, but in 5.3.1 the first
/// arena then still uses 8 MiB (`arena_init_huge` does not reach it).
#[cfg(target_pointer_width = "64")]
macro_rules! keep_large {
    () => {
        "oversize_threshold:1152921504606846976"
    };
}
#[cfg(not(target_pointer_width = "64"))]
macro_rules! keep_large {
    () => {
        "oversize_threshold:1073741824"
    };
}

/// jemalloc's default is four arenas per CPU.
macro_rules! arena_per_cpu {
    () => {
        "narenas_ratio:1"
    };
}

/// The options of this crate's features, terminated by zero.
const OPTIONS: &str = match (
    cfg!(feature = "keep_large"),
    cfg!(feature = "arena_per_cpu"),
) {
    (true, true) => concat!(keep_large!(), ",", arena_per_cpu!(), "\0"),
    (true, false) => concat!(keep_large!(), "\0"),
    (false, _) => concat!(arena_per_cpu!(), "\0"),
};

/// Overrides jemalloc's weak definition of the same name, a `const char *`.
/// A reference to the first byte is such a pointer.
// SAFETY: this is the name that jemalloc documents for a program's options,
// with the prefix of tikv-jemalloc-sys. Its type there is `const char *`: this
// is a pointer to a zero-terminated string that lives as long as the program.
// Nothing writes to it.
#[unsafe(export_name = "_rjem_malloc_conf")]
static PREFIXED: &u8 = &OPTIONS.as_bytes()[0];

/// The name if another crate builds tikv-jemalloc-sys without the prefix;
/// otherwise nothing reads it.
// SAFETY: as above.
#[unsafe(export_name = "malloc_conf")]
static UNPREFIXED: &u8 = &OPTIONS.as_bytes()[0];

#[cfg(test)]
mod tests {
    use core::ffi::CStr;
    use core::ptr::null_mut;
    use tikv_jemalloc_sys as ffi;

    /// Returns the figure of jemalloc with this name, of type `T` in C.
    fn figure<T: Default>(name: &CStr) -> T {
        let mut value = T::default();
        let mut length = size_of::<T>();
        // SAFETY: the buffer has the given length, and any content of it is an
        // integer; nothing is written to jemalloc.
        let error = unsafe {
            ffi::mallctl(
                name.as_ptr(),
                (&raw mut value).cast(),
                &raw mut length,
                null_mut(),
                0,
            )
        };
        assert_eq!((error, length), (0, size_of::<T>()), "{name:?}");
        value
    }

    #[test]
    fn jemalloc_has_read_the_threshold() {
        let threshold: usize = figure(c"opt.oversize_threshold");
        assert_eq!(threshold >= 1 << 30, cfg!(feature = "keep_large"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn jemalloc_has_read_the_number_of_arenas() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let mut lines = status.lines();
        // A hexadecimal number in groups, with a bit for each CPU.
        let allowed = lines.find_map(|line| line.strip_prefix("Cpus_allowed:"));
        let digits = allowed.unwrap().chars().filter_map(|c| c.to_digit(16));
        let cpus: u32 = digits.map(u32::count_ones).sum();
        let per_cpu = if cfg!(feature = "arena_per_cpu") || cpus == 1 {
            1
        } else {
            4
        };
        assert_eq!(figure::<u32>(c"opt.narenas"), per_cpu * cpus);
    }
}
