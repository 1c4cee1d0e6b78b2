//! Protections against exploits: PIE, NX, RELRO, stack protector, CET and BTI.

use memchr::memmem;
use object::{Endian as _, elf};

use crate::elf::Elf;
use crate::report::{Hardening, Kind, Linkage, Relro, Told};

pub(crate) fn hardening(elf: &Elf, linkage: &Linkage) -> Hardening {
    Hardening {
        pie: matches!(linkage.kind, Kind::StaticPie | Kind::DynamicPie),
        executable_data: executable_data(elf),
        relro: relro(elf),
        stack_protector: stack_protector(elf),
        control_flow: control_flow(elf),
    }
}

fn executable_data(elf: &Elf) -> Vec<String> {
    let mut reasons = Vec::new();
    match elf
        .segments
        .iter()
        .find(|segment| segment.kind == elf::PT_GNU_STACK)
    {
        None => reasons.push("no PT_GNU_STACK, so the stack may be executable".to_owned()),
        Some(stack) if stack.is_executable() => {
            reasons.push("PT_GNU_STACK requests an executable stack".to_owned());
        }
        Some(_) => {}
    }
    let both = elf.segments.iter().find(|segment| {
        segment.kind == elf::PT_LOAD && segment.is_writable() && segment.is_executable()
    });
    if let Some(segment) = both {
        reasons.push(format!(
            "the segment at {:#x} is writable and executable",
            segment.address
        ));
    }
    reasons
}

fn relro(elf: &Elf) -> Relro {
    if !elf
        .segments
        .iter()
        .any(|segment| segment.kind == elf::PT_GNU_RELRO)
    {
        return Relro::None;
    }
    let binds_now = elf.has_dynamic(elf::DT_BIND_NOW)
        || elf.dynamic_value(elf::DT_FLAGS) & elf::DF_BIND_NOW.0 != 0
        || elf.dynamic_value(elf::DT_FLAGS_1) & elf::DF_1_NOW.0 != 0;
    // Only lazy binding needs a writable table.
    if binds_now || !elf.has_dynamic(elf::DT_JMPREL) || elf.dynamic_value(elf::DT_PLTRELSZ) == 0 {
        Relro::Full
    } else {
        Relro::Partial
    }
}

fn stack_protector(elf: &Elf) -> Option<Told<bool>> {
    let fails = "__stack_chk_fail";
    if elf.imports(fails) {
        return Some(Told::new(true, format!("imports {fails}")));
    }
    if elf.machine == elf::EM_X86_64 && elf.code().into_iter().any(checks_canary) {
        return Some(Told::new(true, "code that checks the canary"));
    }
    // A static program has the function if at least one of its objects was compiled that way.
    if elf.symbols.is_some() {
        return Some(match elf.defined(fails) {
            Some(_) => Told::new(true, format!("symbol {fails}")),
            None => Told::new(false, format!("no symbol {fails}")),
        });
    }
    if !elf.dynamic_symbols.is_empty() && elf.dynamic_symbols.iter().any(|one| !one.is_defined) {
        return Some(Told::new(false, format!("{fails} is not imported")));
    }
    None
}

/// Returns whether code compares with, or subtracts, the canary at `%fs:0x28`.
fn checks_canary(code: &[u8]) -> bool {
    const ADDRESS: [u8; 4] = [0x28, 0, 0, 0];
    memmem::find_iter(code, &ADDRESS).any(|at| {
        let Some(start) = at.checked_sub(5) else {
            return false;
        };
        // fs prefix, REX with 64-bit operands, the operation, and its operands: a register and an
        // absolute address.
        matches!(
            code[start..at],
            [0x64, 0x48..=0x4f, 0x2b | 0x33 | 0x3b, operands, 0x25] if operands & 0xc7 == 0x04
        )
    })
}

/// Returns what the GNU property notes say about checks of jumps and returns.
fn control_flow(elf: &Elf) -> Vec<&'static str> {
    let (property, names) = match elf.machine {
        elf::EM_X86_64 | elf::EM_386 => (
            elf::GNU_PROPERTY_X86_FEATURE_1_AND.0,
            [
                (elf::GNU_PROPERTY_X86_FEATURE_1_IBT, "CET IBT"),
                (elf::GNU_PROPERTY_X86_FEATURE_1_SHSTK, "CET SHSTK"),
            ],
        ),
        elf::EM_AARCH64 => (
            elf::GNU_PROPERTY_AARCH64_FEATURE_1_AND.0,
            [
                (elf::GNU_PROPERTY_AARCH64_FEATURE_1_BTI, "BTI"),
                (elf::GNU_PROPERTY_AARCH64_FEATURE_1_PAC, "PAC"),
            ],
        ),
        _ => return Vec::new(),
    };
    let features = elf
        .notes
        .iter()
        .filter(|note| {
            note.owner == elf::ELF_NOTE_GNU && note.kind == elf::NT_GNU_PROPERTY_TYPE_0.0
        })
        .find_map(|note| property_value(elf, note.description, property))
        .unwrap_or(0);
    names
        .into_iter()
        .filter(|(bit, _)| features & bit != 0)
        .map(|(_, name)| name)
        .collect()
}

/// Returns the value of a property. Each is a type, a size, and the value, padded to 8 bytes (4 in
/// 32-bit files; both properties asked for have 4-byte values, so 8 fits).
fn property_value(elf: &Elf, mut properties: &[u8], wanted: u32) -> Option<u32> {
    loop {
        let (kind, rest) = properties.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        if elf.endian.read_u32(*kind) == wanted {
            return Some(elf.endian.read_u32(*rest.first_chunk()?));
        }
        let size = usize::try_from(elf.endian.read_u32(*size))
            .ok()?
            .checked_next_multiple_of(8)?;
        properties = rest.get(size..)?;
    }
}
