//! Languages, and texts that a company writes in one or several of them. Which wording fits is decided here; nothing is translated.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A language that a company answers in: a BCP 47 tag, or a table with the tag and the name that customers read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "LanguageText")]
pub struct Language {
    /// The tag, such as `pt` or `pt-BR`.
    pub code: String,
    /// The language's name in itself.
    pub name: String,
}

impl Language {
    /// The language of a tag, by its own name.
    pub(crate) fn of(code: &str) -> Language {
        Language { code: code.to_owned(), name: own_name(code).to_owned() }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LanguageText {
    Code(String),
    Named { code: String, name: String },
}

impl From<LanguageText> for Language {
    fn from(text: LanguageText) -> Language {
        match text {
            LanguageText::Code(code) => Language::of(&code),
            LanguageText::Named { code, name } => Language { code, name },
        }
    }
}

/// The name of a language in itself; its tag where this list does not have it.
fn own_name(code: &str) -> &str {
    match primary(code).to_ascii_lowercase().as_str() {
        "ar" => "العربية",
        "cs" => "Čeština",
        "de" => "Deutsch",
        "en" => "English",
        "es" => "Español",
        "fa" => "فارسی",
        "fr" => "Français",
        "he" => "עברית",
        "it" => "Italiano",
        "ja" => "日本語",
        "ko" => "한국어",
        "nl" => "Nederlands",
        "pl" => "Polski",
        "pt" => "Português",
        "sv" => "Svenska",
        "tr" => "Türkçe",
        "uk" => "Українська",
        "ur" => "اردو",
        "zh" => "中文",
        _ => code,
    }
}

/// The language itself, without region and script.
pub(crate) fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// Which of the offered tags fits one that was asked for: the same, or the same language elsewhere.
pub(crate) fn fitting<'a>(offered: impl Iterator<Item = &'a str> + Clone, asked: &str) -> Option<&'a str> {
    let same = offered.clone().find(|tag| tag.eq_ignore_ascii_case(asked));
    same.or_else(|| offered.clone().find(|tag| primary(tag).eq_ignore_ascii_case(primary(asked))))
}

/// A text: one wording for every language, or a table of wordings by language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    /// The same for all.
    One(String),
    /// By BCP 47 tag.
    ByLanguage(BTreeMap<String, String>),
}

impl Texts {
    /// The wording in the first of these languages that there is one in; any where none fits, `""` where there is none at all.
    pub(crate) fn wording(&self, langs: &[&str]) -> &str {
        match self {
            Texts::One(text) => text,
            Texts::ByLanguage(texts) => {
                let fitting = |asked: &&str| fitting(texts.keys().map(String::as_str), asked);
                let tag = langs.iter().find_map(fitting);
                tag.and_then(|tag| texts.get(tag)).or_else(|| texts.values().next()).map_or("", String::as_str)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_found() {
        let offered = ["en", "pt-BR", "it"];
        let table = [
            ("pt-BR", Some("pt-BR")),
            ("PT", Some("pt-BR")),
            ("pt-PT", Some("pt-BR")),
            ("it_CH", Some("it")),
            ("de", None),
            ("", None),
        ];
        for (asked, expected) in table {
            assert_eq!(fitting(offered.into_iter(), asked), expected, "{asked}");
        }
    }

    #[test]
    fn a_text_reads_in_the_first_language_that_it_has() {
        let texts: BTreeMap<String, String> =
            [("en", "Hello"), ("it", "Ciao")].into_iter().map(|(tag, text)| (tag.into(), text.into())).collect();
        let texts = Texts::ByLanguage(texts);
        assert_eq!(texts.wording(&["it-IT", "en"]), "Ciao");
        assert_eq!(texts.wording(&["pt", "en"]), "Hello");
        assert_eq!(texts.wording(&["pt"]), "Hello", "anything rather than nothing");
        assert_eq!(Texts::One("Hi".into()).wording(&["it"]), "Hi");
        assert_eq!(Texts::ByLanguage(BTreeMap::new()).wording(&["it"]), "");
    }
}
