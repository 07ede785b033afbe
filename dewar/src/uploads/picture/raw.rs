//! A decoder's samples become pixels of 8 bits a channel in the colours of a page.

use image::{DynamicImage, ImageBuffer};
use moxcms::Layout;

use super::super::recognise::RecognitionError;
use super::colour::Colours;
use super::limits::Deadline;

/// The channels of a decoder's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Four inks; 255 is all of it.
    Cmyk,
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Cmyk | Self::Rgba => 4,
        }
    }
}

/// The bits of a sample; those of 16 bits stand with the high byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Eight,
    Sixteen,
}

/// Samples as a decoder wrote them, row after row.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: Channels,
    pub(crate) depth: Depth,
    pub(crate) samples: Vec<u8>,
}

impl Raw {
    /// Converts the colours, row by row and in the same memory.
    ///
    /// # Errors
    /// The time is over.
    pub(crate) fn into_picture(
        mut self,
        colours: &Colours,
        deadline: &Deadline,
    ) -> Result<DynamicImage, RecognitionError> {
        let grey = match self.channels {
            Channels::Grey | Channels::GreyAlpha => colours.grey(),
            Channels::Cmyk | Channels::Rgb | Channels::Rgba => None,
        };
        match (self.channels, self.depth) {
            (Channels::Cmyk, _) => self.inks_to_light(colours, deadline)?,
            (Channels::Grey | Channels::GreyAlpha, Depth::Eight) => {
                if let Some(table) = grey {
                    let step = self.channels.count();
                    self.rows(deadline, |row| {
                        for sample in row.iter_mut().step_by(step) {
                            *sample = to_8(grey_of(&table, u16::from(*sample) * 257));
                        }
                    })?;
                }
            }
            (Channels::Rgb | Channels::Rgba, Depth::Eight) => {
                if let Some(transform) = colours.rgb8(self.layout()) {
                    let mut from = Vec::new();
                    self.rows(deadline, |row| {
                        from.clear();
                        from.extend_from_slice(row);
                        if transform.transform(&from, row).is_err() {
                            row.copy_from_slice(&from);
                        }
                    })?;
                }
            }
            (_, Depth::Sixteen) => self.halve(colours, grey.as_deref(), deadline)?,
        }
        self.finish()
    }

    fn layout(&self) -> Layout {
        match self.channels {
            Channels::Rgb => Layout::Rgb,
            Channels::Cmyk | Channels::Grey | Channels::GreyAlpha | Channels::Rgba => Layout::Rgba,
        }
    }

    fn samples_per_row(&self) -> usize {
        self.width as usize * self.channels.count()
    }

    fn rows(
        &mut self,
        deadline: &Deadline,
        mut change: impl FnMut(&mut [u8]),
    ) -> Result<(), RecognitionError> {
        let length = self.samples_per_row().max(1);
        for row in self.samples.chunks_exact_mut(length) {
            deadline.check()?;
            change(row);
        }
        Ok(())
    }

    /// 16 bits become 8 after the colours are converted: a profile of few bits in the dark would leave steps otherwise.
    fn halve(
        &mut self,
        colours: &Colours,
        grey: Option<&[u16]>,
        deadline: &Deadline,
    ) -> Result<(), RecognitionError> {
        let transform = match self.channels {
            Channels::Rgb | Channels::Rgba => colours.rgb16(self.layout()),
            Channels::Cmyk | Channels::Grey | Channels::GreyAlpha => None,
        };
        let (per_row, step) = (self.samples_per_row().max(1), self.channels.count());
        let (mut from, mut to) = (Vec::with_capacity(per_row), vec![0; per_row]);
        for number in 0..self.height as usize {
            deadline.check()?;
            let start = number * per_row;
            let row = self
                .samples
                .get(start * 2..(start + per_row) * 2)
                .unwrap_or_default();
            from.clear();
            from.extend(
                row.as_chunks()
                    .0
                    .iter()
                    .map(|pair| u16::from_be_bytes(*pair)),
            );
            if let Some(table) = grey {
                from.iter_mut()
                    .step_by(step)
                    .for_each(|sample| *sample = grey_of(table, *sample));
            }
            let row = match &transform {
                Some(transform) if transform.transform(&from, &mut to).is_ok() => &to,
                Some(_) | None => &from,
            };
            let half = self
                .samples
                .get_mut(start..start + per_row)
                .unwrap_or_default();
            for (sample, wide) in half.iter_mut().zip(row) {
                *sample = to_8(*wide);
            }
        }
        self.depth = Depth::Eight;
        self.samples.truncate(per_row * self.height as usize);
        self.samples.shrink_to_fit();
        Ok(())
    }

    fn inks_to_light(
        &mut self,
        colours: &Colours,
        deadline: &Deadline,
    ) -> Result<(), RecognitionError> {
        let transform = colours.cmyk();
        let (inks, lights) = (self.samples_per_row().max(1), self.width as usize * 3);
        let mut from = Vec::with_capacity(inks);
        let mut to = vec![0; lights];
        for number in 0..self.height as usize {
            deadline.check()?;
            from.clear();
            from.extend_from_slice(
                self.samples
                    .get(number * inks..(number + 1) * inks)
                    .unwrap_or_default(),
            );
            let done = transform
                .as_ref()
                .is_some_and(|it| it.transform(&from, &mut to).is_ok());
            if !done {
                mix(&from, &mut to);
            }
            let place = self.samples.get_mut(number * lights..(number + 1) * lights);
            place.unwrap_or_default().copy_from_slice(&to);
        }
        self.channels = Channels::Rgb;
        self.samples.truncate(lights * self.height as usize);
        self.samples.shrink_to_fit();
        Ok(())
    }

    fn finish(self) -> Result<DynamicImage, RecognitionError> {
        let (width, height) = (self.width, self.height);
        let picture = match self.channels {
            Channels::Grey => {
                ImageBuffer::from_raw(width, height, self.samples).map(DynamicImage::ImageLuma8)
            }
            Channels::GreyAlpha => {
                ImageBuffer::from_raw(width, height, self.samples).map(DynamicImage::ImageLumaA8)
            }
            Channels::Rgb => {
                ImageBuffer::from_raw(width, height, self.samples).map(DynamicImage::ImageRgb8)
            }
            Channels::Cmyk | Channels::Rgba => {
                ImageBuffer::from_raw(width, height, self.samples).map(DynamicImage::ImageRgba8)
            }
        };
        picture.ok_or_else(|| std::io::Error::other("a decoder wrote too few samples").into())
    }
}

/// Inks without a profile: each takes its light away.
fn mix(inks: &[u8], lights: &mut [u8]) {
    for (ink, light) in inks.as_chunks().0.iter().zip(lights.as_chunks_mut().0) {
        let [cyan, magenta, yellow, black]: [u8; 4] = *ink;
        let rest = |ink: u8| {
            let product = u16::from(255 - ink) * u16::from(255 - black);
            u8::try_from((product + 127) / 255).unwrap_or(255)
        };
        *light = [rest(cyan), rest(magenta), rest(yellow)];
    }
}

fn grey_of(table: &[u16], sample: u16) -> u16 {
    table.get(usize::from(sample)).copied().unwrap_or(sample)
}

fn to_8(sample: u16) -> u8 {
    u8::try_from((u32::from(sample) * 255 + 32_767) / 65_535).unwrap_or(255)
}
