//! The machine code of stock musl's routines, which identifies them in a stripped file.
//!
//! The code is from the `libc.a` that rustc ships for its musl targets: musl 1.2.3 up to Rust 1.92,
//! musl 1.2.5 from Rust 1.93 on. The memory routines are assembly (on `aarch64` all except
//! `memmove`), so every musl of these years has the same bytes. The others depend on the compiler.
//! A test compares all of them with the toolchain's `libc.a`.
//!
//! Other code does not contain these sequences by chance: the shortest, `memmove` for `x86_64`, has
//! 33 known bytes.

use std::sync::LazyLock;

use memchr::memmem;
use object::elf;

use crate::elf::Elf;

/// A sequence of musl's machine code.
#[derive(Debug)]
#[non_exhaustive]
pub struct Signature {
    /// The routine that it belongs to.
    pub routine: &'static str,
    /// The processor architecture.
    pub machine: elf::Machine,
    /// The musl versions that have it, as shipped with rustc.
    pub versions: &'static [&'static str],
    /// The member of libc.a that contains it.
    pub member: &'static str,
    /// The function that it is part of.
    pub symbol: &'static str,
    /// Its offset in that function.
    pub offset: usize,
    /// The bytes in hexadecimal, `??` where the linker writes an address.
    pub code: &'static str,
}

/// The bytes of a signature; `None` matches any byte.
type Pattern = Vec<Option<u8>>;

impl Signature {
    /// Returns the bytes; `None` matches any byte.
    ///
    /// # Panics
    ///
    /// If `code` is malformed, which a test excludes.
    #[must_use]
    pub fn pattern(&self) -> Vec<Option<u8>> {
        assert!(self.code.len().is_multiple_of(2), "{self:?}");
        self.code
            .as_bytes()
            .chunks(2)
            .map(|digits| match digits {
                b"??" => None,
                digits => {
                    let digits = str::from_utf8(digits).expect("text");
                    Some(u8::from_str_radix(digits, 16).expect("hexadecimal digits"))
                }
            })
            .collect()
    }
}

/// A signature with its pattern and, for the search, its longest sequence without a gap.
struct Searched {
    signature: &'static Signature,
    pattern: Pattern,
    known: (usize, Vec<u8>),
}

static SEARCHED: LazyLock<Vec<Searched>> = LazyLock::new(|| {
    SIGNATURES
        .iter()
        .map(|signature| {
            let pattern = signature.pattern();
            let known = longest_known(&pattern);
            Searched {
                signature,
                pattern,
                known,
            }
        })
        .collect()
});

fn longest_known(pattern: &[Option<u8>]) -> (usize, Vec<u8>) {
    let mut longest = (0, Vec::new());
    let mut start = 0;
    for run in pattern.split(Option::is_none) {
        if run.len() > longest.1.len() {
            longest = (start, run.iter().flatten().copied().collect());
        }
        start += run.len() + 1;
    }
    longest
}

impl Searched {
    fn begins(&self, code: &[u8]) -> bool {
        code.len() >= self.pattern.len()
            && self
                .pattern
                .iter()
                .zip(code)
                .all(|(wanted, byte)| wanted.is_none_or(|wanted| wanted == *byte))
    }

    fn is_in(&self, code: &[u8]) -> bool {
        memmem::find_iter(code, &self.known.1).any(|at| {
            at.checked_sub(self.known.0)
                .is_some_and(|start| self.begins(&code[start..]))
        })
    }
}

/// Returns the signatures in the file's code that `wanted` selects.
fn found<'e>(
    elf: &'e Elf,
    wanted: impl Fn(&Signature) -> bool + 'e,
) -> impl Iterator<Item = &'static Signature> + 'e {
    let code = elf.code();
    SEARCHED
        .iter()
        .filter(move |searched| searched.signature.machine == elf.machine)
        .filter(move |searched| wanted(searched.signature))
        .filter(move |searched| code.iter().any(|part| searched.is_in(part)))
        .map(|searched| searched.signature)
}

/// Returns the signature of musl's code for this routine, if it is anywhere in the file.
pub(crate) fn of(elf: &Elf, routine: &str) -> Option<&'static Signature> {
    found(elf, |signature| signature.routine == routine).next()
}

