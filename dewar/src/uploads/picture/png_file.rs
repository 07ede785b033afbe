//! PNG and APNG.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the decoders have many variants, and get more"
)]

use std::io::{BufReader, Read, Seek, Write};

use image::DynamicImage;
use png::{BitDepth, ColorType, DecodingError, EncodingError, Transformations};

use super::super::kind::FileKind;
use super::super::policy::Animation;
use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::colour::Colours;
use super::limits::{Deadline, MAX_METADATA, Timed, TimedWriter, check_frames, check_size};
use super::raw::{Channels, Depth, Raw};
use super::{jpeg, turned};

type Source<'a, F> = BufReader<Timed<'a, F>>;

fn damaged() -> RecognitionError {
    UploadRejection::Damaged {
        kind: FileKind::Png,
    }
    .into()
}

/// A PNG whose header is read and whose size is within the limits.
struct Opened<'a, F: Read + Seek> {
    reader: png::Reader<Source<'a, F>>,
    colours: Colours,
    /// The pictures in the file: frames, and the default picture if it is none.
    pictures: u64,
    deadline: &'a Deadline,
}

/// # Errors
/// The picture is damaged or larger than the limits, or the time is over.
fn open<'a, F: Read + Seek>(
    file: F,
    deadline: &'a Deadline,
) -> Result<Opened<'a, F>, RecognitionError> {
    let source = BufReader::new(Timed { file, deadline });
    let mut options = png::DecodeOptions::default();
    options.set_ignore_adler32(false);
    options.set_ignore_text_chunk(true);
    let mut decoder = png::Decoder::new_with_options(source, options);
    decoder.set_limits(png::Limits {
        bytes: MAX_METADATA,
    });
    decoder.set_transformations(Transformations::EXPAND);
    let info = decoder.read_header_info().map_err(trouble)?;
    let (width, height) = (info.width, info.height);
    // The most that the header allows: a palette may have transparency.
    let channels = match info.color_type {
        ColorType::Grayscale => 2,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb | ColorType::Indexed | ColorType::Rgba => 4,
    };
    let channels = if info.color_type == ColorType::Rgb {
        3
    } else {
        channels
    };
    let depth = if info.bit_depth == BitDepth::Sixteen {
        2
    } else {
        1
    };
    check_size(width, height, channels * depth)?;
    let row = (width as usize).saturating_mul(8).saturating_add(8);
    decoder.set_limits(png::Limits {
        bytes: MAX_METADATA.saturating_mul(2).saturating_add(row),
    });
    let reader = decoder.read_info().map_err(trouble)?;
    let info = reader.info();
    let pictures = info.animation_control.map_or(1, |animation| {
        u64::from(animation.num_frames) + u64::from(info.frame_control.is_none())
    });
    check_frames(width, height, pictures)?;
    Ok(Opened {
        colours: Colours::of_png(info),
        pictures,
        reader,
        deadline,
    })
}

impl<F: Read + Seek> Opened<'_, F> {
    fn next(&mut self) -> Result<Raw, RecognitionError> {
        let mut samples = vec![0; self.reader.output_buffer_size().ok_or_else(damaged)?];
        let info = self.reader.next_frame(&mut samples).map_err(trouble)?;
        samples.truncate(info.buffer_size());
        Ok(Raw {
            width: info.width,
            height: info.height,
            channels: match info.color_type {
                ColorType::Grayscale => Channels::Grey,
                ColorType::GrayscaleAlpha => Channels::GreyAlpha,
                ColorType::Rgb => Channels::Rgb,
                ColorType::Rgba => Channels::Rgba,
                ColorType::Indexed => return Err(damaged()),
            },
            depth: if info.bit_depth == BitDepth::Sixteen {
                Depth::Sixteen
            } else {
                Depth::Eight
            },
            samples,
        })
    }

    fn next_picture(&mut self) -> Result<DynamicImage, RecognitionError> {
        self.next()?.into_picture(&self.colours, self.deadline)
    }
}

/// Decodes every frame.
///
/// # Errors
/// As [`open`].
pub(super) fn examine(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut opened = open(file, deadline)?;
    let mut samples = vec![0; opened.reader.output_buffer_size().ok_or_else(damaged)?];
    for _ in 0..opened.pictures {
        deadline.check()?;
        opened.reader.next_frame(&mut samples).map_err(trouble)?;
    }
    Ok(())
}

