//! What is wrong with a table of products, by its lines.

use renkei_domain::products::RowProblem;

use super::first_of;
use crate::lang::Lang;

/// As the sentences of the checks.
const SENTENCES: &[(&str, &str)] = &[
    // The file as a whole.
    (
        "the file is neither UTF-8 nor Shift_JIS: {}",
        "文字コードがUTF-8でもShift_JISでもありません。CSV（UTF-8）で保存し直してください。",
    ),
    ("the heading line cannot be read", "見出しの行を読み取れません。"),
    ("no column has the heading `{}` ({})", "見出しに「{1}」({0}) がありません。"),
    ("there are more problems from here on", "ここから先にも誤りがあります。まず上の誤りを直してください。"),
    // A line.
    (
        "the line has more cells than the heading: {}",
        "見出しより列が多い行です。カンマを含む値は引用符（\"）で囲んでください。",
    ),
    ("the line cannot be read: {}", "この行を読み取れません。引用符（\"）が足りないかもしれません。"),
    ("this SKU stands on line {} already", "この商品コードは{0}行目にもあります。"),
    (
        "this is no SKU: {}",
        "商品コードとして使えません。制御文字や前後の空白のない、128バイトまでの文字にしてください。",
    ),
    ("the name (商品名) must have 1 to {} characters on one line", "商品名は1〜{0}文字、1行で入力してください。"),
    ("the stock buffer (安全在庫) must be a whole number", "安全在庫は整数で入力してください。"),
    ("not for sale (販売対象外) must be {}", "販売対象外は 1 か 0（または はい・いいえ）で入力してください。"),
    ("the temperature (温度帯) must be {}", "温度帯は常温・冷蔵・冷凍のいずれかで入力してください。"),
];

/// What is wrong with a line of the table, or with all of it.
pub fn problem(lang: Lang, problem: &RowProblem) -> String {
    if lang == Lang::En {
        return problem.to_string();
    }
    let said = japanese(&problem.sentence).unwrap_or_else(|| problem.sentence.clone());
    match problem.line {
        Some(line) => format!("{line}行目: {said}"),
        None => said,
    }
}

/// Some of it is said of other files too.
fn japanese(sentence: &str) -> Option<String> {
    first_of(SENTENCES, sentence).or_else(|| super::japanese(sentence))
}

#[cfg(test)]
mod tests {
    use renkei_domain::products::from_csv;

    use super::super::sources::{Text, texts_of};
    use super::*;

    fn said(table: &str) -> Vec<String> {
        from_csv(table.as_bytes()).unwrap_err().iter().map(|found| problem(Lang::Ja, found)).collect()
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said_by_its_lines() {
        assert_eq!(
            said("sku,name,安全在庫\nA,茶,many\nA,湯のみ,1\nB,湯のみ,1\nB,盆,1\n,盆\nC,茶,1,100g\n"),
            [
                "2行目: 安全在庫は整数で入力してください。",
                "5行目: この商品コードは4行目にもあります。",
                "6行目: 商品コードとして使えません。制御文字や前後の空白のない、128バイトまでの文字にしてください。",
                "7行目: 見出しより列が多い行です。カンマを含む値は引用符（\"）で囲んでください。",
            ]
        );
        assert_eq!(said("name\n茶\n"), ["1行目: 見出しに「商品コード」(sku) がありません。"]);
        assert_eq!(
            problem(Lang::Ja, &from_csv(b"\xFF\xFE\x00").unwrap_err()[0]),
            "文字コードがUTF-8でもShift_JISでもありません。CSV（UTF-8）で保存し直してください。"
        );
        assert!(said("sku,name\nA,\"茶\n").concat().contains("引用符（\"）がここで開いたまま"));
        let found = from_csv(b"sku\nA\n").unwrap_err();
        assert_eq!(problem(Lang::En, &found[0]), "line 1: no column has the heading `name` (商品名)");
    }

    /// The words of the reading itself, as they stand in its source.
    #[test]
    fn every_sentence_on_a_table_has_its_japanese() {
        let products = texts_of(include_str!("../../../../../shared/domain/src/products.rs"));
        let sentences: Vec<&Text> =
            products.iter().filter(|text| text.is_sentence() && !text.follows("write!(f,")).collect();
        assert!(sentences.len() >= 10, "the source is read: {}", sentences.len());
        for text in sentences {
            assert!(japanese(&text.said).is_some(), "{}", text.said);
        }
    }
}
