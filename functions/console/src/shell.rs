//! What every page has around it, and what its templates need: language, addresses, who is looking.

use jiff::Timestamp;
use renkei_domain::jst;
use renkei_domain::member::{Email, Role};

use crate::lang::Lang;

/// The frame of a page.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// In which language.
    pub lang: Lang,
    /// What all of the console's paths begin with.
    pub base: String,
    /// The address of this page below the base, for the switch of languages.
    pub here: String,
    /// Which merchant's, if one's.
    pub tenant: Option<String>,
    /// Who is looking, if anybody is signed in.
    pub email: Option<Email>,
    /// With which role.
    pub role: Option<Role>,
    /// The token of this session's forms.
    pub csrf: String,
}

impl Shell {
    /// Of the two texts the one in the page's language.
    #[must_use]
    pub fn l<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        self.lang.of(ja, en)
    }

    /// An address of the console.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// An address of this merchant's part of the console.
    #[must_use]
    pub fn to(&self, path: &str) -> String {
        format!("{}/t/{}{path}", self.base, self.tenant.as_deref().unwrap_or_default())
    }

    /// Is this part of the console the one that is shown?
    #[must_use]
    pub fn is_in(&self, part: &str) -> bool {
        let path = self.here.split('?').next().unwrap_or_default();
        let own = format!("/t/{}", self.tenant.as_deref().unwrap_or_default());
        let rest = path.strip_prefix(&own).unwrap_or_default().trim_start_matches('/');
        let first = rest.split(['/', '.']).next().unwrap_or_default();
        first == part
            || (matches!(first, "shipment" | "files") && part == "shipments")
            || (first == "order" && part == "orders")
            || (matches!(first, "document" | "history" | "robot" | "dry-run" | "easy") && part == "robots")
            || (matches!(first, "access" | "connection" | "notices" | "products" | "setting") && part == "settings")
            || (matches!(first, "audit" | "charts" | "dead-letters" | "run") && part == "runs")
    }

    /// May whoever looks do what this role may?
    #[must_use]
    pub fn may(&self, role: &str) -> bool {
        role.parse::<Role>().is_ok_and(|least| self.role.is_some_and(|role| role >= least))
    }

    /// The label of the role of whoever looks.
    #[must_use]
    pub fn role_label(&self) -> &'static str {
        self.role.map_or("", |role| role_label(self.lang, role))
    }

    /// The page to come back to after the switch of languages.
    #[must_use]
    pub fn switch(&self) -> String {
        let other = if self.lang == Lang::Ja { "en" } else { "ja" };
        let to: String = url::form_urlencoded::byte_serialize(self.here.as_bytes()).collect();
        format!("{}/lang/{other}?to={to}", self.base)
    }

    /// A time as people in Japan read it.
    #[must_use]
    pub fn time(&self, at: &Timestamp) -> String {
        at.to_zoned_datetime(jst::zone()).strftime("%m/%d %H:%M").to_string()
    }

    /// The same, with its year and second.
    #[must_use]
    pub fn full_time(&self, at: &Timestamp) -> String {
        at.to_zoned_datetime(jst::zone()).strftime("%Y/%m/%d %H:%M:%S").to_string()
    }
}

/// A role's label.
#[must_use]
pub fn role_label(lang: Lang, role: Role) -> &'static str {
    match lang {
        Lang::Ja => role.label(),
        Lang::En => role.as_str(),
    }
}

/// `12345` as people read it: `12,345`.
#[must_use]
pub fn grouped(number: impl Into<i64>) -> String {
    let number: i64 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 12, 999, 1_000, 1_234_567, -4_500].map(|n: i64| grouped(n)).to_vec();
        assert_eq!(shown, ["0", "12", "999", "1,000", "1,234,567", "-4,500"]);
    }

    #[test]
    fn a_part_knows_its_pages() {
        let shell = |here: &str| Shell { here: here.into(), tenant: Some("hanako".into()), ..Shell::default() };
        assert!(shell("/t/hanako").is_in("") && !shell("/t/hanako/shipments").is_in(""));
        assert!(shell("/t/hanako/shipments?status=hold").is_in("shipments"));
        assert!(shell("/t/hanako/shipment/a.1.1").is_in("shipments"));
        assert!(shell("/t/hanako/document").is_in("robots"));
    }
}
