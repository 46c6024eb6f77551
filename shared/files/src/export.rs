//! Shipments as rows of a file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use renkei_domain::convert::standard;
use renkei_domain::ids::{ShipFromId, ShipmentId, ShippingMethodId};
use renkei_domain::settings::{ShipFrom, TenantSettings};
use renkei_domain::shipment::{Item, ShipTo, Shipment, ShipmentDetail};

use crate::Problem;
use crate::encoding::{BOM, Encoding, char_width};
use crate::layout::{Column, Field, Layout, LineEnd, Rows};

/// What is wrong with 代引 in a layout that has no column for an amount: its label would ask for no money.
pub const NO_AMOUNT: &str = "it is paid on delivery (代引), and this layout has no column for the amount to collect: \
    write it with the layout `standard` and make its label by hand, or take a layout of your own with a column from \
    `total`";

/// What rows are made of besides the shipments.
pub struct Around<'a> {
    /// The merchant's settings.
    pub settings: &'a TenantSettings,
    /// The texts of the columns that have a `set`.
    pub set: &'a BTreeMap<String, String>,
    /// Today, in Japan.
    pub today: Date,
}

/// The rows of one shipment, in the file's bytes with their line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The shipment.
    pub id: ShipmentId,
    /// What they say that may have become another since.
    pub said: Said,
    /// Its rows.
    pub bytes: Vec<u8>,
}

/// What the rows of a shipment say that somebody may change before it is taken by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The version of what is in it.
    pub detail: String,
    /// How it is sent.
    pub shipping_method: Option<ShippingMethodId>,
    /// From where.
    pub ship_from: ShipFromId,
}

impl Said {
    /// What rows of this shipment would say now.
    #[must_use]
    pub fn of(shipment: &Shipment) -> Self {
        Self {
            detail: shipment.detail.clone(),
            shipping_method: shipment.shipping_method.clone(),
            ship_from: shipment.ship_from.clone(),
        }
    }
}

/// What begins a file of this layout.
///
/// # Errors
/// If the layout's own names cannot be written in its encoding.
pub fn beginning(layout: &Layout) -> Result<Vec<u8>, Problem> {
    let shipments = &layout.shipments;
    let mut bytes = if shipments.encoding == Encoding::Utf8Bom { BOM.to_vec() } else { Vec::new() };
    if shipments.header {
        let mut fields = Vec::new();
        for column in &shipments.columns {
            fields.push(encoded(shipments.encoding, &column.name).map_err(|what| Problem {
                row: 1,
                shipment: String::new(),
                column: column.name.clone(),
                what,
            })?);
        }
        bytes.extend(line(shipments.line_end, &fields));
    }
    Ok(bytes)
}

/// The rows of shipments. `first_row` is the number of the first in the file. A shipment with a problem is left out and all
/// that is wrong with it is named.
#[must_use]
pub fn rows(
    layout: &Layout,
    around: &Around<'_>,
    shipments: &[(Shipment, ShipmentDetail)],
    first_row: usize,
) -> (Vec<Rendered>, Vec<Problem>) {
    let mut rendered = Vec::new();
    let mut problems = Vec::new();
    let mut row = first_row;
    let has_amount = layout.shipments.columns.iter().any(|column| column.from == Some(Field::Total));
    for (shipment, detail) in shipments {
        let mut bytes = Vec::new();
        let before = problems.len();
        if !has_amount && is_paid_on_delivery(&detail.payment_method, &shipment.payment_state) {
            problems.push(Problem {
                row,
                shipment: shipment.id.to_string(),
                column: "決済方法".to_owned(),
                what: NO_AMOUNT.to_owned(),
            });
        }
        let items: Vec<Option<&Item>> = match layout.shipments.rows {
            Rows::Parcel => vec![None],
            Rows::Item => detail.items.iter().map(Some).collect(),
        };
        for item in items {
            let source = Source { around, shipment, detail, item };
            let mut fields = Vec::with_capacity(layout.shipments.columns.len());
            for column in &layout.shipments.columns {
                match source.field(layout, column) {
                    Ok(field) => fields.push(field),
                    Err(what) => problems.push(Problem {
                        row,
                        shipment: shipment.id.to_string(),
                        column: column.name.clone(),
                        what,
                    }),
                }
            }
            bytes.extend(line(layout.shipments.line_end, &fields));
            row += 1;
        }
        if problems.len() == before {
            rendered.push(Rendered { id: shipment.id.clone(), said: Said::of(shipment), bytes });
        }
    }
    (rendered, problems)
}

/// Is it 代引, by what the shop calls its way of paying, or by the state of its payment?
fn is_paid_on_delivery(method: &str, state: &str) -> bool {
    ["代引", "代金引換", "代金引き換え"].iter().any(|name| method.contains(name)) || state.contains("cash_on_delivery")
}

