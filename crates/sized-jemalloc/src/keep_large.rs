//! jemalloc's option string, which it reads before its first allocation.

use core::ffi::CStr;

/// Larger than any allocation, and representable on the target: 2^60 or 2^30.
/// Zero is meant to turn the threshold off as well, but in 5.3.1 the first
/// arena then still uses 8 MiB (`arena_init_huge` does not reach it).
const OPTIONS: &CStr = if cfg!(target_pointer_width = "64") {
    c"oversize_threshold:1152921504606846976"
} else {
    c"oversize_threshold:1073741824"
};

/// Overrides jemalloc's weak definition of the same name, a `const char *`.
/// A reference to the first byte is such a pointer.
// SAFETY: this is the name that jemalloc documents for a program's options,
// with the prefix of tikv-jemalloc-sys. Its type there is `const char *`: this
// is a pointer to a zero-terminated string that lives as long as the program.
// Nothing writes to it.
#[unsafe(export_name = "_rjem_malloc_conf")]
static PREFIXED: &u8 = &OPTIONS.to_bytes_with_nul()[0];

/// The name if another crate builds tikv-jemalloc-sys without the prefix;
/// otherwise nothing reads it.
// SAFETY: as above.
#[unsafe(export_name = "malloc_conf")]
static UNPREFIXED: &u8 = &OPTIONS.to_bytes_with_nul()[0];

#[cfg(test)]
mod tests {
    use core::ptr::null_mut;
    use tikv_jemalloc_sys as ffi;

    #[test]
    fn jemalloc_has_read_it() {
        let mut threshold = 0_usize;
        let mut length = size_of::<usize>();
        // SAFETY: the option is a size_t, and the buffer has the given length;
        // nothing is written to jemalloc.
        let error = unsafe {
            ffi::mallctl(
                c"opt.oversize_threshold".as_ptr(),
                (&raw mut threshold).cast(),
                &raw mut length,
                null_mut(),
                0,
            )
        };
        assert_eq!(error, 0);
        assert!(threshold >= 1 << 30, "{threshold}");
    }
}
