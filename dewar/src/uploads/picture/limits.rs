//! How much a picture may cost: pixels, memory, frames and time.

use std::io::{self, BufRead, BufWriter, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use super::super::rejection::UploadRejection;
use crate::audit::Clock;

/// The most pixels of a picture, whatever its sides. Phones take pictures of 50 million.
pub(crate) const MAX_PIXELS: u32 = 100_000_000;

/// The most memory of the pixels of one picture while it is decoded, turned or encoded.
pub(crate) const MAX_MEMORY: u64 = 640 * 1024 * 1024;

/// The most frames of an animation.
pub(crate) const MAX_FRAMES: u32 = 1_000;

/// The most pixels of all scans or of all frames together.
pub(crate) const MAX_WORK: u64 = 1024 * 1024 * 1024;

/// The most bytes of a colour profile or of the orientation's EXIF data. A profile of a printer has up to 3 MiB.
pub(crate) const MAX_METADATA: usize = 4 * 1024 * 1024;

/// Checks the size of a picture before anything is allocated for it. `per_pixel` is the number of bytes that all steps
/// need at once.
///
/// # Errors
/// The picture has too many pixels for its format.
pub(crate) fn check_size(width: u32, height: u32, per_pixel: u64) -> Result<(), UploadRejection> {
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if pixels > u64::from(MAX_PIXELS) || pixels.saturating_mul(per_pixel) > MAX_MEMORY {
        return Err(UploadRejection::TooManyPixels);
    }
    Ok(())
}

/// Checks an animation: every frame goes over the whole canvas.
///
/// # Errors
/// It has too many frames, or too many pixels in all of them.
pub(crate) fn check_frames(width: u32, height: u32, frames: u64) -> Result<(), UploadRejection> {
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if frames > u64::from(MAX_FRAMES) || (frames > 1 && pixels.saturating_mul(frames) > MAX_WORK) {
        return Err(UploadRejection::TooManyFrames);
    }
    Ok(())
}

/// The time until which one file may be examined. It is asked at every read and write, and between the frames and rows of
/// a picture.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    clock: Clock,
    end: Duration,
}

impl Deadline {
    pub(crate) fn after(clock: &Clock, time: Duration) -> Self {
        Self {
            end: clock.elapsed().saturating_add(time),
            clock: clock.clone(),
        }
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.clock.elapsed() >= self.end
    }

    /// # Errors
    /// The time is over.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.has_passed() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(())
        }
    }
}

/// A file that can be read and written until the deadline.
#[derive(Debug)]
pub(crate) struct Timed<'a, F> {
    pub(crate) file: F,
    pub(crate) deadline: &'a Deadline,
}

impl<F: Read> Read for Timed<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.deadline.check()?;
        self.file.read(buffer)
    }
}

impl<F: BufRead> BufRead for Timed<'_, F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.deadline.check()?;
        self.file.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.file.consume(amount);
    }
}

impl<F: Seek> Seek for Timed<'_, F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl<F: Write> Write for Timed<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.deadline.check()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// How many writes of an encoder may pass between two looks at the clock: some write byte by byte.
const WRITES: u32 = 64;

/// A file with a buffer that can be written until the deadline. It asks before the buffer: what compresses to a few bytes fills none,
/// however long the encoder takes.
#[derive(Debug)]
pub(crate) struct TimedWriter<'a, W: Write> {
    file: BufWriter<W>,
    deadline: &'a Deadline,
    writes: u32,
}

impl<'a, W: Write> TimedWriter<'a, W> {
    pub(crate) fn new(file: W, deadline: &'a Deadline) -> Self {
        Self {
            file: BufWriter::new(file),
            deadline,
            writes: 0,
        }
    }
}

impl<W: Write> Write for TimedWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.writes.is_multiple_of(WRITES) {
            self.deadline.check()?;
        }
        self.writes = self.writes.wrapping_add(1);
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.deadline.check()?;
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoder that writes one byte at a time, and few of them, is stopped too.
    #[test]
    fn a_buffer_hides_no_encoder_from_the_deadline() {
        let clock = Clock::manual(1_000);
        let deadline = Deadline::after(&clock, Duration::from_secs(2));
        let mut written = Vec::new();
        let mut file = TimedWriter::new(&mut written, &deadline);
        file.write_all(&[7; 10]).unwrap();
        clock.advance(Duration::from_secs(2));
        let refused = (0..WRITES).find_map(|_| file.write_all(&[7]).err());
        assert_eq!(refused.unwrap().kind(), io::ErrorKind::TimedOut);
        assert_eq!(file.flush().unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(file);
        assert!(written.len() < 100);
    }

    #[test]
    fn a_picture_is_bounded_by_its_pixels_and_not_by_a_side() {
        assert!(
            check_size(8_160, 6_144, 8).is_ok(),
            "a phone's, 16 bits with transparency"
        );
        assert!(
            check_size(8_064, 6_048, 9).is_ok(),
            "a phone's, progressive"
        );
        assert!(check_size(10_000, 10_000, 6).is_ok());
        assert!(check_size(100_000, 1_000, 3).is_ok());
        for (width, height, per_pixel) in [
            (10_000, 10_001, 1),
            (10_000, 10_000, 7),
            (u32::MAX, u32::MAX, 1),
            (8_160, 6_144, 14),
        ] {
            let refused = check_size(width, height, per_pixel);
            assert_eq!(
                refused,
                Err(UploadRejection::TooManyPixels),
                "{width} {height}"
            );
        }
    }

    #[test]
    fn an_animation_is_bounded_by_its_frames_and_their_pixels() {
        assert!(check_frames(10_000, 10_000, 1).is_ok());
        assert!(check_frames(1_024, 1_024, 1_000).is_ok());
        for (side, frames) in [(1, 1_001), (32_768, 2), (4_096, 65)] {
            let refused = check_frames(side, side, frames);
            assert_eq!(
                refused,
                Err(UploadRejection::TooManyFrames),
                "{side} {frames}"
            );
        }
    }

    #[test]
    fn nothing_is_read_or_written_after_the_deadline() {
        let clock = Clock::manual(1_000);
        let deadline = Deadline::after(&clock, Duration::from_secs(2));
        let mut timed = Timed {
            file: io::Cursor::new(vec![7; 4]),
            deadline: &deadline,
        };
        let mut byte = [0];
        clock.advance(Duration::from_millis(1_999));
        assert_eq!(timed.read(&mut byte).unwrap(), 1);
        assert_eq!(timed.write(&[8]).unwrap(), 1);
        assert!(timed.fill_buf().is_ok());
        clock.advance(Duration::from_millis(1));
        for refused in [
            timed.read(&mut byte).map(drop),
            timed.write(&byte).map(drop),
            timed.fill_buf().map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
    }
}
