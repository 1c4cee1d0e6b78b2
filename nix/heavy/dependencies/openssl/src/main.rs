//! OpenSSL, configured by perl and built by make, and curl on top of it.

use std::io::Write;

fn main() {
    let digest = openssl::sha::sha256(b"abc");
    assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);

    let path = std::env::temp_dir().join(format!("uses-openssl-{}", std::process::id()));
    std::fs::File::create(&path)
        .and_then(|mut file| file.write_all(b"by curl"))
        .expect("write a file");
    let mut read = Vec::new();
    let mut easy = curl::easy::Easy::new();
    easy.url(&format!("file://{}", path.display()))
        .expect("set the address");
    {
        let mut transfer = easy.transfer();
        transfer
            .write_function(|part| {
                read.extend_from_slice(part);
                Ok(part.len())
            })
            .expect("set what takes the file");
        transfer.perform().expect("read the file");
    }
    std::fs::remove_file(&path).expect("remove the file");
    assert_eq!(read, b"by curl");
    let version = curl::Version::get();
    println!(
        "{}, curl {} with {}",
        openssl::version::version(),
        version.version(),
        version.ssl_version().expect("curl has TLS")
    );
}
