//! A layout: what a file looks like, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::encoding::Encoding;

/// The layouts that come with this release.
const BUILT_IN: [&str; 3] = [
    include_str!("../layouts/standard.json"),
    include_str!("../layouts/yamato-b2.json"),
    include_str!("../layouts/sagawa-ehiden3.json"),
];

/// A layout. A warehouse with files of its own takes one of these and changes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it was taken from, and what is not certain about it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The same in Japanese, for those who make files in the console.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes_ja: Vec<String>,
    /// The file of shipments.
    pub shipments: Shipments,
    /// The file of results.
    pub results: Results,
}

/// What a file of shipments looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipments {
    /// Its encoding.
    pub encoding: Encoding,
    /// How its lines end.
    #[serde(default)]
    pub line_end: LineEnd,
    /// Does it begin with the columns' names?
    pub header: bool,
    /// A row for each parcel, or one for each item in it?
    #[serde(default)]
    pub rows: Rows,
    /// Puts a `'` before texts that a spreadsheet would take for a formula. Off where a label would show it.
    #[serde(default)]
    pub guard_formulas: bool,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// How lines end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// As on Windows.
    #[default]
    Crlf,
    /// As elsewhere.
    Lf,
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// A parcel.
    #[default]
    Parcel,
    /// An item of a parcel.
    Item,
}

/// A column. One with a name only stays empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Column {
    /// Its name in the header, and in messages.
    pub name: String,
    /// What it is filled from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Field>,
    /// A text that is always the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The name of a text that is given when the file is written (`--set name=text`): what differs by merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// How wide it may be: half-width characters count 1, others 2. A longer text is a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// The text goes over several columns of this width: this one takes the so-and-so-manieth piece, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<usize>,
    /// Over how many columns it goes. What does not fit into them is a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces: Option<usize>,
    /// Cut what is too long instead: only for what nobody needs in full, such as names of goods on a label.
    pub cut: bool,
    /// Must not be empty.
    pub required: bool,
    /// 配達時間帯: the carrier's codes, by `am` for 午前中 and by hours such as `14-16`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub times: BTreeMap<String, String>,
    /// How a date is written, such as `%Y/%m/%d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// What a column can be filled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The shipment's id, `hanako-ecforce.88111.1`.
    ShipmentId,
    /// Order and parcel, `88111-1`: short enough for every carrier. Results then need to be told the connection.
    OrderParcel,
    /// 受注番号.
    OrderNumber,
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
    /// Prefecture, city and street.
    Address,
    /// 建物名.
    Building,
    /// Prefecture, city, street and building.
    WholeAddress,
    /// 電話番号.
    Phone,
    /// 発送元名.
    FromName,
    /// 発送元郵便番号.
    FromPostalCode,
    /// 発送元住所, with its prefecture.
    FromAddress,
    /// 発送元電話番号.
    FromPhone,
    /// 注文者名; who ordered may be another than who receives.
    OrdererName,
    /// 注文者郵便番号.
    OrdererPostalCode,
    /// 注文者住所, all of it.
    OrdererAddress,
    /// 注文者電話番号.
    OrdererPhone,
    /// 出荷予定日; the day of the export if the order names none.
    ShipOn,
    /// お届け希望日.
    DeliverOn,
    /// お届け希望時間帯.
    DeliveryTime,
    /// Names of all items.
    ItemNames,
    /// 商品コード of the row's item.
    Sku,
    /// 商品名 of the row's item.
    ItemName,
    /// 数量 of the row's item.
    Quantity,
    /// 合計金額 of the order.
    Total,
    /// 決済方法.
    PaymentMethod,
    /// 備考.
    Note,
    /// WMS配送方法: what the warehouse calls the shipping method.
    MethodCode,
}

/// What a file of results looks like. Columns are found by their names where the file has a header, else by their places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Its encoding.
    pub encoding: Encoding,
    /// Does it begin with the columns' names?
    pub header: bool,
    /// The column that names the shipment.
    pub shipment: ColumnRef,
    /// The column of お問い合わせ番号.
    pub tracking_number: ColumnRef,
    /// The column of the day that it left; the day of reading if there is none, or it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_on: Option<ColumnRef>,
    /// The column of 受注番号, if the file has one: a row that names another than the shipment's is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_number: Option<ColumnRef>,
}

