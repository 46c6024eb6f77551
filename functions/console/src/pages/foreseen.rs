//! What a robot would do, as pages show it: counts in people's words, and thing by thing.

use renkei_setup::dry_run::{Calls, Foreseen};

use super::run_words::counted;
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
    pub fn of(lang: Lang, foreseen: &Foreseen) -> Self {
        let there = foreseen.counts.iter().filter(|(_, count)| **count > 0);
        Self {
            counts: there
                .map(|(word, count)| (counted(lang, word), grouped(i64::try_from(*count).unwrap_or(i64::MAX))))
                .collect(),
            calls: Some(calls(lang, foreseen.calls)),
            spent: foreseen.spent,
            notes: foreseen.notes.iter().map(|note| lang.of(&note.ja, &note.en).to_owned()).collect(),
            lines: foreseen.lines.iter().take(SHOWN).map(|line| lang.of(&line.ja, &line.text).to_owned()).collect(),
            hidden: foreseen.lines.len().saturating_sub(SHOWN),
        }
    }

    /// Of what a processing robot would make of shipments: there is no run.
    pub fn of_rule(lang: Lang, foreseen: &Foreseen) -> Self {
        Self { calls: None, ..Self::of(lang, foreseen) }
    }
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
    use super::*;

    #[test]
    fn calls_are_told_as_far_as_they_are_known() {
        let of = |least, most| calls(Lang::Ja, Calls { least, most });
        assert_eq!([of(2, Some(2)), of(1, Some(3)), of(4, None)], ["2回", "1–3回", "4回以上"]);
        assert_eq!(calls(Lang::En, Calls { least: 4, most: None }), "at least 4 calls");
    }
}