/// One line. Quotes only where they are needed: the trail bytes of `Shift_JIS` are never a quote, a comma or a line end.
fn line(end: LineEnd, fields: &[Vec<u8>]) -> Vec<u8> {
    let mut line = Vec::new();
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            line.push(b',');
        }
        if field.iter().any(|byte| matches!(byte, b'"' | b',')) {
            line.push(b'"');
            for byte in field {
                line.push(*byte);
                if *byte == b'"' {
                    line.push(b'"');
                }
            }
            line.push(b'"');
        } else {
            line.extend(field);
        }
    }
    line.extend(match end {
        LineEnd::Crlf => &b"\r\n"[..],
        LineEnd::Lf => b"\n",
    });
    line
}

struct Source<'a> {
    around: &'a Around<'a>,
    shipment: &'a Shipment,
    detail: &'a ShipmentDetail,
    item: Option<&'a Item>,
}

impl Source<'_> {
    fn field(&self, layout: &Layout, column: &Column) -> Result<Vec<u8>, String> {
        let text = match (&column.from, &column.value, &column.set) {
            (Some(from), _, _) => self.text(*from, column)?,
            (_, Some(value), _) => value.clone(),
            (_, _, Some(name)) => self.around.set.get(name).cloned().unwrap_or_default(),
            (None, None, None) => String::new(),
        };
        let text = plain(&text);
        if column.required && text.is_empty() {
            return Err(match &column.set {
                Some(name) => format!("must be given: --set {name}=…"),
                None => "must not be empty".to_owned(),
            });
        }
        let text = fitted(&text, column)?;
        let text = if layout.shipments.guard_formulas { guarded(text) } else { text };
        encoded(layout.shipments.encoding, &text)
    }

    fn text(&self, field: Field, column: &Column) -> Result<String, String> {
        let (shipment, detail) = (self.shipment, self.detail);
        let to = &detail.ship_to;
        let date = |date: Date| match &column.date {
            Some(format) => jiff::fmt::strtime::format(format, date).map_err(|error| format!("date: {error}")),
            None => Ok(date.to_string()),
        };
        Ok(match field {
            Field::ShipmentId => shipment.id.to_string(),
            Field::OrderParcel => format!("{}-{}", shipment.id.order, shipment.id.parcel),
            Field::OrderNumber => shipment.order_number.to_string(),
            Field::Name => to.name.clone(),
            Field::Kana => to.kana.clone(),
            Field::Company => to.company.clone(),
            Field::PostalCode => to.postal_code.clone(),
            Field::Prefecture => to.prefecture.clone(),
            Field::Address => [to.prefecture.as_str(), &to.address1, &to.address2].concat(),
            Field::Building => to.address3.clone(),
            Field::WholeAddress => [to.prefecture.as_str(), &to.address1, &to.address2, &to.address3].concat(),
            Field::Phone => to.phone.clone(),
            Field::FromName => self.ship_from()?.name.clone(),
            Field::FromPostalCode => self.ship_from()?.postal_code.clone(),
            Field::FromAddress => {
                let from = self.ship_from()?;
                [from.prefecture.as_str(), &from.address].concat()
            }
            Field::FromPhone => self.ship_from()?.phone.clone(),
            Field::OrdererName => self.orderer().name,
            Field::OrdererPostalCode => self.orderer().postal_code,
            Field::OrdererAddress => {
                let orderer = self.orderer();
                [orderer.prefecture, orderer.address1, orderer.address2, orderer.address3].concat()
            }
            Field::OrdererPhone => self.orderer().phone,
            Field::ShipOn => date(detail.ship_on.filter(|day| *day >= self.around.today).unwrap_or(self.around.today))?,
            Field::DeliverOn => detail.deliver_on.map(date).transpose()?.unwrap_or_default(),
            Field::DeliveryTime if column.times.is_empty() => detail.delivery_time.clone(),
            Field::DeliveryTime => carriers_time(&detail.delivery_time, column)?,
            Field::ItemNames => {
                detail.items.iter().map(|item| format!("{}×{}", item.name, item.quantity)).collect::<Vec<_>>().join(" ")
            }
            Field::Sku => self.item.map(|item| item.sku.to_string()).unwrap_or_default(),
            Field::ItemName => self.item.map(|item| item.name.clone()).unwrap_or_default(),
            Field::Quantity => match self.item {
                Some(item) => item.quantity.to_string(),
                None => detail.items.iter().map(|item| u64::from(item.quantity)).sum::<u64>().to_string(),
            },
            // The whole order's total: what a carrier collects on delivery it collects with the first parcel.
            Field::Total
                if shipment.id.parcel > 1 && is_paid_on_delivery(&detail.payment_method, &shipment.payment_state) =>
            {
                "0".to_owned()
            }
            Field::Total => detail.totals.total.0.to_string(),
            Field::PaymentMethod => detail.payment_method.clone(),
            Field::Note => detail.delivery_note.clone(),
            Field::MethodCode => {
                let methods = &self.around.settings.shipping_methods;
                let method = methods.iter().find(|method| Some(&method.id) == shipment.shipping_method.as_ref());
                method.map(|method| method.warehouse_code.clone()).unwrap_or_default()
            }
        })
    }

    /// Who ordered, as labels have it; a company where the shop names no person.
    fn orderer(&self) -> ShipTo {
        let orderer = self.detail.source.orderer().map(standard::ship_to).unwrap_or_default();
        let name = if orderer.name.is_empty() { orderer.company.clone() } else { orderer.name };
        ShipTo { name, ..orderer }
    }

    fn ship_from(&self) -> Result<&ShipFrom, String> {
        let known = &self.around.settings.ship_froms;
        known
            .iter()
            .find(|from| from.id == self.shipment.ship_from)
            .ok_or_else(|| format!("the ship-from {} is not in the settings any more", self.shipment.ship_from))
    }
}

