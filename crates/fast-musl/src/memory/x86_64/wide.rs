//! The routines for more than 64 bytes with vectors of 64 bytes (AVX-512), in assembly.
//!
//! The compiler uses the first sixteen registers first, and code that uses their upper parts must
//! clear them before it returns (`vzeroupper`), which for a hundred bytes costs more than the wider
//! vectors save. The registers from `zmm16` on need no clearing, and only assembly can request
//! them.
//!
//! Masked vectors could handle shorter lengths as well, without a branch. But a load that is wider
//! than a recent store does not see its data until the store has reached the cache: `memcmp` of
//! eight bytes that were just copied then takes 10 nanoseconds, and 2 as it is (Zen 5). And a
//! masked load that reaches into an unmapped page takes 140.
//!
//! The functions have C's ABI: arguments in `rdi`, `rsi` and `rdx`, the result in `rax`. They may
//! change `rcx`, `r8` and the vector and mask registers. None uses the stack, so a debugger finds
//! the caller by what `.cfi_startproc` says.

use core::arch::naked_asm;
use core::ffi::c_int;

/// From this many bytes on, `rep movsb` copies areas that do not overlap.
///
/// Measured on Zen 5: see [`crate::cpu`].
const STRING_COPY: usize = crate::cpu::STRING_COPY_ZEN_5;

/// From this many bytes on, `rep stosb` fills.
const STRING_FILL: usize = crate::cpu::STRING_FILL_ZEN_5;

/// Copies like `copy_loop`: up to 256 bytes are loaded completely before the first is stored; above
/// that, a loop runs in the direction in which it does not overwrite bytes that it has yet to read,
/// and the vectors at both ends, which it leaves out, are loaded before and stored after it.
///
/// # Safety
///
/// As for `copy`, `n` > 64, and the processor must have AVX-512 (F, BW, VL).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn copy_wide(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    naked_asm!(
        ".cfi_startproc",
        "mov rax, rdi",
        "vmovdqu64 zmm16, [rsi]",
        "vmovdqu64 zmm17, [rsi + rdx - 64]",
        "cmp rdx, 128",
        "ja 2f",
        "vmovdqu64 [rdi], zmm16",
        "vmovdqu64 [rdi + rdx - 64], zmm17",
        "ret",
        // 129 to 256 bytes.
        "2:",
        "vmovdqu64 zmm18, [rsi + 64]",
        "vmovdqu64 zmm19, [rsi + rdx - 128]",
        "cmp rdx, 256",
        "ja 3f",
        "vmovdqu64 [rdi], zmm16",
        "vmovdqu64 [rdi + 64], zmm18",
        "vmovdqu64 [rdi + rdx - 128], zmm19",
        "vmovdqu64 [rdi + rdx - 64], zmm17",
        "ret",
        // The distance modulo the address space is below n just when dst lies within src's bytes.
        "3:",
        "mov rcx, rdi",
        "sub rcx, rsi",
        "cmp rcx, rdx",
        "jb 6f",
        "cmp rdx, {strings}",
        "jae 8f",
        // Upwards: the last four vectors are loaded, then rcx goes from the first aligned address
        // behind the first vector up to r8, where the last four start. rsi is the distance.
        "9:",
        "vmovdqu64 zmm20, [rsi + rdx - 256]",
        "vmovdqu64 zmm18, [rsi + rdx - 192]",
        "lea r8, [rdi + rdx - 256]",
        "mov rcx, rdi",
        "or rcx, 63",
        "inc rcx",
        "sub rsi, rdi",
        "cmp rcx, r8",
        "jae 5f",
        ".p2align 5",
        "4:",
        "vmovdqu64 zmm21, [rcx + rsi]",
        "vmovdqu64 zmm22, [rcx + rsi + 64]",
        "vmovdqu64 zmm23, [rcx + rsi + 128]",
        "vmovdqu64 zmm24, [rcx + rsi + 192]",
        "vmovdqa64 [rcx], zmm21",
        "vmovdqa64 [rcx + 64], zmm22",
        "vmovdqa64 [rcx + 128], zmm23",
        "vmovdqa64 [rcx + 192], zmm24",
        "add rcx, 256",
        "cmp rcx, r8",
        "jb 4b",
        "5:",
        "vmovdqu64 [r8], zmm20",
        "vmovdqu64 [r8 + 64], zmm18",
        "vmovdqu64 [r8 + 128], zmm19",
        "vmovdqu64 [r8 + 192], zmm17",
        "vmovdqu64 [rax], zmm16",
        "ret",
        // Downwards, mirrored: rcx goes from the last aligned address before the last vector down
        // to r8, where the first four end.
        "6:",
        "vmovdqu64 zmm20, [rsi + 128]",
        "vmovdqu64 zmm19, [rsi + 192]",
        "lea rcx, [rdi + rdx]",
        "and rcx, -64",
        "lea r8, [rdi + 256]",
        "sub rsi, rdi",
        "cmp rcx, r8",
        "jbe 7f",
        ".p2align 5",
        "6:",
        "vmovdqu64 zmm21, [rcx + rsi - 64]",
        "vmovdqu64 zmm22, [rcx + rsi - 128]",
        "vmovdqu64 zmm23, [rcx + rsi - 192]",
        "vmovdqu64 zmm24, [rcx + rsi - 256]",
        "vmovdqa64 [rcx - 64], zmm21",
        "vmovdqa64 [rcx - 128], zmm22",
        "vmovdqa64 [rcx - 192], zmm23",
        "vmovdqa64 [rcx - 256], zmm24",
        "sub rcx, 256",
        "cmp rcx, r8",
        "ja 6b",
        "7:",
        "vmovdqu64 [rax], zmm16",
        "vmovdqu64 [rax + 64], zmm18",
        "vmovdqu64 [rax + 128], zmm20",
        "vmovdqu64 [rax + 192], zmm19",
        "vmovdqu64 [rax + rdx - 64], zmm17",
        "ret",
        // The ABI has the direction flag clear. Areas that overlap are for the loop.
        "8:",
        "neg rcx",
        "cmp rcx, rdx",
        "jb 9b",
        "mov rcx, rdx",
        "rep movsb",
        "ret",
        ".cfi_endproc",
        strings = const STRING_COPY,
    )
}

