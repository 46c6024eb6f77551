//! What is wrong with a file of counts: in English, and in Japanese.

/// As the sentences of the checks.
pub const COUNTED: &[(&str, &str)] = &[
    (
        "the file is not UTF-8",
        "UTF-8のファイルではありません。表計算ソフトでは、「CSV UTF-8」の形式を選んで保存してください。",
    ),
    (
        "it has to name 商品コード and 数量 (or sku and quantity)",
        "1行目に見出しが必要です。商品コードと数量（または sku と quantity）の列を用意してください。",
    ),
    (
        "it has more cells than the header: is a comma in a cell without quotation marks?",
        "見出しより列が多い行です。カンマを含む値は引用符（\"）で囲んでください。",
    ),
    ("this is no SKU", "商品コードとして読めません。"),
    ("this is not a whole number of 0 or more", "0以上の整数にしてください。"),
    (
        "this is no time: it is written 2026-11-25 09:00:00 or 2026-11-25T00:00:00Z",
        "日時として読めません。2026-11-25 09:00:00 または 2026-11-25T00:00:00Z のように書いてください。",
    ),
    ("this is more than 5 minutes ahead of our clock", "システムの時計より5分を超えて先の日時です。"),
    (
        "it stands here twice with the same time, so neither count is taken",
        "同じ商品コードの計数が、同じ日時で2回以上あります。どれも取り込んでいません。",
    ),
    (
        "no product has this SKU: was it changed by a spreadsheet, or is the product not registered yet?",
        "この商品コードの商品はありません。表計算ソフトで変わっていないか、商品が登録済みかを確認してください。",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::sources::{Text, texts_of};
    use super::super::{first_of, in_file, of_file};
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn what_is_wrong_with_counts_has_its_japanese() {
        let sources = [
            include_str!("../../../../../shared/files/src/counts.rs"),
            include_str!("../../../../../shared/exchange/src/counts.rs"),
        ];
        let texts = sources.iter().flat_map(|source| texts_of(source));
        let said: Vec<String> = texts.filter(Text::is_sentence).map(|text| text.said).collect();
        let missing: Vec<&String> = said.iter().filter(|text| of_file(text).is_none()).collect();
        assert_eq!(missing, Vec::<&String>::new());
        for (sentence, _) in COUNTED {
            assert!(said.iter().any(|text| text == sentence), "nobody says it any more: {sentence}");
            assert!(first_of(COUNTED, sentence).is_some());
        }
    }

    #[test]
    fn a_row_is_named_with_what_is_wrong_in_it() {
        let (_, problems) = renkei_files::counts::read(b"sku,quantity\nA,x\n");
        let said: Vec<String> = problems.iter().map(|problem| in_file(Lang::Ja, problem)).collect();
        assert_eq!(said, ["2行目 数量: 0以上の整数にしてください。"]);
    }
}