/// Returns a signature of musl's code for any routine, if one is in the file.
pub(crate) fn any(elf: &Elf) -> Option<&'static Signature> {
    found(elf, |_| true).next()
}

/// Returns a signature that identifies musl's version, if one is in the file.
pub(crate) fn of_one_version(elf: &Elf) -> Option<&'static Signature> {
    // For aarch64 only one version's code is known, and other libraries have the same assembly.
    found(elf, |signature| {
        signature.versions.len() == 1 && ["strlen", "malloc"].contains(&signature.routine)
    })
    .next()
}

/// Returns the signature if the code at this address is musl's for this routine.
pub(crate) fn begins_at(elf: &Elf, address: u64, routine: &str) -> Option<&'static Signature> {
    let code = elf.at(address)?;
    SEARCHED
        .iter()
        .filter(|searched| searched.signature.machine == elf.machine)
        .filter(|searched| searched.signature.offset == 0 && searched.signature.routine == routine)
        .find(|searched| searched.begins(code))
        .map(|searched| searched.signature)
}

/// The size classes of musl's allocator since 1.2.1, in units of 16 bytes: a table of 16-bit
/// numbers, independent of the compiler. Stored as text, so this program does not contain the
/// table.
pub const SIZE_CLASSES: &str = "1 2 3 4 5 6 7 8 9 10 12 15 18 20 25 31 36 42 50 63 72 84 102 127 \
    146 170 204 255 292 340 409 511 584 682 818 1023 1169 1364 1637 2047 2340 2730 3276 4095 4680 \
    5460 6552 8191";

/// Returns the table in little-endian byte order.
///
/// # Panics
///
/// If [`SIZE_CLASSES`] is malformed, which a test excludes.
#[must_use]
pub fn size_classes() -> Vec<u8> {
    SIZE_CLASSES
        .split_whitespace()
        .flat_map(|number| number.parse::<u16>().expect("a number").to_le_bytes())
        .collect()
}

/// Returns whether the file contains the table of musl's allocator.
pub(crate) fn has_size_classes(elf: &Elf) -> bool {
    elf.contains(&size_classes())
}

/// All signatures.
#[must_use]
pub fn all() -> &'static [Signature] {
    SIGNATURES
}