/// Fills like `fill_loop`: the first vector and the last four cover what the loop over aligned
/// addresses leaves out.
///
/// # Safety
///
/// As for `fill`, `n` > 64, and the processor must have AVX-512 (F, BW, VL).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn fill_wide(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    naked_asm!(
        ".cfi_startproc",
        "mov rax, rdi",
        "vpbroadcastb zmm16, esi",
        "cmp rdx, 256",
        "ja 3f",
        "vmovdqu64 [rdi], zmm16",
        "vmovdqu64 [rdi + rdx - 64], zmm16",
        "cmp rdx, 128",
        "ja 2f",
        "ret",
        // 129 to 256 bytes.
        "2:",
        "vmovdqu64 [rdi + 64], zmm16",
        "vmovdqu64 [rdi + rdx - 128], zmm16",
        "ret",
        "3:",
        "cmp rdx, {strings}",
        "jae 6f",
        "vmovdqu64 [rdi], zmm16",
        "lea r8, [rdi + rdx - 256]",
        "or rdi, 63",
        "inc rdi",
        "cmp rdi, r8",
        "jae 5f",
        ".p2align 5",
        "4:",
        "vmovdqa64 [rdi], zmm16",
        "vmovdqa64 [rdi + 64], zmm16",
        "vmovdqa64 [rdi + 128], zmm16",
        "vmovdqa64 [rdi + 192], zmm16",
        "add rdi, 256",
        "cmp rdi, r8",
        "jb 4b",
        "5:",
        "vmovdqu64 [r8], zmm16",
        "vmovdqu64 [r8 + 64], zmm16",
        "vmovdqu64 [r8 + 128], zmm16",
        "vmovdqu64 [r8 + 192], zmm16",
        "ret",
        // The ABI has the direction flag clear.
        "6:",
        "mov r8, rdi",
        "mov rcx, rdx",
        "mov eax, esi",
        "rep stosb",
        "mov rax, r8",
        "ret",
        ".cfi_endproc",
        strings = const STRING_FILL,
    )
}

