//! The functions of musl that are used, and the system call.

use core::arch::asm;
use core::ffi::{c_int, c_long, c_uint, c_ulong, c_void};
use core::{mem, ptr};

/// The address of the vDSO in the auxiliary vector (getauxval(3)).
pub(super) const AT_SYSINFO_EHDR: c_ulong = 33;
/// The page size in the auxiliary vector.
pub(super) const AT_PAGESZ: c_ulong = 6;

pub(super) const PROT_READ_WRITE: c_int = 1 | 2;
pub(super) const MAP_PRIVATE: c_int = 0x02;
pub(super) const MAP_ANONYMOUS: c_int = 0x20;

const SIG_SETMASK: c_int = 2;

#[cfg(target_arch = "x86_64")]
const SYS_GETRANDOM: c_long = 318;
#[cfg(target_arch = "aarch64")]
const SYS_GETRANDOM: c_long = 278;

/// musl's `sigset_t`.
type SignalSet = [c_ulong; 16];

unsafe extern "C" {
    pub(super) safe fn getauxval(kind: c_ulong) -> c_ulong;
    pub(super) safe fn pthread_testcancel();
    safe fn __errno_location() -> *mut c_int;

    pub(super) fn pthread_key_create(
        key: *mut c_uint,
        destructor: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    ) -> c_int;
    pub(super) fn pthread_getspecific(key: c_uint) -> *mut c_void;
    pub(super) fn pthread_setspecific(key: c_uint, value: *const c_void) -> c_int;
    pub(super) fn pthread_atfork(
        prepare: Option<extern "C-unwind" fn()>,
        parent: Option<extern "C-unwind" fn()>,
        child: Option<extern "C-unwind" fn()>,
    ) -> c_int;

    /// Declared by its symbol, because core's function for it (`write_bytes`) checks its arguments
    /// in core with debug assertions, which a crate without builtins does not find with fat LTO.
    pub(super) fn memset(dst: *mut c_void, byte: c_int, n: usize) -> *mut c_void;

    fn mmap(
        address: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: i64,
    ) -> *mut c_void;
    fn munmap(address: *mut c_void, length: usize) -> c_int;

    fn sigfillset(set: *mut SignalSet) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const SignalSet, before: *mut SignalSet) -> c_int;

    fn syscall(number: c_long, ...) -> c_long;
}

/// musl's function for a system call that is a cancellation point: returns `-errno`, acts on a
/// cancellation also while it blocks, and never after the kernel has finished.
type SyscallCp =
    unsafe extern "C" fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long;

/// musl's `__syscall_cp`. It is hidden, so it exists for programs that contain libc.a, but not for
/// those that load libc.so: there a weak reference is null, and linking does not fail.
fn syscall_cp() -> Option<SyscallCp> {
    let address: *const c_void;
    // Rust has no stable weak reference, but the assembler has.
    // SAFETY: reads one entry of the global offset table, which the linker fills.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            ".weak __syscall_cp",
            "mov {}, qword ptr [rip + __syscall_cp@GOTPCREL]",
            out(reg) address,
            options(nostack, readonly, preserves_flags)
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            ".weak __syscall_cp",
            "adrp {0}, :got:__syscall_cp",
            "ldr {0}, [{0}, :got_lo12:__syscall_cp]",
            out(reg) address,
            options(nostack, readonly, preserves_flags)
        );
    }
    // SAFETY: null is `None`; otherwise it is musl's function, whose arguments (`syscall_arg_t`)
    // and result are `long` on both architectures.
    unsafe { mem::transmute(address) }
}

/// Makes the system call, as a cancellation point. Returns the number of bytes, or `-errno`.
///
/// # Safety
///
/// `buf` is valid for writes of `len` bytes.
#[cold]
pub(super) unsafe fn getrandom(buf: *mut c_void, len: usize, flags: c_uint) -> isize {
    let address = buf.expose_provenance().cast_signed();
    let (len, flags) = (len.cast_signed(), flags.cast_signed());
    // c_long is as wide as a pointer on both architectures, so nothing is cut off below.
    #[allow(clippy::cast_possible_truncation)]
    if let Some(call) = syscall_cp() {
        // SAFETY: the kernel writes to `buf` at most `len` bytes.
        let result = unsafe {
            call(
                SYS_GETRANDOM,
                address as c_long,
                len as c_long,
                c_long::from(flags),
                0,
                0,
                0,
            )
        };
        return result as isize;
    }
    // SAFETY: as above.
    match unsafe { syscall(SYS_GETRANDOM, buf, len, flags) } {
        // SAFETY: errno is the thread's own.
        -1 => unsafe { (*__errno_location() as isize).wrapping_neg() },
        #[allow(clippy::cast_possible_truncation)]
        written => written as isize,
    }
}

/// Converts the kernel's result (`-errno` on failure) to C's: -1, with `errno` set.
pub(super) fn returned(result: isize) -> isize {
    if result >= 0 {
        return result;
    }
    // SAFETY: errno is the thread's own. The kernel's error numbers end at 4,095.
    #[allow(clippy::cast_possible_truncation)]
    unsafe {
        *__errno_location() = result.wrapping_neg() as c_int;
    }
    -1
}

/// Maps `length` bytes of fresh zeros.
pub(super) fn map(length: usize, protection: c_int, flags: c_int) -> Option<*mut c_void> {
    // SAFETY: the kernel chooses the address, so nothing existing is touched.
    let address = unsafe { mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
    (address.addr() != usize::MAX).then_some(address)
}

/// Unmaps `length` bytes from `map`.
///
/// # Safety
///
/// No code uses them, now or later.
pub(super) unsafe fn unmap(address: *mut c_void, length: usize) {
    // SAFETY: a whole mapping of `map`, vouched for by the caller. On failure it would stay mapped.
    unsafe { munmap(address, length) };
}

/// Runs `body` without signal handlers on this thread, and preserves `errno`.
pub(super) fn undisturbed<T>(body: impl FnOnce() -> T) -> T {
    let mut all: SignalSet = [0; 16];
    let mut before: SignalSet = [0; 16];
    // SAFETY: errno is the thread's own; both sets are as large as musl's. These calls fail only on
    // bad arguments. musl leaves its three internal signals out of a full set: thread cancellation
    // stays possible, and set*id does not wait for us.
    unsafe {
        let errno = *__errno_location();
        sigfillset(&raw mut all);
        pthread_sigmask(SIG_SETMASK, &raw const all, &raw mut before);
        let result = body();
        pthread_sigmask(SIG_SETMASK, &raw const before, ptr::null_mut());
        *__errno_location() = errno;
        result
    }
}
