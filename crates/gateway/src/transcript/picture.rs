//! Pictures of a conversation, made small enough for a document: turned as their camera said, at most as fine as paper shows. Refuses pictures whose pixels would not
//! fit into memory, before they are unpacked.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

/// Largest side of a picture that is looked at.
const MAX_SIDE: u32 = 12_000;
/// Bytes that a picture may take when it is unpacked.
const MAX_UNPACKED_BYTES: u64 = 160 * 1024 * 1024;
/// Largest side in the document.
const SIDE: u32 = 900;
/// Of JPEG, from 1 to 100.
const QUALITY: u8 = 80;

/// A picture for a document.
pub(crate) struct Picture {
    /// JPEG.
    pub(crate) bytes: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Makes a picture fit; `None` where it cannot be read or is too large.
pub(crate) fn fit(bytes: &[u8]) -> Option<Picture> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_UNPACKED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    if decoder.total_bytes() > MAX_UNPACKED_BYTES {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if picture.width() > SIDE || picture.height() > SIDE {
        picture = picture.thumbnail(SIDE, SIDE);
    }
    picture.apply_orientation(orientation);
    let on_paper = on_paper(&picture);
    let (width, height) = on_paper.dimensions();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&on_paper).ok()?;
    Some(Picture { bytes, width, height })
}

/// What is transparent shows the paper.
fn on_paper(picture: &DynamicImage) -> RgbImage {
    let source = picture.to_rgba8();
    let mut paper = RgbImage::new(source.width(), source.height());
    for (from, to) in source.pixels().zip(paper.pixels_mut()) {
        let [red, green, blue, alpha] = from.0;
        let mix = |colour: u8| {
            let mixed = (u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        *to = Rgb([mix(red), mix(green), mix(blue)]);
    }
    paper
}
