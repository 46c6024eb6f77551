//! What applying settings changes, by the names that people know settings by: 「ショップ hanako-ecforce の1日の上限（回）」
//! rather than `connections[hanako-ecforce].daily_call_limit`. In English the place in the document stays, which is English.

use renkei_domain::document::{Change, ChangeKind};
use renkei_setup::SecretChange;
use renkei_setup::trial::TriedChange;
use renkei_words::fields;

use super::super::setting_fields::{self, Kind};
use crate::lang::Lang;

/// The document's lists of what has an id, and what people call one of each.
const LISTS: &[(&str, &str)] = &[
    ("ship_froms", "発送元"),
    ("connections", "ショップ"),
    ("shipping_methods", "配送方法"),
    ("products", "商品"),
    ("conversion_robots", "変換ロボット"),
    ("processing_robots.enable", "有効な標準の処理ロボット"),
    ("processing_robots.custom", "処理ロボット"),
    ("integration_robots.easy_setup", "かんたん設定"),
    ("integration_robots.custom", "カスタム設定のロボット"),
];

/// What people call a key, where no form asks for it by another name.
const KEYS: &[(&str, &str)] = &[
    ("tenant", "契約企業"),
    ("sku", "商品コード"),
    ("name", "名称"),
    ("enabled", "有効"),
    ("api", "連携先"),
    ("password", "パスワードの指定"),
    ("token", "トークンの指定"),
    ("states", "対応状況"),
    ("payment_states", "決済状況の対応表"),
    ("status_sync", "ステータス同期"),
    ("carrier_ids", "外部連携配送方法"),
    ("stock_buffer", "安全在庫"),
    ("not_for_sale", "販売対象外"),
    ("temperature", "温度帯"),
    ("made_of", "セットの構成品"),
    ("quantity", "数量"),
    ("copy_of", "コピー元"),
    ("fields", "変換する項目"),
    ("when", "条件"),
    ("do", "処理"),
    ("run", "実行"),
    ("excludes", "併用不可のロボット"),
    ("conversion_robots", "対象の変換ロボット"),
    ("connection", "ショップ"),
    ("conversion_robot", "変換ロボット"),
    ("every", "定期実行の間隔"),
    ("inventory", "在庫連携"),
    ("shipped", "出荷済みへの変更"),
    ("on", "トリガー"),
    ("after", "連携後"),
    ("daily_at", "毎日"),
    ("cron", "時刻指定"),
    ("by_hand", "手動"),
];

/// A change of the settings.
pub fn change(lang: Lang, change: &Change) -> String {
    if lang == Lang::En {
        return change.to_string();
    }
    let place = place(&change.path);
    let [old, new] = [&change.old, &change.new].map(|value| value.as_deref().map_or("なし", value_of));
    match change.kind {
        ChangeKind::Added => format!("{place} を追加: {new}"),
        ChangeKind::Removed => format!("{place} を削除: {old}"),
        ChangeKind::Changed => format!("{place} を変更: {old} → {new}"),
        ChangeKind::Reordered => format!("{place} の順番を変更: {old} → {new}"),
    }
}

/// What a shop is signed in to with.
pub fn secret(lang: Lang, change: &SecretChange) -> String {
    let connection = &change.connection;
    match lang {
        Lang::En => change.to_string(),
        Lang::Ja if change.is_new => format!("ショップ {connection} の認証情報を登録"),
        Lang::Ja => format!("ショップ {connection} の認証情報を新しいものに入れ替え"),
    }
}

/// What a conversion robot makes otherwise of an order.
pub fn tried(lang: Lang, change: &TriedChange) -> String {
    match lang {
        Lang::En => change.to_string(),
        Lang::Ja => {
            let field = fields::label(lang, change.field.name());
            format!("受注 {}: {field}: 「{}」→「{}」", change.order, change.was, change.is)
        }
    }
}

fn value_of(value: &str) -> &str {
    match value {
        "true" => "はい",
        "false" => "いいえ",
        "nothing" => "なし",
        other => other,
    }
}

/// The setting that a path names.
fn place(path: &str) -> String {
    for (list, word) in LISTS.iter().copied() {
        match path.strip_prefix(list) {
            Some("") => return word.to_owned(),
            Some(rest) if rest.starts_with('[') => return element(list, word, rest),
            Some(_) | None => {}
        }
    }
    word_of(path).map_or_else(|| path.to_owned(), str::to_owned)
}

/// `[id].key` or `[id]`. A SKU may hold brackets and dots itself, so an id ends where a key begins, or with the path.
fn element(list: &str, word: &str, rest: &str) -> String {
    let Some((id, key)) = rest[1..].split_once("].") else {
        return format!("{word} {}", rest[1..].trim_end_matches(']'));
    };
    let of_form = Kind::of_list(list).and_then(|kind| setting_fields::label(kind, key));
    let of_convert = key.strip_prefix("fields.").map(|field| fields::label(Lang::Ja, field));
    let (key, below) = match of_form.or(of_convert).or_else(|| word_of(key)) {
        Some(label) => (label.to_owned(), None),
        None => match key.split_once(['.', '[']) {
            Some((first, below)) => (word_of(first).unwrap_or(first).to_owned(), Some(below)),
            None => (key.to_owned(), None),
        },
    };
    let below = below.map(|below| format!("（{}）", below.trim_end_matches(']'))).unwrap_or_default();
    format!("{word} {id} の{key}{below}")
}