/// # Errors
/// As [`open`]; the policy takes no animation; the file could not be written.
pub(super) fn reencode(
    file: &mut (impl Read + Seek),
    out: &mut impl Write,
    animation: Animation,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let mut opened = open(file, deadline)?;
    match (opened.reader.info().animation_control, animation) {
        (Some(_), Animation::Refused) => Err(UploadRejection::Animated.into()),
        (Some(control), Animation::Kept) => write_frames(&mut opened, control, out),
        (Some(_), Animation::FirstFrame) | (None, _) => {
            let picture = upright(&mut opened)?;
            encode(&picture, out, deadline)
        }
    }
}

/// # Errors
/// As [`open`].
pub(super) fn first_frame(
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<DynamicImage, RecognitionError> {
    upright(&mut open(file, deadline)?)
}

fn upright<F: Read + Seek>(opened: &mut Opened<'_, F>) -> Result<DynamicImage, RecognitionError> {
    let picture = opened.next_picture()?;
    let orientation = jpeg::orientation(opened.reader.info().exif_metadata.as_deref());
    check_size(
        picture.width(),
        picture.height(),
        super::memory_to_turn(u64::from(picture.color().bytes_per_pixel()), orientation),
    )?;
    Ok(turned(picture, orientation))
}

/// # Errors
/// The file could not be written, or the time is over.
pub(super) fn encode(
    picture: &DynamicImage,
    out: &mut impl Write,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let out = TimedWriter::new(out, deadline);
    let mut encoder = png::Encoder::new(out, picture.width(), picture.height());
    encoder.set_color(colour_type(picture)?);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(unwritten)?;
    let mut stream = writer.stream_writer().map_err(unwritten)?;
    let row = picture.width() as usize * usize::from(picture.color().bytes_per_pixel());
    for row in picture.as_bytes().chunks(row.max(1)) {
        stream.write_all(row)?;
    }
    stream.finish().map_err(unwritten)?;
    writer.finish().map_err(unwritten)
}

fn write_frames<F: Read + Seek>(
    opened: &mut Opened<'_, F>,
    control: png::AnimationControl,
    out: &mut impl Write,
) -> Result<(), RecognitionError> {
    let (width, height) = opened.reader.info().size();
    let is_separate = opened.reader.info().frame_control.is_none();
    // A frame, its filtered copy and the compressed one.
    check_size(width, height, 12)?;
    let mut frame = opened.next_picture()?;
    let out = TimedWriter::new(out, opened.deadline);
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(colour_type(&frame)?);
    encoder.set_depth(BitDepth::Eight);
    encoder
        .set_animated(control.num_frames, control.num_plays)
        .map_err(unwritten)?;
    encoder.set_sep_def_img(is_separate).map_err(unwritten)?;
    let mut writer = encoder.write_header().map_err(unwritten)?;
    let mut left = opened.pictures;
    loop {
        if let Some(place) = opened.reader.info().frame_control {
            writer
                .set_frame_delay(place.delay_num, place.delay_den)
                .map_err(unwritten)?;
            writer.set_dispose_op(place.dispose_op).map_err(unwritten)?;
            writer.set_blend_op(place.blend_op).map_err(unwritten)?;
            // The position first: each is checked against the canvas with the other.
            writer.reset_frame_position().map_err(unwritten)?;
            writer
                .set_frame_dimension(place.width, place.height)
                .map_err(unwritten)?;
            writer
                .set_frame_position(place.x_offset, place.y_offset)
                .map_err(unwritten)?;
        }
        writer
            .write_image_data(frame.as_bytes())
            .map_err(unwritten)?;
        left = left.saturating_sub(1);
        if left == 0 {
            return writer.finish().map_err(unwritten);
        }
        frame = opened.next_picture()?;
    }
}

fn colour_type(picture: &DynamicImage) -> Result<ColorType, RecognitionError> {
    Ok(match picture.color() {
        image::ColorType::L8 => ColorType::Grayscale,
        image::ColorType::La8 => ColorType::GrayscaleAlpha,
        image::ColorType::Rgb8 => ColorType::Rgb,
        image::ColorType::Rgba8 => ColorType::Rgba,
        _ => return Err(damaged()),
    })
}

fn trouble(error: DecodingError) -> RecognitionError {
    match error {
        DecodingError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            error.into()
        }
        DecodingError::LimitsExceeded => UploadRejection::Bomb.into(),
        DecodingError::IoError(_) | DecodingError::Format(_) | DecodingError::Parameter(_) => {
            damaged()
        }
    }
}

fn unwritten(error: EncodingError) -> RecognitionError {
    match error {
        EncodingError::IoError(error) => error.into(),
        error @ (EncodingError::Format(_)
        | EncodingError::Parameter(_)
        | EncodingError::LimitsExceeded) => std::io::Error::other(error).into(),
    }
}
