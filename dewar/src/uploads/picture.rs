//! Decodes whole pictures within limits, and re-encodes them if the policy demands it.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::kind::{FileKind, PictureFormat};
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::scans;

/// The most pixels of a side. Without a limit, a 30,000 x 30,000 PNG of 875 kB takes 864 MB of memory.
pub(crate) const MAX_SIDE: u32 = 8_000;

/// The most memory for decoding one picture.
const MAX_ALLOC: u64 = 128 * 1024 * 1024;

/// Of 100: no visible loss, and files no larger than those of cameras.
const JPEG_QUALITY: u8 = 88;

/// Decodes the picture in the format of its first bytes, and turns it upright.
///
/// # Errors
/// The picture is damaged or larger than the limits.
pub(crate) fn decode(
    format: PictureFormat,
    file: &mut File,
) -> Result<DynamicImage, RecognitionError> {
    file.rewind()?;
    if format == PictureFormat::Jpeg {
        scans::look(file)?;
        file.rewind()?;
    }
    let mut reader = ImageReader::with_format(BufReader::new(file), decoder(format));
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let trouble = |error| trouble(format.kind(), error);
    let mut decoder = reader.into_decoder().map_err(trouble)?;
    if decoder.total_bytes() > MAX_ALLOC {
        return Err(UploadRejection::TooManyPixels.into());
    }
    let orientation = decoder.orientation().map_err(trouble)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(trouble)?;
    // Re-encoding removes the EXIF data, and with them the orientation.
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Writes the picture and nothing else: no EXIF, no location, no colour profile, no comment, nothing after the end.
///
/// # Errors
/// The file could not be written.
pub(crate) fn write_anew(
    format: PictureFormat,
    picture: &DynamicImage,
    out: &mut File,
) -> Result<(), RecognitionError> {
    let mut out = BufWriter::new(out);
    // 8 bits a channel, as browsers show it; JPEG has no transparency.
    let pixels = if picture.color().has_alpha() && format != PictureFormat::Jpeg {
        DynamicImage::ImageRgba8(picture.to_rgba8())
    } else {
        DynamicImage::ImageRgb8(picture.to_rgb8())
    };
    let written = match format {
        PictureFormat::Jpeg => {
            pixels.write_with_encoder(JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY))
        }
        PictureFormat::Png => pixels.write_with_encoder(PngEncoder::new(&mut out)),
        PictureFormat::Webp => pixels.write_with_encoder(WebPEncoder::new_lossless(&mut out)),
    };
    written.map_err(|error| trouble(format.kind(), error))?;
    out.flush()?;
    Ok(())
}

fn decoder(format: PictureFormat) -> ImageFormat {
    match format {
        PictureFormat::Jpeg => ImageFormat::Jpeg,
        PictureFormat::Png => ImageFormat::Png,
        PictureFormat::Webp => ImageFormat::WebP,
    }
}

fn trouble(kind: FileKind, error: ImageError) -> RecognitionError {
    match error {
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            RecognitionError::Io(error)
        }
        ImageError::Limits(limit)
            if !matches!(limit.kind(), LimitErrorKind::Unsupported { .. }) =>
        {
            UploadRejection::TooManyPixels.into()
        }
        ImageError::Limits(_)
        | ImageError::IoError(_)
        | ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Unsupported(_) => UploadRejection::Damaged { kind }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a picture is the sender's fault, a failing disk the operator's.
    #[test]
    fn what_a_decoder_says_is_told_apart() {
        use image::error::{LimitError, UnsupportedError};
        use std::io::{Error, ErrorKind};
        let told = |error: ImageError| match trouble(FileKind::Png, error) {
            RecognitionError::Refused(refused) => refused.word(),
            RecognitionError::Io(_) => "io",
        };
        let io = |kind: ErrorKind| told(ImageError::IoError(Error::from(kind)));
        assert_eq!(io(ErrorKind::UnexpectedEof), "damaged");
        assert_eq!(io(ErrorKind::PermissionDenied), "io");
        let limit = |kind| told(ImageError::Limits(LimitError::from_kind(kind)));
        assert_eq!(limit(LimitErrorKind::DimensionError), "too_many_pixels");
        assert_eq!(limit(LimitErrorKind::InsufficientMemory), "too_many_pixels");
        let unsupported = UnsupportedError::from_format_and_kind(
            image::error::ImageFormatHint::Unknown,
            image::error::UnsupportedErrorKind::GenericFeature(String::new()),
        );
        assert_eq!(told(ImageError::Unsupported(unsupported)), "damaged");
    }
}
