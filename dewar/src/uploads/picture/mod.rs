//! Decodes whole pictures within limits, and encodes them again if the policy demands it.

use std::io::{Read, Seek, Write};

use image::DynamicImage;
use image::metadata::Orientation;

use super::kind::{FileKind, PictureFormat};
use super::policy::Animation;
use super::recognise::RecognitionError;

mod colour;
mod gif_file;
mod jpeg;
mod limits;
mod png_file;
mod raw;
mod reduce;
mod scans;
mod webp;

pub(crate) use limits::{Deadline, MAX_FRAMES, MAX_PIXELS, Timed};

/// Decodes the whole picture in the format of its first bytes, with all its frames.
///
/// # Errors
/// The picture is damaged or larger than the limits, or the time is over.
pub(crate) fn examine(
    format: PictureFormat,
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    file.rewind()?;
    match format {
        PictureFormat::Gif => gif_file::examine(file, deadline),
        PictureFormat::Jpeg => jpeg::decode(file, deadline).map(drop),
        PictureFormat::Png => png_file::examine(file, deadline),
        PictureFormat::Webp => webp::examine(file, deadline),
    }
}

/// Writes the picture in the colours of a page, upright, and nothing else: no EXIF, no location, no profile, no comment,
/// nothing after the end.
///
/// # Errors
/// As [`examine`]; the policy takes no animation; the file could not be written.
pub(crate) fn reencode(
    format: PictureFormat,
    file: &mut (impl Read + Seek),
    out: &mut impl Write,
    animation: Animation,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    file.rewind()?;
    match format {
        PictureFormat::Gif => gif_file::reencode(file, out, animation, deadline),
        PictureFormat::Jpeg => jpeg::encode(&jpeg::decode(file, deadline)?, out, deadline),
        PictureFormat::Png => png_file::reencode(file, out, animation, deadline),
        PictureFormat::Webp => webp::reencode(file, out, animation, deadline),
    }
}

/// Writes the first frame within these sides, in the colours of a page, upright: a JPEG, or a PNG if a part of it is
/// transparent. Returns which.
///
/// # Errors
/// As [`examine`]; the file could not be written.
pub(crate) fn thumbnail(
    format: PictureFormat,
    file: &mut (impl Read + Seek),
    out: &mut impl Write,
    most: (u32, u32),
    deadline: &Deadline,
) -> Result<FileKind, RecognitionError> {
    file.rewind()?;
    let picture = match format {
        PictureFormat::Gif => gif_file::first_frame(file, deadline),
        PictureFormat::Jpeg => jpeg::decode(file, deadline),
        PictureFormat::Png => png_file::first_frame(file, deadline),
        PictureFormat::Webp => webp::first_frame(file, deadline),
    };
    let small = reduce::reduce(picture?, most, deadline)?;
    let small = reduce::without_opacity(small);
    if small.color().has_alpha() {
        png_file::encode(&small, out, deadline)?;
        Ok(FileKind::Png)
    } else {
        jpeg::encode(&small, out, deadline)?;
        Ok(FileKind::Jpeg)
    }
}

/// Re-encoding removes the EXIF data, and with them the orientation.
fn turned(mut picture: DynamicImage, orientation: Orientation) -> DynamicImage {
    picture.apply_orientation(orientation);
    picture
}

/// Bytes for a pixel of so many bytes while a picture is turned.
fn memory_to_turn(bytes: u64, orientation: Orientation) -> u64 {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => bytes,
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => bytes * 2,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, SeekFrom};
    use std::time::Duration;

    use super::*;
    use crate::audit::Clock;

    /// A file of which every read takes a second.
    struct Slow {
        file: Cursor<Vec<u8>>,
        clock: Clock,
        reads: usize,
    }

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.clock.advance(Duration::from_secs(1));
            self.reads += 1;
            self.file.read(buffer)
        }
    }

    impl Seek for Slow {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.file.seek(to)
        }
    }

    fn noise(format: image::ImageFormat) -> Vec<u8> {
        let mut state = 1_u32;
        let picture = image::RgbImage::from_fn(300, 300, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            image::Rgb([a, b, c])
        });
        let mut out = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(picture)
            .write_to(&mut out, format)
            .unwrap();
        out.into_inner()
    }

    /// ASVS: V2.4.1
    #[test]
    fn a_decoder_reads_no_further_after_the_deadline() {
        for (format, encoded) in [
            (PictureFormat::Png, image::ImageFormat::Png),
            (PictureFormat::Webp, image::ImageFormat::WebP),
            (PictureFormat::Jpeg, image::ImageFormat::Jpeg),
        ] {
            let clock = Clock::manual(0);
            let deadline = Deadline::after(&clock, Duration::from_secs(5));
            let file = Cursor::new(noise(encoded));
            let mut slow = Slow {
                file,
                clock: clock.clone(),
                reads: 0,
            };
            assert!(examine(format, &mut slow, &deadline).is_err(), "{format:?}");
            assert!(deadline.has_passed());
            assert_eq!(slow.reads, 5, "{format:?}");
            // The same file in time.
            let clock = Clock::manual(0);
            let deadline = Deadline::after(&clock, Duration::from_secs(5_000));
            let file = Cursor::new(noise(encoded));
            let mut in_time = Slow {
                file,
                clock,
                reads: 0,
            };
            assert!(
                examine(format, &mut in_time, &deadline).is_ok(),
                "{format:?}"
            );
            assert!(in_time.reads > 5, "{format:?} {}", in_time.reads);
        }
    }
}
