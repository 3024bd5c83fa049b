//! The fonts of transcripts: those of configured folders, those of the system, and one that is built in. Knows which characters can be drawn at all, and which
//! family comes first; shapes nothing and never touches the network.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use cosmic_text::fontdb::{Database, FaceInfo, ID, Source, Style};
use cosmic_text::{Fallback, FontSystem, PlatformFallback};
use krilla::text::{Font, Tag};
use unicode_script::Script;

/// What texts are drawn in, the first of these that is there. The last is built in.
const SANS: &[&str] = &["Noto Sans", "Open Sans", "Liberation Sans", "DejaVu Sans"];
/// Fonts with emoji in colours.
const EMOJI: &[&str] = &["Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji", "Twemoji", "Twitter Color Emoji"];
/// Fonts for the scripts of China, Japan and Korea, beside the usual ones.
const EAST_ASIAN: &[&str] = &[
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Microsoft YaHei",
];
/// Where no script says more. Symbols in colours come before those without.
const COMMON: &[&str] = &[
    "Noto Sans",
    "DejaVu Sans",
    "Noto Color Emoji",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Noto Sans Math",
    "FreeSans",
];
/// The weight that is not bold.
const REGULAR: u16 = 400;

/// Where fonts are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) system: bool,
}

/// The fonts of one worker. Opening them reads every font's tables once.
pub(super) struct Fonts {
    pub(super) system: FontSystem,
    pub(super) sans: &'static str,
    pub(super) emoji: Option<&'static str>,
    drawable: Coverage,
    of_emoji: Coverage,
    embedded: HashMap<ID, Font>,
}

struct Scripts(PlatformFallback);

impl Fallback for Scripts {
    fn common_fallback(&self) -> &[&'static str] {
        COMMON
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, script: Script, locale: &str) -> &[&'static str] {
        match script {
            Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo => EAST_ASIAN,
            script => self.0.script_fallback(script, locale),
        }
    }
}

impl Fonts {
    /// Finds the fonts. There is always one: what is built in has Latin, Greek, Cyrillic, Arabic and Hebrew letters.
    pub(super) fn open(sources: &Sources) -> Fonts {
        let mut found = Database::new();
        found.load_font_source(Source::Binary(Arc::new(dejavu::sans::regular())));
        for folder in &sources.folders {
            found.load_fonts_dir(folder);
        }
        if sources.system {
            found.load_system_fonts();
        }
        let mut fonts = Database::new();
        let mut families = HashSet::new();
        let mut faces: Vec<&FaceInfo> = found.faces().filter(|face| face.style == Style::Normal).collect();
        // One face of each family, the one that is nearest to regular: bold is never asked for.
        faces.sort_by_key(|face| (face.weight.0.abs_diff(REGULAR), face.stretch.to_number().abs_diff(5)));
        for face in faces {
            let family = face.families.first().map_or(face.post_script_name.as_str(), |(name, _)| name.as_str());
            if families.insert(family.to_owned()) {
                fonts.push_face_info(face.clone());
            }
        }
        let first = |names: &[&'static str]| names.iter().copied().find(|name| families.contains(*name));
        let (sans, emoji) = (first(SANS).unwrap_or("DejaVu Sans"), first(EMOJI));
        fonts.set_sans_serif_family(sans);
        let mut drawable = Coverage::default();
        let mut of_emoji = Coverage::default();
        for face in fonts.faces() {
            let is_emoji = emoji.is_some_and(|emoji| face.families.iter().any(|(name, _)| name == emoji));
            fonts.with_face_data(face.id, |data, index| {
                drawable.add(data, index);
                if is_emoji {
                    of_emoji.add(data, index);
                }
            });
        }
        tracing::info!(faces = fonts.len(), emoji = emoji.is_some(), "fonts for transcripts");
        let system = FontSystem::new_with_locale_and_db_and_fallback("en".to_owned(), fonts, Scripts(PlatformFallback));
        Fonts { system, sans, emoji, drawable, of_emoji, embedded: HashMap::new() }
    }

    /// Whether some font has this character.
    pub(super) fn has(&self, char: char) -> bool {
        self.drawable.has(char)
    }

    /// Whether the font with emoji has it.
    pub(super) fn has_emoji(&self, char: char) -> bool {
        self.of_emoji.has(char)
    }

    /// From now on this character counts as one that no font has.
    pub(super) fn forget(&mut self, char: char) {
        self.drawable.remove(char);
    }

    /// A font as the document embeds it.
    pub(super) fn embedded(&mut self, id: ID) -> Option<Font> {
        if let Some(font) = self.embedded.get(&id) {
            return Some(font.clone());
        }
        struct Shared(Arc<cosmic_text::Font>);
        impl AsRef<[u8]> for Shared {
            fn as_ref(&self) -> &[u8] {
                self.0.data()
            }
        }
        let weight = cosmic_text::Weight::NORMAL;
        let font = self.system.get_font(id, weight)?;
        let (index, data) = (self.system.db().face(id)?.index, Arc::new(Shared(font)));
        let is_variable = ttf_parser::Face::parse(data.0.data(), index).is_ok_and(|face| face.is_variable());
        let axes = [(Tag::new(b"wght"), f32::from(weight.0))];
        let axes = if is_variable { &axes[..] } else { &[] };
        let data: Arc<dyn AsRef<[u8]> + Send + Sync> = data;
        let font = Font::new_variable(data.into(), index, axes)?;
        self.embedded.insert(id, font.clone());
        Some(font)
    }
}

/// Characters, one bit each.
#[derive(Default)]
struct Coverage(Vec<u64>);

impl Coverage {
    fn add(&mut self, data: &[u8], index: u32) {
        let Ok(face) = ttf_parser::Face::parse(data, index) else { return };
        let Some(cmap) = face.tables().cmap else { return };
        for table in cmap.subtables.into_iter().filter(|table| table.is_unicode()) {
            table.codepoints(|code| {
                if table.glyph_index(code).is_some_and(|glyph| glyph.0 != 0) {
                    self.insert(code);
                }
            });
        }
    }

    fn insert(&mut self, code: u32) {
        let Some(char) = char::from_u32(code) else { return };
        let (word, bit) = place(char);
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn remove(&mut self, char: char) {
        let (word, bit) = place(char);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    fn has(&self, char: char) -> bool {
        let (word, bit) = place(char);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn place(char: char) -> (usize, u64) {
    let code = u32::from(char);
    (usize::try_from(code / 64).unwrap_or(usize::MAX), 1 << (code % 64))
}
