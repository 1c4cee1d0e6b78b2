//! How the running executable was linked, according to its program headers.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use elf::ElfStream;
use elf::abi::{ET_DYN, ET_EXEC, PT_INTERP};
use elf::endian::AnyEndian;

use super::ProbeError;
use super::maps::mapped_files;

const EXE: &str = "/proc/self/exe";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Linkage {
    pub(super) static_linked: bool,
    pub(super) pie: bool,
}

pub(super) fn of_this_process() -> Result<Linkage, ProbeError> {
    let file = File::open(EXE).map_err(|source| ProbeError::Read {
        path: EXE.into(),
        source,
    })?;
    let linkage = parse(file)?;
    // `ld.so ./broker` makes the kernel run ld.so, which has no interpreter
    // itself. The shared libraries that it then loads show the difference.
    if linkage.static_linked && mapped_files()?.iter().any(|path| is_shared_object(path)) {
        return Err(ProbeError::StartedByLoader);
    }
    Ok(linkage)
}

/// An executable with an interpreter is loaded dynamically. The ELF type only
/// says whether its address is fixed; static executables may have either type.
fn parse(file: impl Read + Seek) -> Result<Linkage, ProbeError> {
    let elf = ElfStream::<AnyEndian, _>::open_stream(file)?;
    let pie = match elf.ehdr.e_type {
        ET_DYN => true,
        ET_EXEC => false,
        other => return Err(ProbeError::ElfType(other)),
    };
    let interpreter = elf
        .segments()
        .iter()
        .any(|segment| segment.p_type == PT_INTERP);
    Ok(Linkage {
        static_linked: !interpreter,
        pie,
    })
}

/// Returns whether the name is like `x.so` or `x.so.1`.
fn is_shared_object(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.split('.').skip(1).any(|part| part == "so"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use elf::abi::{ET_CORE, PT_LOAD, PT_PHDR};
    use std::io::Cursor;

    /// Returns a 64-bit little-endian ELF file with headers only.
    fn image(elf_type: u16, segments: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        bytes.resize(16, 0);
        bytes.extend(elf_type.to_le_bytes());
        bytes.extend(62_u16.to_le_bytes()); // x86-64
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes()); // entry
        bytes.extend(64_u64.to_le_bytes()); // program headers start here
        bytes.extend(0_u64.to_le_bytes()); // no section headers
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(64_u16.to_le_bytes());
        bytes.extend(56_u16.to_le_bytes()); // size of one program header
        let count = u16::try_from(segments.len()).expect("few segments");
        bytes.extend(count.to_le_bytes());
        bytes.extend([0; 6]);
        for kind in segments {
            bytes.extend(kind.to_le_bytes());
            bytes.extend([0; 52]);
        }
        bytes
    }

    fn parsed(bytes: Vec<u8>) -> Result<Linkage, ProbeError> {
        parse(Cursor::new(bytes))
    }

    #[test]
    fn the_interpreter_and_the_type_decide() {
        for (elf_type, segments, static_linked, pie) in [
            (ET_DYN, &[PT_PHDR, PT_INTERP, PT_LOAD][..], false, true),
            (ET_EXEC, &[PT_PHDR, PT_INTERP, PT_LOAD], false, false),
            (ET_DYN, &[PT_LOAD], true, true),
            (ET_EXEC, &[PT_LOAD], true, false),
        ] {
            let found = parsed(image(elf_type, segments)).expect("a well-formed file");
            assert_eq!(found, Linkage { static_linked, pie });
        }
    }

    #[test]
    fn another_type_is_refused() {
        let result = parsed(image(ET_CORE, &[PT_LOAD]));
        assert!(matches!(result, Err(ProbeError::ElfType(ET_CORE))));
    }

    #[test]
    fn every_truncation_is_an_error_and_not_a_panic() {
        let whole = image(ET_DYN, &[PT_INTERP, PT_LOAD]);
        for length in 0..whole.len() {
            let result = parsed(whole[..length].to_vec());
            assert!(matches!(result, Err(ProbeError::Elf(_))), "{length}");
        }
    }

    #[test]
    fn headers_that_point_outside_the_file_are_an_error() {
        for offset in [0xffff_u64, u64::MAX, u64::MAX - 56] {
            let mut bytes = image(ET_DYN, &[PT_LOAD]);
            bytes[32..40].copy_from_slice(&offset.to_le_bytes());
            assert!(matches!(parsed(bytes), Err(ProbeError::Elf(_))), "{offset}");
        }
        assert!(parsed(b"#!/bin/sh\n".to_vec()).is_err());
    }

    #[test]
    fn shared_objects_are_known_by_name() {
        for name in ["/lib/libc.so.6", "/lib/ld-musl-x86_64.so.1", "/x/a.so"] {
            assert!(is_shared_object(Path::new(name)), "{name}");
        }
        for name in ["/bin/broker", "/bin/so", "/x/libso.a", "/x.so/broker", "/"] {
            assert!(!is_shared_object(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn this_process_is_linked_as_it_was_compiled() {
        let linkage = of_this_process().expect("/proc is mounted");
        assert_eq!(linkage.static_linked, cfg!(target_feature = "crt-static"));
    }
}
