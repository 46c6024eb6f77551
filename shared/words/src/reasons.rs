//! Why an order is not imported, or not made anew, where no robot of the merchant's says it: a sentence of the conversion,
//! of import, or of what read the order at the shop. What a robot says is the merchant's own, and stays.

use crate::checks::line;
use crate::forms::{filled, first_of, slots};
use crate::lang::Lang;

/// Reasons that stand by themselves, as the sentences of the checks.
const REASONS: &[(&str, &str)] = &[
    ("the order has no line to ship", "出荷する明細がありません。"),
    (
        "the order goes to {} addresses; at most {} can be imported, split it at the shop",
        "送付先が{0}件あります（最大{1}件）。ショップで注文を分けてください。",
    ),
    (
        "the order goes to {} addresses, and a line of it does not say to which: split it at the shop",
        "送付先が{0}件ありますが、送付先の分からない明細があります。ショップで注文を分けてください。",
    ),
    (
        "it was read at the shop too long ago: {}",
        "ショップから読み取って時間がたったため、取り込んでいません。取得する対応状況にあれば、次回の出荷指示取得で最新の内容を\
         取り込みます。",
    ),
    (
        "an order of this id is imported already, with another number: {}",
        "同じ受注IDで受注番号の違う注文が、取込済みです。ショップの設定が別のショップを指すようになっていませんか。\
         別のショップには、別のAPI認証設定を登録してください。",
    ),
    ("none of its lines has a quantity above 0", "数量が1以上の明細がありません。"),
    (
        "the order has {} KB; at most {} can be imported",
        "注文が大きすぎます（{0} KB、上限{1} KB）。ショップで分けてください。",
    ),
    ("line {} has no usable SKU", "明細{0}行目の商品コードを使えません。"),
    (
        "order number {} is not valid: {}",
        "受注番号 {0} は使えません。制御文字や前後の空白のない、128バイトまでの文字にしてください。",
    ),
];

/// Those that say why in their last place.
const WITH_WHY: &[(&str, &str)] = &[
    ("the conversion robot {} cannot make {} of this order: {}", "変換ロボット {0} が「{1項目}」を作れません: {2}"),
    ("an order without number cannot be read: {}", "注文（受注番号なし）を読み取れません: {0}"),
    ("order with id {} cannot be read: {}", "注文（受注ID {0}）を読み取れません: {1}"),
    ("order {} cannot be read: {}", "注文 {0} を読み取れません: {1}"),
    ("its item {} cannot be used: {}", "明細 {0} を使えません: {1}"),
    ("its address {} cannot be used: {}", "送付先 {0} を使えません: {1}"),
];

/// What stands behind those, and nowhere by itself.
const WHY: &[(&str, &str)] = &[
    ("it has no items", "明細がありません。"),
    ("it has no shipping address", "送付先がありません。"),
    ("it has no id", "受注IDがありません。"),
    ("it has no number", "受注番号がありません。"),
    ("it has no state", "対応状況がありません。"),
    ("it has no quantity", "数量がありません。"),
    ("it has no attributes", "項目がありません。"),
    ("it has no {}", "{0} がありません。"),
    ("it is not part of the answer", "ショップの応答に含まれていません。"),
    (
        "its item {} goes to address {}, which is none of the order's",
        "明細 {0} の送付先 {1} が、この注文の送付先にありません。",
    ),
    ("it does not have the form of {}", "ショップのデータの形が、想定と違います。"),
    ("it is not a record", "ショップのデータの形が、想定と違います。"),
    ("it is not valid JSON", "JSONとして読み取れません。"),
    ("it contains bytes that are not text", "文字として読み取れないデータがあります。"),
    ("its two ids differ", "2か所のIDが一致しません。"),
    ("{} is not an amount in whole yen", "{0} が円の金額ではありません。"),
    ("{} is not a number of pieces", "{0} が個数ではありません。"),
    ("{} is not a date or time", "{0} が日時ではありません。"),
    ("{} is not readable", "{0} を読み取れません。"),
];

/// Why an order could not be made anew, where that is not why it would not be imported.
const NOT_ANEW: &[(&str, &str)] = &[
    ("the shop does not give it", "ショップに見つかりません"),
    (
        "the shop shows it as it was before it was last read: wish for it again later",
        "ショップの表示がまだ古いままです。しばらくしてからもう一度操作してください",
    ),
    (
        "a part of it is with the warehouse, has left, or is cancelled",
        "出荷準備中・出荷済み・キャンセル済みのものがあります",
    ),
    (
        "it would be {} parcels and is {}: cancel it here and place it anew at the shop",
        "個口数が変わります（{1}個口から{0}個口）。こちらでキャンセルし、ショップで受注を作り直してください",
    ),
];

/// Why an order is not imported, in the language of who reads it.
#[must_use]
pub fn said(lang: Lang, reason: &str) -> String {
    match lang {
        Lang::En => reason.to_owned(),
        Lang::Ja => japanese(reason).unwrap_or_else(|| reason.to_owned()),
    }
}

/// Why an order was not made anew, to stand in a sentence.
#[must_use]
pub fn not_anew(why: &str) -> String {
    let said = first_of(NOT_ANEW, why).or_else(|| japanese(why)).unwrap_or_else(|| line(Lang::Ja, why));
    said.trim_end_matches('。').to_owned()
}

/// The same of several orders, as runs name them: `H-1 (the shop does not give it), H-2 (…)`.
pub(super) fn listed(orders: &str) -> String {
    let (named, more) = match orders.strip_suffix("), …") {
        Some(named) => (named, "、…"),
        None => (orders.strip_suffix(')').unwrap_or(orders), ""),
    };
    let said = named.split("), ").map(|order| match order.split_once(" (") {
        Some((number, why)) => format!("{number}（{}）", not_anew(why)),
        None => order.to_owned(),
    });
    format!("{}{more}", said.collect::<Vec<String>>().join("、"))
}

