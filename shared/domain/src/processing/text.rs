//! What a label printer can print, and how wide it prints it.

use unicode_width::UnicodeWidthStr;

/// Columns of print, a kanji being two. What is wide in Japanese fonts only (`①`, `×`, Greek) is two as well, because
/// that is how labels print it.
pub(super) fn width(text: &str) -> usize {
    text.width_cjk()
}

/// Does it hold a character that a label printer lacks? Line breaks and tabs count as such: a label's field is one line.
pub(super) fn not_printable(text: &str) -> bool {
    // The first look spares plain ASCII the table.
    text.bytes().any(|byte| !(0x20..0x7f).contains(&byte)) && !text.chars().all(is_printable)
}

fn is_printable(character: char) -> bool {
    let code = character as usize;
    PRINTABLE.get(code / 8).is_some_and(|byte| byte >> (code % 8) & 1 == 1)
}

/// One bit for each character of the basic plane, lowest first; `Shift_JIS` has none beyond it.
///
/// Kept as a file, because asking an encoder takes a search for each kanji, and the encoder brings the tables of all
/// encodings of the world into functions that write none. A test makes it anew and compares.
static PRINTABLE: &[u8; 8_192] = include_bytes!("printable.bin");

#[cfg(test)]
mod tests {
    use encoding_rs::SHIFT_JIS;

    use super::*;

    /// Signs of JIS X 0201 and 0208 that code page 932 writes with another character of the same shape:
    /// `〜 ‖ − ¢ £ ¬ — ¥ ‾`. Printers have the shape, and shops send either.
    const TWINS: [char; 9] =
        ['\u{301C}', '\u{2016}', '\u{2212}', '\u{A2}', '\u{A3}', '\u{AC}', '\u{2014}', '\u{A5}', '\u{203E}'];

    /// By decoding every code of `Shift_JIS`.
    fn made_anew() -> Vec<u8> {
        let mut codes: Vec<u8> = (0x20..0x7f).chain(0xA1..=0xDF).collect();
        for lead in (0x81..=0x9F).chain(0xE0..=0xFC) {
            for trail in (0x40..=0x7E).chain(0x80..=0xFC) {
                codes.extend([lead, trail]);
            }
        }
        let (characters, _) = SHIFT_JIS.decode_without_bom_handling(&codes);
        let private_use = '\u{E000}'..='\u{F8FF}';
        let mut table = vec![0; PRINTABLE.len()];
        for character in characters.chars().chain(TWINS) {
            let code = character as usize;
            let is_none = character == char::REPLACEMENT_CHARACTER || character.is_control();
            if let Some(byte) = table.get_mut(code / 8).filter(|_| !is_none && !private_use.contains(&character)) {
                *byte |= 1 << (code % 8);
            }
        }
        table
    }

    #[test]
    fn the_table_is_that_of_the_encoding() {
        let wanted = made_anew();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/processing/printable.bin");
        if std::env::var("RENKEI_GOLDEN").is_ok_and(|word| word == "write") {
            std::fs::write(file, &wanted).unwrap();
        }
        assert_eq!(std::fs::read(file).unwrap(), wanted, "RENKEI_GOLDEN=write writes it anew");
        let printed = (0..=0xffff).filter_map(char::from_u32).filter(|character| is_printable(*character)).count();
        assert_eq!(printed, 7_493);
    }

    #[test]
    fn labels_print_shift_jis() {
        for good in ["", "Tokyo 1-2-3", "東京都江東区青海2−4−24", "ﾊﾅｺ ①号室 Ⅳ ㈱山田 髙﨑", "〜～—―‖∥¥￥ー", "纊鍈"]
        {
            assert!(!not_printable(good), "{good}");
        }
        for bad in [
            "👍",
            "森鷗外",
            "𠮷野家",
            "a\u{7}b",
            "一行目\n二行目",
            "a\tb",
            "か\u{3099}",
            "\u{E000}",
            "é",
            "한국",
            "\u{FFFD}",
            "☺️",
            "\u{7f}",
        ] {
            assert!(not_printable(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_kanji_is_two_columns() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("ﾊﾅｺ"), 3);
        assert_eq!(width("山田花子"), 8);
        assert_eq!(width("①×"), 4);
    }
}
