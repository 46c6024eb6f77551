//! What customers write into the remark field.

use std::borrow::Cow;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::shop::order::Text;

/// What most write.
const USUAL: [&str; 12] = [
    "玄関前に置いてください",
    "宅配ボックスへお願いします",
    "至急お願いします",
    "【至急】明日までに届きますか？",
    "不在の場合は隣の事務所へお届けください。",
    "領収書の宛名は「上様」でお願いします",
    "プレゼント用です🎁 値段のわかるものは入れないでください😊",
    "前回、箱がつぶれていました。\n丁寧に梱包してください。\nよろしくお願いします。",
    "ﾁｬｲﾑを鳴らさないでください（赤ちゃんが寝ています）",
    "請求書は同梱しないで下さい",
    "定期の次回は１ヶ月延期希望",
    "10時〜12時は不在にしています",
];

/// What trips software.
const ODD: [&str; 12] = [
    "<script>alert('renkei')</script>",
    "<b>太字</b> & \"引用\" 'single'",
    "{{ order.email }} {% raw %}",
    "=HYPERLINK(\"http://evil.example\",\"クリック\")",
    "右から左\u{202e}逆さま\u{202c}\u{200f}ここまで",
    "幅のない\u{200b}空白\u{feff}とノーブレーク\u{00a0}スペース",
    "家族👨‍👩‍👧‍👦と国旗🇯🇵と異体字葛\u{e0100}飾区",
    "タブ\t改行\r\n終わり",
    "か\u{3099}ぎの濁点が分かれています",
    "①㈱㍻～―∥№℡",
    "Robert'); DROP TABLE orders;--",
    "\"カンマ\",\"と\",\"引用符\"",
];

/// A remark of a line or three; every fourth one odd.
pub fn short(dice: &mut StdRng) -> Text {
    let from = if dice.random_ratio(1, 4) { &ODD } else { &USUAL };
    Cow::Borrowed(from[dice.random_range(0..from.len())])
}

/// A remark of 1,000 to 5,000 characters.
pub fn long(dice: &mut StdRng) -> String {
    let length = dice.random_range(1_000..=5_000);
    let mut text = String::new();
    let mut characters = 0;
    while characters < length {
        let part = short(dice);
        for character in part.chars().chain(['\n']).take(length - characters) {
            text.push(character);
            characters += 1;
        }
    }
    text
}
