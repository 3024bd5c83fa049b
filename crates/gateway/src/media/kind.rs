//! What a file is, by its content. What its sender calls it counts for nothing, but that plain text whose name ends in `.csv` is a table.
//! Nothing is decoded, and nothing that a browser would run is among the formats.

use wire::ErrorCode;

use crate::error::Error;
use crate::store::MediaKind;

/// Bytes that decide about everything but text.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;
/// Bytes that decide about photos, videos and sounds.
const SIGNATURE_BYTES: usize = 64;

/// A format of files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) kind: MediaKind,
    pub(crate) content_type: &'static str,
    pub(crate) extension: &'static str,
}

macro_rules! formats {
    ($($name:ident: $kind:ident, $content_type:literal, $extension:literal;)+) => {
        $(static $name: Format = Format { kind: MediaKind::$kind, content_type: $content_type, extension: $extension };)+
        /// Every format.
        static FORMATS: &[&Format] = &[$(&$name),+];
    };
}

formats! {
    JPEG: Photo, "image/jpeg", "jpg";
    PNG: Photo, "image/png", "png";
    GIF: Photo, "image/gif", "gif";
    WEBP: Photo, "image/webp", "webp";
    MP4: Video, "video/mp4", "mp4";
    MOV: Video, "video/quicktime", "mov";
    WEBM: Video, "video/webm", "webm";
    AVI: Video, "video/x-msvideo", "avi";
    MP3: Audio, "audio/mpeg", "mp3";
    WAV: Audio, "audio/wav", "wav";
    M4A: Audio, "audio/mp4", "m4a";
    OGG: Audio, "audio/ogg", "ogg";
    WEBA: Audio, "audio/webm", "weba";
    PDF: Document, "application/pdf", "pdf";
    DOCX: Document, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx";
    XLSX: Document, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx";
    PPTX: Document, "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx";
    ODT: Document, "application/vnd.oasis.opendocument.text", "odt";
    ODS: Document, "application/vnd.oasis.opendocument.spreadsheet", "ods";
    ODP: Document, "application/vnd.oasis.opendocument.presentation", "odp";
    CSV: Document, "text/csv", "csv";
    TXT: Document, "text/plain", "txt";
}

/// Brands of MP4 files (ISO 14496-12); pictures have others.
const MP4_BRANDS: [&[u8; 4]; 16] = [
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1",
    b"dash", b"M4V ", b"MSNV", b"3gp4",
];

/// The formats that browsers name so are photos'.
pub(crate) fn is_photo(content_type: &str) -> bool {
    from_content_type(content_type).is_some_and(|format| format.kind == MediaKind::Photo)
}

/// The format that is kept under this name.
pub(crate) fn from_content_type(text: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.content_type.eq_ignore_ascii_case(text))
}

/// Whether a name's ending says what one of the formats is; its content says it again.
pub(crate) fn is_extension(text: &str) -> bool {
    let others = ["jpeg", "text", "m4v", "oga"];
    FORMATS.iter().map(|format| format.extension).chain(others).any(|known| known.eq_ignore_ascii_case(text))
}

/// The format of a file of a kind by how it begins; `None` where that is text, as far as can be said, or too little came yet.
///
/// # Errors
/// Where it is nothing of that kind, whatever follows.
pub(crate) fn of_head(kind: MediaKind, head: &[u8], is_whole: bool) -> Result<Option<&'static Format>, Error> {
    let enough = if kind == MediaKind::Document { HEAD_BYTES } else { SIGNATURE_BYTES };
    let is_enough = is_whole || head.len() >= enough;
    match signed(kind, head) {
        Some(format) if format.kind == kind => Ok(Some(format)),
        _ if !is_enough => Ok(None),
        // A picture or an archive is no text.
        None if kind == MediaKind::Document && !is_archive(head) => Ok(None),
        _ => Err(refused(kind)),
    }
}

/// The format of a document that is text.
pub(crate) fn of_text(is_table: bool) -> &'static Format {
    if is_table { &CSV } else { &TXT }
}

/// The refusal of a file that is not of its kind.
pub(crate) fn refused(kind: MediaKind) -> Error {
    let message = match kind {
        MediaKind::Photo => "The file is no picture in JPEG, PNG, GIF or WebP format.",
        MediaKind::Video => "The file is no video in MP4, MOV, WebM or AVI format.",
        MediaKind::Audio => "The file is no sound in MP3, WAV, M4A, OGG or WebM format.",
        MediaKind::Document => {
            "The file is no PDF, office document (docx, xlsx, pptx, odt, ods, odp) or text in UTF-8."
        }
    };
    Error::new(ErrorCode::InvalidArgument, message)
}

fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// The format that signs its files.
fn signed(kind: MediaKind, head: &[u8]) -> Option<&'static Format> {
    let format = match head {
        [0xFF, 0xD8, 0xFF, ..] => &JPEG,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => &PNG,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => &GIF,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => &WEBP,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => &AVI,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => &WAV,
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => return of_brand(brand.first_chunk()?),
        // Matroska is a larger family; browsers play its part that calls itself so. A sound in it says so only deep inside.
        [0x1A, 0x45, 0xDF, 0xA3, rest @ ..] if contains(rest.get(..SIGNATURE_BYTES).unwrap_or(rest), b"webm") => {
            if kind == MediaKind::Audio { &WEBA } else { &WEBM }
        }
        [b'I', b'D', b'3', ..] | [0xFF, 0xFB | 0xFA | 0xF3 | 0xF2, ..] => &MP3,
        [b'O', b'g', b'g', b'S', ..] => &OGG,
        [b'%', b'P', b'D', b'F', b'-', ..] => &PDF,
        _ if is_archive(head) => return of_archive(head),
        _ => return None,
    };
    Some(format)
}

fn of_brand(brand: &[u8; 4]) -> Option<&'static Format> {
    match brand {
        b"qt  " => Some(&MOV),
        b"M4A " | b"M4B " => Some(&M4A),
        brand if MP4_BRANDS.contains(&brand) => Some(&MP4),
        _ => None,
    }
}

