//! English sentences of records and checks, in Japanese. What is wrong with settings, what runs say ([`runs`]), and why an
//! order is not imported ([`reasons`]) have their tables in `renkei-words`, for chats say such sentences too. What only
//! pages say stands here: what is wrong with a file (here) and with a table of products ([`goods`]), what applying
//! settings changes ([`changes`]), what happened to a shipment ([`history`]), and what people did ([`audit`]). Each
//! sentence that can come to stand on a page has its Japanese in a table. One that has none is shown as it is: a sentence
//! that people have to look up is better than none.

pub mod audit;
pub mod changes;
mod counted;
pub mod goods;
pub mod history;
// Tests' own: in no program, and in one file with those of `renkei-words`.
#[cfg(test)]
#[path = "../../../../../shared/words/src/sources.rs"]
pub mod sources;

use renkei_words::checks::japanese;
pub use renkei_words::checks::{line, said};
use renkei_words::forms::first_of;
pub use renkei_words::forms::times;
pub use renkei_words::{reasons, runs};

use self::counted::COUNTED;
use crate::lang::Lang;

/// What became of a shipment in a file, by the stable keys of the command line.
const OUTCOMES: &[(&str, &str)] = &[
    ("unknown", "この出荷指示IDの出荷はありません。形式とショップを確認してください。"),
    (
        "not-claimed",
        "まだ出荷準備中ではないため、取り込んでいません。すでに倉庫に渡したものなら、\
         「出荷待ち（出荷準備中にする。一括では戻せません）」で出力してから（そのファイルは倉庫に渡さない）、\
         この実績ファイルをもう一度取り込んでください。",
    ),
    ("cancelled", "キャンセル済みの出荷です。"),
    ("bad-shipped-at", "出荷日が90日より前か、1日より先です。"),
    ("other-order-number", "受注番号がこの出荷のものと違います。ショップと行を確認してください。"),
    ("on-hold", "保留中です。出荷管理で保留を解除してから出力してください。"),
    ("changed", "ファイルを作っている間に、作り直しまたはロボットで内容が変わりました。もう一度出力してください。"),
    ("unpaid", "未入金です。入金を待つか、出荷管理の一覧で「未入金でも出荷待ちへ」を行ってください。"),
    ("already-claimed", "すでにほかで出荷準備中になっています。"),
    ("already-shipped", "すでに出荷済みです。"),
];

/// What is wrong with a row of a file.
pub fn in_file(lang: Lang, problem: &renkei_files::Problem) -> String {
    if lang == Lang::En {
        return problem.to_string();
    }
    let what = OUTCOMES.iter().find(|(key, _)| *key == problem.what).map(|(_, said)| (*said).to_owned());
    let what = what.or_else(|| of_file(&problem.what)).unwrap_or_else(|| problem.what.clone());
    if problem.row == 0 {
        return format!("{}: {what}", problem.shipment);
    }
    let shipment = if problem.shipment.is_empty() { String::new() } else { format!("（{}）", problem.shipment) };
    format!("{}行目{shipment} {}: {what}", problem.row, column(&problem.column))
}

/// What became of a shipment in a file; the key itself where it has no sentence.
pub fn outcome(lang: Lang, key: &'static str) -> &'static str {
    lang.of(OUTCOMES.iter().find(|(known, _)| *known == key).map_or(key, |found| found.1), key)
}

/// Columns that are ours, and not the file's, have names in English.
fn column(name: &str) -> &str {
    match name {
        "file" => "ファイル",
        "row" => "行",
        "header" => "見出し",
        "shipment" => "出荷指示ID",
        "tracking number" => "お問い合わせ番号",
        "shipped on" => "出荷日",
        other => other,
    }
}

/// Of counts, or of any file.
fn of_file(sentence: &str) -> Option<String> {
    japanese(sentence).or_else(|| first_of(COUNTED, sentence))
}

#[cfg(test)]
mod tests {
    use renkei_domain::settings::Action;

    use super::*;
    use crate::pages::setting_fields::{self, Kind};
    use crate::pages::words;

    #[test]
    fn sentences_call_what_is_in_forms_as_forms_do() {
        let label = |key: &str| setting_fields::label(Kind::Connection, key).unwrap();
        for key in ["fetch", "working", "shipped"] {
            let text =
                said(Lang::Ja, &format!("\"x\" is the state for `{key}` already: orders in it would be cancelled"));
            let own = format!("「{}」（{key}）", label(&format!("states.{key}")));
            assert!(text.contains(&own), "{own}: {text}");
        }
        let stock = "inventory needs to know whose stock to update: add `stock_location_code` to the connection \"a\"";
        let (text, own) = (said(Lang::Ja, stock), label("stock_location_code"));
        assert!(text.contains(&format!("{own}（stock_location_code）")), "{text}");
        for action in Action::ALL {
            let makes =
                "there is no robot \"a/b\", so this one would never start: the easy set-up of this connection makes";
            let text = said(Lang::Ja, &format!("{makes} {}", action.as_str()));
            let own = format!("「{}」（{}）", words::robot(Lang::Ja, action), action.as_str());
            assert!(text.ends_with(&own), "{own}: {text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said_with_its_place() {
        let problem = |row, shipment: &str, column: &str, what: &str| {
            let [shipment, column, what] = [shipment, column, what].map(str::to_owned);
            in_file(Lang::Ja, &renkei_files::Problem { row, shipment, column, what })
        };
        assert_eq!(
            problem(
                3,
                "88111-1",
                "tracking number",
                "not a tracking number: it has digits, letters and hyphens, at most 64"
            ),
            "3行目（88111-1） お問い合わせ番号: お問い合わせ番号として読めません。数字・英字・ハイフンで、64文字までです。"
        );
        assert_eq!(problem(2, "", "row", "it is not a line of CSV"), "2行目 行: CSVの行として読めません。");
        assert_eq!(
            problem(0, "shop.5.1", "", "on-hold"),
            "shop.5.1: 保留中です。出荷管理で保留を解除してから出力してください。"
        );
        let amount = problem(2, "shop.5.1", "決済方法", renkei_files::export::NO_AMOUNT);
        assert!(amount.starts_with("2行目（shop.5.1） 決済方法: 代引ですが、"), "{amount}");
    }
}
