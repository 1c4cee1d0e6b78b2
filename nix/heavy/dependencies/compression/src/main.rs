//! zstd, zlib and zlib-ng: what one zlib packs, the other unpacks.

use std::ffi::c_ulong;

fn main() {
    let text: Vec<u8> = (0..100_000_u32)
        .flat_map(|n| (n % 1009).to_le_bytes())
        .collect();

    let packed = zstd::encode_all(&text[..], 3).expect("pack by zstd");
    assert_eq!(zstd::decode_all(&packed[..]).expect("unpack by zstd"), text);

    let length = c_ulong::try_from(text.len()).expect("it fits");
    let mut packed = vec![0; text.len()];
    let mut packed_length = length;
    let mut unpacked = vec![0; text.len()];
    let mut unpacked_length = text.len();
    // SAFETY: each buffer has as many bytes as is said.
    unsafe {
        let code = libz_sys::compress(
            packed.as_mut_ptr(),
            &raw mut packed_length,
            text.as_ptr(),
            length,
        );
        assert_eq!(code, libz_sys::Z_OK, "pack by zlib");
        let code = libz_ng_sys::uncompress(
            unpacked.as_mut_ptr(),
            &raw mut unpacked_length,
            packed.as_ptr(),
            packed_length as usize,
        );
        assert_eq!(code, libz_ng_sys::Z_OK, "unpack by zlib-ng");
    }
    assert_eq!(unpacked, text);
    println!(
        "zstd, zlib and zlib-ng: {} bytes to {packed_length} and back",
        text.len()
    );
}
