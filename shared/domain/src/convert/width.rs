//! Half and full width, katakana and hiragana: the forms in which Japanese text is asked for by labels and warehouses.
//!
//! Only what has another form changes; everything else stays, so that no name loses a letter.

use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthChar;

/// Letters, digits and signs in half width: `ＡＢＣ１２３　` becomes `ABC123 `. Kana stay as they are.
pub(super) fn half(text: &str) -> String {
    text.chars().map(half_char).collect()
}

fn half_char(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '！'..='～' => moved(c, -0xFEE0),
        '￥' => '¥',
        other => other,
    }
}

/// Letters, digits, signs and kana in full width: `ABC ﾊﾅｺ` becomes `ＡＢＣ　ハナコ`.
pub(super) fn full(text: &str) -> String {
    full_kana(text)
        .chars()
        .map(|c| match c {
            ' ' => '\u{3000}',
            '!'..='~' => moved(c, 0xFEE0),
            '¥' => '￥',
            other => other,
        })
        .collect()
}

/// Half-width kana in full width, sound marks joined: `ｶﾞ` becomes `ガ`. Nothing else changes.
pub(super) fn full_kana(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut run = String::new();
    for c in text.chars() {
        if is_half_kana(c) {
            run.push(c);
            continue;
        }
        out.extend(run.nfkc());
        run.clear();
        out.push(c);
    }
    out.extend(run.nfkc());
    out
}

fn is_half_kana(c: char) -> bool {
    ('\u{FF61}'..='\u{FF9F}').contains(&c)
}

/// Hiragana and half-width kana as katakana: `はなこ` becomes `ハナコ`.
pub(super) fn katakana(text: &str) -> String {
    full_kana(text)
        .chars()
        .map(|c| match c {
            'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => moved(c, 0x60),
            other => other,
        })
        .collect()
}

/// Katakana, in half width too, as hiragana: `ハナコ` becomes `はなこ`.
pub(super) fn hiragana(text: &str) -> String {
    full_kana(text)
        .chars()
        .map(|c| match c {
            'ァ'..='ヶ' | 'ヽ' | 'ヾ' => moved(c, -0x60),
            other => other,
        })
        .collect()
}

/// Kana, letters, digits and signs in half width: `ガ行　Ａ` becomes `ｶﾞ行 A`. What has no half-width form stays.
pub(super) fn half_kana(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in katakana(text).chars() {
        // A kana with a sound mark is two characters in half width.
        if ('ァ'..='ヺ').contains(&c) {
            for part in std::iter::once(c).nfd() {
                out.push(half_kana_char(part));
            }
        } else {
            out.push(half_kana_char(half_char(c)));
        }
    }
    out
}

fn half_kana_char(c: char) -> char {
    const FULL: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";
    let plain = match c {
        '\u{3099}' | '゛' => return 'ﾞ',
        '\u{309A}' | '゜' => return 'ﾟ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ヰ' => 'イ',
        'ヱ' => 'エ',
        other => other,
    };
    FULL.chars()
        .position(|full| full == plain)
        .and_then(|place| char::from_u32(0xFF61 + u32::try_from(place).ok()?))
        .unwrap_or(c)
}

fn moved(c: char, by: i32) -> char {
    (c as u32).checked_add_signed(by).and_then(char::from_u32).unwrap_or(c)
}

/// The longest beginning that takes at most so many columns of print, a full-width character being two. A character is
/// never cut in half, nor parted from the marks that belong to it.
pub(super) fn truncate(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (place, c) in text.char_indices() {
        taken += c.width_cjk().unwrap_or(0);
        if taken > columns {
            return &text[..place];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_way_there() {
        assert_eq!(half("ＡＢｃ－１２３　（株）ガ"), "ABc-123 (株)ガ");
        assert_eq!(full("Abc-1 ﾊﾟﾝｶﾞ 漢"), "Ａｂｃ－１　パンガ　漢");
        assert_eq!(full_kana("ﾊﾅｺ｡ｶﾞｷﾞ A"), "ハナコ。ガギ A");
        assert_eq!(katakana("はなこ ｶﾞ ゔゞ漢"), "ハナコ ガ ヴヾ漢");
        assert_eq!(hiragana("ハナコ ｶﾞ ヴーヾ"), "はなこ が ゔーゞ");
        assert_eq!(half_kana("はなこ　ガギグ・ヴァーパ（１）漢"), "ﾊﾅｺ ｶﾞｷﾞｸﾞ･ｳﾞｧｰﾊﾟ(1)漢");
        assert_eq!(half_kana("ヵヶヰヱヮ"), "ｶｹｲｴﾜ");
    }

    #[test]
    fn truncation_counts_columns_and_cuts_no_character() {
        assert_eq!(truncate("山田花子", 5), "山田");
        assert_eq!(truncate("山田花子", 8), "山田花子");
        assert_eq!(truncate("ab山", 3), "ab");
        assert_eq!(truncate("ﾊﾞﾊﾞ", 3), "ﾊﾞﾊ");
        assert_eq!(truncate("①x", 2), "①");
        assert_eq!(truncate("か\u{3099}x", 2), "か\u{3099}");
        assert_eq!(truncate("x", 0), "");
    }
}
