//! Finds a function in the vDSO, the small ELF image that the kernel maps into every process.
//!
//! Sources: the kernel's `Documentation/ABI/stable/vdso` (functions are found by name and version
//! through the dynamic section), the ELF specification, and the GNU extensions for `DT_GNU_HASH`
//! and symbol versions. Kernels have shipped either hash table or both; the tables are only read
//! for the number of symbols, of which there are about a dozen.

use core::ffi::{CStr, c_void};
use core::ptr::NonNull;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;

const DT_NULL: u64 = 0;
const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_GNU_HASH: u64 = 0x6fff_fef5;
const DT_VERSYM: u64 = 0x6fff_fff0;
const DT_VERDEF: u64 = 0x6fff_fffc;

/// The bit of a symbol's version that hides it from programs linked without one.
const VERSION_HIDDEN: u16 = 0x8000;

const STT_NOTYPE: u8 = 0;
const STT_FUNC: u8 = 2;
const STB_LOCAL: u8 = 0;

#[repr(C)]
struct Header {
    ident: [u8; 16],
    kind: u16,
    machine: u16,
    version: u32,
    entry: u64,
    segments: u64,
    sections: u64,
    flags: u32,
    size: u16,
    segment_size: u16,
    segment_count: u16,
}

#[repr(C)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
}

#[repr(C)]
struct Dynamic {
    tag: u64,
    value: u64,
}

#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

#[repr(C)]
struct VersionDefinition {
    revision: u16,
    flags: u16,
    index: u16,
    names: u16,
    hash: u32,
    first_name: u32,
    next: u32,
}

/// The tables of an image, as pointers into it; null for those that it does not have.
struct Tables {
    strings: *const u8,
    symbols: *const Symbol,
    hash: *const u32,
    gnu_hash: *const u32,
    versions: *const u16,
    definitions: *const u8,
}

/// Returns the address of function `name`, of this `version` if the image has versions.
///
/// # Safety
///
/// `image` is null or a complete 64-bit ELF image of this machine's byte order as the kernel
/// maps it: readable for as long as the result is used, aligned to 8 bytes, its tables sound.
pub(super) unsafe fn find(
    image: *const u8,
    name: &CStr,
    version: &CStr,
) -> Option<NonNull<c_void>> {
    if image.is_null() {
        return None;
    }
    // SAFETY: all code below follows offsets from the image itself, which the caller vouches for;
    // the functions called have no other requirement.
    unsafe {
        let (bias, dynamic) = segments(image)?;
        let tables = Tables::new(bias, dynamic)?;
        let wanted = tables.version(version);
        (0..tables.count()).find_map(|index| {
            let symbol = &*tables.symbols.add(index);
            (symbol.is_function()
                && is(tables.strings.add(symbol.name as usize), name)
                && wanted
                    .is_none_or(|wanted| *tables.versions.add(index) & !VERSION_HIDDEN == wanted))
            .then(|| NonNull::new(at::<c_void>(bias, symbol.value).cast_mut()))?
        })
    }
}

/// Returns the base of the image's addresses, and its dynamic section.
///
/// # Safety
///
/// As [`find`], and `image` is not null.
unsafe fn segments(image: *const u8) -> Option<(*const u8, *const Dynamic)> {
    // SAFETY: the header and the segments that it lists lie in the image, aligned as ELF requires.
    unsafe {
        let header = &*at::<Header>(image, 0);
        let mut bias = None;
        let mut dynamic = None;
        for index in 0..u64::from(header.segment_count) {
            let before = index.wrapping_mul(u64::from(header.segment_size));
            let segment = &*at::<Segment>(image, header.segments.wrapping_add(before));
            match segment.kind {
                PT_LOAD if bias.is_none() => {
                    bias = Some(at(image, segment.offset.wrapping_sub(segment.address)));
                }
                PT_DYNAMIC => dynamic = Some(at(image, segment.offset)),
                _ => {}
            }
        }
        Some((bias?, dynamic?))
    }
}

/// `base` plus `offset`, modulo the address space.
// The images are in memory, so offsets are as wide as addresses; alignment is ELF's.
#[allow(clippy::cast_possible_truncation, clippy::cast_ptr_alignment)]
fn at<T>(base: *const u8, offset: u64) -> *const T {
    base.wrapping_add(offset as usize).cast()
}

