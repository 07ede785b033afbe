//! Hostile files that are large or repeat themselves, made when the tests run.

use std::io::{Cursor, Write as _};

use flate2::{Compress, Compression, FlushCompress};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{WrongAnswer, answer, in_parallel, known, report};
use crate::uploads::FileKind;
use crate::uploads::tests::made::{CONTENT_TYPES, RELS, docx};

/// A name, its bytes, and the rejections that are right.
struct Bomb {
    name: &'static str,
    rejections: &'static str,
    bytes: Vec<u8>,
}

fn bomb(name: &'static str, rejections: &'static str, bytes: Vec<u8>) -> Bomb {
    Bomb {
        name,
        rejections,
        bytes,
    }
}

const EVERY: &[fn() -> Bomb] = &[
    || bomb("entries.docx", "bomb|damaged", entries(65_536, "a")),
    || {
        bomb(
            "entries.zip",
            "extension_disagrees|bomb|damaged",
            entries(65_536, "a"),
        )
    },
    || {
        bomb(
            "long-name.zip",
            "extension_disagrees|bomb|damaged|name|active_content",
            entries(1, &"a".repeat(65_000)),
        )
    },
    || {
        bomb(
            "deep-name.zip",
            "extension_disagrees|bomb|damaged|name|active_content",
            entries(1, &"a/".repeat(32_000)),
        )
    },
    || {
        bomb(
            "megabytes.docx",
            "bomb",
            docx(&[("word/media/a.bmp", &vec![0; 20 << 20])]),
        )
    },
    || {
        bomb(
            "wide.png",
            "too_many_pixels|bomb",
            png(30_000, 30_000, 1, &[], &zeros(30_000 * 3_751), &[]),
        )
    },
    || {
        bomb(
            "frames.png",
            "too_many_frames|bomb|animated",
            apng(5_000, 1),
        )
    },
    || {
        bomb(
            "large-frames.png",
            "too_many_frames|too_many_pixels|bomb|animated",
            apng(40, 8_000),
        )
    },
    || bomb("frames.gif", "too_many_frames|bomb|animated", gif(100_000)),
    || {
        bomb(
            "scans.jpg",
            "too_many_scans|too_many_pixels",
            jpeg(64, 8_000),
        )
    },
    || bomb("boxes.mp4", "bomb|damaged", boxes(b"isom")),
    || bomb("boxes.heic", "bomb|damaged", boxes(b"heic")),
    || bomb("pages.pdf", "bomb|damaged", pages(60)),
    || bomb("stream.pdf", "bomb|damaged", stream(1 << 30)),
    || {
        bomb(
            "comments.pdf",
            "bomb|damaged",
            pdf(&["%".repeat(100).repeat(10_000) + "\n<<"]),
        )
    },
    || {
        bomb(
            "groups.svg",
            "bomb|damaged|active_content|unknown_kind|page|active_extension",
            format!("<svg>{}", "<g>".repeat(200_000)).into_bytes(),
        )
    },
];

/// Nothing here is unpacked, decoded or followed to its end.
///
/// ASVS: V5.2.3, V5.2.6
#[test]
fn bombs_are_refused() {
    let known_kind = |name: &str| {
        let extension = name.rsplit('.').next().unwrap_or_default();
        FileKind::of_extension(extension).is_some()
    };
    let answers = in_parallel(EVERY, |make| {
        let Bomb {
            name,
            rejections,
            bytes,
        } = make();
        if !known_kind(name) {
            println!("no kind for {name} yet");
            return None;
        }
        let got = answer(&bytes, name);
        let right = rejections
            .split('|')
            .any(|word| got == format!("refused: {word}"));
        (!right).then(|| WrongAnswer {
            file: name.to_owned(),
            expected: format!("refused: {rejections}"),
            got,
        })
    });
    let wrong: Vec<_> = answers.into_iter().flatten().collect();
    report(&wrong, &known::list("bombs"), EVERY.len());
}

