//! Animated GIF, PNG and WebP.

use super::made::{animated_gif, animated_png, chunk, document, png_with, recognised};
use crate::uploads::policy::{Animation, Bytes, Policy};
use crate::uploads::{FileKind, Picture};

const KINDS: &[FileKind] = &[FileKind::Gif, FileKind::Png, FileKind::Webp];

#[derive(Debug)]
enum FirstFrames {}

impl Policy for FirstFrames {
    const NAME: &'static str = "first_frames";
    const KINDS: &'static [FileKind] = KINDS;
    const BYTES: Bytes = Bytes::Reencoded;
    const ANIMATION: Animation = Animation::FirstFrame;
}

#[derive(Debug)]
enum Stills {}

impl Policy for Stills {
    const NAME: &'static str = "stills";
    const KINDS: &'static [FileKind] = KINDS;
    const BYTES: Bytes = Bytes::Reencoded;
    const ANIMATION: Animation = Animation::Refused;
}

/// Two frames of 2 x 1 pixels without loss, made with `img2webp`.
const WEBP: &[u8] = include_bytes!("colours/animated.webp");

fn frames_of_gif(bytes: &[u8]) -> Vec<(Vec<u8>, u16)> {
    let mut decoder = gif::DecodeOptions::new().read_info(bytes).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        frames.push((frame.buffer.to_vec(), frame.delay));
    }
    frames
}

fn frames_of_png(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let frames = reader
        .info()
        .animation_control
        .map_or(1, |control| control.num_frames);
    let mut all = Vec::new();
    for _ in 0..frames {
        let mut frame = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut frame).unwrap();
        frame.truncate(info.buffer_size());
        all.push(frame);
    }
    all
}

#[test]
fn a_document_keeps_an_animation_byte_for_byte() {
    assert_eq!(document(&animated_gif(3), "a.gif"), Ok(FileKind::Gif));
    assert_eq!(document(&animated_png(3), "a.png"), Ok(FileKind::Png));
    assert_eq!(document(WEBP, "a.webp"), Ok(FileKind::Webp));
}

#[test]
fn a_picture_keeps_the_frames_that_can_be_encoded() {
    let (gif, png) = (animated_gif(3), animated_png(3));
    let (_, anew) = recognised::<Picture>(&gif, "a.gif").unwrap();
    assert_eq!(frames_of_gif(&anew), frames_of_gif(&gif));
    assert_eq!(frames_of_gif(&anew).len(), 3);
    let (_, anew) = recognised::<Picture>(&png, "a.png").unwrap();
    assert_eq!(frames_of_png(&anew), frames_of_png(&png));
    assert_eq!(frames_of_png(&anew).len(), 3);
    let (_, anew) = recognised::<Picture>(WEBP, "a.webp").unwrap();
    let decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(anew)).unwrap();
    assert!(!decoder.is_animated());
}

#[test]
fn the_policy_takes_the_first_frame_or_refuses() {
    for (bytes, name) in [
        (animated_gif(3), "a.gif"),
        (animated_png(3), "a.png"),
        (WEBP.to_vec(), "a.webp"),
    ] {
        assert_eq!(
            recognised::<Stills>(&bytes, name).map(drop),
            Err("animated"),
            "{name}"
        );
        assert!(recognised::<FirstFrames>(&bytes, name).is_ok(), "{name}");
    }
    let (_, anew) = recognised::<FirstFrames>(&animated_gif(3), "a.gif").unwrap();
    assert_eq!(frames_of_gif(&anew), frames_of_gif(&animated_gif(1)));
    let (_, anew) = recognised::<FirstFrames>(&animated_png(3), "a.png").unwrap();
    assert_eq!(frames_of_png(&anew).len(), 1);
    // One frame is no animation.
    assert!(recognised::<Stills>(&animated_gif(1), "a.gif").is_ok());
}

/// A few bytes a frame, a thousand and more times.
///
/// ASVS: V5.2.6
#[test]
fn an_animation_of_too_many_frames_is_refused() {
    assert_eq!(document(&animated_gif(1_000), "a.gif"), Ok(FileKind::Gif));
    assert_eq!(
        document(&animated_gif(1_001), "a.gif"),
        Err("too_many_frames")
    );
    let (_, anew) = recognised::<FirstFrames>(&animated_gif(1_001), "a.gif").unwrap();
    assert_eq!(frames_of_gif(&anew).len(), 1);
    let still = super::made::encoded(&super::made::two_halves(), image::ImageFormat::Png);
    let control = chunk(b"acTL", &[1_001_u32.to_be_bytes(), [0; 4]].concat());
    assert_eq!(
        document(&png_with(&still, &[control]), "a.png"),
        Err("too_many_frames")
    );
}

/// A comment and a program's block are gone, and so is what follows the end.
#[test]
fn a_gif_loses_what_is_no_frame() {
    let mut gif = animated_gif(2);
    let end = gif.pop();
    assert_eq!(end, Some(0x3b));
    gif.extend_from_slice(b"\x21\xfe\x06secret\0\x3b");
    assert_eq!(document(&gif, "a.gif"), Ok(FileKind::Gif));
    gif.extend_from_slice(b"<script>");
    assert_eq!(document(&gif, "a.gif"), Err("trailing_data"));
    let (_, anew) = recognised::<Picture>(&gif, "a.gif").unwrap();
    for lost in [b"secret".as_slice(), b"<script>"] {
        assert!(!anew.windows(lost.len()).any(|window| window == lost));
    }
}
