//! Real files, made by real programs, as a user would upload them. `.ci/run` installs these:
//! `apt-get install --no-install-recommends chromium pandoc libjpeg-turbo-progs webp fonts-dejavu-core`.

pub(crate) mod crafted;

use crate::{chromium, programs};
use std::fs::File;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder of files; dropping it removes them.
#[derive(Debug)]
pub(crate) struct Files {
    folder: TempDir,
    chromium: PathBuf,
    pandoc: PathBuf,
    cjpeg: PathBuf,
    wrjpgcom: PathBuf,
    cwebp: PathBuf,
    dwebp: PathBuf,
}

/// The programs that make files; if one is not installed, the test is skipped.
pub(crate) fn or_skip() -> Option<Files> {
    Some(Files {
        folder: TempDir::with_prefix("files").unwrap(),
        chromium: chromium::program_or_skip()?,
        pandoc: programs::or_skip("pandoc", &["pandoc"])?,
        cjpeg: programs::or_skip("libjpeg-turbo-progs", &["cjpeg"])?,
        wrjpgcom: programs::or_skip("libjpeg-turbo-progs", &["wrjpgcom"])?,
        cwebp: programs::or_skip("webp", &["cwebp"])?,
        dwebp: programs::or_skip("webp", &["dwebp"])?,
    })
}

impl Files {
    /// A PDF, printed by Chromium.
    pub(crate) fn pdf(&self, name: &str, text: &str) -> PathBuf {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let page = self.text(
            "page.html",
            &format!("<!doctype html><title>PDF</title><p>{text}"),
        );
        let path = self.path(name);
        let profile = TempDir::new_in(self.folder.path()).unwrap();
        let more = [
            format!("--user-data-dir={}", profile.path().display()),
            format!("--print-to-pdf={}", path.display()),
            "--no-pdf-header-footer".to_owned(),
            format!("file://{}", page.display()),
        ];
        programs::run(
            &self.chromium,
            chromium::FLAGS
                .map(ToOwned::to_owned)
                .into_iter()
                .chain(more),
        );
        path
    }

    /// A Word document, made of Markdown by pandoc.
    pub(crate) fn docx(&self, name: &str, markdown: &str) -> PathBuf {
        self.by_pandoc("docx", name, markdown)
    }

    /// An `OpenDocument` text, made of Markdown by pandoc.
    pub(crate) fn odt(&self, name: &str, markdown: &str) -> PathBuf {
        self.by_pandoc("odt", name, markdown)
    }

    /// A picture of that size, with a comment inside that must not survive an upload.
    pub(crate) fn jpeg(&self, name: &str, width: u16, height: u16, comment: &str) -> PathBuf {
        let (painted, plain, path) = (self.path("p.ppm"), self.path("p.jpg"), self.path(name));
        std::fs::write(&painted, painting(width, height)).unwrap();
        programs::run(
            &self.cjpeg,
            ["-outfile".as_ref(), plain.as_os_str(), painted.as_os_str()],
        );
        let arguments = ["-comment".as_ref(), comment.as_ref(), plain.as_os_str()];
        programs::run_into(&self.wrjpgcom, arguments, File::create(&path).unwrap());
        path
    }

    /// A WebP picture.
    pub(crate) fn webp(&self, name: &str, width: u16, height: u16) -> PathBuf {
        let (picture, path) = (self.jpeg("w.jpg", width, height, ""), self.path(name));
        let arguments = [
            "-quiet".as_ref(),
            picture.as_os_str(),
            "-o".as_ref(),
            path.as_os_str(),
        ];
        programs::run(&self.cwebp, arguments);
        path
    }

    /// A PNG picture.
    pub(crate) fn png(&self, name: &str, width: u16, height: u16) -> PathBuf {
        let (picture, path) = (self.webp("n.webp", width, height), self.path(name));
        let arguments = [
            "-quiet".as_ref(),
            picture.as_os_str(),
            "-o".as_ref(),
            path.as_os_str(),
        ];
        programs::run(&self.dwebp, arguments);
        path
    }

    /// Plain text of any kind: TXT, CSV, HTML.
    pub(crate) fn text(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn by_pandoc(&self, format: &str, name: &str, markdown: &str) -> PathBuf {
        let (source, path) = (self.text("source.md", markdown), self.path(name));
        let source = source.as_os_str();
        let arguments = ["-f", "markdown", "-t", format, "-o"].map(AsRef::as_ref);
        programs::run(
            &self.pandoc,
            arguments.into_iter().chain([path.as_os_str(), source]),
        );
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder
            .path()
            .join(Path::new(name).file_name().unwrap())
    }
}

/// Two gradients as PPM, which is small to write and not empty.
fn painting(width: u16, height: u16) -> Vec<u8> {
    let shade =
        |place: u16, all: u16| u8::try_from(u32::from(place) * 255 / u32::from(all)).unwrap();
    let mut picture = format!("P6\n{width} {height}\n255\n").into_bytes();
    for row in 0..height {
        for column in 0..width {
            picture.extend([shade(column, width), shade(row, height), 160]);
        }
    }
    picture
}

#[test]
fn every_file_is_what_it_is_called() {
    let Some(files) = or_skip() else { return };
    let read = |path: PathBuf| std::fs::read(path).unwrap();
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let pdf = read(files.pdf("report.pdf", "Tea & milk"));
    assert!(pdf.starts_with(b"%PDF-") && holds(&pdf, b"%%EOF"));
    let docx = read(files.docx("report.docx", "# Tea\n\nand *milk*"));
    assert!(docx.starts_with(b"PK") && holds(&docx, b"word/document.xml"));
    let odt = read(files.odt("report.odt", "# Tea"));
    assert!(odt.starts_with(b"PK") && holds(&odt, b"application/vnd.oasis.opendocument.text"));
    let jpeg = read(files.jpeg("photo.jpg", 64, 48, "taken at home"));
    assert!(jpeg.starts_with(b"\xff\xd8\xff") && holds(&jpeg, b"taken at home"));
    let webp = read(files.webp("photo.webp", 64, 48));
    assert!(webp.starts_with(b"RIFF") && holds(&webp, b"WEBPVP8"));
    let png = read(files.png("photo.png", 64, 48));
    assert!(png.starts_with(b"\x89PNG\r\n") && holds(&png, b"IHDR\0\0\0\x40\0\0\0\x30"));
    assert_eq!(read(files.text("list.csv", "a,b\n1,2\n")), b"a,b\n1,2\n");
}