fn word_of(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use renkei_domain::convert::Field;
    use renkei_domain::ids::ConnectionId;

    use super::*;

    fn ja(path: &str, kind: ChangeKind, old: Option<&str>, new: Option<&str>) -> String {
        let [old, new] = [old, new].map(|value| value.map(str::to_owned));
        change(Lang::Ja, &Change { kind, path: path.to_owned(), old, new })
    }

    #[test]
    fn a_setting_is_called_what_its_form_calls_it() {
        let changed = |path: &str| ja(path, ChangeKind::Changed, Some("8000"), Some("true"));
        assert_eq!(
            changed("connections[hanako-ecforce].daily_call_limit"),
            "ショップ hanako-ecforce の1日の上限（回） を変更: 8000 → はい"
        );
        assert!(changed("connections[a].states.fetch").starts_with("ショップ a の取得する対応状況 を変更"));
        assert!(changed("products[A[1]-b].stock_buffer").starts_with("商品 A[1]-b の安全在庫 を変更"));
        assert!(
            changed("products[SET-1].made_of[PART].quantity")
                .starts_with("商品 SET-1 のセットの構成品（PART].quantity）")
        );
        assert!(changed("conversion_robots[own].fields.delivery_note").starts_with("変換ロボット own の"));
        assert!(changed("shipping_methods[parcel].carrier_ids.a").contains("の外部連携配送方法（a）"));
        assert_eq!(ja("ship_froms[dc]", ChangeKind::Removed, Some("東京倉庫"), None), "発送元 dc を削除: 東京倉庫");
        assert_eq!(
            ja("shipping_methods", ChangeKind::Reordered, Some("a, b"), Some("b, a")),
            "配送方法 の順番を変更: a, b → b, a"
        );
        assert_eq!(ja("nobody.knows", ChangeKind::Added, None, Some("1")), "nobody.knows を追加: 1");
    }

    #[test]
    fn every_key_of_the_document_has_its_word() {
        let schema = renkei_domain::document::schema();
        let keys = |name: &str| -> Vec<String> {
            let keys = schema["$defs"][name]["properties"].as_object();
            keys.unwrap_or_else(|| panic!("{name}")).keys().filter(|key| *key != "id").cloned().collect()
        };
        let mut paths: Vec<String> = Vec::new();
        for (list, name) in [
            ("ship_froms", "ShipFrom"),
            ("connections", "Connection"),
            ("shipping_methods", "ShippingMethod"),
            ("products", "Product"),
            ("conversion_robots", "ConversionRobot"),
            ("processing_robots.enable", "TiedRobot"),
            ("processing_robots.custom", "ProcessingRobot"),
            ("integration_robots.easy_setup", "EasySetup"),
            ("integration_robots.custom", "CustomRobot"),
        ] {
            paths.push(list.to_owned());
            paths.extend(keys(name).iter().map(|key| format!("{list}[a].{key}")));
        }
        for (key, name) in
            [("states", "OrderStates"), ("payment_states", "PaymentStates"), ("status_sync", "StatusSync")]
        {
            paths.extend(keys(name).iter().map(|below| format!("connections[a].{key}.{below}")));
        }
        paths.extend(renkei_domain::convert::FIELDS.map(|field| format!("conversion_robots[a].fields.{field}")));
        assert!(paths.len() > 80, "{}", paths.len());
        for path in &paths {
            let said = place(path);
            let word = said.split_once(" a の").map_or(said.as_str(), |(_, key)| key);
            assert!(!word.is_ascii() || path.ends_with(".api_url"), "{path}: {said}");
        }
    }

    #[test]
    fn what_is_signed_in_with_and_what_was_tried_are_said() {
        let connection = ConnectionId::parse("hanako-ecforce").unwrap();
        let new = SecretChange { connection, is_new: true };
        assert_eq!(secret(Lang::Ja, &new), "ショップ hanako-ecforce の認証情報を登録");
        assert_eq!(secret(Lang::En, &new), "secret of hanako-ecforce is stored");
        let field = Field::all().find(|field| field.name() == "delivery_note").unwrap();
        let change = TriedChange { order: "R1".into(), field, was: String::new(), is: "至急".into() };
        assert!(tried(Lang::Ja, &change).ends_with(": 「」→「至急」"), "{}", tried(Lang::Ja, &change));
        assert_eq!(tried(Lang::En, &change), "order R1: delivery_note: \"\" → \"至急\"");
    }
}
