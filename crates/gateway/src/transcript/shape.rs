//! Lines of glyphs from a text: what cannot be drawn becomes its code, emoji get their font, and what nobody sees is cut where there is too much of it. Knows
//! nothing of pages.

use std::time::Instant;

use cosmic_text::fontdb::ID;
use cosmic_text::{Attrs, Buffer, Family, Metrics, Shaping, Wrap};
use krilla::text::{GlyphId, KrillaGlyph};
use unicode_segmentation::UnicodeSegmentation;

use super::fonts::Fonts;

/// Marks on one letter, and characters without width in a row, that are drawn; more is a game.
const MAX_MARKS: usize = 24;
/// Longest stretch without a place to break that is shaped as one: shaping a line costs more than its length.
const MAX_PARAGRAPH_BYTES: usize = 4096;

/// A line, ready to be drawn.
pub(super) struct Line {
    /// What the glyphs are of.
    pub(super) text: String,
    /// Stretches in one font, from left to right.
    pub(super) runs: Vec<Run>,
    /// Its height.
    pub(super) height: f32,
    /// From the top to the base line.
    pub(super) baseline: f32,
    /// Where its first glyph begins, and its last one ends.
    pub(super) left: f32,
    pub(super) right: f32,
}

/// Glyphs of one font.
pub(super) struct Run {
    pub(super) font: ID,
    pub(super) size: f32,
    /// Where the first glyph begins.
    pub(super) x: f32,
    pub(super) glyphs: Vec<KrillaGlyph>,
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) size: f32,
    pub(super) width: f32,
    /// When to give up.
    pub(super) until: Instant,
}

/// Lines of a text, broken at a width; `None` where there is no time left. `undrawn` counts the characters that no font has.
pub(super) fn lines(fonts: &mut Fonts, text: &str, setting: Setting, undrawn: &mut u64) -> Option<Vec<Line>> {
    let mut lines = Vec::new();
    for paragraph in text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        let mut rest = paragraph;
        loop {
            if Instant::now() > setting.until {
                return None;
            }
            let (now, later) = rest.split_at(cut(rest));
            paragraph_lines(fonts, now, setting, undrawn, &mut lines);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
    }
    Some(lines)
}

/// Where a paragraph is cut that is too long to be shaped at once: between two graphemes, at a space if there is one.
fn cut(text: &str) -> usize {
    if text.len() <= MAX_PARAGRAPH_BYTES {
        return text.len();
    }
    let mut end = 0;
    let mut space = None;
    for (start, grapheme) in text.grapheme_indices(true) {
        let after = start.saturating_add(grapheme.len());
        if after > MAX_PARAGRAPH_BYTES && end > 0 {
            break;
        }
        end = after;
        if grapheme == " " {
            space = Some(after);
        }
    }
    space.unwrap_or(end)
}

fn paragraph_lines(fonts: &mut Fonts, text: &str, setting: Setting, undrawn: &mut u64, lines: &mut Vec<Line>) {
    // A second look only where a font promised a character and had no glyph for it where it stands.
    for attempt in 0..2 {
        let mut lost = 0;
        let spans = spans(fonts, text, &mut lost);
        let made = shaped(fonts, &spans, setting);
        let missing: Vec<char> = made.iter().flat_map(|line| line.missing.chars()).collect();
        if missing.is_empty() || attempt == 1 {
            *undrawn = undrawn.saturating_add(lost);
            lines.extend(made.into_iter().map(|made| made.line));
            return;
        }
        missing.into_iter().for_each(|char| fonts.forget(char));
    }
}

/// A stretch of text in one font.
struct Span {
    text: String,
    is_emoji: bool,
}

fn spans(fonts: &Fonts, text: &str, undrawn: &mut u64) -> Vec<Span> {
    let mut spans = Spans::default();
    let mut unseen = 0_usize;
    for grapheme in text.graphemes(true) {
        let is_emoji = is_emoji(grapheme) && grapheme.chars().all(|char| is_unseen(char) || fonts.has_emoji(char));
        if is_emoji && grapheme.chars().count() <= MAX_MARKS {
            spans.push(grapheme, true);
            unseen = 0;
            continue;
        }
        for (position, char) in grapheme.chars().enumerate() {
            if is_unseen(char) {
                unseen = unseen.saturating_add(1);
                match unseen > MAX_MARKS {
                    true => spans.leave_out(),
                    false => spans.push(char.encode_utf8(&mut [0; 4]), false),
                }
                continue;
            }
            unseen = 0;
            match char {
                _ if position > MAX_MARKS => spans.leave_out(),
                '\t' => spans.push("    ", false),
                char if fonts.has(char) => spans.push(char.encode_utf8(&mut [0; 4]), false),
                char => {
                    *undrawn = undrawn.saturating_add(1);
                    spans.push(&format!("[U+{:04X}]", u32::from(char)), false);
                }
            }
        }
    }
    let Spans { list, left_out, all_left_out } = spans.ended();
    debug_assert_eq!(left_out, 0, "what was left out is said");
    *undrawn = undrawn.saturating_add(all_left_out);
    list
}

