//! Finds a function in images with different tables.

use std::ffi::CStr;

use crate::vdso;

const NAME: &CStr = c"wanted";
const VERSION: &CStr = c"V_1";

/// Which tables an image has.
#[derive(Clone, Copy)]
struct Make {
    hash: bool,
    gnu_hash: bool,
    versions: bool,
    /// The address that the image was linked for; the kernel maps it elsewhere.
    linked_at: u64,
}

const ALL: Make = Make {
    hash: true,
    gnu_hash: true,
    versions: true,
    linked_at: 0,
};

/// The function's offset in the image.
const FUNCTION: u64 = 0x40;

/// Returns an ELF image with these symbols: none, `other` (of `V_1`), `wanted` (of `V_1`, at
/// `FUNCTION`), `late` (of `V_2`), `missing` (undefined). In 8-byte words, so it is aligned.
fn image(make: Make) -> Vec<u64> {
    const TABLES: usize = 0x200;
    let strings = b"\0other\0wanted\0late\0missing\0V_1\0V_2\0base\0";
    let text = |name: &str| -> u32 {
        let place = strings
            .windows(name.len())
            .position(|part| part == name.as_bytes());
        u32::try_from(place.expect("known")).expect("small")
    };
    let mut bytes = vec![0_u8; TABLES];
    let mut dynamic: Vec<(u64, u64)> = Vec::new();
    let mut table = |bytes: &mut Vec<u8>, tag: u64, contents: &[u8]| {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        dynamic.push((tag, make.linked_at + bytes.len() as u64));
        bytes.extend_from_slice(contents);
    };

    table(&mut bytes, 5, strings);
    let mut symbols = vec![0_u8; 24];
    let functions = [
        ("other", 1, 0x20),
        ("wanted", 1, FUNCTION),
        ("late", 1, 0x60),
        ("missing", 0, 0),
    ];
    for (name, section, offset) in functions {
        symbols.extend(text(name).to_ne_bytes());
        symbols.extend([0x12, 0]); // global function
        symbols.extend(u16::to_ne_bytes(section));
        symbols.extend(u64::to_ne_bytes(make.linked_at + offset));
        symbols.extend([0; 8]);
    }
    table(&mut bytes, 6, &symbols);
    if make.hash {
        table(&mut bytes, 4, &words(&[1, 5, 1, 0, 2, 3, 4, 0]));
    }
    if make.gnu_hash {
        // Two buckets, symbols from 1, two filter words; one bucket is empty, one holds all
        // symbols. Only the ends of the chains matter here.
        table(
            &mut bytes,
            0x6fff_fef5,
            &words(&[2, 1, 2, 6, 0, 0, 0, 0, 0, 1, 0x10, 0x20, 0x30, 0x41]),
        );
    }
    if make.versions {
        let indices: [u16; 5] = [0, 2, 2, 0x8003, 2];
        table(
            &mut bytes,
            0x6fff_fff0,
            &indices.map(u16::to_ne_bytes).concat(),
        );
        let mut definitions = Vec::new();
        for (index, name, next) in [(1_u16, "base", 28), (2, "V_1", 28), (3, "V_2", 0_u32)] {
            definitions.extend([1_u16, 0, index, 1].map(u16::to_ne_bytes).concat());
            definitions.extend(words(&[0, 20, next, text(name), 0]));
        }
        table(&mut bytes, 0x6fff_fffc, &definitions);
    }
    dynamic.push((0, 0));

    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let dynamic_at = bytes.len() as u64;
    for (tag, value) in dynamic {
        bytes.extend(tag.to_ne_bytes());
        bytes.extend(value.to_ne_bytes());
    }
    // The header: two segments of 56 bytes each, at 0x100.
    bytes[32..40].copy_from_slice(&0x100_u64.to_ne_bytes());
    bytes[54..58].copy_from_slice(&[56_u16, 2].map(u16::to_ne_bytes).concat());
    for (place, kind, offset) in [(0x100, 1_u32, 0), (0x138, 2, dynamic_at)] {
        bytes[place..place + 4].copy_from_slice(&kind.to_ne_bytes());
        bytes[place + 8..place + 16].copy_from_slice(&offset.to_ne_bytes());
        bytes[place + 16..place + 24].copy_from_slice(&(make.linked_at + offset).to_ne_bytes());
    }
    bytes
        .chunks(8)
        .map(|word| u64::from_ne_bytes(word.try_into().expect("8")))
        .collect()
}

fn words(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
}

/// Returns the offset of the function found.
fn offset(make: Make, name: &CStr, version: &CStr) -> Option<usize> {
    let image = image(make);
    let start = image.as_ptr().cast::<u8>();
    // SAFETY: a sound image, see above.
    let found = unsafe { vdso::find(start, name, version) }?;
    Some(found.addr().get() - start.addr())
}

#[test]
fn either_hash_table_will_do() {
    let expected = usize::try_from(FUNCTION).ok();
    for (hash, gnu_hash) in [(true, true), (true, false), (false, true)] {
        for versions in [true, false] {
            for linked_at in [0, 0xffff_ffff_ff70_0000] {
                let make = Make {
                    hash,
                    gnu_hash,
                    versions,
                    linked_at,
                };
                assert_eq!(offset(make, NAME, VERSION), expected);
                assert_eq!(offset(make, c"late", c"V_2"), Some(0x60));
                assert_eq!(offset(make, c"missing", VERSION), None);
                assert_eq!(offset(make, c"want", VERSION), None);
                assert_eq!(offset(make, c"wanted2", VERSION), None);
            }
        }
    }
    assert_eq!(
        offset(
            Make {
                hash: false,
                gnu_hash: false,
                ..ALL
            },
            NAME,
            VERSION
        ),
        None
    );
}

#[test]
fn the_version_counts_where_there_are_versions() {
    assert_eq!(offset(ALL, NAME, c"V_2"), None);
    assert_eq!(offset(ALL, NAME, c"V_3"), None);
    let expected = usize::try_from(FUNCTION).ok();
    assert_eq!(
        offset(
            Make {
                versions: false,
                ..ALL
            },
            NAME,
            c"V_3"
        ),
        expected
    );
}

#[test]
fn no_image_no_function() {
    // SAFETY: null is allowed.
    assert!(unsafe { vdso::find(std::ptr::null(), NAME, VERSION) }.is_none());
}

#[test]
fn the_kernels_own_image_has_its_oldest_function() {
    let (name, version) = if cfg!(target_arch = "x86_64") {
        (c"__vdso_clock_gettime", c"LINUX_2.6")
    } else {
        (c"__kernel_clock_gettime", c"LINUX_2.6.39")
    };
    // SAFETY: the kernel's own image, or 0.
    unsafe {
        let image = usize::try_from(libc::getauxval(libc::AT_SYSINFO_EHDR)).expect("an address");
        let image = std::ptr::with_exposed_provenance(image);
        assert_eq!(vdso::find(image, name, version).is_some(), !image.is_null());
        assert!(vdso::find(image, name, c"LINUX_9").is_none());
    }
}
