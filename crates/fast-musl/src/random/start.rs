//! Runs once, before `main`: finds the vDSO's function and asks what it needs.
//!
//! It is a constructor, because it takes musl's locks (for the key, and for the fork handler). If
//! it ran in the first call instead, a signal handler could make that call while it interrupts the
//! very function that holds such a lock, and wait for itself. Without the constructor (if another
//! one runs earlier, or a linker dropped it) every call is a system call, which is slow but
//! correct.

use core::ffi::{c_int, c_void};
use core::hint::black_box;
use core::{mem, ptr};

use super::states::{self, Function};
use super::{sys, vdso};

#[cfg(target_arch = "x86_64")]
const NAME_AND_VERSION: [&core::ffi::CStr; 2] = [c"__vdso_getrandom", c"LINUX_2.6"];
#[cfg(target_arch = "aarch64")]
const NAME_AND_VERSION: [&core::ffi::CStr; 2] = [c"__kernel_getrandom", c"LINUX_2.6.39"];

/// `struct vgetrandom_opaque_params` of `include/uapi/linux/random.h`.
#[repr(C)]
struct Parameters {
    state_size: u32,
    protection: u32,
    flags: u32,
    reserved: [u32; 13],
}

/// Run by musl before `main`, and before constructors without a number: fork handlers that those
/// register for the child run after ours.
///
/// A crate is an archive, from which linkers take only objects that are referred to, and nothing
/// else refers to this one: code that needs it calls [`keep`].
#[used]
#[unsafe(link_section = ".init_array.00050")]
static START: extern "C-unwind" fn() = start;

/// Makes the linker include the constructor.
pub(super) fn keep() {
    black_box(&START);
}

extern "C-unwind" fn start() {
    let Some(function) = find() else { return };
    let mut parameters = Parameters {
        state_size: 0,
        protection: 0,
        flags: 0,
        reserved: [0; 13],
    };
    // SAFETY: no buffer, no length, no flags and a size of all ones mean the query, which fills in
    // the structure and nothing else.
    let answer = unsafe {
        let parameters = (&raw mut parameters).cast();
        function(ptr::null_mut(), 0, 0, parameters, usize::MAX)
    };
    let page = sys::getauxval(sys::AT_PAGESZ);
    let protection = c_int::try_from(parameters.protection);
    let flags = c_int::try_from(parameters.flags);
    if let (0, Ok(page), Ok(protection), Ok(flags)) =
        (answer, usize::try_from(page), protection, flags)
        && let Some(layout) = states::Layout::new(parameters.state_size, page, protection, flags)
    {
        states::prepare(function, layout);
    }
}

fn find() -> Option<Function> {
    let image = usize::try_from(sys::getauxval(sys::AT_SYSINFO_EHDR)).ok()?;
    let [name, version] = NAME_AND_VERSION;
    // SAFETY: the kernel maps a sound image at this address for the life of the process, or says 0.
    // A function of this name and version has this type, by the kernel's promise of a stable ABI.
    unsafe {
        let address = vdso::find(ptr::with_exposed_provenance(image), name, version)?;
        Some(mem::transmute::<ptr::NonNull<c_void>, Function>(address))
    }
}
