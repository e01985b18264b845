//! Letters: the two embedded faces, how wide a text is in them, and how a text is drawn.
//!
//! It asks the machine for no font, so that a chart is the same on a machine that has none.

use std::convert::Infallible;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, FontFamily, FontStyle};

use crate::report::colours::Rgb;

/// The families that an SVG asks for: the embedded one, then one as wide, then any.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
static REGULAR: &[u8] = include_bytes!("fonts/DejaVuSans-subset.ttf");
static BOLD: &[u8] = include_bytes!("fonts/DejaVuSans-Bold-subset.ttf");

/// Half the height of a small letter over the size of the font: `0.5ex`, by which SVG centres a line of text.
const HALF_X_HEIGHT: f64 = 0.273;
/// `plotters-svg` divides a font's size by this.
const SVG_SIZE: f64 = 1.24;

/// How a text looks. It is centred vertically on its place.
#[derive(Clone, Copy, Debug)]
pub struct Letters {
    /// Pixels an em.
    pub size: f64,
    /// Heavy?
    pub bold: bool,
    /// Colour.
    pub colour: Rgb,
    /// Which part of the text is at its place.
    pub align: Align,
}

/// Which part of a text is at its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Its left end.
    Left,
    /// Its middle.
    Middle,
    /// Its right end.
    Right,
}

impl Letters {
    /// Regular letters that begin at their place.
    pub const fn new(size: f64, colour: Rgb) -> Self {
        Self { size, bold: false, colour, align: Align::Left }
    }

    /// The same in bold.
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same, aligned otherwise.
    pub const fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    /// How wide `text` is, pixels.
    pub fn width(self, text: &str) -> f64 {
        let Some(font) = self.face() else { return 0.0 };
        let scaled = font.as_scaled(self.scale(&font));
        text.chars().map(|c| f64::from(scaled.h_advance(font.glyph_id(c)))).sum()
    }

    /// As small as `text` needs it to fit into `width` pixels, but not below four fifths.
    pub fn for_width(self, text: &str, width: f64) -> Self {
        let wide = self.width(text);
        if wide <= width { self } else { Self { size: self.size * (width / wide).max(0.8), ..self } }
    }

    /// `text`, or as much of its beginning as fits into `width` pixels with an ellipsis.
    pub fn fit(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut room = width - self.width("…");
        let begins = text.chars().take_while(|c| {
            room -= self.width(c.encode_utf8(&mut [0; 4]));
            room >= 0.0
        });
        let kept: String = begins.collect();
        format!("{}…", kept.trim_end())
    }

    /// The face; `None` only if the embedded file were broken, which a test rules out.
    fn face(self) -> Option<FontRef<'static>> {
        FontRef::try_from_slice(if self.bold { BOLD } else { REGULAR }).ok()
    }

    /// The scale in which an em has [`Letters::size`] pixels: `ab_glyph` counts from ascender to descender.
    fn scale(self, font: &FontRef<'_>) -> PxScale {
        let em = font.units_per_em().unwrap_or(1.0);
        PxScale::from(self.size as f32 * font.height_unscaled() / em)
    }
}

impl BackendTextStyle for Letters {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        let Rgb(r, g, b) = self.colour;
        BackendColor { alpha: 1.0, rgb: (r, g, b) }
    }

    fn size(&self) -> f64 {
        self.size * SVG_SIZE
    }

    fn style(&self) -> FontStyle {
        if self.bold { FontStyle::Bold } else { FontStyle::Normal }
    }

    fn anchor(&self) -> Pos {
        let across = match self.align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        Pos::new(across, VPos::Center)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILY)
    }

    /// As wide as the text and of no height, so that vertical centring is left to [`Letters::draw`].
    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        Ok(((0, 0), (self.width(text).round() as i32, 0)))
    }

    fn draw<E, D: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        (left, middle): BackendCoord,
        mut draw: D,
    ) -> Result<Result<(), E>, Infallible> {
        let Some(font) = self.face() else { return Ok(Ok(())) };
        let scale = self.scale(&font);
        let scaled = font.as_scaled(scale);
        let baseline = middle as f32 + (self.size * HALF_X_HEIGHT) as f32;
        let mut x = left as f32;
        let mut result = Ok(());
        for id in text.chars().map(|c| font.glyph_id(c)) {
            let glyph = GlyphId::with_scale_and_position(id, scale, point(x, baseline));
            x += scaled.h_advance(id);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, cover| {
                let at = (corner.x as i32 + dx.cast_signed(), corner.y as i32 + dy.cast_signed());
                if result.is_ok() && cover > 0.0 {
                    result = draw(at.0, at.1, self.color().mix(f64::from(cover.min(1.0))));
                }
            });
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Letters = Letters::new(16.0, Rgb(0, 0, 0));

    #[test]
    fn both_faces_are_whole_and_hold_every_symbol_that_charts_use() {
        for letters in [PLAIN, PLAIN.bold()] {
            let font = letters.face().expect("the embedded font is readable");
            for c in (' '..='~').chain("−–…≤≥×λµ·éßØ".chars()) {
                assert_ne!(font.glyph_id(c), GlyphId(0), "{c}");
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis() {
        assert_eq!(PLAIN.fit("short", 100.0), "short");
        let cut = PLAIN.fit("a text that is too long for its place", 100.0);
        assert!(cut.ends_with('…') && PLAIN.width(&cut) <= 100.0, "{cut}");
        assert_eq!(PLAIN.fit("nothing fits", 0.0), "…");
        let wide = PLAIN.width("a sentence");
        for (width, size) in [(2.0, 1.0), (1.0, 1.0), (0.9, 0.9), (0.5, 0.8)] {
            let got = PLAIN.for_width("a sentence", wide * width).size / PLAIN.size;
            assert!((got - size).abs() < 1e-9, "{width}: {got}");
        }
    }
}
