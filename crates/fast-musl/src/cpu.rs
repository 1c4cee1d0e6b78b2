//! The processor's features, detected once.
#![cfg(target_arch = "x86_64")]
#![allow(clippy::inline_always, reason = "a call costs as much as a short copy")]

#[cfg(not(miri))]
use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, _xgetbv, CpuidResult};
use core::sync::atomic::{AtomicU8, Ordering};

/// The features were detected.
const KNOWN: u8 = 1;
/// AVX2, and an operating system that saves its registers.
const AVX2: u8 = 2;
/// `rep movsb` and `rep stosb` at the speed of the widest loads and stores, as on Intel.
const STRINGS_OF_INTEL: u8 = 4;
/// The same for long areas, as on AMD from Zen 5 on.
const STRINGS_OF_ZEN_5: u8 = 8;

/// AVX2, and the instructions that count and shift bits (BMI1, BMI2, LZCNT).
const AVX2_AND_BITS: u8 = 16;
/// Fused multiply-add, and an operating system that saves the registers.
const FMA: u8 = 32;
/// SSE4.1, which has instructions for rounding to whole numbers.
const SSE4_1: u8 = 64;
/// AVX-512 (F, BW and VL) on AMD from Zen 5 on, which loads and stores 64 bytes at once. Earlier
/// AMD processors do so in two halves, and some of Intel's lower their frequency for it.
const WIDE_OF_ZEN_5: u8 = 128;

/// From this many bytes on, `rep movsb` is at least as fast as a loop on Zen 5, for all alignments:
/// the loop takes 0.7 to 0.8 of its time at 16 KiB, and 1.0 to 1.7 times as long from there on.
#[cfg(feature = "memory")]
pub(crate) const STRING_COPY_ZEN_5: usize = 32 << 10;
/// The same for `rep stosb`: the loop takes 0.7 of its time at 512 KiB, and 1.15 to 1.5 times as
/// long from there to 8 MiB.
#[cfg(feature = "memory")]
pub(crate) const STRING_FILL_ZEN_5: usize = 1 << 20;

/// Zero until the features are detected. Threads that come at the same time all detect and store
/// the same value, so no ordering is needed.
static FEATURES: AtomicU8 = AtomicU8::new(0);

/// A set of features.
#[derive(Clone, Copy)]
pub(crate) struct Features(u8);