const SIGNATURES: &[Signature] = &[
    Signature {
        routine: "memcpy",
        machine: elf::EM_X86_64,
        versions: &["1.2.3", "1.2.5"],
        member: "memcpy.lo",
        symbol: "memcpy",
        offset: 0,
        code: "\
            4889f84883fa087214f7c707000000740ca448ffcaf7c70700000075f44889d1\
            48c1e903f348a583e2077405a4ffca75fbc3",
    },
    Signature {
        routine: "memmove",
        machine: elf::EM_X86_64,
        versions: &["1.2.3", "1.2.5"],
        member: "memmove.lo",
        symbol: "memmove",
        offset: 0,
        code: "\
            4889f84829f04839d00f83????????4889d1488d7c17ff488d7416fffdf3a4fc\
            488d4701c3",
    },
    Signature {
        routine: "memset",
        machine: elf::EM_X86_64,
        versions: &["1.2.3", "1.2.5"],
        member: "memset.lo",
        symbol: "memset",
        offset: 0,
        code: "\
            480fb6c649b80101010101010101490fafc04883fa7e777885d2747040883740\
            887417ff83fa0276636689470166894417fd83fa067655894703894417f983fa\
            0e76494889470748894417f183fa1e763b4889470f4889471748894417e14889\
            4417e983fa3e76244889471f488947274889472f4889473748894417c1488944\
            17c948894417d148894417d94889f8c3f7c70f0000004989f848894417f84889\
            d1750b48c1e903f348ab4c89c0c331d229fa83e20f488907488947084829d148\
            01d7ebdf",
    },
    Signature {
        routine: "strlen",
        machine: elf::EM_X86_64,
        versions: &["1.2.3"],
        member: "strlen.lo",
        symbol: "strlen",
        offset: 0,
        code: "\
            4889f840f6c707750feb1d0f1f4400004883c001a807741080380075f34829f8\
            c30f1f800000000049b8fffefefefefefefe488b1048be80808080808080804a\
            8d0c0248f7d24821ca4885f275266690488b50084883c0084a8d0c0248f7d248\
            21ca4885f274e9eb0b0f1f80000000004883c00180380075f74829f8c3",
    },
    Signature {
        routine: "strlen",
        machine: elf::EM_X86_64,
        versions: &["1.2.5"],
        member: "strlen.lo",
        symbol: "strlen",
        offset: 0,
        code: "\
            4889f8a807740b803800743d4883c001ebf149b8fffefefefefefefe48be8080\
            808080808080488b104a8d0c0248f7d24821ca4885f275064883c008ebe88038\
            0074064883c001ebf54829f8c3",
    },
    Signature {
        routine: "getrandom",
        machine: elf::EM_X86_64,
        versions: &["1.2.3", "1.2.5"],
        member: "getrandom.lo",
        symbol: "getrandom",
        offset: 0,
        code: "\
            4883ec1089d14531c94889f26a004889fe4531c0bf3e010000e8????????4883\
            c4184889c7e9????????",
    },
    Signature {
        routine: "malloc",
        machine: elf::EM_X86_64,
        versions: &["1.2.3"],
        member: "malloc.lo",
        symbol: "__libc_malloc_impl",
        offset: 0xea,
        code: "\
            4863c3498b6cc5504885ed755a83fb037e5583fb1f7f5c83fb067457f6c30175\
            524983bcc5d001000000754789d983c9014863d1498b84d5d0010000498b54d5\
            504885d2740e8b721885f6750b8b521c85d275044883c0034883f80c0f46d948\
            63c3498b6cc55031c04885ed74098b4518eb0431ed31c089c2f7da21c2742229\
            d089451889d0f7d821d0",
    },
    Signature {
        routine: "malloc",
        machine: elf::EM_X86_64,
        versions: &["1.2.5"],
        member: "malloc.lo",
        symbol: "__libc_malloc_impl",
        offset: 0x329,
        code: "\
            66c1e80683e03f0fb70c42c1e1044863c94c0faff14889c8498b7d100fb6d348\
            29e84883e8044e8d4437104889c648c1ee04418078fd00498d4c08fc740b410f\
            b750fe83c2010fb6d2418078fc007401f44863fa4839fe733448c1e8054809f0\
            4889c748c1ef024809f84889c748c1ef044809f821c289f089d7f7d001d04839",
    },
    Signature {
        routine: "memcpy",
        machine: elf::EM_AARCH64,
        versions: &["1.2.5"],
        member: "memcpy.lo",
        symbol: "memcpy",
        offset: 0,
        code: "\
            2400028b0500028b5f0002f1a80700545f8000f1e80300545f4000f1c3000054\
            261c40a98c347fa9061c00a9ac343fa9c0035fd6e2001836260040f987805ff8\
            060000f9a7801ff8c0035fd61f2003d5c2001036260040b988c05fb8060000b9\
            a8c01fb8c0035fd6020100b44efc41d3260040398af05f3828686e3806000039\
            08682e38aaf01f38c0035fd61f2003d5261c40a9282441a98a2c7ea98c347fa9\
            5f0001f1e8000054061c00a9082401a9aa2c3ea9ac343fa9c0035fd61f2003d5\
            2e3c42a9304443a95f8001f1a9000054820c7ca981107da9a20c3ca9a1103da9\
            061c00a9082401a90e3c02a9104403a9aa2c3ea9ac343fa9c0035fd61f2003d5\
            2c3440a90e0c409203ec7c9221000ecb42000e8b261c41a90c3400a9282442a9\
            2a2c43a92c34c4a9424002f169010054661c01a9261c41a9682402a9282442a9\
            6a2c03a92a2c43a96c3484a92c34c4a9420001f1e8feff548e3c7ca9661c01a9\
            861c7da9682402a988247ea96a2c03a98a2c7fa96c3404a9ae3c3ca9a61c3da9\
            a8243ea9aa2c3fa9c0035fd6",
    },
    Signature {
        routine: "memmove",
        machine: elf::EM_AARCH64,
        versions: &["1.2.5"],
        member: "memmove.lo",
        symbol: "memmove",
        offset: 0,
        code: "\
            e70300aae40301aa1f0001ebe30302aa80080054250002cbe60702cba80000cb\
            1f0106eb29020054210000ca1f0004eb2108409242040054210300b5a204028b\
            8300038be10300aa400004cb250840f2e00000549f0003eb4006005485144038\
            25140038f9ffff17????????03fc43d306f07d9204000014826865f8226825f8\
            a5200091bf0006eb81ffff54030c03cb2200058b8400058b02000014e20300aa\
            010080d27f0001ebc0030054856861384568213821040091fbffff17c10000b4\
            030300b4630400d181686338e1682338fcffff17e100038b620400d13f0840f2\
            c0000054e30100b481686238e30302aae1682238f8ffff1762084092e10303aa\
            03000014806861f8e06821f83f0002eb212000d181ffff5463084092e9ffff17\
            e00307aac0035fd6",
    },
    Signature {
        routine: "memset",
        machine: elf::EM_AARCH64,
        versions: &["1.2.5"],
        member: "memset.lo",
        symbol: "memset",
        offset: 0,
        code: "\
            200c014e0400028b5f8001f1a80300545f4000f102020054013c084ea2001836\
            010000f981801ff8c0035fd61f2003d582001036010000b981c01fb8c0035fd6\
            820000b4010000394200083681e01f78c0035fd60000803dc200303780009f3c\
            620028360004803d80009e3cc0035fd60004803d000001ad80003fadc0035fd6\
            211c001203ec7c920000803d5f8002f12028407a41020054e5003bd5a5104092\
            bf1000f1c10100546004803d600001ad63e47a92820003cb420002d11f2003d5\
            6300019123740bd5420001f1a8ffff5480003ead80003fadc0035fd6820003cb\
            634000d1424001d1600001ad600082ad420001f1a8ffff5480003ead80003fad\
            c0035fd6",
    },
    Signature {
        routine: "strlen",
        machine: elf::EM_AARCH64,
        versions: &["1.2.5"],
        member: "strlen.lo",
        symbol: "strlen",
        offset: 0,
        code: "\
            e10300aa3f0840f2a0000054220040390202003421040091fbffff17e4db07b2\
            e4df9ff2220040f94300048b6200228a5fc001f26100005421200091faffff17\
            220040396200003421040091fdffff17200000cbc0035fd6",
    },
    Signature {
        routine: "getrandom",
        machine: elf::EM_AARCH64,
        versions: &["1.2.5"],
        member: "getrandom.lo",
        symbol: "getrandom",
        offset: 0,
        code: "\
            fd7bbfa9e40301aae303022afd030091e10300aae20304aa060080d2050080d2\
            040080d2c02280d2????????fd7bc1a8????????",
    },
    Signature {
        routine: "malloc",
        machine: elf::EM_AARCH64,
        versions: &["1.2.5"],
        member: "malloc.lo",
        symbol: "__libc_malloc_impl",
        offset: 0x338,
        code: "\
            212c46d304786178843c7cd3c20a40f9830014cb861000d1631000d142400091\
            611e001265fc44d38008159b0600068b04d05f388400003401e05f7821040011\
            211c001204c05f3884000034000080d21f000039007d20d4bfc021eb82010054\
            a31443aae703252a630843aa631043aa2800030a2100030abf0001eb0101070b",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_long_enough_to_be_no_chance() {
        for signature in SIGNATURES {
            let known = signature.pattern().iter().flatten().count();
            assert!(known >= 32, "{signature:?}");
        }
    }

    #[test]
    fn the_longest_stretch_without_a_gap_is_searched_for() {
        let pattern = [Some(1), None, Some(2), Some(3), None, Some(4)];
        assert_eq!(longest_known(&pattern), (2, vec![2, 3]));
        assert_eq!(longest_known(&[Some(9)]), (0, vec![9]));
        assert_eq!(longest_known(&[None, Some(9)]), (1, vec![9]));
    }

    #[test]
    fn gaps_match_anything_and_the_rest_must_be_there() {
        let pattern = vec![Some(1), None, Some(2), Some(3)];
        let searched = Searched {
            signature: &SIGNATURES[0],
            known: longest_known(&pattern),
            pattern,
        };
        assert!(searched.is_in(&[7, 1, 5, 2, 3]));
        assert!(searched.is_in(&[1, 0, 2, 3, 0]));
        assert!(!searched.is_in(&[2, 3, 1, 5, 2]), "cut short");
        assert!(!searched.is_in(&[2, 3]), "it would begin before the code");
        assert!(!searched.is_in(&[9, 5, 2, 3]));
    }
}
