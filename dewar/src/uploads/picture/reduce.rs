//! Shrinks a picture: every pixel of the result is the mean of those that it covers.

use image::{ColorType, DynamicImage, ImageBuffer};

use super::super::recognise::RecognitionError;
use super::limits::Deadline;

/// The picture within these sides, in its own proportions. A smaller one stays as it is. Only rows of the result are in memory
/// beside the picture.
///
/// # Errors
/// The time is over.
pub(super) fn reduce(
    picture: DynamicImage,
    most: (u32, u32),
    deadline: &Deadline,
) -> Result<DynamicImage, RecognitionError> {
    let from = (picture.width(), picture.height());
    let to = fit(from, most);
    if to == from {
        return Ok(picture);
    }
    let colour = picture.color();
    let channels = usize::from(colour.channel_count());
    let row_length = (from.0 as usize).saturating_mul(channels).max(1);
    let mut out = Vec::new();
    let mut cells = vec![Cell::default(); to.0 as usize];
    for row in 0..to.1 {
        let (start, end) = span(row, to.1, from.1);
        cells.fill(Cell::default());
        let rows = picture.as_bytes().chunks_exact(row_length);
        for source in rows.skip(start).take(end - start) {
            deadline.check()?;
            for (column, cell) in (0..to.0).zip(&mut cells) {
                let (start, end) = span(column, to.0, from.0);
                let pixels = source.chunks_exact(channels);
                pixels
                    .skip(start)
                    .take(end - start)
                    .for_each(|pixel| cell.add(pixel, colour.has_alpha()));
            }
        }
        for cell in &cells {
            cell.mean(channels, colour.has_alpha(), &mut out);
        }
    }
    built(colour, to, out)
}

/// The sides of the result: at least one pixel, at most these.
fn fit((width, height): (u32, u32), most: (u32, u32)) -> (u32, u32) {
    if width <= most.0 && height <= most.1 {
        return (width, height);
    }
    let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (most_w, most_h) = (u64::from(most.0), u64::from(most.1));
    let side = |length: u64| u32::try_from(length.max(1)).unwrap_or(u32::MAX);
    if w * most_h > h * most_w {
        (most.0, side(h * most_w / w).min(most.1))
    } else {
        (side(w * most_h / h).min(most.0), most.1)
    }
}

/// The pixels of `from` that one of `to` covers, at least one.
fn span(number: u32, to: u32, from: u32) -> (usize, usize) {
    let at = |number: u64| number * u64::from(from) / u64::from(to.max(1));
    let start = at(u64::from(number));
    let end = at(u64::from(number) + 1).max(start + 1);
    let size = |length| usize::try_from(length).unwrap_or(usize::MAX);
    (size(start), size(end))
}

/// The sums of the pixels that one of the result covers.
#[derive(Clone, Debug, Default)]
struct Cell {
    sums: [u64; 4],
    /// The opacity of all of them.
    opacity: u64,
    pixels: u64,
}

impl Cell {
    /// A colour counts as much as it is seen: the black behind a transparent pixel makes no dark edge.
    fn add(&mut self, pixel: &[u8], has_alpha: bool) {
        let (colours, opacity) = match pixel {
            [colours @ .., opacity] if has_alpha => (colours, u64::from(*opacity)),
            colours => (colours, 255),
        };
        for (sum, colour) in self.sums.iter_mut().zip(colours) {
            *sum += u64::from(*colour) * opacity;
        }
        self.opacity += opacity;
        self.pixels += 1;
    }

    fn mean(&self, channels: usize, has_alpha: bool, out: &mut Vec<u8>) {
        let mean = |sum: u64, number: u64| {
            let mean = (sum + number / 2).checked_div(number).unwrap_or(0);
            u8::try_from(mean).unwrap_or(u8::MAX)
        };
        let colours = channels - usize::from(has_alpha);
        let sums = self.sums.iter().take(colours);
        out.extend(sums.map(|sum| mean(*sum, self.opacity)));
        if has_alpha {
            out.push(mean(self.opacity, self.pixels));
        }
    }
}

fn built(
    colour: ColorType,
    (width, height): (u32, u32),
    bytes: Vec<u8>,
) -> Result<DynamicImage, RecognitionError> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the decoders of Dewar write four of the many colour types"
    )]
    let picture = match colour {
        ColorType::L8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        ColorType::La8 => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8)
        }
        ColorType::Rgb8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        ColorType::Rgba8 => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8)
        }
        _ => None,
    };
    picture.ok_or_else(|| std::io::Error::other("a picture of other samples").into())
}

/// The picture without its opacity, if all of it is opaque.
pub(super) fn without_opacity(picture: DynamicImage) -> DynamicImage {
    let channels = usize::from(picture.color().channel_count());
    let is_opaque = |pixel: &[u8]| pixel.last() == Some(&255);
    if picture.color().has_alpha() && !picture.as_bytes().chunks_exact(channels).all(is_opaque) {
        return picture;
    }
    if matches!(picture, DynamicImage::ImageLumaA8(_)) {
        DynamicImage::ImageLuma8(picture.to_luma8())
    } else if matches!(picture, DynamicImage::ImageRgba8(_)) {
        DynamicImage::ImageRgb8(picture.to_rgb8())
    } else {
        picture
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::audit::Clock;

    fn reduced(picture: DynamicImage, most: (u32, u32)) -> DynamicImage {
        let deadline = Deadline::after(&Clock::manual(0), Duration::from_secs(60));
        reduce(picture, most, &deadline).unwrap()
    }

    #[test]
    fn the_sides_fit_and_keep_their_proportions() {
        for (from, most, to) in [
            ((400, 200), (160, 160), (160, 80)),
            ((200, 400), (160, 160), (80, 160)),
            ((100, 50), (160, 160), (100, 50)),
            ((161, 161), (160, 160), (160, 160)),
            ((100_000, 1), (160, 160), (160, 1)),
            ((1, 100_000), (160, 90), (1, 90)),
            ((u32::MAX, u32::MAX), (1, 1), (1, 1)),
        ] {
            assert_eq!(fit(from, most), to, "{from:?}");
        }
    }

    #[test]
    fn a_pixel_is_the_mean_of_those_that_it_covers() {
        let picture =
            image::GrayImage::from_fn(4, 2, |x, _| image::Luma([[0, 100, 200, 250][x as usize]]));
        let small = reduced(DynamicImage::ImageLuma8(picture), (2, 2));
        assert_eq!((small.width(), small.height()), (2, 1));
        assert_eq!(small.as_bytes(), [50, 225]);
    }

    #[test]
    fn what_is_behind_a_transparent_pixel_is_not_seen() {
        let picture = image::RgbaImage::from_fn(2, 1, |x, _| {
            image::Rgba(if x == 0 {
                [200, 100, 0, 255]
            } else {
                [0, 0, 0, 0]
            })
        });
        let small = reduced(DynamicImage::ImageRgba8(picture), (1, 1));
        assert_eq!(small.as_bytes(), [200, 100, 0, 128]);
    }

    #[test]
    fn no_row_is_read_after_the_deadline() {
        let clock = Clock::manual(0);
        let deadline = Deadline::after(&clock, Duration::from_secs(1));
        clock.advance(Duration::from_secs(1));
        let picture = DynamicImage::ImageLuma8(image::GrayImage::new(8, 8));
        assert!(reduce(picture, (1, 1), &deadline).is_err());
    }
}
