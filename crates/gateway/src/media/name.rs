//! Names of files, made harmless: whoever saves a file under its name gets one file, of the kind it is, in the folder they chose. The
//! extension comes from the file's content; names never become paths here.

use super::kind::{from_content_type, is_extension};

/// Longest name, in characters.
const MAX_CHARS: usize = 80;

/// The name of a file as it is kept: without folders, extension, characters that hide or reverse others, and names of devices. `unnamed`
/// where nothing is left.
pub(crate) fn harmless(name: &str, unnamed: &str) -> String {
    let last = last(name);
    let stem = last.rsplit_once('.').filter(|(_, extension)| is_extension(extension)).map_or(last, |(stem, _)| stem);
    let visible = stem.chars().filter(|char| !is_hidden(*char));
    let replaced: String = visible.map(|char| if ".:*?\"<>|".contains(char) { '_' } else { char }).collect();
    let kept: String = replaced.trim_matches([' ', '_']).chars().take(MAX_CHARS).collect();
    match kept.trim() {
        "" => unnamed.to_owned(),
        device if is_device(device) => format!("_{device}"),
        kept => kept.to_owned(),
    }
}

fn last(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or("")
}

/// Whether a name says that its text is a table.
pub(crate) fn is_table(name: &str) -> bool {
    last(name).rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("csv"))
}

/// A name as it is shown: with the extension of what the file is.
pub(crate) fn shown(name: &str, content_type: &str) -> String {
    match from_content_type(content_type) {
        Some(format) => format!("{name}.{}", format.extension),
        None => name.to_owned(),
    }
}

/// Controls, and what changes the order or the look of a text without being seen.
pub(crate) fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Names that mean a device on Windows, with any extension.
fn is_device(name: &str) -> bool {
    let upper = name.split(['_', ' ']).next().unwrap_or("").to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().filter_map(|device| upper.strip_prefix(device));
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered
            .into_iter()
            .any(|rest| matches!(rest.chars().collect::<Vec<_>>()[..], ['0'..='9' | '¹' | '²' | '³']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_could_harm() {
        let table = [
            ("photo.jpg", "photo"),
            ("Grüße aus 東京.PNG", "Grüße aus 東京"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\secret.gif", "secret"),
            ("nul\0byte.png", "nulbyte"),
            ("\u{202E}gpj.exe", "gpj_exe"),
            ("invoice.exe.jpg", "invoice_exe"),
            ("page.html", "page_html"),
            ("CON.jpg", "_CON"),
            ("com1.tar.png", "_com1_tar"),
            ("LPT¹", "_LPT¹"),
            ("console.png", "console"),
            ("report.final.docx", "report_final"),
            ("song.mp3.html", "song_mp3_html"),
            ("...", "photo"),
            (".htaccess", "htaccess"),
            ("", "photo"),
            ("/", "photo"),
            (" \u{200B} .png", "photo"),
            ("a<b>\"c|d?*.webp", "a_b__c_d"),
        ];
        for (name, expected) in table {
            assert_eq!(harmless(name, "photo"), expected, "{name:?}");
        }
        assert_eq!(harmless(&"é".repeat(500), "photo").chars().count(), MAX_CHARS);
        assert_eq!(shown("invoice_exe", "image/png"), "invoice_exe.png");
        assert!(is_table("a/prices.CSV") && !is_table("csv") && !is_table("a.csv/b.txt"));
    }
}
