//! Invented people and companies, with the characters that trip encodings: 髙, 﨑, 𠮷, half-width kana, long names.

use std::borrow::Cow;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::shop::order::{Address, Text};

/// Family names with their reading.
const FAMILY: [(&str, &str); 36] = [
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("髙橋", "タカハシ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("渡辺", "ワタナベ"),
    ("渡邉", "ワタナベ"),
    ("渡邊", "ワタナベ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("吉田", "ヨシダ"),
    ("𠮷田", "ヨシダ"),
    ("𠮷野", "ヨシノ"),
    ("山田", "ヤマダ"),
    ("佐々木", "ササキ"),
    ("山崎", "ヤマザキ"),
    ("山﨑", "ヤマザキ"),
    ("宮﨑", "ミヤザキ"),
    ("松本", "マツモト"),
    ("斎藤", "サイトウ"),
    ("齋藤", "サイトウ"),
    ("齊藤", "サイトウ"),
    ("濵田", "ハマダ"),
    ("德永", "トクナガ"),
    ("桒原", "クワバラ"),
    ("邊見", "ヘンミ"),
    ("勅使河原", "テシガワラ"),
    ("五十嵐", "イガラシ"),
    ("長谷川", "ハセガワ"),
    ("森", "モリ"),
    ("金城", "キンジョウ"),
    ("阿部", "ｱﾍﾞ"),
    ("Smith", "スミス"),
];

/// Given names with their reading.
const GIVEN: [(&str, &str); 24] = [
    ("花子", "ハナコ"),
    ("一郎", "イチロウ"),
    ("次郎", "ジロウ"),
    ("三郎", "サブロウ"),
    ("美咲", "ミサキ"),
    ("陽菜", "ヒナ"),
    ("葵", "アオイ"),
    ("さくら", "サクラ"),
    ("ゆかり", "ユカリ"),
    ("健太", "ケンタ"),
    ("翔", "ショウ"),
    ("大輔", "ダイスケ"),
    ("直樹", "ナオキ"),
    ("久美子", "クミコ"),
    ("恵子", "ケイコ"),
    ("由美", "ユミ"),
    ("裕子", "ユウコ"),
    ("真理子", "マリコ"),
    ("蓮", "レン"),
    ("凛", "リン"),
    ("祐希", "ユウキ"),
    ("彩", "ｱﾔ"),
    ("ジェーン", "ジェーン"),
    ("日向子", "ヒナコ"),
];

const COMPANIES: [&str; 10] = [
    "株式会社さくら商会",
    "㈱みどり企画",
    "有限会社髙木製作所",
    "合同会社ＯＮＥ",
    "医療法人社団ひまわり会 あおぞら歯科",
    "NPO法人 うみのこ",
    "株式会社ヘアサロン・ド・リュミエール 目黒本店 ２号館",
    "（株）﨑山工務店",
    "ﾔﾏﾀﾞ商店",
    "Example & Partners K.K.",
];

/// Gives the address a person.
pub fn name(dice: &mut StdRng, address: &mut Address) {
    let (family, family_kana) = FAMILY[dice.random_range(0..FAMILY.len())];
    let (given, given_kana) = GIVEN[dice.random_range(0..GIVEN.len())];
    address.name01 = Cow::Borrowed(family);
    address.name02 = Cow::Borrowed(given);
    address.kana01 = Cow::Borrowed(family_kana);
    address.kana02 = Cow::Borrowed(given_kana);
}

/// A company's name.
pub fn company(dice: &mut StdRng) -> Text {
    Cow::Borrowed(COMPANIES[dice.random_range(0..COMPANIES.len())])
}