/// One line without control characters: files have one line for a row.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// The column's piece of a text, or all of it.
fn fitted(text: &str, column: &Column) -> Result<String, String> {
    let Some(width) = column.width else { return Ok(text.to_owned()) };
    let (piece, pieces) = (column.piece.unwrap_or(1), column.pieces.unwrap_or(1));
    let mut rest = text;
    let mut found = "";
    for n in 1..=pieces {
        let (first, others) = rest.split_at(prefix(rest, width));
        if n == piece {
            found = first;
        }
        rest = others;
    }
    if rest.is_empty() || column.cut {
        return Ok(found.to_owned());
    }
    Err(format!(
        "it is too long: {} half-width characters (全角 counts 2) where {} fit",
        Encoding::width(text),
        width * pieces
    ))
}

/// How many bytes of a text are within a width.
fn prefix(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (place, c) in text.char_indices() {
        used += char_width(c);
        if used > width {
            return place;
        }
    }
    text.len()
}

/// Would a spreadsheet take this for a formula? Some take the full-width signs, too. What customers write must not be run.
#[must_use]
pub fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'])
}

/// What a spreadsheet would take for a formula begins with a quote, which it does not show.
fn guarded(text: String) -> String {
    if is_formula(&text) { format!("'{text}") } else { text }
}

/// The carrier's code for a delivery time, of any of the forms that shops have: 午前中, `14:00-16:00`, １４時〜１６時.
fn carriers_time(text: &str, column: &Column) -> Result<String, String> {
    let digits: String = text
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10).unwrap_or(c),
            '：' => ':',
            other => other,
        })
        .collect();
    let hours: Vec<u32> = digits
        .split(|c: char| !c.is_ascii_digit() && c != ':')
        .filter_map(|part| part.split(':').next().and_then(|hour| hour.parse().ok()))
        .collect();
    let key = match hours.as_slice() {
        _ if text.trim().is_empty() || text.contains("指定なし") || text.contains("指定しない") => {
            return Ok(String::new());
        }
        _ if text.contains("午前") => "am".to_owned(),
        [from, to] => format!("{from}-{to}"),
        _ => text.to_owned(),
    };
    column
        .times
        .get(&key)
        .cloned()
        .ok_or_else(|| format!("the carrier has no code for {text:?} in this layout; it knows {}", known(column)))
}

fn known(column: &Column) -> String {
    let named = |key: &String| if key == "am" { "午前中".to_owned() } else { key.clone() };
    column.times.keys().map(named).collect::<Vec<_>>().join(", ")
}