/// A document with this many more entries, whose names end with these letters.
fn entries(count: usize, name: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (name, text) in [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", RELS),
        ("word/document.xml", "<x/>"),
    ] {
        writer.start_file(name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    for number in 0..count {
        writer
            .start_file(format!("{number}{name}"), options)
            .unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Zeros as a zlib stream. A mebibyte is compressed once, and its blocks are repeated.
fn zeros(count: usize) -> Vec<u8> {
    let deflated = |count: usize, flush| {
        let mut compress = Compress::new(Compression::best(), false);
        let mut out = Vec::with_capacity(8_192);
        let zeros = vec![0; count];
        compress.compress_vec(&zeros, &mut out, flush).unwrap();
        out
    };
    let whole = deflated(1 << 20, FlushCompress::Full).repeat(count >> 20);
    let rest = deflated(count % (1 << 20), FlushCompress::Finish);
    // Adler-32 of zeros: the first sum stays 1, the second counts them.
    let sum = (u32::try_from(count % 65_521).unwrap() << 16) | 1;
    [[0x78, 0xda].as_slice(), &whole, &rest, &sum.to_be_bytes()].concat()
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(content);
    let length = u32::try_from(content.len()).unwrap();
    [
        &length.to_be_bytes(),
        kind.as_slice(),
        content,
        &sum.sum().to_be_bytes(),
    ]
    .concat()
}

fn png(width: u32, height: u32, depth: u8, before: &[u8], data: &[u8], after: &[u8]) -> Vec<u8> {
    let head = [
        &width.to_be_bytes(),
        &height.to_be_bytes(),
        [depth, 0, 0, 0, 0].as_slice(),
    ]
    .concat();
    let signature = b"\x89PNG\r\n\x1a\n".as_slice();
    [
        signature,
        &chunk(b"IHDR", &head),
        before,
        &chunk(b"IDAT", data),
        after,
        &chunk(b"IEND", b""),
    ]
    .concat()
}

fn apng(frames: u32, side: u32) -> Vec<u8> {
    let data = zeros(usize::try_from(side * (side + 1)).unwrap());
    let control = |number: u32| {
        let place = [number, side, side, 0, 0].map(u32::to_be_bytes).concat();
        chunk(b"fcTL", &[place.as_slice(), &[0, 1, 0, 10, 0, 0]].concat())
    };
    let count = [frames.to_be_bytes(), [0; 4]].concat();
    let before = [chunk(b"acTL", &count), control(0)].concat();
    let mut after = Vec::new();
    for number in 1..frames {
        after.extend(control(2 * number - 1));
        let content = [&(2 * number).to_be_bytes(), data.as_slice()].concat();
        after.extend(chunk(b"fdAT", &content));
    }
    png(side, side, 8, &before, &data, &after)
}

fn gif(frames: usize) -> Vec<u8> {
    let screen = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".as_slice();
    let frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0".repeat(frames);
    [screen, &frame, b";"].concat()
}

/// A grey progressive picture whose further scans hold only ends of blocks.
fn jpeg(scans: u8, side: u16) -> Vec<u8> {
    let blocks = usize::from(side.div_ceil(8)).pow(2);
    let [high, low] = side.to_be_bytes();
    let mut out = [b"\xff\xd8\xff\xdb\0\x43\0".as_slice(), &[1; 64]].concat();
    out.extend([0xff, 0xc2, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0]);
    for (class, symbol) in [(0, 0), (0x10, 0xe0)] {
        out.extend([0xff, 0xc4, 0, 20, class, 1]);
        out.extend([0; 15]);
        out.push(symbol);
    }
    let head = |first, last| [0xff, 0xda, 0, 8, 1, 1, 0, first, last, 0];
    out.extend(head(0, 0));
    out.resize(out.len() + blocks.div_ceil(8), 0);
    for scan in 0..scans - 1 {
        out.extend(head(scan % 63 + 1, scan % 63 + 1));
        // A code of one bit and fourteen further bits end 16,384 blocks.
        out.resize(out.len() + (15 * blocks.div_ceil(16_384)).div_ceil(8), 0);
    }
    out.extend([0xff, 0xd9]);
    out
}

fn boxes(brand: &[u8; 4]) -> Vec<u8> {
    let head = [b"\0\0\0\x14ftyp".as_slice(), brand, &[0; 4], brand].concat();
    [head, b"\0\0\0\x08free".repeat(1_000_000)].concat()
}

/// A PDF of these objects, the first of which is the catalog.
fn pdf(objects: &[String]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = "%PDF-1.4\n".to_owned();
    for (number, object) in objects.iter().enumerate() {
        writeln!(text, "{} 0 obj\n{object}\nendobj", number + 1).unwrap();
    }
    let start = text.len();
    let size = objects.len() + 1;
    writeln!(text, "xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF").unwrap();
    text.into_bytes()
}

/// A tree of pages in which every branch holds the next one twice.
fn pages(levels: usize) -> Vec<u8> {
    let mut all = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    for level in 0..levels {
        let next = level + 3;
        all.push(format!(
            "<< /Type /Pages /Kids [{next} 0 R {next} 0 R] /Count 2 >>"
        ));
    }
    all.push("<< /Type /Pages /Kids [2 0 R] /Count 1 >>".to_owned());
    pdf(&all)
}

/// An object stream that unpacks to this many bytes.
fn stream(bytes: usize) -> Vec<u8> {
    let data = zeros(bytes);
    let head = format!(
        "%PDF-1.5\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\n2 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length {} >>\nstream\n",
        data.len()
    );
    let end = b"\nendstream\nendobj\ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
        .as_slice();
    [head.as_bytes(), &data, end].concat()
}