/// A column of a file that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnRef {
    /// What it may be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Where it is, from 1, if the file has no header.
    pub place: usize,
}

/// Why there is no such layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// None of ours.
    #[error("there is no layout {0}; take one of {1}, or a file with a layout of your own")]
    Unknown(String, String),
    /// Not a layout.
    #[error("this is no layout: {0}")]
    Shape(#[from] serde_json::Error),
    /// A layout with something wrong in it.
    #[error("the layout's column {column:?} {what}")]
    Column {
        /// The column.
        column: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl Layout {
    /// A layout of ours.
    pub fn built_in(id: &str) -> Result<Self, LayoutError> {
        let all = Self::all()?;
        let names: Vec<String> = all.iter().map(|layout| layout.id.clone()).collect();
        all.into_iter()
            .find(|layout| layout.id == id)
            .ok_or_else(|| LayoutError::Unknown(id.to_owned(), names.join(", ")))
    }

    /// All layouts of ours.
    pub fn all() -> Result<Vec<Self>, LayoutError> {
        BUILT_IN.into_iter().map(Self::parse).collect()
    }

    /// A layout from its text.
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        let layout: Self = serde_json::from_str(text)?;
        for column in &layout.shipments.columns {
            let wrong = |what| Err(LayoutError::Column { column: column.name.clone(), what });
            let sources = [column.from.is_some(), column.value.is_some(), column.set.is_some()];
            if sources.into_iter().filter(|is| *is).count() > 1 {
                return wrong("has two sources: take one of `from`, `value`, `set`");
            }
            if column.piece.is_some() != column.pieces.is_some()
                || column.piece.is_some_and(|piece| piece == 0 || Some(piece) > column.pieces)
                || (column.piece.is_some() && column.width.is_none())
            {
                return wrong("needs `width`, `piece` and `pieces` together, with a piece from 1 to pieces");
            }
            if column.width == Some(0) || column.width == Some(1) {
                return wrong("is too narrow for any character: the least width is 2");
            }
        }
        for column in [&layout.results.shipment, &layout.results.tracking_number] {
            if column.place == 0 || (layout.results.header && column.names.is_empty()) {
                return Err(LayoutError::Column {
                    column: column.names.join("/"),
                    what: "of the results needs a place from 1, and names where the file has a header",
                });
            }
        }
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_right() {
        let all = Layout::all().unwrap();
        let columns: Vec<(&str, usize)> =
            all.iter().map(|layout| (layout.id.as_str(), layout.shipments.columns.len())).collect();
        assert_eq!(columns, [("standard", 28), ("yamato-b2", 95), ("sagawa-ehiden3", 74)]);
        for layout in &all {
            assert!(!layout.notes.is_empty(), "{} says where it comes from", layout.id);
        }
        let b2 = &all[1].shipments.columns;
        assert_eq!((b2[3].name.as_str(), b2[39].name.as_str()), ("伝票番号", "請求先顧客コード"));
        let ehiden = &all[2].shipments.columns;
        assert_eq!((ehiden[9].name.as_str(), ehiden[61].name.as_str()), ("お客様管理番号", "お問い合せ送り状No."));
    }

    #[test]
    fn what_people_give_as_a_slip_type_is_todays() {
        let b2 = Layout::built_in("yamato-b2").unwrap();
        for notes in [b2.notes.concat(), b2.notes_ja.concat()] {
            for code in ["0 発払い", "7 クロネコゆうパケット", "8 宅急便コンパクト", "A ネコポス"]
            {
                assert!(notes.contains(code), "{code}: {notes}");
            }
            for former in ["7 ネコポス", "A クロネコゆうパケット"] {
                assert!(!notes.contains(former), "{former}: {notes}");
            }
            assert!(notes.contains("外部データ取り込み基本レイアウト"), "whose codes count: {notes}");
        }
    }

    #[test]
    fn a_layout_of_ones_own_is_checked() {
        let standard = include_str!("../layouts/standard.json");
        let bad = standard.replacen("\"from\": \"shipment-id\"", "\"from\": \"shipment-id\", \"value\": \"x\"", 1);
        assert!(Layout::parse(&bad).unwrap_err().to_string().contains("two sources"));
        assert!(Layout::built_in("yamato").unwrap_err().to_string().contains("yamato-b2"));
    }
}
