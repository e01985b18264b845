//! Pixels to a PNG file.
//!
//! It draws nothing, and writes no date and no machine fact.

use super::canvas::{HEIGHT, WIDTH};

/// The PNG of `pixels`: three bytes each, row by row, [`WIDTH`] by [`HEIGHT`].
pub fn encode(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Encoding into memory fails only for a wrong number of pixels, and canvas and encoder share one size.
    let written = write(&mut bytes, pixels);
    debug_assert!(written.is_ok(), "{written:?}");
    bytes
}

fn write(bytes: &mut Vec<u8>, pixels: &[u8]) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()
}