fn japanese(reason: &str) -> Option<String> {
    first_of(REASONS, reason).or_else(|| {
        WITH_WHY.iter().find_map(|(form, said)| {
            let mut found = slots(form, reason)?;
            let why = why(found.pop()?);
            found.push(&why);
            Some(filled(said, &found))
        })
    })
}

/// What stands behind another; of a conversion robot it is a sentence of the checks.
fn why(text: &str) -> String {
    japanese(text).or_else(|| first_of(WHY, text)).unwrap_or_else(|| line(Lang::Ja, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::{Text, texts_of};

    fn ja(reason: &str) -> String {
        said(Lang::Ja, reason)
    }

    #[test]
    fn why_an_order_is_not_imported_is_said_whole() {
        for (reason, said) in [
            (
                "the order goes to 95 addresses; at most 90 can be imported, split it at the shop",
                "送付先が95件あります（最大90件）。ショップで注文を分けてください。",
            ),
            (
                "the conversion robot own cannot make delivery_note of this order: the template makes more than 2000 \
                 characters",
                "変換ロボット own が「備考」を作れません: テンプレートの結果が2000文字を超えます。",
            ),
            (
                "order H-1001 cannot be read: its item 5 cannot be used: quantity is not a number of pieces",
                "注文 H-1001 を読み取れません: 明細 5 を使えません: quantity が個数ではありません。",
            ),
            (
                "order with id 88111 cannot be read: it has no number",
                "注文（受注ID 88111）を読み取れません: 受注番号がありません。",
            ),
            // A robot's own.
            ("商品マスタに登録のない商品が含まれています: NEW-1", "商品マスタに登録のない商品が含まれています: NEW-1"),
            ("colour is not readable", "colour is not readable"),
        ] {
            assert_eq!((ja(reason).as_str(), super::said(Lang::En, reason).as_str()), (said, reason));
        }
    }

    #[test]
    fn orders_that_were_not_made_anew_are_named_with_why() {
        assert_eq!(
            listed("H-1 (the shop does not give it), H-2 (the order has 300 KB; at most 200 can be imported), …"),
            "H-1（ショップに見つかりません）、H-2（注文が大きすぎます（300 KB、上限200 KB）。ショップで分けてください）、…"
        );
        assert_eq!(listed("H-1 (在庫なし (A, B))"), "H-1（在庫なし (A, B)）");
        assert_eq!(listed("H-1, H-2"), "H-1, H-2");
        assert_eq!(not_anew("line 3: 要確認"), "3行目: 要確認");
    }

    /// The words of the conversion, of import, and of what reads orders, as they stand in their sources.
    #[test]
    fn every_reason_has_its_japanese() {
        let own = [
            include_str!("../../../shared/domain/src/convert/mod.rs"),
            include_str!("../../../shared/shop/src/order.rs"),
        ];
        let import = include_str!("../../../shared/domain/src/import/mod.rs");
        let behind = [
            include_str!("../../../shared/ecforce/src/wire/order_read.rs"),
            include_str!("../../../shared/ecforce/src/wire/document.rs"),
            include_str!("../../../shared/ecforce/src/wire/postal.rs"),
        ];
        // An error of reading a whole answer, and what a record would have been, are no reasons.
        let is_none = |text: &Text| text.follows("BadBody::Missing(") || text.follows("typed(form,");
        let own = own.iter().flat_map(|source| texts_of(source));
        let own = own.chain(texts_of(import).into_iter().filter(|text| text.follows("&str =")));
        let behind = behind.iter().flat_map(|source| texts_of(source)).filter(|text| !is_none(text));
        let behind = behind.filter(Text::is_sentence).map(|text| {
            let reason = text.said.replace("its 7 7 cannot", "its address 7 cannot");
            format!("order 7 cannot be read: {reason}")
        });
        let reasons = own.filter(Text::is_sentence).map(|text| text.said).chain(behind);
        let mut met = 0;
        for reason in reasons.chain(of_attributes()) {
            met += 1;
            assert!(!ja(&reason).bytes().any(|byte| byte.is_ascii_lowercase()), "{reason}: {}", ja(&reason));
        }
        assert!(met > 20, "the sources are read: {met}");
    }

    /// What an attribute is not.
    fn of_attributes() -> Vec<String> {
        let attributes = texts_of(include_str!("../../../shared/ecforce/src/wire/attributes.rs"));
        let meant: Vec<String> =
            attributes.into_iter().filter(|text| text.follows("=>")).map(|text| text.said).collect();
        assert_eq!(meant.len(), 4, "{meant:?}");
        meant.iter().map(|meant| format!("order with id 7 cannot be read: 7 is not {meant}")).collect()
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named_as_its_reader_names_it() {
        let page = include_str!("../../../shared/ecforce/src/wire/page.rs");
        for (form, named) in [
            ("\"{what} {}\"", "order 7"),
            ("\"{what} with id {id}\"", "order with id 7"),
            ("\"an {what} without number\"", "an order without number"),
        ] {
            assert!(page.contains(form), "{form}");
            let said = ja(&format!("{named} cannot be read: its item 7 cannot be used: it is not valid JSON"));
            assert!(said.ends_with("を読み取れません: 明細 7 を使えません: JSONとして読み取れません。"), "{said}");
        }
        assert!(page.contains("{name} cannot be read: {reason}"));
        let number = renkei_domain::ids::OrderNumber::parse("").unwrap_err().to_string();
        assert!(ja(&number).starts_with("受注番号 \"\" は使えません。"), "{number}");
    }
}
