//! Texts in a file's encoding.

use encoding_rs::{EncoderResult, SHIFT_JIS};
use serde::{Deserialize, Serialize};

/// How a file's characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8 with a mark at the beginning, by which spreadsheets know it.
    Utf8Bom,
    /// UTF-8.
    Utf8,
    /// `Shift_JIS` as Windows has it: with 髙, ① and their like.
    ShiftJis,
}

/// What begins a file of UTF-8 by which spreadsheets know it.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8 | Self::Utf8Bom => "UTF-8",
            Self::ShiftJis => "Shift_JIS",
        })
    }
}

impl Encoding {
    /// A text's bytes; or each character that the encoding lacks, once.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Vec<char>> {
        match self {
            Self::Utf8 | Self::Utf8Bom => Ok(text.as_bytes().to_vec()),
            Self::ShiftJis => shift_jis(text),
        }
    }

    /// A file's text; None if it is not of this encoding. A mark at the beginning is left out.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 | Self::Utf8Bom => String::from_utf8(bytes.strip_prefix(BOM).unwrap_or(bytes).to_vec()).ok(),
            Self::ShiftJis => {
                SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
            }
        }
    }

    /// How wide a text is in the carriers' counting: 1 for a half-width character, 2 for any other.
    #[must_use]
    pub fn width(text: &str) -> usize {
        text.chars().map(char_width).sum()
    }
}

/// Half-width: ASCII, and half-width katakana.
pub(crate) fn char_width(c: char) -> usize {
    if c.is_ascii() || ('\u{ff61}'..='\u{ff9f}').contains(&c) { 1 } else { 2 }
}

fn shift_jis(text: &str) -> Result<Vec<u8>, Vec<char>> {
    let mut encoder = SHIFT_JIS.new_encoder();
    let mut bytes = Vec::with_capacity(text.len());
    let mut lacking = Vec::new();
    let text: String = text.chars().map(same_character).collect();
    let mut rest = text.as_str();
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len() * 2 + 8);
        let before = bytes.len();
        bytes.resize(before + room, 0);
        let (result, read, written) = encoder.encode_from_utf8_without_replacement(rest, &mut bytes[before..], true);
        bytes.truncate(before + written);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => break,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(c) => {
                if !lacking.contains(&c) {
                    lacking.push(c);
                }
            }
        }
    }
    if lacking.is_empty() { Ok(bytes) } else { Err(lacking) }
}

/// Characters that Unicode has twice and `Shift_JIS` once: the same character in the file, whichever was typed.
fn same_character(c: char) -> char {
    match c {
        '\u{301c}' => '\u{ff5e}', // 〜 ～
        '\u{2016}' => '\u{2225}', // ‖ ∥
        '\u{2212}' => '\u{ff0d}', // − －
        '\u{00a2}' => '\u{ffe0}',
        '\u{00a3}' => '\u{ffe1}',
        '\u{00ac}' => '\u{ffe2}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_people_are_in_the_windows_form() {
        for text in ["髙橋 花子", "﨑山", "①〜③", "ｱﾊﾟｰﾄ101", "1−2−3"] {
            assert!(Encoding::ShiftJis.encode(text).is_ok(), "{text}");
        }
        assert_eq!(Encoding::ShiftJis.encode("𠮷野家の😀と𠮷"), Err(vec!['𠮷', '😀']));
        assert_eq!(Encoding::width("ｱA東京"), 6);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back_or_named(text in "[ -~ぁ-んァ-ヶ亜-腕一-龥😀𠮷]{0,40}") {
            match Encoding::ShiftJis.encode(&text) {
                Ok(bytes) => prop_assert_eq!(Encoding::ShiftJis.decode(&bytes).unwrap(), text),
                Err(lacking) => prop_assert!(!lacking.is_empty() && lacking.iter().all(|c| text.contains(*c))),
            }
        }
    }
}
