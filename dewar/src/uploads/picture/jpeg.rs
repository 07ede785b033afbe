//! JPEG: brightness and colour, RGB, grey, and the four inks of print (CMYK, YCCK).
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the decoders have many variants, and get more"
)]

use std::io::{Cursor, Read, Seek, Write};

use image::DynamicImage;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use zune_core::bytestream::ZByteIoError;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::super::kind::FileKind;
use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::colour::Colours;
use super::limits::{Deadline, MAX_METADATA, Timed, TimedWriter, check_size};
use super::raw::{Channels, Depth, Raw};
use super::{scans, turned};

/// Of 100: no visible loss, and files no larger than those of cameras.
const QUALITY: u8 = 88;

/// The decoder needs the whole file. 100 million pixels of the highest quality have about 100 MiB.
const MAX_FILE: u64 = 128 * 1024 * 1024;

const KIND: FileKind = FileKind::Jpeg;

/// # Errors
/// The picture is damaged or larger than the limits, or the time is over.
pub(super) fn decode(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<DynamicImage, RecognitionError> {
    scans::look(&mut Timed {
        file: &mut *file,
        deadline,
    })?;
    file.rewind()?;
    let mut bytes = Vec::new();
    Timed { file, deadline }
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(UploadRejection::TooManyPixels.into());
    }
    let sides = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(sides)
        .set_max_height(sides);
    let source = Timed {
        file: Cursor::new(bytes),
        deadline,
    };
    let mut decoder = JpegDecoder::new_with_options(source, options);
    decoder.decode_headers().map_err(trouble)?;
    let damaged = || RecognitionError::from(UploadRejection::Damaged { kind: KIND });
    let (info, space) = (
        decoder.info().ok_or_else(damaged)?,
        decoder.input_colorspace().ok_or_else(damaged)?,
    );
    let colours = Colours::of_icc(decoder.icc_profile().as_deref());
    let orientation = orientation(decoder.exif().map(Vec::as_slice));
    let out = match space {
        ColorSpace::Luma => ColorSpace::Luma,
        ColorSpace::CMYK | ColorSpace::YCCK if colours.cmyk().is_some() => space,
        ColorSpace::YCbCr | ColorSpace::RGB | ColorSpace::CMYK | ColorSpace::YCCK => {
            ColorSpace::RGB
        }
        _ => return Err(damaged()),
    };
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    check_size(
        width,
        height,
        memory(info.components, is_progressive(&info), out, orientation),
    )?;
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(out));
    let mut samples = vec![0; decoder.output_buffer_size().ok_or_else(damaged)?];
    decoder.decode_into(&mut samples).map_err(trouble)?;
    deadline.check()?;
    drop(decoder);
    let raw = Raw {
        width,
        height,
        channels: channels(out, &mut samples),
        depth: Depth::Eight,
        samples,
    };
    Ok(turned(raw.into_picture(&colours, deadline)?, orientation))
}

fn is_progressive(info: &zune_jpeg::ImageInfo) -> bool {
    let frame = format!("{:?}", info.sof);
    frame.contains("Progressive")
}

/// Bytes for a pixel: the samples; 16 bits of each channel if the decoder collects them; a second copy to turn it.
fn memory(components: u8, is_progressive: bool, out: ColorSpace, orientation: Orientation) -> u64 {
    let samples = out.num_components() as u64;
    let collected = if is_progressive || components > 3 {
        u64::from(components) * 2
    } else {
        0
    };
    (samples + collected).max(super::memory_to_turn(samples, orientation))
}

/// Programs of Adobe write inks inverted, and every reader expects it; in YCCK the first three are those of light.
fn channels(space: ColorSpace, samples: &mut [u8]) -> Channels {
    match space {
        ColorSpace::Luma => Channels::Grey,
        ColorSpace::CMYK => {
            samples.iter_mut().for_each(|ink| *ink = 255 - *ink);
            Channels::Cmyk
        }
        ColorSpace::YCCK => {
            for pixel in samples.as_chunks_mut::<4>().0 {
                *pixel = inks(*pixel);
            }
            Channels::Cmyk
        }
        _ => Channels::Rgb,
    }
}

/// ITU T.871, section 7, in 16 bits of fraction.
fn inks([luma, blue, red, black]: [u8; 4]) -> [u8; 4] {
    let (luma, blue, red) = (
        i32::from(luma) << 16,
        i32::from(blue) - 128,
        i32::from(red) - 128,
    );
    let light = |value: i32| u8::try_from(((value + 32_768) >> 16).clamp(0, 255)).unwrap_or(255);
    [
        light(luma + 91_881 * red),
        light(luma - 22_554 * blue - 46_802 * red),
        light(luma + 116_130 * blue),
        255 - black,
    ]
}

/// The orientation of EXIF data; without any, or in a broken one, the picture stands as it is.
pub(super) fn orientation(exif: Option<&[u8]>) -> Orientation {
    exif.filter(|exif| exif.len() <= MAX_METADATA)
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms)
}

/// # Errors
/// The file could not be written, or the time is over.
pub(super) fn encode(
    picture: &DynamicImage,
    out: &mut impl Write,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut out = TimedWriter::new(out, deadline);
    let encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
    picture
        .write_with_encoder(encoder)
        .map_err(std::io::Error::other)?;
    Ok(out.flush()?)
}

fn trouble(error: DecodeErrors) -> RecognitionError {
    match error {
        DecodeErrors::IoErrors(ZByteIoError::StdIoError(error))
            if error.kind() != std::io::ErrorKind::UnexpectedEof =>
        {
            error.into()
        }
        DecodeErrors::LargeDimensions(_) => UploadRejection::TooManyPixels.into(),
        _ => UploadRejection::Damaged { kind: KIND }.into(),
    }
}
