//! When a system call is made, and what happens if it fails.

use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::{fs, io, thread};

use crate::tools::{
    assert_distinct, die, draw, errno, fill, forbid_system_call, in_child, is_isolated, isolated,
    itself, say, states_kib, vdso_answers, wait,
};

unsafe extern "C" {
    fn getentropy(buffer: *mut c_void, length: usize) -> i32;
}

const EPERM: u32 = libc::EPERM.unsigned_abs();
const ENOSYS: u32 = libc::ENOSYS.unsigned_abs();

/// Also shows that libc's name is bound to this crate: musl's own getrandom could not answer.
#[test]
fn the_steady_state_makes_no_system_call() {
    const NAME: &str = "system_calls::the_steady_state_makes_no_system_call";
    if !vdso_answers(NAME) {
        return;
    }
    isolated(NAME, || {
        draw();
        draw();
        forbid_system_call(libc::SECCOMP_RET_ERRNO | EPERM);
        let failed = (0..200_000).filter(|_| fill::<16>(0).1 != 16).count();
        let failed = failed + (0..200).filter(|_| fill::<65_536>(0).1 != 65_536).count();
        // SAFETY: a buffer of 16 bytes. musl's getentropy calls getrandom, which is ours.
        let entropy = unsafe { getentropy([0_u8; 16].as_mut_ptr().cast(), 16) };
        let failed = failed + usize::from(entropy != 0);
        // The vDSO's key comes from the kernel again when the kernel's own is renewed, about once a
        // minute.
        println!("{failed} of 200,201 calls needed the system call");
        assert!(failed <= 1);
    });
}

#[test]
fn a_forbidden_system_call_sets_errno() {
    isolated("system_calls::a_forbidden_system_call_sets_errno", || {
        for error in [ENOSYS, EPERM] {
            draw();
            draw();
            let status = in_child(|| {
                // The fork emptied the state, so its key must come from the kernel.
                forbid_system_call(libc::SECCOMP_RET_ERRNO | error);
                for flags in [0, 1, 2, 4] {
                    let (_, result) = fill::<16>(flags);
                    if result != -1 || errno().unsigned_abs() != error {
                        die("main thread: wrong result or errno");
                    }
                }
                let thread = thread::spawn(|| (fill::<16>(0).1, errno().unsigned_abs()));
                if !thread.join().is_ok_and(|answer| answer == (-1, error)) {
                    die("new thread: wrong result or errno");
                }
                if !maps_have_keys() {
                    die("std's maps have no keys of their own");
                }
            });
            assert_eq!(status, 0);
        }
    });
}

/// Returns whether std's maps still get random keys: std reads them from a file, once per thread,
/// if `getrandom` fails in one of these ways.
fn maps_have_keys() -> bool {
    let hash = || thread::spawn(|| RandomState::new().hash_one(1)).join().ok();
    let (first, second) = (hash(), hash());
    first.is_some() && second.is_some() && first != second
}

/// No state can be mapped: this thread uses the system call from then on, later ones work as usual.
#[test]
fn without_address_space_the_system_call_answers() {
    const NAME: &str = "system_calls::without_address_space_the_system_call_answers";
    isolated(NAME, || {
        let before = states_kib();
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        let kind = libc::RLIMIT_AS;
        // SAFETY: C allows this call.
        assert_eq!(unsafe { libc::getrlimit(kind, &raw mut limit) }, 0);
        let unlimited = limit.rlim_cur;
        let mut limit_to = |bytes| {
            limit.rlim_cur = bytes;
            // SAFETY: C allows this call.
            assert_eq!(unsafe { libc::setrlimit(kind, &raw const limit) }, 0);
        };
        let mut values = [0; 1_000];
        limit_to(0);
        values.fill_with(draw);
        limit_to(unlimited);
        assert_distinct(values.to_vec());
        assert_eq!(states_kib(), before);

        let later = thread::spawn(|| [draw(), draw()]).join().expect("no panic");
        assert_distinct(later.to_vec());
        if vdso_answers(NAME) {
            assert!(states_kib() > before, "the vDSO is not used again");
        }
    });
}

#[test]
fn without_a_vdso_the_system_call_answers() {
    const NAME: &str = "system_calls::without_a_vdso_the_system_call_answers";
    if is_isolated() {
        // SAFETY: reads the auxiliary vector.
        assert_eq!(unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) }, 0);
        let values = (0..1_000).map(|_| draw()).collect();
        assert_distinct(values);
        assert_eq!(states_kib(), 0);
        assert_eq!(fill::<16>(8).1, -1);
        assert_eq!(errno(), libc::EINVAL);
        for error in [EPERM, ENOSYS] {
            // If two filters return errors, the kernel uses the one installed last.
            forbid_system_call(libc::SECCOMP_RET_ERRNO | error);
            let result = (fill::<16>(0).1, errno().unsigned_abs());
            assert_eq!(result, (-1, error));
            assert!(maps_have_keys());
        }
        return;
    }
    let mut command = itself(NAME);
    // SAFETY: the closure makes one system call and nothing else between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    let child = match command.spawn() {
        Ok(child) => i32::try_from(child.id()).expect("process numbers are small"),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return say("\nNOT TESTED: the vDSO hidden: ptrace is forbidden here\n");
        }
        Err(error) => panic!("{error}"),
    };
    // Stopped by exec, before its first instruction.
    let status = wait(child);
    assert!(libc::WIFSTOPPED(status), "{status:#x}");
    hide_vdso(child);
    // SAFETY: it only lets the child continue.
    unsafe { libc::ptrace(libc::PTRACE_DETACH, child, 0, 0) };
    assert_eq!(wait(child), 0);
}

/// Overwrites `AT_SYSINFO_EHDR` in the auxiliary vector on the stack of a process that has not
/// started: the arguments, null, the environment, null, then pairs of type and value.
fn hide_vdso(process: i32) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("/proc is there");
    // proc_pid_stat(5): field 28 is the start of the stack; the second field ends with the last
    // ')'.
    let after_name = stat.rsplit(')').next().expect("a name");
    let field = after_name
        .split_whitespace()
        .nth(28 - 3)
        .expect("28 fields");
    let mut place: u64 = field.parse().expect("an address");
    let memory = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(format!("/proc/{process}/mem"))
        .expect("a tracer may");
    let word = |place| {
        let mut bytes = [0; 8];
        memory.read_exact_at(&mut bytes, place).expect("stack");
        u64::from_ne_bytes(bytes)
    };
    place += 8 * (1 + word(place) + 1);
    while word(place) != 0 {
        place += 8;
    }
    place += 8;
    while word(place) != libc::AT_SYSINFO_EHDR {
        assert_ne!(word(place), libc::AT_NULL, "no vDSO to hide");
        place += 16;
    }
    memory
        .write_all_at(&libc::AT_IGNORE.to_ne_bytes(), place)
        .expect("stack");
}
