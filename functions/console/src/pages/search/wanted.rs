//! What is meant by what was typed into the search, and whether a shipment is meant by it.
//!
//! Width is no difference, nor are capitals and blanks: what a person's keyboard leaves in full width finds what the shop
//! has in half width.

use std::ops::RangeInclusive;

use renkei_domain::convert::standard;
use renkei_domain::shipment::{Item, ShipTo, Shipment, ShipmentDetail};
use unicode_normalization::UnicodeNormalization;

/// Digits from which on a number is more likely on a parcel than on an order.
const LIKE_TRACKING: usize = 10;
/// Digits of a phone number, the first of which is a 0.
const OF_A_PHONE: RangeInclusive<usize> = 9..=11;
const OF_A_POSTAL_CODE: usize = 7;

/// What is looked for.
pub struct Wanted {
    /// As it was typed, in half width.
    typed: String,
    /// Letters and digits alone, as tracking numbers are compared: people write them with hyphens and without.
    number: String,
    /// Folded.
    text: String,
    /// As it is dialled, if it reads like a phone number.
    phone: Option<String>,
    /// Its digits, if it reads like a postal code.
    postal_code: Option<String>,
}

impl Wanted {
    /// Of what was typed.
    pub fn of(q: &str) -> Self {
        let typed = plain(q);
        Self {
            number: bare(&typed),
            text: folded(&typed),
            phone: phone(&typed),
            postal_code: postal_code(&typed),
            typed,
        }
    }

    /// As it was typed, in half width: keys are written so.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Does it read like a phone number? Then it is one first, and only then anything else.
    pub fn is_phone(&self) -> bool {
        self.phone.is_some()
    }

    /// Does it read like a tracking number?
    pub fn is_like_tracking(&self) -> bool {
        !self.is_phone()
            && digits(&self.typed).len() >= LIKE_TRACKING
            && self.typed.chars().all(|c| c.is_ascii_digit() || c == '-' || c == ' ')
    }

    /// An order number or its beginning, a tracking number, how the consignee or who ordered is reached, a SKU, or part of
    /// one of their names or a product's.
    pub fn is(&self, shipment: &Shipment, detail: &ShipmentDetail) -> bool {
        self.is_number(shipment.order_number.as_str(), shipment.tracking_number.as_deref())
            || self.is_reached(&detail.ship_to.phone, &detail.ship_to.postal_code)
            || detail.source.billing.as_ref().is_some_and(|billing| self.is_orderer(&standard::ship_to(billing)))
            || self.is_buyer(|| detail.source.text("email"))
            || self.is_in(detail)
    }

    fn is_number(&self, order: &str, tracking: Option<&str>) -> bool {
        (!self.text.is_empty() && folded(order).starts_with(&self.text))
            || (!self.number.is_empty() && tracking.is_some_and(|tracking| bare(&plain(tracking)) == self.number))
    }

    /// The phone number or its beginning (an extension may follow), or the postal code.
    fn is_reached(&self, phone: &str, postal_code: &str) -> bool {
        self.phone.as_ref().is_some_and(|wanted| dialled(&plain(phone)).starts_with(wanted))
            || self.postal_code.as_ref().is_some_and(|wanted| digits(&plain(postal_code)) == *wanted)
    }

    /// Who ordered a gift asks for it by their own name or number.
    fn is_orderer(&self, who: &ShipTo) -> bool {
        self.is_reached(&who.phone, &who.postal_code) || self.is_named(who)
    }

    /// Part of a person's or a company's name.
    fn is_named(&self, who: &ShipTo) -> bool {
        !self.text.is_empty()
            && [&who.name, &who.kana, &who.company].into_iter().any(|name| folded(name).contains(&self.text))
    }

    /// The address or its beginning, which goes to the @ at least: words alone are looked for in names.
    fn is_buyer(&self, email: impl FnOnce() -> Option<String>) -> bool {
        self.text.contains('@') && email().is_some_and(|email| folded(&email).starts_with(&self.text))
    }

    fn is_in(&self, detail: &ShipmentDetail) -> bool {
        let text = &self.text;
        let is_item = |item: &Item| folded(item.sku.as_str()) == *text || folded(&item.name).contains(text);
        self.is_named(&detail.ship_to) || (!text.is_empty() && detail.items.iter().any(is_item))
    }
}

/// Half-width letters, digits and signs, full-width kana.
fn plain(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_owned()
}

/// A text as people search for it: of one width, without spaces, in small letters.
pub fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).collect()
}

