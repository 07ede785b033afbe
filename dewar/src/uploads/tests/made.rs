//! Makes the files.

use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, Write as _};

use image::{DynamicImage, ImageFormat, RgbImage};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::uploads::FileKind;
use crate::uploads::name::FileName;
use crate::uploads::policy::{Bytes, Document, Picture, Policy};
use crate::uploads::recognise::{Trouble, recognise};

pub(crate) const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>"#;

pub(crate) const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

const DOCUMENT: &str = r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:body></w:document>"#;

/// What recognising under a policy gives: the kind and the new bytes if there are any, or the reason's word.
pub(crate) fn recognised<P: Policy>(
    bytes: &[u8],
    name: &str,
) -> Result<(FileKind, Vec<u8>), &'static str> {
    let name = FileName::parse(name).map_err(|refused| refused.word())?;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let anew = tempfile::tempfile().unwrap();
    let mut written: File = anew.try_clone().unwrap();
    match recognise(&mut file, &name, P::KINDS, P::BYTES, || Ok(anew)) {
        Ok(kind) => {
            let mut bytes = Vec::new();
            written.rewind().unwrap();
            written.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.is_empty(), P::BYTES == Bytes::AsSent);
            Ok((kind, bytes))
        }
        Err(Trouble::Refused(refused)) => Err(refused.word()),
        Err(Trouble::Io(error)) => panic!("{error}"),
    }
}

pub(crate) fn document(bytes: &[u8], name: &str) -> Result<FileKind, &'static str> {
    recognised::<Document>(bytes, name).map(|(kind, _)| kind)
}

pub(crate) fn picture(bytes: &[u8], name: &str) -> Result<Vec<u8>, &'static str> {
    recognised::<Picture>(bytes, name).map(|(_, bytes)| bytes)
}

pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let method = if *name == "mimetype" {
            zip::CompressionMethod::Stored
        } else {
            zip::CompressionMethod::Deflated
        };
        writer
            .start_file(
                *name,
                SimpleFileOptions::default().compression_method(method),
            )
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn docx(more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", CONTENT_TYPES.as_bytes()),
        ("_rels/.rels", RELS.as_bytes()),
        ("word/document.xml", DOCUMENT.as_bytes()),
    ];
    entries.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    entries.extend_from_slice(more);
    zip(&entries)
}

pub(crate) fn odt(more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"<?xml version='1.0'?><office:document-content><office:body/></office:document-content>"),
        ("META-INF/manifest.xml", b"<?xml version='1.0'?><manifest:manifest/>"),
    ];
    entries.extend_from_slice(more);
    zip(&entries)
}

/// 40 x 20 pixels, the left half red, the right half blue.
pub(crate) fn two_halves() -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(40, 20, |x, _| {
        image::Rgb(if x < 20 { [250, 0, 0] } else { [0, 0, 250] })
    }))
}

pub(crate) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A JPEG whose EXIF says "turn me by 90 degrees" and names a place.
pub(crate) fn jpeg_with_exif() -> Vec<u8> {
    let plain = encoded(&two_halves(), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    exif.extend_from_slice(&[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    exif.extend_from_slice(b"GPS 52.52N 13.40E");
    let mut out = plain[..2].to_vec();
    out.extend_from_slice(&[0xff, 0xe1]);
    out.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    out.extend_from_slice(&exif);
    out.extend_from_slice(&plain[2..]);
    out
}

pub(crate) const PDF: &[u8] = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\nxref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n110\n%%EOF\n";