impl Features {
    /// Returns the features known so far: none before detection.
    #[inline(always)]
    pub(crate) fn so_far() -> Self {
        // Miri runs no assembly.
        #[cfg(miri)]
        let known = FEATURES.load(Ordering::Relaxed);
        #[cfg(not(miri))]
        let known = {
            let known: u32;
            // The compiler would first load the byte's address, because it may be in another part
            // of this crate. In a build with debug assertions it would call core, which is not
            // allowed (see `memory`).
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

    /// Returns whether the features were detected.
    #[inline(always)]
    pub(crate) fn are_known(self) -> bool {
        self.0 != 0
    }

    /// Returns the features; `None` before detection.
    #[cfg(any(feature = "strings", feature = "math"))]
    #[inline(always)]
    pub(crate) fn known() -> Option<Self> {
        let features = Self::so_far();
        features.are_known().then_some(features)
    }

    /// Detects the features and stores them.
    #[inline(always)]
    pub(crate) fn ask() -> Self {
        Self(ask())
    }

    /// Returns the features, and detects them if necessary.
    #[cfg(any(feature = "strings", feature = "math"))]
    #[inline(always)]
    pub(crate) fn get() -> Self {
        match Self::known() {
            Some(features) => features,
            None => Self::ask(),
        }
    }

    /// Returns whether AVX2 can be used.
    #[cfg(feature = "memory")]
    #[inline(always)]
    pub(crate) fn avx2(self) -> bool {
        self.0 & AVX2 != 0
    }

    /// Returns whether vectors of 64 bytes can be used and are faster.
    #[cfg(feature = "memory")]
    #[inline(always)]
    pub(crate) fn wide(self) -> bool {
        self.0 & WIDE_OF_ZEN_5 != 0
    }

    /// From this many bytes on, `rep movsb` is at least as fast as a loop, for all alignments.
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

    /// From this many bytes on, `rep stosb` is at least as fast as a loop, for all alignments.
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

    /// Returns whether AVX2, BMI1, BMI2 and LZCNT can be used.
    #[cfg(feature = "strings")]
    #[inline(always)]
    pub(crate) fn avx2_and_bits(self) -> bool {
        self.0 & AVX2_AND_BITS != 0
    }

    /// Returns whether the instructions of FMA3 can be used.
    #[cfg(feature = "math")]
    #[inline(always)]
    pub(crate) fn fma(self) -> bool {
        self.0 & FMA != 0
    }

    /// Returns whether `roundsd` and `roundss` can be used.
    #[cfg(feature = "math")]
    #[inline(always)]
    pub(crate) fn sse4_1(self) -> bool {
        self.0 & SSE4_1 != 0
    }
}

/// From now on the processor counts as one with only the baseline.
pub(crate) fn forget() {
    FEATURES.swap(KNOWN, Ordering::Relaxed);
}

/// From now on the processor counts as one without vectors of 64 bytes.
#[cfg(feature = "memory")]
pub(crate) fn forget_wide() {
    FEATURES.swap(ask() & !WIDE_OF_ZEN_5, Ordering::Relaxed);
}

/// Detects the features. std's macro for this is not in core, and its cache is not ready this
/// early.
///
/// It has C's ABI, which says that it does not unwind, like every function that is called from
/// another module: otherwise a caller with C's ABI would add a call into core for that case.
#[cold]
#[inline(never)]
extern "C" fn ask() -> u8 {
    const BMI1_AND_BMI2: u32 = 1 << 3 | 1 << 8;
    const AVX512_F_BW_VL: u32 = 1 << 16 | 1 << 30 | 1 << 31;
    let mut features = KNOWN;
    // Miri has no `cpuid`, so it runs the baseline.
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
            // Zen 3 and 4 report them as well, but take many times as long as a loop for a copy to
            // an unaligned address (glibc's bug 30994).
            if zen_5 {
                features |= STRINGS_OF_ZEN_5;
            }
        }
    }
    FEATURES.swap(features, Ordering::Relaxed);
    features
}

/// Returns what the processor reports for a leaf, for its first subleaf if there are several.
#[inline(always)]
fn cpuid(leaf: u32) -> CpuidResult {
    #[allow(unused_unsafe, reason = "a safe function in newer releases than 1.88")]
    // SAFETY: every processor that runs this has the instruction.
    unsafe {
        __cpuid_count(leaf, 0)
    }
}

/// Returns the processor's family from its signature, for AMD: 19h is Zen 3 and 4, 1Ah is Zen 5.
fn family(signature: u32) -> u32 {
    let (base, extended) = (signature >> 8 & 0xf, signature >> 20 & 0xff);
    if base == 0xf {
        base.wrapping_add(extended)
    } else {
        base
    }
}

/// Returns whether the processor has LZCNT.
fn has_lzcnt() -> bool {
    const FIRST: u32 = 0x8000_0000;
    cpuid(FIRST).eax > FIRST && cpuid(FIRST + 1).ecx & const { 1 << 5 } != 0
}

/// The registers that the operating system must save, as bits of XCR0: vectors of 16 and 32 bytes.
const YMM: u64 = 0b110;
/// The same for vectors of 64 bytes: all 32 of them, and the mask registers.
const ZMM: u64 = 0b1110_0110;

/// Returns whether the operating system saves these registers on a context switch, given the
/// processor's basic features.
fn system_saves(registers: u64, basic: u32) -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const AVX: u32 = 1 << 28;
    // SAFETY: OSXSAVE says that the system has enabled XSAVE, which includes `xgetbv`.
    basic & OSXSAVE != 0 && basic & AVX != 0 && unsafe { _xgetbv(0) } & registers == registers
}