#[derive(Default)]
struct Spans {
    list: Vec<Span>,
    left_out: u64,
    all_left_out: u64,
}

impl Spans {
    fn push(&mut self, text: &str, is_emoji: bool) {
        if self.left_out > 0 {
            // Never silently: what was written is not what is read.
            let said = format!("[+{}]", self.left_out);
            self.left_out = 0;
            self.push(&said, false);
        }
        match self.list.last_mut() {
            Some(last) if last.is_emoji == is_emoji => last.text.push_str(text),
            _ => self.list.push(Span { text: text.to_owned(), is_emoji }),
        }
    }

    fn leave_out(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
        self.all_left_out = self.all_left_out.saturating_add(1);
    }

    fn ended(mut self) -> Spans {
        self.push("", false);
        self
    }
}

/// What a font need not have, because it draws nothing (a part of Unicode's Default_Ignorable_Code_Point).
fn is_unseen(char: char) -> bool {
    matches!(char,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0020}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Whether a grapheme is drawn as a picture: what Unicode presents so by itself, asks for it, or is a flag or keycap.
fn is_emoji(grapheme: &str) -> bool {
    grapheme.chars().any(|char| {
        matches!(char,
            '\u{FE0F}' | '\u{20E3}' | '\u{1F004}' | '\u{1F0CF}' | '\u{1F18E}' | '\u{1F191}'..='\u{1F19A}' | '\u{1F1E6}'..='\u{1F1FF}'
            | '\u{1F201}' | '\u{1F21A}' | '\u{1F22F}' | '\u{1F232}'..='\u{1F236}' | '\u{1F238}'..='\u{1F23A}' | '\u{1F250}' | '\u{1F251}'
            | '\u{1F300}'..='\u{1F64F}' | '\u{1F680}'..='\u{1F6FF}' | '\u{1F7E0}'..='\u{1F7EB}' | '\u{1F90C}'..='\u{1FAFF}'
            | '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23EC}' | '\u{23F0}' | '\u{23F3}' | '\u{25FD}' | '\u{25FE}' | '\u{2614}' | '\u{2615}'
            | '\u{2648}'..='\u{2653}' | '\u{267F}' | '\u{2693}' | '\u{26A1}' | '\u{26AA}' | '\u{26AB}' | '\u{26BD}' | '\u{26BE}' | '\u{26C4}'
            | '\u{26C5}' | '\u{26CE}' | '\u{26D4}' | '\u{26EA}' | '\u{26F2}' | '\u{26F3}' | '\u{26F5}' | '\u{26FA}' | '\u{26FD}' | '\u{2705}'
            | '\u{270A}' | '\u{270B}' | '\u{2728}' | '\u{274C}' | '\u{274E}' | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2795}'..='\u{2797}'
            | '\u{27B0}' | '\u{27BF}' | '\u{2B1B}' | '\u{2B1C}' | '\u{2B50}' | '\u{2B55}')
    })
}

struct Made {
    line: Line,
    /// What no font had a glyph for after all.
    missing: String,
}

fn shaped(fonts: &mut Fonts, spans: &[Span], setting: Setting) -> Vec<Made> {
    let leading = setting.size * 1.45;
    let plain = Attrs::new().family(Family::Name(fonts.sans));
    let emoji = Attrs::new().family(Family::Name(fonts.emoji.unwrap_or(fonts.sans)));
    let attributes = |span: &Span| if span.is_emoji { emoji.clone() } else { plain.clone() };
    let parts: Vec<_> = spans.iter().map(|span| (span.text.as_str(), attributes(span))).collect();
    let mut buffer = Buffer::new_empty(Metrics::new(setting.size, leading));
    buffer.set_wrap(Wrap::WordOrGlyph);
    buffer.set_size(Some(setting.width), None);
    buffer.set_rich_text(parts, &plain, Shaping::Advanced, None);
    buffer.shape_until_scroll(&mut fonts.system, false);
    buffer.layout_runs().map(|run| made(&run)).collect()
}

