//! What the audit log says was done: a code, and a note in a few words of English. Both stay as they are stored, since
//! files that took shipments are found again by their notes; pages in Japanese show them so.

use renkei_domain::member::Role;
use renkei_shop::diagnosis::Verdict;
use renkei_words::forms::{first_of, slots};

use crate::lang::Lang;
use crate::pages::connection;

/// What was done, by its code.
const ACTIONS: &[(&str, &str)] = &[
    ("page", "画面・操作（権限不足）"),
    ("settings.apply", "設定の適用"),
    ("member.add", "担当者の登録・役割変更"),
    ("member.remove", "担当者の削除"),
    ("shipment.hold", "保留"),
    ("shipment.release", "保留解除"),
    ("shipment.release-unpaid", "未入金でも出荷待ちへ"),
    ("shipment.cancel", "キャンセル"),
    ("shipment.robot", "ロボットの適用"),
    ("shipment.retry", "ショップへ再通知"),
    ("shipment.give-back", "倉庫からの戻り"),
    ("cancellation.accept", "キャンセル承諾を登録"),
    ("cancellation.refuse", "キャンセル拒否を登録"),
    ("cancellation.close", "キャンセルを対応済みに"),
    ("differences.anew", "作り直しを依頼"),
    ("differences.seen", "差分を確認済み"),
    ("orders.retry", "再取込"),
    ("orders.dismiss", "未取込の一覧から除外"),
    ("dead-letter.replay", "メッセージをもう一度処理"),
    ("files.export", "出荷指示を出力"),
    ("files.claim", "出力して出荷準備中へ"),
    ("files.claim.part", "出力して出荷準備中へ（一部のみ）"),
    ("files.results", "出荷実績の取込"),
    ("shipments.csv", "出荷一覧のCSV"),
    ("products.import", "商品の取込"),
    ("counts.import", "在庫数の取込"),
    ("warehouse.create", "倉庫のキーを発行"),
    ("warehouse.rotate", "倉庫のキーを交換"),
    ("warehouse.revoke", "倉庫のキーを失効"),
    ("hook.create", "Webhookのアドレスを発行"),
    ("hook.rotate", "Webhookのアドレスを交換"),
    ("hook.revoke", "Webhookのアドレスを失効"),
    ("notices.on", "通知を開始"),
    ("notices.off", "通知を停止"),
    ("connection.test", "接続テスト"),
    ("robot.run", "ロボットを実行"),
    ("robot.dry-run", "試し実行"),
];

/// The parts of notes. A part that is none of these is a name, and stays.
const NOTES: &[(&str, &str)] = &[
    ("version {}, {} changes", "第{0}版、変更{1}件"),
    ("{} orders", "受注{0}件"),
    ("{} rows", "{0}行"),
    ("{} calls", "API呼び出し{0}回"),
    ("ended early", "途中で終了"),
    ("stopped on its way", "途中で停止"),
    ("of {} new, {} changed", "新規{0}件・変更{1}件のうち一部のみ"),
    ("{} new, {} changed", "新規{0}件・変更{1}件"),
    // Files of shipments and of results.
    ("{} of {} as {}", "{1} の{0}件（形式 {2}）"),
    ("{} later", "ほかに出荷予定日が先の{0}件"),
    ("{} could not be taken any more", "{0}件は出荷準備中にできず"),
    ("{} are not in it: the store failed", "{0}件はデータベースの障害でファイルになし"),
    ("taken or not: ", "出荷準備中か不明なものなし"),
    ("taken or not: {}", "出荷準備中か不明: {0}"),
    ("{} shipped, {} corrected as {}", "出荷済み{0}件・訂正{1}件（形式 {2}）"),
    ("{} kept, {} older, {} with problems", "取込{0}件・より新しい計数があるもの{1}件・取り込めない行{2}件"),
    (
        "the store failed: {} of {} rows are not in, or nobody knows",
        "データベースの障害で、{1}行中{0}行は取り込めていないか不明",
    ),
];