fn encoded(encoding: Encoding, text: &str) -> Result<Vec<u8>, String> {
    encoding.encode(text).map_err(|lacking| {
        let named: Vec<String> = lacking.iter().map(|c| format!("{c} (U+{:04X})", *c as u32)).collect();
        format!("Shift_JIS has no {}: write it otherwise at the shop or on the label", named.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    /// A parcel of an order of 5,980 yen that is paid this way.
    fn parcel(number: u16, method: &str) -> (Shipment, ShipmentDetail) {
        let at = "2026-11-24T00:00:00Z";
        let shipment = json!({
            "id": format!("shop.1.{number}"), "order_number": "H-1", "address_id": 1, "parcels": 2, "ship_from": "dc",
            "status": "ready", "payment": "paid", "payment_state": "authed", "shop_sync": "registered",
            "imported_at": at, "updated_at": at, "run": "run", "place": { "page": 1, "row": 0 }, "detail": "1"
        });
        let detail = json!({
            "ship_to": { "name": "", "postal_code": "", "prefecture": "", "address1": "", "phone": "" },
            "items": [], "totals": { "total": 5_980 }, "payment_method": method,
            "source": {
                "id": 1, "number": "H-1", "state": "complete", "payment_state": "authed", "total": 5_980,
                "addresses": [], "lines": []
            }
        });
        (serde_json::from_value(shipment).unwrap(), serde_json::from_value(detail).unwrap())
    }

    /// What a file of the 25th has of each of them in a column from this.
    fn texts(from: Field, parcels: &[(Shipment, ShipmentDetail)]) -> Vec<String> {
        let mut layout = Layout::built_in("standard").unwrap();
        layout.shipments.rows = Rows::Parcel;
        layout.shipments.columns = vec![Column { from: Some(from), ..Column::default() }];
        let settings: TenantSettings = serde_json::from_value(json!({ "tenant": "hanako" })).unwrap();
        let set = BTreeMap::new();
        let around = Around { settings: &settings, set: &set, today: date(2026, 11, 25) };
        let (made, problems) = rows(&layout, &around, parcels, 1);
        assert_eq!(problems, []);
        made.into_iter().map(|row| String::from_utf8(row.bytes).unwrap().trim_end().to_owned()).collect()
    }

    #[test]
    fn money_at_the_door_is_asked_for_with_the_first_parcel_alone() {
        let amounts = |method: &str| texts(Field::Total, &[parcel(1, method), parcel(2, method)]);
        assert_eq!(amounts("代金引換"), ["5980", "0"]);
        assert_eq!(amounts("クレジットカード"), ["5980", "5980"]);
    }

    #[test]
    fn a_day_of_shipping_that_is_past_is_today() {
        let parcels = [24, 25, 26].map(|day| {
            let (shipment, detail) = parcel(1, "クレジットカード");
            (shipment, ShipmentDetail { ship_on: Some(date(2026, 11, day)), ..detail })
        });
        assert_eq!(texts(Field::ShipOn, &parcels), ["2026-11-25", "2026-11-25", "2026-11-26"]);
    }

    fn column(width: usize, piece: usize, pieces: usize) -> Column {
        Column { width: Some(width), piece: Some(piece), pieces: Some(pieces), ..Column::default() }
    }

    #[test]
    fn an_address_goes_over_its_columns_and_nothing_is_lost() {
        let address = "東京都江東区見本町一丁目二番三号見本マンション一〇一";
        let parts: Vec<String> = (1..=3).map(|n| fitted(address, &column(32, n, 3)).unwrap()).collect();
        assert_eq!(parts.concat(), address);
        assert!(parts.iter().all(|part| Encoding::width(part) <= 32));
        let too_long = fitted(address, &column(32, 1, 1)).unwrap_err();
        assert!(too_long.contains("too long") && !too_long.contains("江東区"), "{too_long}");
    }

    #[test]
    fn times_are_the_carriers_or_named() {
        let times = BTreeMap::from([("am".to_owned(), "0812".to_owned()), ("14-16".to_owned(), "1416".to_owned())]);
        let column = Column { times, ..Column::default() };
        for text in ["14:00-16:00", "１４時〜１６時", "14-16"] {
            assert_eq!(carriers_time(text, &column).unwrap(), "1416", "{text}");
        }
        assert_eq!(carriers_time("午前中", &column).unwrap(), "0812");
        assert_eq!(carriers_time("指定なし", &column).unwrap(), "");
        assert!(carriers_time("夜", &column).unwrap_err().contains("夜"));
    }

    #[test]
    fn money_at_the_door_is_known_by_its_names() {
        for method in ["代引", "代引き（ヤマト）", "代金引換", "商品代引"] {
            assert!(is_paid_on_delivery(method, "authed"), "{method}");
        }
        assert!(is_paid_on_delivery("", "cash_on_delivery_authed"));
        assert!(!is_paid_on_delivery("クレジットカード", "authed"));
        let has_amount = |id: &str| {
            let columns = Layout::built_in(id).unwrap().shipments.columns;
            columns.iter().any(|column| column.from == Some(Field::Total))
        };
        assert_eq!(["standard", "yamato-b2", "sagawa-ehiden3"].map(has_amount), [true, false, false]);
    }

    #[test]
    fn a_formula_is_a_text_and_a_comma_no_column() {
        assert_eq!(guarded("=HYPERLINK(1)".into()), "'=HYPERLINK(1)");
        assert_eq!(line(LineEnd::Crlf, &[b"a,\"b".to_vec(), b"c".to_vec()]), b"\"a,\"\"b\",c\r\n");
        assert_eq!(plain(" a\r\nb\t"), "a  b");
    }
}