fn made(run: &cosmic_text::LayoutRun<'_>) -> Made {
    let mut runs: Vec<Run> = Vec::new();
    let mut missing = String::new();
    let mut end = 0.0_f32;
    for glyph in run.glyphs {
        let size = glyph.font_size;
        if glyph.glyph_id == 0 {
            missing.push_str(run.text.get(glyph.start..glyph.end).unwrap_or_default());
            continue;
        }
        let drawn = KrillaGlyph::new(
            GlyphId::new(u32::from(glyph.glyph_id)),
            glyph.w / size,
            glyph.x_offset,
            glyph.y_offset,
            0.0,
            glyph.start..glyph.end,
            None,
        );
        match runs.last_mut() {
            Some(last) if last.font == glyph.font_id && (end - glyph.x).abs() < 0.01 => last.glyphs.push(drawn),
            _ => runs.push(Run { font: glyph.font_id, size, x: glyph.x, glyphs: vec![drawn] }),
        }
        end = glyph.x + glyph.w;
    }
    let left = run.glyphs.iter().map(|glyph| glyph.x).fold(f32::INFINITY, f32::min);
    let right = run.glyphs.iter().map(|glyph| glyph.x + glyph.w).fold(0.0, f32::max);
    let line = Line {
        left: if left.is_finite() { left } else { 0.0 },
        right,
        text: run.text.to_owned(),
        runs,
        height: run.line_height,
        baseline: run.line_y - run.line_top,
    };
    Made { line, missing }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fonts::Sources;
    use super::*;

    fn setting() -> Setting {
        Setting { size: 10.0, width: 200.0, until: Instant::now() + Duration::from_secs(60) }
    }

    /// What is drawn with the font that is built in, and how many characters it has not.
    fn drawn(text: &str) -> (String, u64) {
        let mut fonts = Fonts::open(&Sources::default());
        let mut undrawn = 0;
        let lines = lines(&mut fonts, text, setting(), &mut undrawn).unwrap();
        let glyphs: usize = lines.iter().flat_map(|line| &line.runs).map(|run| run.glyphs.len()).sum();
        assert!(glyphs > 0 || text.trim().is_empty(), "{text}");
        let mut shown: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        shown.dedup();
        (shown.join("\n"), undrawn)
    }

    #[test]
    fn without_any_font_of_the_machine_letters_are_drawn_and_the_rest_is_a_code() {
        let table = [
            ("Ünïcode, Ελλάδα, Привет", "Ünïcode, Ελλάδα, Привет", 0),
            ("مرحبا بالعالم", "مرحبا بالعالم", 0),
            ("שלום עולם", "שלום עולם", 0),
            ("a\tb\r\nc", "a    b\n\nc", 0),
            ("你b", "[U+4F60]b", 1),
            ("🧿", "[U+1F9FF]", 1),
            ("\u{7}\u{10FFFF}", "[U+0007][U+10FFFF]", 2),
        ];
        for (text, shown, undrawn) in table {
            assert_eq!(drawn(text), (shown.to_owned(), undrawn), "{text}");
        }
    }

    #[test]
    fn floods_of_what_nobody_sees_are_cut_and_said() {
        let (shown, undrawn) = drawn(&format!("a{}b", "\u{200B}".repeat(1_000)));
        assert!(shown.starts_with('a') && shown.ends_with('b') && shown.len() < 200, "{shown}");
        assert!(shown.contains("[+976]"), "{shown}");
        assert_eq!(undrawn, 1_000 - 24);
        let (shown, undrawn) = drawn(&format!("e{}", "\u{301}".repeat(5_000)));
        assert!(shown.contains("[+4976]"), "{shown}");
        assert_eq!(undrawn, 5_000 - 24);
    }

    #[test]
    fn a_text_without_a_space_is_broken_and_a_long_one_ends_where_the_time_does() {
        let mut fonts = Fonts::open(&Sources::default());
        let text = "x".repeat(20_000);
        let broken = lines(&mut fonts, &text, setting(), &mut 0).unwrap();
        assert!(broken.len() > 400);
        assert!(broken.iter().all(|line| line.right <= 200.5));
        let late = Setting { until: Instant::now() - Duration::from_secs(1), ..setting() };
        assert!(lines(&mut fonts, &text, late, &mut 0).is_none());
    }
}
