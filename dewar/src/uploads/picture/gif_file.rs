//! GIF: its frames keep their own palettes, so that encoding it again loses nothing.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the decoders have many variants, and get more"
)]

use std::io::{Read, Seek, Write};

use gif::{
    ColorOutput, DecodeOptions, Decoder, DecodingError, Encoder, EncodingError, MemoryLimit,
};

use image::{DynamicImage, RgbaImage};

use super::super::kind::FileKind;
use super::super::policy::Animation;
use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::limits::{Deadline, MAX_PIXELS, Timed, TimedWriter, check_frames, check_size};

fn damaged() -> RecognitionError {
    UploadRejection::Damaged {
        kind: FileKind::Gif,
    }
    .into()
}

/// # Errors
/// The picture is damaged or larger than the limits, or the time is over.
fn open<'a, F: Read + Seek>(
    file: F,
    colours: ColorOutput,
    deadline: &'a Deadline,
) -> Result<Decoder<Timed<'a, F>>, RecognitionError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(colours);
    options.check_frame_consistency(true);
    let most = std::num::NonZeroU64::new(u64::from(MAX_PIXELS) * 4).ok_or_else(damaged)?;
    options.set_memory_limit(MemoryLimit::Bytes(most));
    let decoder = options
        .read_info(Timed { file, deadline })
        .map_err(trouble)?;
    check_size(decoder.width().into(), decoder.height().into(), 4)?;
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
    each_frame(
        &mut open(file, ColorOutput::Indexed, deadline)?,
        deadline,
        |_| Ok(()),
    )
}

/// # Errors
/// As [`open`]; the policy takes no animation; the file could not be written.
pub(super) fn reencode(
    file: &mut (impl Read + Seek),
    out: &mut impl Write,
    animation: Animation,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    if animation == Animation::Refused {
        refuse_second_frame(file, deadline)?;
        file.rewind()?;
    }
    let mut decoder = open(file, ColorOutput::Indexed, deadline)?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut out = TimedWriter::new(out, deadline);
    let mut encoder =
        Encoder::new(&mut out, decoder.width(), decoder.height(), &palette).map_err(unwritten)?;
    let mut number = 0_u64;
    let mut first = decoder.read_next_frame().map_err(trouble)?.cloned();
    // The number of rounds stands before the first frame.
    if animation == Animation::Kept && decoder.repeat() != gif::Repeat::Finite(0) {
        encoder.set_repeat(decoder.repeat()).map_err(unwritten)?;
    }
    while let Some(mut frame) = first.take() {
        number += 1;
        check_frames(decoder.width().into(), decoder.height().into(), number)?;
        frame.interlaced = false;
        encoder.write_frame(&frame).map_err(unwritten)?;
        deadline.check()?;
        if animation == Animation::Kept {
            first = decoder.read_next_frame().map_err(trouble)?.cloned();
        }
    }
    if number == 0 {
        return Err(damaged());
    }
    drop(encoder);
    Ok(out.flush()?)
}

/// The first frame on its canvas, which is transparent where the frame leaves it free.
///
/// # Errors
/// As [`open`].
pub(super) fn first_frame(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<DynamicImage, RecognitionError> {
    let mut decoder = open(file, ColorOutput::RGBA, deadline)?;
    let (width, height) = (decoder.width(), decoder.height());
    // The frame and the canvas.
    check_size(width.into(), height.into(), 8)?;
    let frame = decoder.read_next_frame().map_err(trouble)?;
    let frame = frame.ok_or_else(damaged)?;
    let mut canvas = vec![0; usize::from(width) * usize::from(height) * 4];
    let rows = canvas.chunks_exact_mut(usize::from(width).max(1) * 4);
    let lines = frame
        .buffer
        .chunks_exact(usize::from(frame.width).max(1) * 4);
    let left = usize::from(frame.left) * 4;
    for (row, line) in rows.skip(usize::from(frame.top)).zip(lines) {
        deadline.check()?;
        let place = row.get_mut(left..left + line.len()).ok_or_else(damaged)?;
        place.copy_from_slice(line);
    }
    let canvas = RgbaImage::from_raw(width.into(), height.into(), canvas);
    canvas.map(DynamicImage::ImageRgba8).ok_or_else(damaged)
}

fn refuse_second_frame(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut frames = 0_u64;
    each_frame(
        &mut open(file, ColorOutput::Indexed, deadline)?,
        deadline,
        |_| {
            frames += 1;
            if frames > 1 {
                Err(UploadRejection::Animated.into())
            } else {
                Ok(())
            }
        },
    )
}

fn each_frame<F: Read>(
    decoder: &mut Decoder<F>,
    deadline: &Deadline,
    mut see: impl FnMut(&gif::Frame<'_>) -> Result<(), RecognitionError>,
) -> Result<(), RecognitionError> {
    let (width, height) = (decoder.width().into(), decoder.height().into());
    let mut frames = 0;
    while let Some(frame) = decoder.read_next_frame().map_err(trouble)? {
        frames += 1;
        check_frames(width, height, frames)?;
        deadline.check()?;
        see(frame)?;
    }
    if frames == 0 { Err(damaged()) } else { Ok(()) }
}

fn trouble(error: DecodingError) -> RecognitionError {
    match error {
        DecodingError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            error.into()
        }
        _ => damaged(),
    }
}

fn unwritten(error: EncodingError) -> RecognitionError {
    match error {
        EncodingError::Io(error) => error.into(),
        error => std::io::Error::other(error).into(),
    }
}
