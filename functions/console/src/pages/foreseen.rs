//! What a robot would do, as pages show it: counts in people's words, and thing by thing.

use renkei_domain::settings::TenantSettings;
use renkei_setup::dry_run::{Calls, Foreseen, Line};
use renkei_words::counts::counted;

use super::sentences::reasons;
use super::trial_words::change;
use crate::lang::Lang;
use crate::shell::grouped;

/// Lines that are shown.
const SHOWN: usize = 100;

/// A foresight, in one language.
pub struct Shown {
    pub counts: Vec<(String, String)>,
    /// Calls that its run would make; None where there is no run.
    pub calls: Option<String>,
    /// Calls that looking has spent.
    pub spent: u32,
    pub notes: Vec<String>,
    pub lines: Vec<String>,
    /// Lines that are not shown.
    pub hidden: usize,
}

impl Shown {
    /// Of what a run would do.
    pub fn of(lang: Lang, settings: &TenantSettings, foreseen: &Foreseen) -> Self {
        let there = foreseen.counts.iter().filter(|(_, count)| **count > 0);
        Self {
            counts: there
                .map(|(word, count)| (counted(lang, word), grouped(i64::try_from(*count).unwrap_or(i64::MAX))))
                .collect(),
            calls: Some(calls(lang, foreseen.calls)),
            spent: foreseen.spent,
            notes: foreseen.notes.iter().map(|note| lang.of(&note.ja, &note.en).to_owned()).collect(),
            lines: foreseen.lines.iter().take(SHOWN).map(|line| said(lang, settings, line)).collect(),
            hidden: foreseen.lines.len().saturating_sub(SHOWN),
        }
    }

    /// Of what a processing robot would make of shipments: there is no run.
    pub fn of_rule(lang: Lang, settings: &TenantSettings, foreseen: &Foreseen) -> Self {
        Self { calls: None, ..Self::of(lang, settings, foreseen) }
    }
}

fn said(lang: Lang, settings: &TenantSettings, line: &Line) -> String {
    if lang == Lang::En || line.changes.is_empty() {
        // Why an order would not be imported stands at the end.
        let reason = line.keys["reason"].as_str().filter(|_| lang == Lang::Ja);
        let parts = reason.and_then(|reason| Some((line.ja.strip_suffix(reason)?, reason)));
        return parts.map_or_else(
            || lang.of(&line.ja, &line.text).to_owned(),
            |(before, reason)| format!("{before}{}", reasons::said(lang, reason)),
        );
    }
    let changes: Vec<String> = line
        .changes
        .iter()
        .map(|it| change(lang, settings, it))
        .map(|it| format!("{}: {} → {}", it.field, it.before, it.after))
        .collect();
    format!("{}: {}", line.ja, changes.join("、"))
}

fn calls(lang: Lang, calls: Calls) -> String {
    let times = lang.of("回", " calls");
    match calls {
        Calls { least, most: Some(most) } if least == most => format!("{least}{times}"),
        Calls { least, most: Some(most) } => format!("{least}–{most}{times}"),
        Calls { least, most: None } => {
            format!("{}{least}{times}{}", lang.of("", "at least "), lang.of("以上", ""))
        }
    }
}

#[cfg(test)]
mod tests {
    use renkei_setup::try_robot::ChangeLine;

    use super::*;

    #[test]
    fn what_changes_of_a_shipment_is_said_in_a_line() {
        let change = |field: &str, before: &str, after: &str| {
            let [field, before, after] = [field, before, after].map(str::to_owned);
            ChangeLine { field, before, after }
        };
        let line = Line {
            text: "in English".to_owned(),
            ja: "a.88111.1".to_owned(),
            changes: vec![change("status", "hold", "ready"), change("hold_reasons", "awaiting-payment", "")],
            keys: serde_json::Value::Null,
        };
        let settings: TenantSettings = serde_json::from_str(r#"{"tenant":"a"}"#).unwrap();
        assert_eq!(
            said(Lang::Ja, &settings, &line),
            "a.88111.1: ステータス: 保留 → 出荷待ち、保留理由: 入金確認 → なし"
        );
        assert_eq!(said(Lang::En, &settings, &line), "in English");
        let plain = Line { changes: Vec::new(), ..line };
        assert_eq!(said(Lang::Ja, &settings, &plain), "a.88111.1");
        let reason = "the order has no line to ship";
        let ja = format!("H-1: 取込保留: {reason}");
        let kept = Line { ja, keys: serde_json::json!({ "reason": reason }), ..plain };
        assert_eq!(said(Lang::Ja, &settings, &kept), "H-1: 取込保留: 出荷する明細がありません。");
        assert_eq!(said(Lang::En, &settings, &kept), "in English");
    }

    #[test]
    fn calls_are_told_as_far_as_they_are_known() {
        let of = |least, most| calls(Lang::Ja, Calls { least, most });
        assert_eq!([of(2, Some(2)), of(1, Some(3)), of(4, None)], ["2回", "1–3回", "4回以上"]);
        assert_eq!(calls(Lang::En, Calls { least: 4, most: None }), "at least 4 calls");
    }
}
