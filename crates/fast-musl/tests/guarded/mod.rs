//! Memory whose bounds are enforced by the processor.

/// Memory between two inaccessible pages.
pub(crate) struct Guarded {
    start: *mut u8,
    len: usize,
}

impl Guarded {
    const PAGE: usize = 65_536; // at least a page of any of our systems

    pub(crate) fn new(len: usize) -> Self {
        let len = len.next_multiple_of(Self::PAGE);
        let all = len + 2 * Self::PAGE;
        // SAFETY: a new mapping, whose inner part is made accessible.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let start = libc::mmap(std::ptr::null_mut(), all, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(start, libc::MAP_FAILED);
            let start = start.cast::<u8>().add(Self::PAGE);
            let access = libc::PROT_READ | libc::PROT_WRITE;
            assert_eq!(libc::mprotect(start.cast(), len, access), 0);
            Self { start, len }
        }
    }

    /// Returns `n` bytes at the start or the end of the accessible memory.
    pub(crate) fn edge(&mut self, n: usize, end: bool) -> &mut [u8] {
        assert!(n <= self.len);
        let at = if end { self.len - n } else { 0 };
        // SAFETY: within the accessible memory, which is zeroed at first and borrowed with self.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), n) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: it was mapped with these bounds.
        unsafe {
            libc::munmap(self.start.sub(Self::PAGE).cast(), self.len + 2 * Self::PAGE);
        }
    }
}