/// Office documents are archives. OpenDocument begins with its type; the others are known by the folder of their contents.
fn of_archive(head: &[u8]) -> Option<&'static Format> {
    const NAME_AT: usize = 30;
    let (_, entry) = head.split_at_checked(NAME_AT)?;
    if let Some(text) = entry.strip_prefix(b"mimetype") {
        // The longest types first: one is the beginning of no other, but templates begin like documents.
        let is = |format: &Format| {
            let rest = text.strip_prefix(format.content_type.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"PK"))
        };
        return [&ODT, &ODS, &ODP].into_iter().find(|format| is(format));
    }
    if !["[Content_Types].xml", "_rels/", "docProps/"].iter().any(|name| entry.starts_with(name.as_bytes())) {
        return None;
    }
    let folders: [(&[u8], &'static Format); 3] = [(b"word/", &DOCX), (b"xl/", &XLSX), (b"ppt/", &PPTX)];
    folders.into_iter().find(|(folder, _)| holds_entry(head, folder)).map(|(_, format)| format)
}

/// Whether an archive has an entry in this folder, as far as its beginning tells.
fn holds_entry(head: &[u8], folder: &[u8]) -> bool {
    const NAME_AT: usize = 30;
    let wanted = NAME_AT.saturating_add(folder.len());
    head.windows(wanted).any(|window| window.starts_with(b"PK\x03\x04") && window.ends_with(folder))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Whether bytes that arrive in parts are text: UTF-8 without controls that text does not have.
#[derive(Default)]
pub(crate) struct TextCheck {
    /// The beginning of a character whose end did not come yet.
    cut: Vec<u8>,
    is_binary: bool,
}

impl TextCheck {
    /// Takes the next part; `false` once it cannot be text any more.
    pub(crate) fn take(&mut self, part: &[u8]) -> bool {
        if self.is_binary {
            return false;
        }
        let is_control = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=31 | 127);
        self.cut.extend_from_slice(part);
        let rest = match std::str::from_utf8(&self.cut) {
            Ok(_) => Vec::new(),
            Err(error) => {
                self.is_binary = error.error_len().is_some();
                self.cut.split_off(error.valid_up_to())
            }
        };
        self.is_binary |= self.cut.iter().any(is_control);
        self.cut = rest;
        !self.is_binary
    }

    /// Whether all of it was text.
    pub(crate) fn finish(&self) -> bool {
        !self.is_binary && self.cut.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, data: &str) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(30, 0);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(data.as_bytes());
        bytes
    }

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        let table: [(MediaKind, &[u8], Option<&Format>); 24] = [
            (MediaKind::Photo, b"\xFF\xD8\xFF\xE0 JFIF", Some(&JPEG)),
            (MediaKind::Photo, b"\x89PNG\r\n\x1A\n....", Some(&PNG)),
            (MediaKind::Photo, b"GIF89a......", Some(&GIF)),
            (MediaKind::Photo, b"RIFF\x01\x02\x03\x04WEBP", Some(&WEBP)),
            (MediaKind::Photo, b"RIFF\x01\x02\x03\x04WAVE", None),
            (MediaKind::Photo, b"\0\0\0\x18ftypisom....", None),
            (MediaKind::Photo, b"<svg xmlns=", None),
            (MediaKind::Photo, b"GIF8", None),
            (MediaKind::Photo, b"", None),
            (MediaKind::Video, b"\0\0\0\x18ftypisom....", Some(&MP4)),
            (MediaKind::Video, b"\0\0\0\x18ftypqt  ....", Some(&MOV)),
            (MediaKind::Video, b"\0\0\0\x18ftypheic....", None),
            (MediaKind::Video, b"\x1A\x45\xDF\xA3\x9F\x42\x82\x84webm", Some(&WEBM)),
            (MediaKind::Video, b"\x1A\x45\xDF\xA3\x9F\x42\x82\x88matroska", None),
            (MediaKind::Video, b"RIFF\x01\x02\x03\x04AVI LIST", Some(&AVI)),
            (MediaKind::Video, b"\x89PNG\r\n\x1A\n....", None),
            (MediaKind::Audio, b"ID3\x04....", Some(&MP3)),
            (MediaKind::Audio, b"\xFF\xFB\x90\x44", Some(&MP3)),
            (MediaKind::Audio, b"RIFF\x01\x02\x03\x04WAVEfmt ", Some(&WAV)),
            (MediaKind::Audio, b"\0\0\0\x18ftypM4A ....", Some(&M4A)),
            (MediaKind::Audio, b"OggS\0\x02", Some(&OGG)),
            (MediaKind::Audio, b"\x1A\x45\xDF\xA3\x9F\x42\x82\x84webm", Some(&WEBA)),
            (MediaKind::Document, b"%PDF-1.7", Some(&PDF)),
            (MediaKind::Document, b"\x89PNG\r\n\x1A\n....", None),
        ];
        for (kind, head, expected) in table {
            assert_eq!(of_head(kind, head, true).ok().flatten(), expected, "{kind:?} {head:?}");
        }
        for format in FORMATS {
            assert_eq!(from_content_type(format.content_type), Some(*format));
            assert!(is_extension(format.extension));
        }
        assert!(is_photo("image/PNG") && !is_photo("image/svg+xml") && !is_photo("video/mp4"));
    }

    #[test]
    fn an_office_document_is_known_by_what_its_archive_holds() {
        let types = entry("[Content_Types].xml", "<xml/>");
        let odt = entry("mimetype", "application/vnd.oasis.opendocument.textPK\x03\x04");
        let template = entry("mimetype", "application/vnd.oasis.opendocument.text-templatePK\x03\x04");
        let table = [
            ([types.clone(), entry("_rels/.rels", "x"), entry("word/document.xml", "x")].concat(), Some(&DOCX)),
            ([types.clone(), entry("xl/workbook.xml", "x")].concat(), Some(&XLSX)),
            ([types.clone(), entry("ppt/presentation.xml", "x")].concat(), Some(&PPTX)),
            (odt, Some(&ODT)),
            (template, None),
            (types, None),
            ([entry("META-INF/MANIFEST.MF", "x"), entry("word/document.xml", "x")].concat(), None),
            (entry("notes.txt", "this is in word/ and xl/"), None),
            (b"PK\x03\x04".to_vec(), None),
        ];
        for (file, expected) in table {
            assert_eq!(of_head(MediaKind::Document, &file, true).ok().flatten(), expected);
        }
        assert_eq!(of_head(MediaKind::Document, b"PK\x03\x04", false), Ok(None), "more may come");
    }

    #[test]
    fn text_is_valid_utf_8_however_it_is_cut() {
        let table: [(&[u8], bool); 7] = [
            ("Grüße, 東京\r\n\t1;2".as_bytes(), true),
            (b"", true),
            (b"a\0b", false),
            (b"\x1B[2J", false),
            (b"caf\xE9", false),
            ("東".as_bytes().split_at(2).0, false),
            (b"\xC0\x80", false),
        ];
        for (bytes, expected) in table {
            for step in 1..=3 {
                let mut check = TextCheck::default();
                bytes.chunks(step).for_each(|part| {
                    check.take(part);
                });
                assert_eq!(check.finish(), expected, "{bytes:?}");
            }
        }
    }
}
