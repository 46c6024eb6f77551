//! What a robot does, as rows of a form: a kind, and the few texts that it takes.

use std::collections::BTreeMap;

use renkei_domain::ids::{ShippingMethodId, Sku};
use renkei_domain::processing::{Action, AddItem, SetField, Split};
use renkei_domain::settings::Temperature;
use serde_json::{Map, Value, json};

use super::condition::number;
use super::{Names, lines, listed};

/// A kind of action: its key in documents, its words, and the texts that it takes.
pub struct Kind {
    pub key: &'static str,
    pub ja: &'static str,
    pub en: &'static str,
    pub takes: &'static [Takes],
}

/// A text of an action.
pub struct Takes {
    pub name: &'static str,
    pub ja: &'static str,
    pub en: &'static str,
    pub input: Input,
}

/// How a text is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// One line.
    Line,
    /// Several, one thing a line or not.
    Lines,
    /// A reason of being on hold.
    HoldReason,
    /// A field that robots can set.
    Slot,
    /// A shipping method.
    Method,
    /// A shipping method, or none.
    MethodOrNone,
    /// How products are kept, or nothing.
    TemperatureOrNone,
}

const fn takes(name: &'static str, ja: &'static str, en: &'static str, input: Input) -> Takes {
    Takes { name, ja, en, input }
}

/// All kinds, in the order in which they are offered. An action whose texts are one named `text` is written as that.
pub const KINDS: [Kind; 15] = [
    Kind { key: "derive_payment", ja: "入金ステータスを確認する", en: "derive the payment", takes: &[] },
    Kind { key: "to_ready", ja: "出荷待ちへ移動する", en: "move to ready", takes: &[] },
    Kind {
        key: "hold",
        ja: "保留にする",
        en: "hold",
        takes: &[takes("text", "保留理由", "Reason", Input::HoldReason)],
    },
    Kind {
        key: "clear_hold",
        ja: "保留理由を外す",
        en: "clear a hold reason",
        takes: &[takes("text", "保留理由", "Reason", Input::HoldReason)],
    },
    Kind {
        key: "refuse_import",
        ja: "取り込まない",
        en: "do not import",
        takes: &[takes("text", "理由", "Reason", Input::Line)],
    },
    Kind {
        key: "quarantine",
        ja: "取り込みを保留する",
        en: "quarantine",
        takes: &[takes("text", "理由", "Reason", Input::Line)],
    },
    Kind {
        key: "cancel", ja: "キャンセルする", en: "cancel", takes: &[takes("text", "理由", "Reason", Input::Line)]
    },
    Kind {
        key: "set_field",
        ja: "項目を書き換える",
        en: "set a field",
        takes: &[
            takes("field", "項目", "Field", Input::Slot),
            takes("value", "新しい値（空なら消す）", "New value (nothing empties it)", Input::Lines),
        ],
    },
    Kind {
        key: "set_shipping_method",
        ja: "配送方法を変える",
        en: "set the shipping method",
        takes: &[takes("text", "配送方法", "Shipping method", Input::Method)],
    },
    Kind {
        key: "set_delivery_date",
        ja: "お届け希望日を変える",
        en: "set the delivery date",
        takes: &[takes(
            "text",
            "希望日（none、2026-12-01、3 days after import）",
            "Date (none, 2026-12-01, 3 days after import)",
            Input::Line,
        )],
    },
    Kind {
        key: "set_delivery_time",
        ja: "お届け希望時間帯を変える",
        en: "set the delivery time",
        takes: &[takes("text", "時間帯", "Time", Input::Line)],
    },
    Kind {
        key: "add_item",
        ja: "商品を同梱する",
        en: "add an item",
        takes: &[
            takes("sku", "商品コード", "SKU", Input::Line),
            takes("quantity", "数量", "Quantity", Input::Line),
            takes("name", "商品名（空なら商品コード）", "Name (nothing: the SKU)", Input::Line),
        ],
    },
    Kind {
        key: "split",
        ja: "別の荷物に分ける",
        en: "split off a parcel",
        takes: &[
            takes("skus", "商品コード（1行に1つ）", "SKUs (one a line)", Input::Lines),
            takes("temperature", "温度帯", "Temperature", Input::TemperatureOrNone),
            takes("shipping_method", "その荷物の配送方法", "Its shipping method", Input::MethodOrNone),
        ],
    },
    Kind {
        key: "tag", ja: "ラベルを付ける", en: "tag", takes: &[takes("text", "ラベル", "Tag", Input::Line)]
    },
    Kind {
        key: "notify",
        ja: "履歴にメモを残す",
        en: "note in the history",
        takes: &[takes("text", "メモの内容", "Text", Input::Lines)],
    },
];

