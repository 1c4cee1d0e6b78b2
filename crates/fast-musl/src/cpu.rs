//! What the processor can do, asked once.
#![cfg(target_arch = "x86_64")]
#![allow(clippy::inline_always, reason = "a call costs as much as a short copy")]

#[cfg(not(miri))]
use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, _xgetbv, CpuidResult};
use core::sync::atomic::{AtomicU8, Ordering};

/// The processor was asked.
const KNOWN: u8 = 1;
/// AVX2, and an operating system that saves its registers.
const AVX2: u8 = 2;
/// `rep movsb` and `rep stosb` at the speed of the widest loads and stores, as on Intel.
const STRINGS_OF_INTEL: u8 = 4;
/// The same for long areas, as on AMD from Zen 5 on.
const STRINGS_OF_ZEN_5: u8 = 8;

/// AVX2, and the instructions that count and shift bits (BMI1, BMI2, LZCNT).
const AVX2_AND_BITS: u8 = 16;
/// Products and sums with one rounding, and an operating system that saves the registers.
const FMA: u8 = 32;
/// SSE4.1, which rounds to whole numbers.
const SSE4_1: u8 = 64;
/// AVX-512 (F, BW and VL) on AMD from Zen 5 on, where 64 bytes are loaded and stored at once. Earlier
/// processors of AMD do so in two halves, and some of Intel's take a lower frequency for it.
const WIDE_OF_ZEN_5: u8 = 128;

/// From how many bytes on `rep movsb` is at least as fast as a loop on Zen 5, for all alignments: the
/// loop takes 0.7 to 0.8 of its time at 16 KiB, and 1.0 to 1.7 times as long from there.
#[cfg(feature = "memory")]
pub(crate) const STRING_COPY_ZEN_5: usize = 32 << 10;
/// The same for `rep stosb`: the loop takes 0.7 of its time at 512 KiB, and 1.15 to 1.5 times as long
/// from there to 8 MiB.
#[cfg(feature = "memory")]
pub(crate) const STRING_FILL_ZEN_5: usize = 1 << 20;

/// Zero until the processor was asked. Threads that come at the same time all ask and all store the
/// same, so that no order is needed.
static FEATURES: AtomicU8 = AtomicU8::new(0);

/// A set of features.
#[derive(Clone, Copy)]
pub(crate) struct Features(u8);

impl Features {
    /// What this processor has as far as it is known: nothing before it was asked.
    #[inline(always)]
    pub(crate) fn so_far() -> Self {
        // Miri runs no assembly.
        #[cfg(miri)]
        let known = FEATURES.load(Ordering::Relaxed);
        #[cfg(not(miri))]
        let known = {
            let known: u32;
            // The compiler would first load the address of the byte, as it may lie in another part of
            // this crate, and in a build with debug assertions it would call core, which must not be
            // (see `memory`).
            // SAFETY: the byte is in the same executable, and changes from zero to its value only.
            unsafe {
                asm!(
                    "movzx {known:e}, byte ptr [rip + {features}]",
                    known = out(reg) known,
                    features = sym FEATURES,
                    options(pure, readonly, nostack, preserves_flags)
                );
            }
            known.to_le_bytes()[0]
        };
        Self(known)
    }

    /// Whether the processor was asked.
    #[inline(always)]
    pub(crate) fn are_known(self) -> bool {
        self.0 != 0
    }

    /// What this processor has; `None` before it was asked.
    #[cfg(any(feature = "strings", feature = "math"))]
    #[inline(always)]
    pub(crate) fn known() -> Option<Self> {
        let features = Self::so_far();
        features.are_known().then_some(features)
    }

    /// Asks the processor, so that it is known.
    #[inline(always)]
    pub(crate) fn ask() -> Self {
        Self(ask())
    }

    /// What this processor has, asked if need be.
    #[cfg(any(feature = "strings", feature = "math"))]
    #[inline(always)]
    pub(crate) fn get() -> Self {
        match Self::known() {
            Some(features) => features,
            None => Self::ask(),
        }
    }

    /// Whether AVX2 can be used.
    #[cfg(feature = "memory")]
    #[inline(always)]
    pub(crate) fn avx2(self) -> bool {
        self.0 & AVX2 != 0
    }

    /// Whether vectors of 64 bytes can be used, and pay.
    #[cfg(feature = "memory")]
    #[inline(always)]
    pub(crate) fn wide(self) -> bool {
        self.0 & WIDE_OF_ZEN_5 != 0
    }

    /// From how many bytes on `rep movsb` is at least as fast as a loop, for all alignments.
    ///
    /// Measured on Sapphire Rapids: equal at 4 KiB, a third faster at 8 KiB.
    #[cfg(feature = "memory")]
    #[inline(always)]
    pub(crate) fn string_copy(self) -> usize {
        if self.0 & STRINGS_OF_INTEL != 0 {
            4 << 10
        } else if self.0 & STRINGS_OF_ZEN_5 != 0 {
            STRING_COPY_ZEN_5
        } else {
            usize::MAX
        }
    }

