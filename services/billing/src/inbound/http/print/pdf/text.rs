//! Lines of text: shaped, measured and broken.

use std::{collections::BTreeSet, ops::Bound, sync::LazyLock};

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};

/// `DejaVu` has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and more; its licence stands beside it.
const REGULAR: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed-Bold.ttf");

static FACES: LazyLock<Option<Faces>> =
    LazyLock::new(|| Some(Faces { regular: Face::read(REGULAR)?, bold: Face::read(BOLD)? }));

/// How heavy letters are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The font in both weights.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

struct Face {
    font: Font,
    shaper: rustybuzz::Face<'static>,
}

/// Letters of one direction, from left to right; measures are in parts of the size of the font.
pub(super) struct Run {
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    pub width: f32,
}

/// A line.
pub(super) struct Line {
    pub font: Font,
    pub runs: Vec<Run>,
}

impl Line {
    /// How long it is in a size.
    pub(super) fn width(&self, size: f32) -> f32 {
        self.runs.iter().map(|run| run.width).sum::<f32>() * size
    }
}

impl Face {
    fn read(data: &'static [u8]) -> Option<Self> {
        Some(Self { font: Font::new(data.into(), 0)?, shaper: rustybuzz::Face::from_slice(data, 0)? })
    }

    /// What has no glyph gets the font's box for it.
    fn shape(&self, text: &str, direction: Direction) -> Run {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(direction);
        let shaped = rustybuzz::shape(&self.shaper, &[], buffer);
        let starts: BTreeSet<_> = shaped.glyph_infos().iter().map(|info| place(info.cluster)).collect();
        let end =
            |start| starts.range((Bound::Excluded(start), Bound::Unbounded)).next().copied().unwrap_or(text.len());
        let part = |units: i32| f32::from(i16::try_from(units).unwrap_or(i16::MAX)) / self.font.units_per_em();
        let glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions()).map(|(info, at)| KrillaGlyph {
            glyph_id: GlyphId::new(info.glyph_id),
            text_range: place(info.cluster)..end(place(info.cluster)),
            x_advance: part(at.x_advance),
            x_offset: part(at.x_offset),
            y_offset: part(at.y_offset),
            y_advance: part(at.y_advance),
            location: None,
        });
        let glyphs: Vec<_> = glyphs.collect();
        Run { text: text.to_owned(), width: glyphs.iter().map(|glyph| glyph.x_advance).sum(), glyphs }
    }
}

fn place(cluster: u32) -> usize {
    usize::try_from(cluster).unwrap_or(usize::MAX)
}

impl Faces {
    /// The font that comes with the program.
    pub(super) fn own() -> Option<&'static Self> {
        FACES.as_ref()
    }

    /// A text on one line, in the order in which it is read (Unicode, annex 9).
    pub(super) fn line(&self, text: &str, weight: Weight) -> Line {
        let face = match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let bidi = BidiInfo::new(&text, None);
        let mut runs = Vec::new();
        for paragraph in &bidi.paragraphs {
            let (levels, visual) = bidi.visual_runs(paragraph, paragraph.range.clone());
            runs.extend(visual.into_iter().map(|range| {
                let leftwards = levels.get(range.start).is_some_and(Level::is_rtl);
                let direction = if leftwards { Direction::RightToLeft } else { Direction::LeftToRight };
                face.shape(&text[range], direction)
            }));
        }
        Line { font: face.font.clone(), runs }
    }

    /// A text on lines of at most so long a width, broken between words where that is possible; one line at least.
    pub(super) fn broken(&self, text: &str, weight: Weight, size: f32, width: f32) -> Vec<Line> {
        let fits = |text: &str| self.line(text, weight).width(size) <= width;
        let (mut lines, mut held) = (Vec::new(), String::new());
        for word in text.split_whitespace() {
            let longer = if held.is_empty() { word.to_owned() } else { format!("{held} {word}") };
            if fits(&longer) {
                held = longer;
                continue;
            }
            if !held.is_empty() {
                lines.push(std::mem::take(&mut held));
            }
            for letter in word.chars() {
                held.push(letter);
                if held.chars().nth(1).is_some() && !fits(&held) {
                    held.pop();
                    lines.push(std::mem::replace(&mut held, letter.to_string()));
                }
            }
        }
        if !held.is_empty() || lines.is_empty() {
            lines.push(held);
        }
        lines.iter().map(|text| self.line(text, weight)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_from_the_right_stands_so() {
        let faces = Faces::own().unwrap();
        let line = faces.line("Dr עדה Jr", Weight::Regular);
        let runs: Vec<_> = line.runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(runs, ["Dr ", "עדה", " Jr"]);
        let starts = |run: &Run| run.glyphs.iter().map(|glyph| glyph.text_range.start).collect::<Vec<_>>();
        assert_eq!(starts(&line.runs[0]), [0, 1, 2]);
        assert_eq!(starts(&line.runs[1]), [4, 2, 0], "the last letter is the leftmost");
        let name = faces.line("עדה Ada", Weight::Regular);
        assert_eq!(name.runs[0].text, "Ada", "a line that begins from the right goes on to the left");
    }

    #[test]
    fn a_line_is_broken_between_words_and_else_within_one() {
        let faces = Faces::own().unwrap();
        let broken = |text: &str, width| -> Vec<String> {
            let lines = faces.broken(text, Weight::Bold, 10.0, width);
            assert!(lines.iter().all(|line| line.width(10.0) <= width), "{text}");
            lines.iter().map(|line| line.runs.iter().map(|run| run.text.as_str()).collect()).collect()
        };
        assert_eq!(broken("one two three", 50.0), ["one two", "three"]);
        assert_eq!(broken("", 50.0), [""]);
        let long = broken(&"x".repeat(40), 50.0);
        assert!(long.len() > 3 && long.concat() == "x".repeat(40), "{long:?}");
    }
}
