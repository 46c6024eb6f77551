//! The fields of a shipment that a conversion robot may make otherwise.

use jiff::civil::Date;

use super::forms;
use crate::shipment::ShipmentDetail;

/// Most labels that a template gives.
const MOST_TAGS: usize = 20;
/// Longest label, in characters, as for those of processing robots.
const LONGEST_TAG: usize = 60;

/// A field that a template may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// 納品書・送り状の備考.
    DeliveryNote,
    /// お届け先名.
    Name,
    /// お届け先名カナ.
    Kana,
    /// 会社名.
    Company,
    /// 郵便番号.
    PostalCode,
    /// 都道府県.
    Prefecture,
    /// 市区町村・町名.
    Address1,
    /// 番地.
    Address2,
    /// 建物名・部屋番号.
    Address3,
    /// 電話番号.
    Phone,
    /// 決済方法.
    PaymentMethod,
    /// 出荷予定日.
    ShipOn,
    /// お届け希望日.
    DeliverOn,
    /// お届け希望時間帯.
    DeliveryTime,
    /// ラベル.
    Tags,
}

const FIELDS: [(&str, Field); 15] = [
    ("delivery_note", Field::DeliveryNote),
    ("ship_to.name", Field::Name),
    ("ship_to.kana", Field::Kana),
    ("ship_to.company", Field::Company),
    ("ship_to.postal_code", Field::PostalCode),
    ("ship_to.prefecture", Field::Prefecture),
    ("ship_to.address1", Field::Address1),
    ("ship_to.address2", Field::Address2),
    ("ship_to.address3", Field::Address3),
    ("ship_to.phone", Field::Phone),
    ("payment_method", Field::PaymentMethod),
    ("ship_on", Field::ShipOn),
    ("deliver_on", Field::DeliverOn),
    ("delivery_time", Field::DeliveryTime),
    ("tags", Field::Tags),
];

/// Names of the fields.
pub const NAMES: [&str; 15] = {
    let mut names = [""; 15];
    let mut place = 0;
    while place < names.len() {
        names[place] = FIELDS[place].0;
        place += 1;
    }
    names
};

impl Field {
    /// All, in the order in which people read them.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|(_, field)| *field)
    }

    /// By name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// What stands in it, as text.
    #[must_use]
    pub fn of(self, detail: &ShipmentDetail) -> String {
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let to = &detail.ship_to;
        match self {
            Self::DeliveryNote => detail.delivery_note.clone(),
            Self::Name => to.name.clone(),
            Self::Kana => to.kana.clone(),
            Self::Company => to.company.clone(),
            Self::PostalCode => to.postal_code.clone(),
            Self::Prefecture => to.prefecture.clone(),
            Self::Address1 => to.address1.clone(),
            Self::Address2 => to.address2.clone(),
            Self::Address3 => to.address3.clone(),
            Self::Phone => to.phone.clone(),
            Self::PaymentMethod => detail.payment_method.clone(),
            Self::ShipOn => day(detail.ship_on),
            Self::DeliverOn => day(detail.deliver_on),
            Self::DeliveryTime => detail.delivery_time.clone(),
            Self::Tags => detail.tags.join(", "),
        }
    }

    /// Puts what a template made into the field. The sentence says what is wrong with it, and quotes nothing of it.
    pub(super) fn put(self, detail: &mut ShipmentDetail, text: &str) -> Result<(), String> {
        let to = &mut detail.ship_to;
        let place = match self {
            Self::DeliveryNote => {
                // A delivery note may have several lines; everything else is a line of a label.
                detail.delivery_note = lines(text);
                return Ok(());
            }
            Self::ShipOn => {
                detail.ship_on = day(text)?;
                return Ok(());
            }
            Self::DeliverOn => {
                detail.deliver_on = day(text)?;
                return Ok(());
            }
            Self::Tags => {
                detail.tags = tags(text)?;
                return Ok(());
            }
            Self::Name => &mut to.name,
            Self::Kana => &mut to.kana,
            Self::Company => &mut to.company,
            Self::PostalCode => &mut to.postal_code,
            Self::Prefecture => &mut to.prefecture,
            Self::Address1 => &mut to.address1,
            Self::Address2 => &mut to.address2,
            Self::Address3 => &mut to.address3,
            Self::Phone => &mut to.phone,
            Self::PaymentMethod => &mut detail.payment_method,
            Self::DeliveryTime => &mut detail.delivery_time,
        };
        *place = one_line(text);
        Ok(())
    }
}

fn one_line(text: &str) -> String {
    // `trim_start` alone of a joined text would leave the blanks of dropped line breaks.
    let words: Vec<&str> = text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect();
    words.join(" ")
}

fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(one_line).collect();
    lines.join("\n").trim().to_owned()
}

fn day(text: &str) -> Result<Option<Date>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    forms::date(text).map(Some).ok_or_else(|| "what the template makes is no day such as 2026-12-01".to_owned())
}

fn tags(text: &str) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split([',', '、', '\n']).map(one_line).filter(|tag| !tag.is_empty()) {
        if tag.chars().count() > LONGEST_TAG {
            return Err(format!("a tag has at most {LONGEST_TAG} characters"));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(format!("a shipment has at most {MOST_TAGS} tags of a conversion robot"));
    }
    Ok(tags)
}