fn bare(plain: &str) -> String {
    plain.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn digits(plain: &str) -> String {
    plain.chars().filter(char::is_ascii_digit).collect()
}

/// A number as it is dialled, if a text reads like one.
fn phone(plain: &str) -> Option<String> {
    let is_written_so = plain.chars().all(|c| c.is_ascii_digit() || c == '+' || is_mark(c));
    Some(dialled(plain)).filter(|it| is_written_so && it.starts_with('0') && OF_A_PHONE.contains(&it.len()))
}

/// The digits of a phone number as they are dialled in Japan: `+81` is a 0 there.
fn dialled(plain: &str) -> String {
    match plain.strip_prefix("+81") {
        Some(rest) => format!("0{}", digits(rest).trim_start_matches('0')),
        None => digits(plain),
    }
}

/// The digits of a postal code, if a text reads like one.
fn postal_code(plain: &str) -> Option<String> {
    let is_written_so = plain.chars().all(|c| c.is_ascii_digit() || c == '〒' || is_mark(c));
    Some(digits(plain)).filter(|it| is_written_so && it.len() == OF_A_POSTAL_CODE)
}

/// What stands between the digits of a phone number or a postal code. Keyboards have many dashes.
fn is_mark(c: char) -> bool {
    matches!(c, '-' | ' ' | '(' | ')' | '.' | '‐' | '–' | '—' | '―' | '−' | 'ー')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_known_by_their_beginning_and_written_either_way() {
        let is = |q: &str| Wanted::of(q).is_number("R20261124-0001", Some("4000-0000-0001"));
        for q in [
            "R20261124-0001",
            "r20261124",
            "R2026",
            "400000000001",
            "4000-0000-0001",
            "4000 0000 0001",
            "Ｒ２０２６１１２４",
            "４０００－００００－０００１",
        ] {
            assert!(is(q), "{q}");
        }
        for q in ["20261124", "0001", "40000000000", "-", "R20261124-00012"] {
            assert!(!is(q), "{q}");
        }
    }

    #[test]
    fn a_customer_is_found_by_the_phone_number_however_it_is_written() {
        let is = |q: &str, phone: &str| Wanted::of(q).is_reached(phone, "135-0064");
        for q in ["09000001234", "090-0000-1234", "０９０ー００００ー１２３４", "(090) 0000 1234", "+81 90-0000-1234"]
        {
            assert!(Wanted::of(q).is_phone(), "{q}");
            for phone in
                ["090-0000-1234", "09000001234", "０９０００００１２３４", "+819000001234", "+81(0)90-0000-1234"]
            {
                assert!(is(q, phone), "{q}: {phone}");
            }
        }
        assert!(is("03-0000-0001", "03-0000-0001 内線12"), "an extension may follow");
        for (q, phone) in [
            ("09000001235", "090-0000-1234"),
            ("090", "090-0000-1234"),
            ("0000-1234", "090-0000-1234"),
            ("09000001234", ""),
            ("見本", "090-0000-1234"),
            ("", "090-0000-1234"),
        ] {
            assert!(!is(q, phone), "{q}: {phone}");
        }
    }

    #[test]
    fn a_number_that_begins_with_a_zero_is_a_phone_number_first() {
        for q in ["030000000", "0300000000", "09000001234", "03-0000-0000"] {
            assert!(Wanted::of(q).is_phone() && !Wanted::of(q).is_like_tracking(), "{q}");
        }
        for q in ["400000000001", "4000-0000-0001", "4000000000", "012345678901", "４０００００００００"] {
            assert!(!Wanted::of(q).is_phone() && Wanted::of(q).is_like_tracking(), "{q}");
        }
        for q in ["88111", "2511240001x", "03000000", "山田", ""] {
            assert!(!Wanted::of(q).is_phone() && !Wanted::of(q).is_like_tracking(), "{q}");
        }
    }

    #[test]
    fn seven_digits_may_be_a_postal_code() {
        let is = |q: &str| Wanted::of(q).is_reached("", "135-0064");
        for q in ["1350064", "135-0064", "〒135-0064", "１３５－００６４", "135ー0064"] {
            assert!(is(q), "{q}");
        }
        for q in ["135006", "13500640", "1350065", "135-0064x", "-", ""] {
            assert!(!is(q), "{q}");
        }
        assert!(!Wanted::of("1350064").is_reached("1350064", ""), "it is no phone number");
    }

    #[test]
    fn the_buyers_address_is_known_by_its_beginning() {
        let is = |q: &str| Wanted::of(q).is_buyer(|| Some("Hanako.Mihon@mail.example".to_owned()));
        for q in ["hanako.mihon@mail.example", "HANAKO.MIHON@", "ｈａｎａｋｏ．ｍｉｈｏｎ＠ｍａｉｌ"] {
            assert!(is(q), "{q}");
        }
        for q in ["hanako", "@mail.example", "mihon@mail.example", "hanako.mihon@mail.example.com", ""] {
            assert!(!is(q), "{q}");
        }
        assert!(!Wanted::of("hanako@").is_buyer(|| None));
    }

    #[test]
    fn width_and_capitals_are_no_difference() {
        for (typed, stored) in [
            ("ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダ　ハナコ"),
            ("ヤマダハナコ", "ﾔﾏﾀﾞ ﾊﾅｺ"),
            ("ＳＥＲＵＭ－３０", "serum-30"),
            ("(株)見本", "㈱見本"),
            ("か\u{3099}らす", "がらす"),
        ] {
            assert_eq!(folded(typed), folded(stored), "{typed}");
        }
        assert_ne!(folded("髙橋"), folded("高橋"), "another name");
        assert_eq!(Wanted::of("　８８１１１ ").typed(), "88111");
    }
}