/// Returns whether the zero-terminated text at `text` equals `name`.
///
/// # Safety
///
/// The text has a terminating zero.
unsafe fn is(mut text: *const u8, name: &CStr) -> bool {
    // Not as a slice: with debug assertions, core checks that it has at least one byte.
    let mut name = name.as_ptr().cast::<u8>();
    loop {
        // SAFETY: up to here the text equals the name, and neither has ended.
        let (found, wanted) = unsafe { (*text, *name) };
        if found != wanted {
            return false;
        }
        if wanted == 0 {
            return true;
        }
        text = text.wrapping_add(1);
        name = name.wrapping_add(1);
    }
}

impl Symbol {
    fn is_function(&self) -> bool {
        self.section != 0
            && self.info >> 4 != STB_LOCAL
            && matches!(self.info & 0xf, STT_NOTYPE | STT_FUNC)
    }
}

impl Tables {
    /// `None` without names, symbols, or a way to count them.
    ///
    /// # Safety
    ///
    /// `dynamic` is the dynamic section of a sound image, `bias` the base of its addresses.
    unsafe fn new(bias: *const u8, mut dynamic: *const Dynamic) -> Option<Self> {
        let null = core::ptr::null();
        let mut tables = Self {
            strings: null,
            symbols: null.cast(),
            hash: null.cast(),
            gnu_hash: null.cast(),
            versions: null.cast(),
            definitions: null,
        };
        // SAFETY: the section ends with DT_NULL, and not before.
        while let Dynamic { tag, value } = unsafe { &*dynamic }
            && *tag != DT_NULL
        {
            match *tag {
                DT_STRTAB => tables.strings = at(bias, *value),
                DT_SYMTAB => tables.symbols = at(bias, *value),
                DT_HASH => tables.hash = at(bias, *value),
                DT_GNU_HASH => tables.gnu_hash = at(bias, *value),
                DT_VERSYM => tables.versions = at(bias, *value),
                DT_VERDEF => tables.definitions = at(bias, *value),
                _ => {}
            }
            dynamic = dynamic.wrapping_add(1);
        }
        let uncounted = tables.hash.is_null() && tables.gnu_hash.is_null();
        let unusable = tables.strings.is_null() || tables.symbols.is_null() || uncounted;
        (!unusable).then_some(tables)
    }

    /// Returns the number of symbols in the hash tables.
    ///
    /// # Safety
    ///
    /// The tables are sound.
    unsafe fn count(&self) -> usize {
        // SAFETY: both layouts are fixed by their specifications.
        unsafe {
            if !self.hash.is_null() {
                // Number of buckets, number of chain entries; there is one chain entry per symbol.
                return *self.hash.add(1) as usize;
            }
            // Number of buckets, index of the first hashed symbol, number of 64-bit filter words, a
            // shift; then the filter, the buckets, and one chain entry per hashed symbol.
            let word = |index| *self.gnu_hash.add(index) as usize;
            let (buckets, first, filter) = (word(0), word(1), word(2));
            let bucket = self.gnu_hash.add(4).add(filter).add(filter);
            let chain = bucket.add(buckets);
            let last = (0..buckets).map(|index| *bucket.add(index) as usize).max();
            // Buckets hold the first symbol of their run; the run's last entry has the lowest bit
            // set.
            let Some(mut last) = last.filter(|&last| last >= first) else {
                return 0;
            };
            while *chain.add(last.wrapping_sub(first)) & 1 == 0 {
                last = last.wrapping_add(1);
            }
            last.wrapping_add(1)
        }
    }

    /// Returns the index that marks symbols of version `name`. `None` if the image has no versions,
    /// an index that marks no symbol if it has only other versions.
    ///
    /// # Safety
    ///
    /// The tables are sound.
    unsafe fn version(&self, name: &CStr) -> Option<u16> {
        if self.versions.is_null() || self.definitions.is_null() {
            return None;
        }
        let mut place = self.definitions;
        loop {
            // SAFETY: each definition leads to its name and to the next one until `next` is 0.
            unsafe {
                let definition = &*at::<VersionDefinition>(place, 0);
                let text = *at::<u32>(place, u64::from(definition.first_name));
                if is(self.strings.add(text as usize), name) {
                    return Some(definition.index & !VERSION_HIDDEN);
                }
                if definition.next == 0 {
                    return Some(VERSION_HIDDEN);
                }
                place = place.add(definition.next as usize);
            }
        }
    }
}