/// One action of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Doing {
    pub kind: String,
    pub texts: BTreeMap<&'static str, String>,
}

impl Doing {
    /// A new one of this kind; none if there is no such kind.
    pub fn new(kind: &str) -> Option<Self> {
        let kind = find(kind)?;
        let first = |takes: &Takes| if takes.name == "quantity" { "1".to_owned() } else { String::new() };
        let texts = kind.takes.iter().map(|takes| (takes.name, first(takes))).collect();
        Some(Self { kind: kind.key.to_owned(), texts })
    }

    pub fn of(action: &Action) -> Self {
        let one = |text: &str| vec![("text", text.to_owned())];
        let (kind, texts) = match action {
            Action::DerivePayment => ("derive_payment", Vec::new()),
            Action::ToReady => ("to_ready", Vec::new()),
            Action::Hold(reason) => ("hold", one(reason)),
            Action::ClearHold(reason) => ("clear_hold", one(reason)),
            Action::RefuseImport(reason) => ("refuse_import", one(reason)),
            Action::Quarantine(reason) => ("quarantine", one(reason)),
            Action::Cancel(reason) => ("cancel", one(reason)),
            Action::SetField(SetField { field, value }) => {
                ("set_field", vec![("field", field.clone()), ("value", value.text().into_owned())])
            }
            Action::SetShippingMethod(method) => ("set_shipping_method", one(method.as_str())),
            Action::SetDeliveryDate(date) => ("set_delivery_date", one(&String::from(*date))),
            Action::SetDeliveryTime(time) => ("set_delivery_time", one(time)),
            Action::AddItem(AddItem { sku, quantity, name }) => (
                "add_item",
                vec![
                    ("sku", sku.to_string()),
                    ("quantity", quantity.to_string()),
                    ("name", name.clone().unwrap_or_default()),
                ],
            ),
            Action::Split(Split { skus, temperature, shipping_method }) => (
                "split",
                vec![
                    ("skus", lines(skus.iter().map(Sku::as_str))),
                    ("temperature", temperature.map(Temperature::as_str).unwrap_or_default().to_owned()),
                    ("shipping_method", shipping_method.as_ref().map(ShippingMethodId::to_string).unwrap_or_default()),
                ],
            ),
            Action::Tag(tag) => ("tag", one(tag)),
            Action::Notify(text) => ("notify", one(text)),
        };
        Self { kind: kind.to_owned(), texts: texts.into_iter().collect() }
    }

    /// The one at this place of a form.
    pub fn read(names: &Names<'_>, at: &str) -> Option<Self> {
        let kind = find(names.get(&format!("{at}.kind"))?)?;
        let texts = kind.takes.iter().map(|takes| (takes.name, names.text(&format!("{at}.{}", takes.name)))).collect();
        Some(Self { kind: kind.key.to_owned(), texts })
    }

    /// Its fields, as a browser would send them.
    pub fn fields(&self, at: &str, into: &mut Vec<(String, String)>) {
        into.push((format!("{at}.kind"), self.kind.clone()));
        into.extend(self.texts.iter().map(|(name, text)| (format!("{at}.{name}"), text.clone())));
    }

    /// As a document says it.
    pub fn json(&self) -> Value {
        let text = |name: &str| self.texts.get(name).map(String::as_str).unwrap_or_default();
        let optional = |map: &mut Map<String, Value>, name: &str| {
            if !text(name).is_empty() {
                map.insert(name.to_owned(), text(name).into());
            }
        };
        let Some(kind) = find(&self.kind) else { return Value::Null };
        let inner = match kind.key {
            "set_field" => json!({ "field": text("field"), "value": text("value") }),
            "add_item" => {
                let mut item = Map::new();
                item.insert("sku".to_owned(), text("sku").trim().into());
                item.insert("quantity".to_owned(), number(text("quantity")));
                optional(&mut item, "name");
                item.into()
            }
            "split" => {
                let mut split = Map::new();
                let skus = listed(text("skus"));
                if !skus.is_empty() {
                    split.insert("skus".to_owned(), skus.into());
                }
                optional(&mut split, "temperature");
                optional(&mut split, "shipping_method");
                split.into()
            }
            _ if kind.takes.is_empty() => return kind.key.into(),
            _ => text("text").into(),
        };
        json!({ kind.key: inner })
    }
}

/// A kind by its key.
pub fn find(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.key == key)
}
