//! What the processor can do, asked once.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering};

/// The processor was asked.
const KNOWN: u8 = 1;
/// AVX2, and an operating system that saves its registers.
const AVX2: u8 = 2;
/// `rep movsb` and `rep stosb` at the speed of the widest loads and stores, for all alignments.
const FAST_STRINGS: u8 = 4;

/// Zero until the processor was asked. Threads that come at the same time all ask and all store the
/// same, so that no order is needed.
static FEATURES: AtomicU8 = AtomicU8::new(0);

/// A set of features.
#[derive(Clone, Copy)]
pub(super) struct Features(u8);

impl Features {
    /// What this processor has.
    #[inline(always)]
    pub(super) fn get() -> Self {
        #[cfg(not(debug_assertions))]
        let known = FEATURES.load(Ordering::Relaxed);
        // Unless optimised, `load` refers to core, which must not be (see `memory`).
        #[cfg(debug_assertions)]
        let known = FEATURES.fetch_or(0, Ordering::Relaxed);
        Self(if known == 0 { ask() } else { known })
    }

    /// Whether AVX2 can be used.
    #[inline(always)]
    pub(super) fn avx2(self) -> bool {
        self.0 & AVX2 != 0
    }

    /// Whether string instructions are fast.
    #[inline(always)]
    pub(super) fn fast_strings(self) -> bool {
        self.0 & FAST_STRINGS != 0
    }
}

/// Asks the processor. std's macro for this is not in core, and its cache is not ready this early.
#[cold]
#[inline(never)]
extern "C" fn ask() -> u8 {
    let mut features = KNOWN;
    // Miri has no `cpuid`. Under it, the baseline runs.
    let about = if cfg!(miri) { None } else { Some(__cpuid(0)) };
    if let Some(about) = about
        && about.eax >= 7
    {
        let extended = __cpuid_count(7, 0);
        if extended.ebx & const { 1 << 5 } != 0 && system_saves_ymm() {
            features |= AVX2;
        }
        // AMD says the same of processors on which a copy to an address that is not aligned takes
        // many times as long as a loop (glibc's bug 30994), so that only Intel's word counts.
        if extended.ebx & const { 1 << 9 } != 0 && about.ebx == u32::from_le_bytes(*b"Genu") {
            features |= FAST_STRINGS;
        }
    }
    FEATURES.swap(features, Ordering::Relaxed);
    features
}

/// Whether the operating system keeps the upper halves of the vector registers over a switch.
fn system_saves_ymm() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const AVX: u32 = 1 << 28;
    const XMM_AND_YMM: u64 = 0b110;
    let basic = __cpuid(1).ecx;
    // SAFETY: OSXSAVE says that the system has turned on XSAVE, with which `xgetbv` comes.
    basic & OSXSAVE != 0 && basic & AVX != 0 && unsafe { _xgetbv(0) } & XMM_AND_YMM == XMM_AND_YMM
}
