//! 出荷予定日 in ファイル連携: what is to leave on a later day than was asked for stays where it is, and is counted.

use jiff::civil::Date;

use crate::pages::Form;
use crate::shell::{Shell, grouped};

/// The form's field.
const FIELD: &str = "ship_until";

/// What the field begins with: today, or what was chosen where the page comes back.
pub fn shown(form: &Form, today: Date) -> String {
    if form.has(FIELD) { form.get(FIELD) } else { today.to_string() }
}

/// The last day of shipping that is asked for: None for all, where the field was emptied. A form without the field asks for
/// what is due today.
///
/// # Errors
/// If the field holds something else than a day.
pub fn asked(form: &Form, today: Date) -> Result<Option<Date>, jiff::Error> {
    if !form.has(FIELD) {
        return Ok(Some(today));
    }
    // A browser that knows no fields for days leaves them to be written.
    let text = form.get(FIELD).trim().replace('/', "-");
    if text.is_empty() { Ok(None) } else { text.parse::<Date>().map(Some) }
}

/// That the field holds no day.
pub fn no_day(shell: &Shell) -> String {
    let sentence = shell.l(
        "出荷予定日は 2026-11-25 のように入力するか、空欄（すべて）にしてください。",
        "Write the ship date as 2026-11-25, or leave it empty for all.",
    );
    sentence.to_owned()
}

/// How many stay for later days, if any do.
pub fn said(shell: &Shell, later: usize) -> Option<String> {
    let sentence = shell.l(
        "出荷予定日が指定日より先の出荷が{}件あります。出荷待ちのままです。",
        "{} shipments are to leave later than the ship date, and stay ready.",
    );
    Some(sentence.replace("{}", &counted(later))).filter(|_| later > 0)
}

/// The same as a file's name says it: a page does not come with a file.
pub fn in_name(later: usize) -> String {
    if later == 0 { String::new() } else { format!("-{later}later") }
}

/// And as the audit log says it.
pub fn noted(later: usize) -> String {
    if later == 0 { String::new() } else { format!("; {later} later") }
}

/// A count as people read it.
pub fn counted(number: usize) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_today_is_asked_for_unless_the_form_says_otherwise() {
        let today: Date = "2026-11-25".parse().unwrap();
        let asked = |form: &str| asked(&Form::read(form.as_bytes()), today).map(|day| day.map(|day| day.to_string()));
        let day = |text: &str| Some(text.to_owned());
        assert_eq!(asked("what=claim").unwrap(), day("2026-11-25"), "a page that was opened before");
        assert_eq!(asked("ship_until=").unwrap(), None, "all");
        assert_eq!(asked("ship_until=+").unwrap(), None, "all");
        assert_eq!(asked("ship_until=2026-12-01").unwrap(), day("2026-12-01"));
        assert_eq!(asked("ship_until=2026/12/01").unwrap(), day("2026-12-01"));
        for wrong in ["ship_until=soon", "ship_until=2026-13-01", "ship_until=12-01"] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_chosen_stays_where_the_page_comes_back() {
        let today: Date = "2026-11-25".parse().unwrap();
        let shown = |form: &str| shown(&Form::read(form.as_bytes()), today);
        assert_eq!(["", "ship_until=", "ship_until=soon"].map(shown), ["2026-11-25", "", "soon"]);
    }

    #[test]
    fn what_stays_is_said_where_there_is_any() {
        let shell = Shell::default();
        assert!(said(&shell, 1_234).is_some_and(|said| said.contains("1,234件")));
        assert_eq!((said(&shell, 0), in_name(0).as_str(), noted(0).as_str()), (None, "", ""));
        assert_eq!((in_name(3).as_str(), noted(3).as_str()), ("-3later", "; 3 later"));
    }
}