/// What was done, in the page's language; in English its code.
pub fn action(lang: Lang, code: &str) -> &str {
    lang.of(named(code).unwrap_or(code), code)
}

/// The note of an entry, in the page's language.
pub fn note(lang: Lang, note: &str) -> String {
    if lang == Lang::En {
        return note.to_owned();
    }
    let parts = note.split("; ").filter(|part| !part.is_empty());
    let said: Vec<String> = parts.map(|part| of_part(part).unwrap_or_else(|| part.to_owned())).collect();
    said.join("、")
}

fn named(code: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

fn of_part(part: &str) -> Option<String> {
    if let Some(role) = role(part) {
        return Some(role.to_owned());
    }
    // Who was refused, and why.
    if let Some([method, least, is]) = slots("{} needs {}, is {}", part).as_deref() {
        let [least, is] = [*least, *is].map(|name| role(name).unwrap_or(name));
        return Some(format!("{method}: {least}以上の役割が必要（役割は{is}）"));
    }
    first_of(NOTES, part).or_else(|| checks(part))
}

fn role(name: &str) -> Option<&'static str> {
    name.parse::<Role>().ok().map(Role::label)
}

/// What a test of a connection has found: `○ url, × token`.
fn checks(part: &str) -> Option<String> {
    let verdicts = [Verdict::Ok, Verdict::Wrong, Verdict::Unknown];
    let check = |text: &str| {
        let (sign, name) = text.split_once(' ')?;
        let is_sign = verdicts.iter().any(|verdict| verdict.label() == sign);
        is_sign.then(|| format!("{sign} {}", connection::label(Lang::Ja, name)))
    };
    let checks: Option<Vec<String>> = part.split(", ").map(check).collect();
    Some(checks?.join("・"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::sources::texts_of;
    use super::*;

    /// Codes that are put together, and all that they can be.
    const FAMILIES: [(&str, &[&str]); 5] = [
        ("shipment.{}", &["shipment.hold", "shipment.release", "shipment.release-unpaid", "shipment.cancel"]),
        ("cancellation.{answer}", &["cancellation.accept", "cancellation.refuse", "cancellation.close"]),
        ("differences.{answer}", &["differences.anew", "differences.seen"]),
        ("{kind}.{action}", &["warehouse.create", "warehouse.rotate", "hook.create", "hook.rotate"]),
        ("{kind}.revoke", &["warehouse.revoke", "hook.revoke"]),
    ];

    #[test]
    fn what_was_done_and_its_note_are_said() {
        assert_eq!(action(Lang::Ja, "files.claim.part"), "出力して出荷準備中へ（一部のみ）");
        assert_eq!(action(Lang::En, "files.claim.part"), "files.claim.part");
        assert_eq!(action(Lang::Ja, "nobody.knows"), "nobody.knows");
        for (stored, said) in [
            ("version 3, 2 changes", "第3版、変更2件"),
            ("50 rows", "50行"),
            ("admin", "管理者"),
            ("POST needs operator, is viewer", "POST: 作業者以上の役割が必要（役割は閲覧者）"),
            ("stopped on its way; of 3 new, 2 changed", "途中で停止、新規3件・変更2件のうち一部のみ"),
            ("3 new, 2 changed", "新規3件・変更2件"),
            ("ended early", "途中で終了"),
            ("2 calls", "API呼び出し2回"),
            ("○ url, × sign-in; 3 calls", "○ API URL・× 認証、API呼び出し3回"),
            (
                "12 of hanako-of-as as yamato-b2; 4 later",
                "hanako-of-as の12件（形式 yamato-b2）、ほかに出荷予定日が先の4件",
            ),
            (
                "5 of hanako as standard; 2 are not in it: the store failed; taken or not: ",
                "hanako の5件（形式 standard）、2件はデータベースの障害でファイルになし、出荷準備中か不明なものなし",
            ),
            // Names.
            ("hanako-ecforce/fetch-orders", "hanako-ecforce/fetch-orders"),
            ("hanako-ecforce.88111", "hanako-ecforce.88111"),
            ("", ""),
        ] {
            assert_eq!((note(Lang::Ja, stored).as_str(), note(Lang::En, stored).as_str()), (said, stored));
        }
    }

    /// Whatever writes into the audit log, in all sources of the console and of the command line: those that come later
    /// are among them.
    #[test]
    fn every_action_has_its_japanese() {
        let sources = sources();
        let codes: Vec<String> = sources.iter().flat_map(|source| codes_of(source)).collect();
        assert!(codes.len() > 25, "the sources are read: {codes:?}");
        let mut missing: Vec<&str> = Vec::new();
        for code in &codes {
            match FAMILIES.iter().find(|(family, _)| family == code) {
                Some((_, members)) => missing.extend(members.iter().filter(|member| !is_named(member))),
                None if is_named(code) => {}
                None => missing.push(code),
            }
        }
        assert_eq!(missing, Vec::<&str>::new());
    }

    fn is_named(code: &str) -> bool {
        named(code).is_some_and(|name| !name.is_ascii())
    }

    #[test]
    fn every_note_has_its_japanese() {
        const NOTED: [(&str, &str); 5] = [
            (".audit(", ".await"),
            ("let note = format!(", ";\n"),
            ("let mut note = format!(", ";\n"),
            ("write!(note,", ";\n"),
            ("fn noted(", "\n}"),
        ];
        let mut met = 0;
        for source in sources() {
            for (begin, end) in NOTED {
                let pieces = source.split(begin).skip(1).map(|piece| piece.split(end).next().unwrap_or_default());
                for text in pieces.flat_map(quoted).filter(|text| text.contains(' ')) {
                    met += 1;
                    let stored = texts_of(&format!("\"{text}\"")).pop().map(|text| text.said).unwrap_or_default();
                    let said = note(Lang::Ja, &stored);
                    assert!(!said.bytes().any(|byte| byte.is_ascii_lowercase()), "{stored}: {said}");
                }
            }
        }
        assert!(met > 8, "the sources are read: {met}");
    }

    /// The sources that write into the log, without their tests.
    fn sources() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let all = [root.join("src"), root.join("../../infra/renkei/src")];
        let all = all.iter().flat_map(|directory| below(directory));
        let all = all.map(|source| source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned());
        all.filter(|source| [".audit(", "write_down(", "fn noted("].iter().any(|it| source.contains(it))).collect()
    }

    fn below(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let sources = paths.flat_map(|path| {
            if path.is_dir() {
                below(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![std::fs::read_to_string(&path).unwrap()]
            } else {
                Vec::new()
            }
        });
        sources.collect()
    }

    /// The codes that a source writes, with the names in braces of what is put into them.
    fn codes_of(source: &str) -> Vec<String> {
        let is_code = |text: &&str| *text == "page" || text.contains('.');
        let mut codes: Vec<String> = Vec::new();
        for call in source.split(".audit(").skip(1).map(str::trim_start) {
            // The store's own call is given an entry.
            if call.starts_with("&ulid") {
                continue;
            }
            let before = codes.len();
            let literal = call.strip_prefix("&format!(").unwrap_or(call);
            if literal.starts_with('"') {
                codes.extend(quoted(literal).into_iter().take(1).filter(is_code).map(str::to_owned));
            } else {
                let name = call.trim_start_matches('&').split([',', ')']).next().unwrap_or_default();
                for definition in [format!("let {name} ="), format!("const {name}: &str =")] {
                    let values = source.split(&definition).skip(1).map(|it| it.split(";\n").next().unwrap_or_default());
                    codes.extend(values.flat_map(quoted).filter(is_code).map(str::to_owned));
                }
            }
            assert!(codes.len() > before, "what is written by this? {}", call.lines().next().unwrap_or_default());
        }
        let commands = source.split("write_down(").skip(1).map(|call| call.split(".await").next().unwrap_or_default());
        codes.extend(commands.flat_map(quoted).filter(is_code).map(str::to_owned));
        codes
    }

    /// The texts in a piece of code.
    fn quoted(code: &str) -> Vec<&str> {
        code.split('"').skip(1).step_by(2).collect()
    }
}
