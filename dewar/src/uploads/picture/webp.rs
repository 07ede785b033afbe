//! WebP, still and animated.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the decoders have many variants, and get more"
)]

use std::io::{BufReader, Read, Seek, Write};

use image::DynamicImage;
use image_webp::{DecodingError, EncodingError, WebPDecoder, WebPEncoder};

use super::super::kind::FileKind;
use super::super::policy::Animation;
use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::colour::Colours;
use super::limits::{Deadline, MAX_METADATA, Timed, TimedWriter, check_frames, check_size};
use super::raw::{Channels, Depth, Raw};
use super::{jpeg, turned};

type Decoder<'a, F> = WebPDecoder<BufReader<Timed<'a, F>>>;

/// Bytes for a pixel while it is decoded: the picture and the planes or the canvas behind it.
const TO_DECODE: u64 = 12;

/// Bytes for a pixel while it is encoded: the picture, the encoder's copy and the result.
const TO_ENCODE: u64 = 12;

fn damaged() -> RecognitionError {
    UploadRejection::Damaged {
        kind: FileKind::Webp,
    }
    .into()
}

/// # Errors
/// The picture is damaged or larger than the limits, or the time is over.
fn open<'a, F: Read + Seek>(
    file: F,
    deadline: &'a Deadline,
) -> Result<Decoder<'a, F>, RecognitionError> {
    let mut decoder =
        WebPDecoder::new(BufReader::new(Timed { file, deadline })).map_err(trouble)?;
    decoder.set_memory_limit(MAX_METADATA);
    let (width, height) = decoder.dimensions();
    check_size(
        width,
        height,
        if decoder.is_animated() { TO_DECODE } else { 9 },
    )?;
    check_frames(width, height, u64::from(decoder.num_frames()))?;
    Ok(decoder)
}

/// Decodes every frame.
///
/// # Errors
/// As [`open`].
pub(super) fn examine(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut decoder = open(file, deadline)?;
    let mut samples = vec![0; decoder.output_buffer_size().ok_or_else(damaged)?];
    if !decoder.is_animated() {
        decoder.read_image(&mut samples).map_err(trouble)?;
    }
    for _ in 0..decoder.num_frames() {
        deadline.check()?;
        decoder.read_frame(&mut samples).map_err(trouble)?;
    }
    Ok(deadline.check()?)
}

/// # Errors
/// As [`open`]; the policy takes no animation; the file could not be written.
pub(super) fn reencode(
    file: &mut (impl Read + Seek),
    out: &mut impl Write,
    animation: Animation,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut decoder = open(file, deadline)?;
    if decoder.is_animated() && animation == Animation::Refused {
        return Err(UploadRejection::Animated.into());
    }
    let (width, height) = decoder.dimensions();
    check_size(width, height, TO_ENCODE)?;
    let picture = decode(&mut decoder, deadline)?;
    encode(&picture, out, deadline)
}

/// # Errors
/// As [`open`].
pub(super) fn first_frame(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<DynamicImage, RecognitionError> {
    let mut decoder = open(file, deadline)?;
    let (width, height) = decoder.dimensions();
    // It may be turned.
    check_size(width, height, TO_DECODE)?;
    decode(&mut decoder, deadline)
}

fn decode<F: Read + Seek>(
    decoder: &mut Decoder<'_, F>,
    deadline: &Deadline,
) -> Result<DynamicImage, RecognitionError> {
    let (width, height) = decoder.dimensions();
    // Data of colours or EXIF that are too large or broken are ignored.
    let profile = decoder.icc_profile().unwrap_or_default();
    let exif = decoder.exif_metadata().unwrap_or_default();
    deadline.check()?;
    let mut samples = vec![0; decoder.output_buffer_size().ok_or_else(damaged)?];
    decoder.read_image(&mut samples).map_err(trouble)?;
    deadline.check()?;
    let channels = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let raw = Raw {
        width,
        height,
        channels,
        depth: Depth::Eight,
        samples,
    };
    let picture = raw.into_picture(&Colours::of_icc(profile.as_deref()), deadline)?;
    Ok(turned(picture, jpeg::orientation(exif.as_deref())))
}

/// # Errors
/// The file could not be written, or the time is over.
pub(super) fn encode(
    picture: &DynamicImage,
    out: &mut impl Write,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut out = TimedWriter::new(out, deadline);
    let colour = match picture.color() {
        image::ColorType::L8 => image_webp::ColorType::L8,
        image::ColorType::La8 => image_webp::ColorType::La8,
        image::ColorType::Rgb8 => image_webp::ColorType::Rgb8,
        image::ColorType::Rgba8 => image_webp::ColorType::Rgba8,
        _ => return Err(damaged()),
    };
    WebPEncoder::new(&mut out)
        .encode(
            picture.as_bytes(),
            picture.width(),
            picture.height(),
            colour,
        )
        .map_err(|error| match error {
            EncodingError::IoError(error) => error,
            error => std::io::Error::other(error),
        })?;
    Ok(out.flush()?)
}

fn trouble(error: DecodingError) -> RecognitionError {
    match error {
        DecodingError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            error.into()
        }
        _ => damaged(),
    }
}