    /// From how many bytes on `rep stosb` is at least as fast as a loop, for all alignments.
    ///
    /// Measured on Sapphire Rapids.
    #[cfg(feature = "memory")]
    #[inline(always)]
    pub(crate) fn string_fill(self) -> usize {
        if self.0 & STRINGS_OF_INTEL != 0 {
            3 << 10
        } else if self.0 & STRINGS_OF_ZEN_5 != 0 {
            STRING_FILL_ZEN_5
        } else {
            usize::MAX
        }
    }

    /// Whether AVX2, BMI1, BMI2 and LZCNT can be used.
    #[cfg(feature = "strings")]
    #[inline(always)]
    pub(crate) fn avx2_and_bits(self) -> bool {
        self.0 & AVX2_AND_BITS != 0
    }

    /// Whether the instructions of FMA3 can be used.
    #[cfg(feature = "math")]
    #[inline(always)]
    pub(crate) fn fma(self) -> bool {
        self.0 & FMA != 0
    }

    /// Whether `roundsd` and `roundss` can be used.
    #[cfg(feature = "math")]
    #[inline(always)]
    pub(crate) fn sse4_1(self) -> bool {
        self.0 & SSE4_1 != 0
    }
}

/// From now on the processor counts as one that has the baseline alone.
pub(crate) fn forget() {
    FEATURES.swap(KNOWN, Ordering::Relaxed);
}

/// From now on the processor counts as one that has no vectors of 64 bytes.
#[cfg(feature = "memory")]
pub(crate) fn forget_wide() {
    FEATURES.swap(ask() & !WIDE_OF_ZEN_5, Ordering::Relaxed);
}

/// Asks the processor. std's macro for this is not in core, and its cache is not ready this early.
///
/// It has C's ABI, which says that it does not unwind, like every function that is called from another
/// module: a caller with C's ABI would else prepare for that by a call into core.
#[cold]
#[inline(never)]
extern "C" fn ask() -> u8 {
    const BMI1_AND_BMI2: u32 = 1 << 3 | 1 << 8;
    const AVX512_F_BW_VL: u32 = 1 << 16 | 1 << 30 | 1 << 31;
    let mut features = KNOWN;
    // Miri has no `cpuid`. Under it, the baseline runs.
    let about = if cfg!(miri) { None } else { Some(cpuid(0)) };
    if let Some(about) = about
        && about.eax >= 7
    {
        let (basic, extended) = (cpuid(1), cpuid(7));
        if basic.ecx & const { 1 << 19 } != 0 {
            features |= SSE4_1;
        }
        if basic.ecx & const { 1 << 12 } != 0 && system_saves(YMM, basic.ecx) {
            features |= FMA;
        }
        if extended.ebx & const { 1 << 5 } != 0 && system_saves(YMM, basic.ecx) {
            features |= AVX2;
            if extended.ebx & BMI1_AND_BMI2 == BMI1_AND_BMI2 && has_lzcnt() {
                features |= AVX2_AND_BITS;
            }
        }
        let zen_5 =
            about.ebx == const { u32::from_le_bytes(*b"Auth") } && family(basic.eax) >= 0x1a;
        if zen_5 && extended.ebx & AVX512_F_BW_VL == AVX512_F_BW_VL && system_saves(ZMM, basic.ecx)
        {
            features |= WIDE_OF_ZEN_5;
        }
        if extended.ebx & const { 1 << 9 } != 0 {
            if about.ebx == const { u32::from_le_bytes(*b"Genu") } {
                features |= STRINGS_OF_INTEL;
            }
            // Zen 3 and 4 say that they have them as well, but take many times as long as a loop for
            // a copy to an address that is not aligned (glibc's bug 30994).
            if zen_5 {
                features |= STRINGS_OF_ZEN_5;
            }
        }
    }
    FEATURES.swap(features, Ordering::Relaxed);
    features
}

/// What the processor says of itself under a number, and in its first part where it has several.
#[inline(always)]
fn cpuid(leaf: u32) -> CpuidResult {
    #[allow(unused_unsafe, reason = "a safe function in newer releases than 1.88")]
    // SAFETY: every processor that runs this has the instruction.
    unsafe {
        __cpuid_count(leaf, 0)
    }
}

/// The processor's family of its signature, for AMD: 19h is Zen 3 and 4, 1Ah is Zen 5.
fn family(signature: u32) -> u32 {
    let (base, extended) = (signature >> 8 & 0xf, signature >> 20 & 0xff);
    if base == 0xf {
        base.wrapping_add(extended)
    } else {
        base
    }
}

/// Whether leading zeros can be counted.
fn has_lzcnt() -> bool {
    const FIRST: u32 = 0x8000_0000;
    cpuid(FIRST).eax > FIRST && cpuid(FIRST + 1).ecx & const { 1 << 5 } != 0
}

/// The registers that the operating system saves, as bits of XCR0: the vectors of 16 and 32 bytes.
const YMM: u64 = 0b110;
/// Those of 64 bytes, all 32 of them, and the masks as well.
const ZMM: u64 = 0b1110_0110;

/// Whether the operating system keeps these registers over a switch, by the processor's basic
/// features.
fn system_saves(registers: u64, basic: u32) -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const AVX: u32 = 1 << 28;
    // SAFETY: OSXSAVE says that the system has turned on XSAVE, with which `xgetbv` comes.
    basic & OSXSAVE != 0 && basic & AVX != 0 && unsafe { _xgetbv(0) } & registers == registers
}