/// Returns the order of the first bytes that differ. Each vector is compared once, so the function
/// ends even if the areas are written to during the call.
///
/// # Safety
///
/// As for `order`, `n` > 64, and the processor must have AVX-512 (F, BW, VL).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn order_wide(a: *const u8, b: *const u8, n: usize) -> c_int {
    naked_asm!(
        ".cfi_startproc",
        "vmovdqu64 zmm16, [rdi]",
        "vpcmpneqb k1, zmm16, [rsi]",
        "kortestq k1, k1",
        "jne 7f",
        "cmp rdx, 256",
        "ja 3f",
        "cmp rdx, 128",
        "jbe 2f",
        // 129 to 256 bytes.
        "vmovdqu64 zmm17, [rdi + 64]",
        "vpcmpneqb k1, zmm17, [rsi + 64]",
        "kortestq k1, k1",
        "jne 6f",
        "vmovdqu64 zmm17, [rdi + rdx - 128]",
        "vpcmpneqb k1, zmm17, [rsi + rdx - 128]",
        "kortestq k1, k1",
        "jne 5f",
        // The last vector.
        "2:",
        "vmovdqu64 zmm17, [rdi + rdx - 64]",
        "vpcmpneqb k1, zmm17, [rsi + rdx - 64]",
        "kmovq rax, k1",
        "test rax, rax",
        "jne 4f",
        "ret",
        // More than 256 bytes: four vectors at a time, and at the end the last four.
        "3:",
        "lea r8, [rdx - 256]",
        "xor ecx, ecx",
        ".p2align 5",
        "8:",
        "vmovdqu64 zmm16, [rdi + rcx]",
        "vmovdqu64 zmm17, [rdi + rcx + 64]",
        "vmovdqu64 zmm18, [rdi + rcx + 128]",
        "vmovdqu64 zmm19, [rdi + rcx + 192]",
        "vpxorq zmm16, zmm16, [rsi + rcx]",
        "vpxorq zmm17, zmm17, [rsi + rcx + 64]",
        "vpxorq zmm18, zmm18, [rsi + rcx + 128]",
        "vpxorq zmm19, zmm19, [rsi + rcx + 192]",
        "vporq zmm20, zmm16, zmm17",
        "vpternlogq zmm20, zmm18, zmm19, 0xfe",
        "vptestmb k1, zmm20, zmm20",
        "kortestq k1, k1",
        "jne 9f",
        "cmp rcx, r8",
        "je 22f",
        "add rcx, 256",
        "cmp rcx, r8",
        "cmova rcx, r8",
        "jmp 8b",
        "22:",
        "xor eax, eax",
        "ret",
        // In which of the four: rcx becomes the offset of its vector.
        "9:",
        "vptestmb k1, zmm16, zmm16",
        "kortestq k1, k1",
        "jne 23f",
        "add rcx, 64",
        "vptestmb k1, zmm17, zmm17",
        "kortestq k1, k1",
        "jne 23f",
        "add rcx, 64",
        "vptestmb k1, zmm18, zmm18",
        "kortestq k1, k1",
        "jne 23f",
        "add rcx, 64",
        "vptestmb k1, zmm19, zmm19",
        "23:",
        "kmovq rax, k1",
        "tzcnt rax, rax",
        "add rax, rcx",
        "jmp 24f",
        // A difference in the vector that ends at n, 64 bytes earlier, at 64, or at 0.
        "4:",
        "tzcnt rax, rax",
        "lea rax, [rax + rdx - 64]",
        "jmp 24f",
        "5:",
        "kmovq rax, k1",
        "tzcnt rax, rax",
        "lea rax, [rax + rdx - 128]",
        "jmp 24f",
        "6:",
        "kmovq rax, k1",
        "tzcnt rax, rax",
        "add rax, 64",
        "jmp 24f",
        "7:",
        "kmovq rax, k1",
        "tzcnt rax, rax",
        "24:",
        "movzx ecx, byte ptr [rsi + rax]",
        "movzx eax, byte ptr [rdi + rax]",
        "sub eax, ecx",
        "ret",
        ".cfi_endproc",
    )
}

/// Returns a non-zero value if any byte differs.
///
/// # Safety
///
/// As for [`order_wide`].
#[unsafe(naked)]
pub(super) unsafe extern "C" fn differ_wide(a: *const u8, b: *const u8, n: usize) -> c_int {
    naked_asm!(
        ".cfi_startproc",
        "vmovdqu64 zmm16, [rdi]",
        "vmovdqu64 zmm17, [rdi + rdx - 64]",
        "vpxorq zmm16, zmm16, [rsi]",
        "vpxorq zmm17, zmm17, [rsi + rdx - 64]",
        "cmp rdx, 128",
        "ja 2f",
        "vporq zmm16, zmm16, zmm17",
        "vptestmb k1, zmm16, zmm16",
        "xor eax, eax",
        "kortestq k1, k1",
        "setne al",
        "ret",
        // 129 to 256 bytes.
        "2:",
        "cmp rdx, 256",
        "ja 3f",
        "vmovdqu64 zmm18, [rdi + 64]",
        "vmovdqu64 zmm19, [rdi + rdx - 128]",
        "vpxorq zmm18, zmm18, [rsi + 64]",
        "vpxorq zmm19, zmm19, [rsi + rdx - 128]",
        "vporq zmm16, zmm16, zmm17",
        "vpternlogq zmm16, zmm18, zmm19, 0xfe",
        "vptestmb k1, zmm16, zmm16",
        "xor eax, eax",
        "kortestq k1, k1",
        "setne al",
        "ret",
        // More than 256 bytes: four vectors at a time, and at the end the last four.
        "3:",
        "lea r8, [rdx - 256]",
        "xor ecx, ecx",
        ".p2align 5",
        "4:",
        "vmovdqu64 zmm16, [rdi + rcx]",
        "vmovdqu64 zmm17, [rdi + rcx + 64]",
        "vmovdqu64 zmm18, [rdi + rcx + 128]",
        "vmovdqu64 zmm19, [rdi + rcx + 192]",
        "vpxorq zmm16, zmm16, [rsi + rcx]",
        "vpxorq zmm17, zmm17, [rsi + rcx + 64]",
        "vpxorq zmm18, zmm18, [rsi + rcx + 128]",
        "vpxorq zmm19, zmm19, [rsi + rcx + 192]",
        "vporq zmm16, zmm16, zmm17",
        "vpternlogq zmm16, zmm18, zmm19, 0xfe",
        "vptestmb k1, zmm16, zmm16",
        "kortestq k1, k1",
        "jne 6f",
        "cmp rcx, r8",
        "je 5f",
        "add rcx, 256",
        "cmp rcx, r8",
        "cmova rcx, r8",
        "jmp 4b",
        "5:",
        "xor eax, eax",
        "ret",
        "6:",
        "mov eax, 1",
        "ret",
        ".cfi_endproc",
    )
}
