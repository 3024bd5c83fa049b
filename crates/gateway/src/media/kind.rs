//! What a file is, by its first bytes. What its sender calls it counts for nothing.

use wire::ErrorCode;

use crate::error::Error;

/// Bytes that decide.
pub(crate) const HEAD_BYTES: usize = 12;

/// A kind of picture that every browser shows and none runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Jpeg,
    Png,
    Gif,
    Webp,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::Webp];

    /// The kind of a file that begins like this.
    pub(crate) fn of(head: &[u8]) -> Result<Kind, Error> {
        let kind = match head {
            [0xFF, 0xD8, 0xFF, ..] => Kind::Jpeg,
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Kind::Png,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Kind::Gif,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Kind::Webp,
            _ => {
                return Err(Error::new(
                    ErrorCode::InvalidArgument,
                    "The file is no picture in JPEG, PNG, GIF or WebP format.",
                ));
            }
        };
        Ok(kind)
    }

    /// The kind that a browser names so.
    pub(crate) fn from_content_type(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.content_type().eq_ignore_ascii_case(text))
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
            Kind::Gif => "image/gif",
            Kind::Webp => "image/webp",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Kind::Jpeg => "jpg",
            Kind::Png => "png",
            Kind::Gif => "gif",
            Kind::Webp => "webp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        let table: [(&[u8], Option<Kind>); 9] = [
            (b"\xFF\xD8\xFF\xE0 JFIF", Some(Kind::Jpeg)),
            (b"\x89PNG\r\n\x1A\n....", Some(Kind::Png)),
            (b"GIF89a......", Some(Kind::Gif)),
            (b"RIFF\x01\x02\x03\x04WEBP", Some(Kind::Webp)),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (b"<svg xmlns=", None),
            (b"<!doctype html>", None),
            (b"GIF8", None),
            (b"", None),
        ];
        for (head, expected) in table {
            assert_eq!(Kind::of(head).ok(), expected, "{head:?}");
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_content_type(kind.content_type()), Some(kind));
        }
        assert_eq!(Kind::from_content_type("image/svg+xml"), None);
    }
}
