//! A picture as PNG, not compressed: its lines are deflate blocks of the kind "stored".

use std::io::{self, Write};

use crate::random::Random;

const WIDTH: usize = 800;
const HEIGHT: usize = 600;
const CHANNELS: usize = 3;

pub(crate) fn write(mut output: impl Write) -> io::Result<()> {
    output.write_all(b"\x89PNG\r\n\x1a\n")?;
    let mut header = Vec::new();
    header.extend(small(WIDTH));
    header.extend(small(HEIGHT));
    // Eight bits a channel, red, green and blue, and the only methods that there are.
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut output, *b"IHDR", &header)?;
    chunk(&mut output, *b"IDAT", &stored(&lines()))?;
    chunk(&mut output, *b"IEND", &[])?;
    output.flush()
}

/// Gradients with shapes on them and some noise, so that there is something to compress. A line starts with its filter,
/// which is none.
fn lines() -> Vec<Vec<u8>> {
    let mut random = Random::new();
    let mut line = |y: usize| {
        let mut line = Vec::with_capacity(1 + WIDTH * CHANNELS);
        line.push(0);
        for x in 0..WIDTH {
            let noise = random.below(4);
            let shape = 90 * usize::from((x / 50 + y / 40).is_multiple_of(3));
            let channels = [x / 5 + shape, y / 4 + noise, (x + y) / 8 + shape / 2];
            line.extend(channels.map(|channel| channel.to_le_bytes()[0]));
        }
        line
    };
    (0..HEIGHT).map(&mut line).collect()
}

/// RFC 1950 around RFC 1951's stored blocks.
fn stored(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut data = vec![0x78, 0x01];
    for (at, line) in lines.iter().enumerate() {
        let length = u16::try_from(line.len()).expect("a line is shorter than a block may be");
        data.push(u8::from(at + 1 == lines.len()));
        data.extend(length.to_le_bytes());
        data.extend((!length).to_le_bytes());
        data.extend(line);
    }
    data.extend(adler(lines.iter().flatten()).to_be_bytes());
    data
}

fn adler<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let (a, b) = bytes.fold((1_u32, 0_u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

/// A number as it stands in the file.
fn small(number: usize) -> [u8; 4] {
    let number = u32::try_from(number).expect("the picture is small");
    number.to_be_bytes()
}

/// Length, kind, data, and the checksum of the latter two.
fn chunk(output: &mut impl Write, kind: [u8; 4], data: &[u8]) -> io::Result<()> {
    output.write_all(&small(data.len()))?;
    output.write_all(&kind)?;
    output.write_all(data)?;
    output.write_all(&checksum(kind.iter().chain(data)).to_be_bytes())
}

fn checksum<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    !bytes.fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}
