//! Functions that several tests use.

use std::ffi::c_void;
use std::process::Command;
use std::{env, fs, io, mem, ptr};

use crate::vdso;

/// Returns the bytes and the result of libc's `getrandom` for a buffer of `N` bytes.
pub(crate) fn fill<const N: usize>(flags: u32) -> ([u8; N], isize) {
    let mut bytes = [0; N];
    // SAFETY: the buffer has `N` bytes.
    let result = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, flags) };
    (bytes, result)
}

/// One value of 16 bytes. Safe in signal handlers, except that it does not return on failure.
pub(crate) fn draw() -> u128 {
    let (bytes, result) = fill::<16>(0);
    if result != 16 {
        die("getrandom failed");
    }
    u128::from_ne_bytes(bytes)
}

pub(crate) fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Ends the process with a message, without locks or allocation.
pub(crate) fn die(why: &str) -> ! {
    say(why);
    say("\n");
    // SAFETY: ends the process.
    unsafe { libc::_exit(101) }
}

/// Writes to standard error past the test harness, which hides the output of passing tests.
pub(crate) fn say(what: &str) {
    // SAFETY: the text is valid for its length.
    unsafe { libc::write(2, what.as_ptr().cast(), what.len()) };
}

/// Returns whether the kernel has the vDSO's function. Prints a note if not, because the test then
/// shows little.
pub(crate) fn vdso_answers(test: &str) -> bool {
    let found = kernel_has_it();
    if !found {
        say(&format!(
            "\nNOT TESTED: {test}: this kernel's vDSO has no getrandom (Linux 6.11 has)\n"
        ));
    }
    found
}

fn kernel_has_it() -> bool {
    let (name, version) = if cfg!(target_arch = "x86_64") {
        (c"__vdso_getrandom", c"LINUX_2.6")
    } else {
        (c"__kernel_getrandom", c"LINUX_2.6.39")
    };
    // SAFETY: the kernel's own image, or 0.
    unsafe {
        let image = libc::getauxval(libc::AT_SYSINFO_EHDR);
        vdso::find(
            ptr::with_exposed_provenance(usize::try_from(image).expect("an address")),
            name,
            version,
        )
        .is_some()
    }
}

const ISOLATED: &str = "FAST_MUSL_TEST_ISOLATED";

/// Runs `body` in a new process, which runs the test with this name (with its path).
pub(crate) fn isolated(test: &str, body: fn()) {
    if env::var_os(ISOLATED).is_some() {
        return body();
    }
    let status = itself(test).status().expect("the test runs itself");
    assert!(status.success(), "{test}: {status}");
}

/// The command for [`isolated`]. An emulator cannot run other programs directly: the variable names
/// it.
pub(crate) fn itself(test: &str) -> Command {
    let program = env::current_exe().expect("a test has a path");
    let mut command = if let Some(emulator) = env::var_os("FAST_MUSL_TEST_EMULATOR") {
        let mut command = Command::new(emulator);
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ISOLATED, "1");
    command
}

pub(crate) fn is_isolated() -> bool {
    env::var_os(ISOLATED).is_some()
}

/// Fails if a value occurs twice.
pub(crate) fn assert_distinct<T: Ord + std::fmt::Debug>(mut values: Vec<T>) {
    values.sort_unstable();
    for pair in values.windows(2) {
        assert_ne!(pair[0], pair[1], "drawn twice");
    }
}

/// KiB of droppable mappings, which only hold the vDSO's states in these programs.
pub(crate) fn states_kib() -> usize {
    let text = fs::read_to_string("/proc/self/smaps").expect("/proc is there");
    let mut size = 0;
    let mut sum = 0;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Size:") {
            size = rest.trim().trim_end_matches(" kB").parse().expect("KiB");
        } else if line.starts_with("VmFlags:") && line.split(' ').any(|flag| flag == "dp") {
            sum += size;
        }
    }
    sum
}

/// Forks, runs `body` in the child with a limit of 20 s, and returns the child's wait status.
pub(crate) fn in_child(body: impl FnOnce()) -> i32 {
    // SAFETY: musl lets children of threaded programs allocate; `body` states what else it needs.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork: {}", io::Error::last_os_error());
    if child == 0 {
        // SAFETY: an alarm, whose default ends the process, and the exit.
        unsafe {
            libc::alarm(20);
            body();
            libc::_exit(0);
        }
    }
    wait(child)
}

/// Runs `body` in a new thread to its end. In the child of a threaded program, std's own threads
/// may wait for a lock of std that was held at the fork; libc's do not.
pub(crate) fn in_thread_of_libc<F: FnOnce() + Send>(body: F) {
    extern "C" fn start<F: FnOnce()>(body: *mut c_void) -> *mut c_void {
        // SAFETY: the closure below, which no other code takes.
        if let Some(body) = unsafe { (*body.cast::<Option<F>>()).take() } {
            body();
        }
        ptr::null_mut()
    }
    let mut body = Some(body);
    // SAFETY: `body` outlives the thread, which is joined; the attributes are the defaults.
    unsafe {
        let mut thread = mem::zeroed();
        let argument = (&raw mut body).cast();
        if libc::pthread_create(&raw mut thread, ptr::null(), start::<F>, argument) != 0
            || libc::pthread_join(thread, ptr::null_mut()) != 0
        {
            die("no thread");
        }
    }
}

/// Returns the wait status of `child`.
pub(crate) fn wait(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: `child` is a child of ours, and there is room for its status.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {
        assert_eq!(errno(), libc::EINTR);
    }
    status
}

/// Returns memory that children share with their parents: `count` values, zero at first.
pub(crate) fn shared(count: usize) -> &'static mut [u128] {
    // SAFETY: a fresh mapping that is never unmapped; zeros are values.
    unsafe {
        let address = libc::mmap(
            ptr::null_mut(),
            count * size_of::<u128>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        assert_ne!(address, libc::MAP_FAILED);
        std::slice::from_raw_parts_mut(address.cast(), count)
    }
}

/// From now on the system call `getrandom` has this seccomp action, for this thread and what it
/// starts. `SECCOMP_RET_USER_NOTIF` makes it wait for an answer that never comes.
pub(crate) fn forbid_system_call(action: u32) {
    let load_number = statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0);
    let number = u32::try_from(libc::SYS_getrandom).expect("a small number");
    let skip_unless_getrandom = libc::sock_filter {
        jf: 1,
        ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number)
    };
    let mut filter = [
        load_number,
        skip_unless_getrandom,
        statement(libc::BPF_RET | libc::BPF_K, action),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: 4,
        filter: filter.as_mut_ptr(),
    };
    let flags = if action == libc::SECCOMP_RET_USER_NOTIF {
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER
    } else {
        0
    };
    // SAFETY: the filter lives until the kernel has copied it.
    let result = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        libc::syscall(libc::SYS_seccomp, mode, flags, &raw const program)
    };
    assert!(result >= 0, "seccomp: {}", io::Error::last_os_error());
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: u16::try_from(code).expect("codes have 16 bits"),
        jt: 0,
        jf: 0,
        k,
    }
}
