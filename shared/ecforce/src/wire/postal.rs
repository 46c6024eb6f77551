//! A person's address: where a parcel goes, or who pays for it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attributes::{Kind, Known, canonical};
use super::document::Resource;

/// A billing or shipping address, in the shop's attribute names. `Debug` shows its id alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The shop's id of the address; in an order with several, what its items and its tracking numbers refer to.
    pub id: u64,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name01: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name02: Option<String>,
    /// Family name in kana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kana01: Option<String>,
    /// Given name in kana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kana02: Option<String>,
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The first three digits of the postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip01: Option<String>,
    /// The last four digits of the postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip02: Option<String>,
    /// The shop's number of the prefecture. **Known to be wrong in real answers; never to be used for shipping.** See
    /// [`Address::prefecture`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefecture_id: Option<u64>,
    /// The prefecture (`東京都`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefecture_name: Option<String>,
    /// City, ward, town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr01: Option<String>,
    /// Block and house number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr02: Option<String>,
    /// Building and room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr03: Option<String>,
    /// Telephone, first part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tel01: Option<String>,
    /// Telephone, second part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tel02: Option<String>,
    /// Telephone, third part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tel03: Option<String>,
    /// The name as the shop puts it together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// The postal code as the shop puts it together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_zip: Option<String>,
    /// The telephone number as the shop puts it together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_tel: Option<String>,
    /// The address as the shop puts it together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_address: Option<String>,
    /// The buyer's note for this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_address_note: Option<String>,
}

pub(crate) const KNOWN: &Known = &[
    ("id", Kind::Id),
    ("name01", Kind::Text),
    ("name02", Kind::Text),
    ("kana01", Kind::Text),
    ("kana02", Kind::Text),
    ("company_name", Kind::Text),
    ("zip01", Kind::Text),
    ("zip02", Kind::Text),
    ("prefecture_id", Kind::Id),
    ("prefecture_name", Kind::Text),
    ("addr01", Kind::Text),
    ("addr02", Kind::Text),
    ("addr03", Kind::Text),
    ("tel01", Kind::Text),
    ("tel02", Kind::Text),
    ("tel03", Kind::Text),
    ("full_name", Kind::Text),
    ("full_zip", Kind::Text),
    ("full_tel", Kind::Text),
    ("full_address", Kind::Text),
    ("shipping_address_note", Kind::Text),
];

/// In the order of their official numbers (JIS X 0401).
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

impl Address {
    pub(crate) fn read(id: u64, resource: &Resource) -> Result<Self, String> {
        let mut form = canonical(&resource.attributes, KNOWN)?;
        form.insert("id".to_owned(), Value::from(id));
        serde_json::from_value(Value::Object(form)).map_err(|_| "it does not have the form of an address".to_owned())
    }

    /// The prefecture: the shop's name for it, else the one that the written address begins with. The shop's number is
    /// not consulted, since answers have been seen in which it is the same for every address: no prefecture makes a
    /// person look, a wrong one sends the parcel away.
    #[must_use]
    pub fn prefecture(&self) -> Option<&str> {
        let written = |address: &Option<String>| {
            let address = address.as_deref()?.trim_start();
            PREFECTURES.iter().copied().find(|name| address.starts_with(name))
        };
        let named = self.prefecture_name.as_deref().map(str::trim);
        named.or_else(|| written(&self.full_address)).or_else(|| written(&self.addr01))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("id", &self.id).finish_non_exhaustive()
    }
}
