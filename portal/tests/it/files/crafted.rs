//! Files made byte by byte: valid, or with one forbidden thing in them.

use std::io::{Cursor, Write};

use image::{DynamicImage, ImageFormat};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A valid picture, as a program writes it.
pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::new_rgb8(width, height);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A grey progressive JPEG of 8 x 8 pixels in so many scans, of which all but the first are empty.
pub(crate) fn scans(number: usize) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], length.as_slice(), data].concat()
    };
    // One code of one bit, for "no difference" and for "end of block".
    let table = |class: u8| segment(0xc4, &[[class, 1].as_slice(), &[0; 15], &[0]].concat());
    let mut jpeg = b"\xff\xd8".to_vec();
    jpeg.extend(segment(0xdb, &[[0].as_slice(), &[1; 64]].concat()));
    jpeg.extend(segment(0xc2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]));
    jpeg.extend([table(0x00), table(0x10)].concat());
    for scan in 0..number {
        let (first, last) = if scan == 0 { (0, 0) } else { (1, 63) };
        jpeg.extend(segment(0xda, &[1, 1, 0, first, last, 0]));
        jpeg.push(0x7f);
    }
    jpeg.extend(b"\xff\xd9");
    jpeg
}

/// A Word document with these parts beside the standard ones.
pub(crate) fn word(parts: &[(&str, &[u8])]) -> Vec<u8> {
    const TYPES: &[u8] = br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const RELATIONS: &[u8] = br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
    const TEXT: &[u8] = br#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Tea</w:t></w:r></w:p></w:body></w:document>"#;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let always = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("word/document.xml", TEXT),
    ];
    for (name, bytes) in always.iter().chain(parts) {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
