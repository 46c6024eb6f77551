//! What the forms of 発送元, API認証設定 and 配送方法 ask for: each field by its place in the document, with the words that the
//! trade has for it. What a form holds is text as it was typed; [`Entry::put`] makes of it what a document would say,
//! which is checked as one.

mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;

use renkei_domain::prefecture;
use renkei_domain::settings::{Connection, OneOrMany, OrderStates, StatusSync, TenantSettings};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::table::Asked;
use super::Form;
use super::draft::{Names, lines, listed, number};
use super::said::{Choice, chosen};
use crate::lang::Lang;

/// Which part of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 発送元.
    ShipFrom,
    /// API認証設定.
    Connection,
    /// 配送方法.
    ShippingMethod,
}

impl Kind {
    /// Its name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ShipFrom => "ship-from",
            Self::Connection => "connection",
            Self::ShippingMethod => "shipping-method",
        }
    }

    /// Its list in a document.
    pub fn list(self) -> &'static str {
        match self {
            Self::ShipFrom => "ship_froms",
            Self::Connection => "connections",
            Self::ShippingMethod => "shipping_methods",
        }
    }

    /// That whose list in a document this is.
    pub fn of_list(list: &str) -> Option<Self> {
        [Self::ShipFrom, Self::Connection, Self::ShippingMethod].into_iter().find(|kind| kind.list() == list)
    }

    /// What people call it.
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::ShipFrom => lang.of("発送元", "ship-from"),
            Self::Connection => lang.of("API認証設定（ショップ）", "connection (shop)"),
            Self::ShippingMethod => lang.of("配送方法", "shipping method"),
        }
    }

    /// Ids of those that there are.
    pub fn ids(self, settings: &TenantSettings) -> Vec<&str> {
        match self {
            Self::ShipFrom => settings.ship_froms.iter().map(|it| it.id.as_str()).collect(),
            Self::Connection => settings.connections.iter().map(|it| it.id.as_str()).collect(),
            Self::ShippingMethod => settings.shipping_methods.iter().map(|it| it.id.as_str()).collect(),
        }
    }

    /// Takes one away, and what is nothing without it.
    pub fn remove(self, settings: &mut TenantSettings, id: &str) {
        match self {
            Self::ShipFrom => settings.ship_froms.retain(|it| it.id.as_str() != id),
            Self::ShippingMethod => settings.shipping_methods.retain(|it| it.id.as_str() != id),
            Self::Connection => {
                settings.connections.retain(|it| it.id.as_str() != id);
                let robots = &mut settings.integration_robots;
                robots.easy_setup = OneOrMany::Many(
                    robots.easy_setup.iter().filter(|setup| setup.connection.as_str() != id).cloned().collect(),
                );
                robots.custom.retain(|robot| robot.on.connection().as_str() != id);
                for method in &mut settings.shipping_methods {
                    method.carrier_ids.retain(|connection, _| connection.as_str() != id);
                }
            }
        }
    }
}

/// How a field is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// One line.
    Line,
    /// A number.
    Number,
    /// A box to check.
    Yes,
    /// One thing a line.
    Lines,
    /// A prefecture.
    Prefecture,
    /// One of the merchant's ship-froms.
    ShipFrom,
    /// How to sign in. Stands in the document as one of two keys.
    SignIn,
    /// What to sign in with. Never stands in a document, and is never shown.
    Secret,
    /// Hours in which a warehouse has to answer.
    Hours,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the form: its keys in the document, joined by dots.
    pub key: Cow<'static, str>,
    pub label: Cow<'static, str>,
    /// What to write, in a few words; nothing where that goes without saying.
    pub hint: &'static str,
    pub input: Input,
    /// It is not left out of the document where it is empty, which then says what is missing.
    pub is_needed: bool,
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub label: &'static str,
    pub fields: Vec<Field>,
}

/// What a form calls a setting in Japanese, by its keys in the document.
pub fn label(kind: Kind, key: &str) -> Option<&'static str> {
    let fields = sections(kind).iter().flat_map(|(_, fields)| fields.iter());
    fields.filter(|asked| asked.key == key).map(|asked| asked.label[0]).next()
}

fn sections(kind: Kind) -> &'static [table::Section] {
    match kind {
        Kind::ShipFrom => table::SHIP_FROM,
        Kind::Connection => table::CONNECTION,
        Kind::ShippingMethod => table::SHIPPING_METHOD,
    }
}

/// The fields of a form, in the page's language.
pub fn groups(kind: Kind, settings: &TenantSettings, lang: Lang) -> Vec<Group> {
    let said = |[ja, en]: [&'static str; 2]| lang.of(ja, en);
    let field = |asked: &Asked| Field {
        key: Cow::Borrowed(asked.key),
        label: Cow::Borrowed(said(asked.label)),
        hint: said(asked.hint),
        input: asked.input,
        is_needed: asked.is_needed,
    };
    let mut groups: Vec<Group> = sections(kind)
        .iter()
        .map(|(label, fields)| Group { label: said(*label), fields: fields.iter().map(field).collect() })
        .collect();
    if kind == Kind::ShippingMethod && !settings.connections.is_empty() {
        let fields = settings.connections.iter().map(|connection| Field {
            key: Cow::Owned(format!("carrier_ids.{}", connection.id)),
            label: Cow::Owned(format!("{} ({})", lang.of("外部連携配送方法", "Carrier id at the shop"), connection.id)),
            hint: lang.of("ショップの配送業者ID", "a number"),
            input: Input::Number,
            is_needed: false,
        });
        let label =
            lang.of("お問い合わせ番号とともにショップへ伝えるID", "What the shop is told with the tracking number");
        groups.push(Group { label, fields: fields.collect() });
    }
    groups
}

/// Hours that are offered to a warehouse.
const HOURS: [u32; 7] = [1, 2, 4, 8, 12, 18, 24];

/// What a form holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry(BTreeMap<String, String>);

impl Entry {
    /// What a document says, as a form holds it.
    pub fn of(fields: &[Group], item: &Value) -> Self {
        let mut texts = BTreeMap::new();
        for field in fields.iter().flat_map(|group| &group.fields) {
            let unsaid = unsaid(&field.key);
            let value = item.pointer(&pointer(&field.key)).or(unsaid.as_ref());
            let text = match field.input {
                Input::SignIn => if item.get("token").is_some() { "token" } else { "password" }.to_owned(),
                Input::Secret => String::new(),
                Input::Lines => {
                    let values = value.and_then(Value::as_array);
                    lines(values.into_iter().flatten().filter_map(Value::as_str))
                }
                _ => match value {
                    Some(Value::String(text)) => text.clone(),
                    Some(Value::Number(number)) => number.to_string(),
                    Some(Value::Bool(true)) => "1".to_owned(),
                    _ => String::new(),
                },
            };
            texts.insert(field.key.to_string(), text);
        }
        Self(texts)
    }

    /// What a browser sent.
    pub fn read(fields: &[Group], form: &Form) -> Self {
        let names = Names::of(form);
        let fields = fields.iter().flat_map(|group| &group.fields);
        Self(fields.map(|field| (field.key.to_string(), names.text(&field.key))).collect())
    }

    /// A field's text.
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Fixes the id: what has one keeps it, since others name it.
    pub fn keep_id(&mut self, id: &str) {
        self.0.insert("id".to_owned(), id.to_owned());
    }

    /// Does every text survive a browser, which takes line ends and control characters out of its fields?
    pub fn fits_a_form(&self, fields: &[Group]) -> bool {
        fields.iter().flat_map(|group| &group.fields).all(|field| {
            let is_long = field.input == Input::Lines;
            self.get(&field.key).chars().all(|c| !c.is_control() || c == '\t' || (c == '\n' && is_long))
        })
    }

    /// Writes it over what a document says of the item. What no field asks for stays as it is.
    pub fn put(&self, fields: &[Group], item: &mut Value) {
        for field in fields.iter().flat_map(|group| &group.fields) {
            let text = self.get(&field.key).trim();
            let value = match field.input {
                Input::Secret => continue,
                Input::SignIn => {
                    self.put_sign_in(text, item);
                    continue;
                }
                Input::Yes => Some((text == "1").into()),
                Input::Lines => Some(listed(text).into()),
                _ if text.is_empty() && !field.is_needed => None,
                Input::Number => Some(number(&plain(text))),
                Input::Line | Input::Prefecture | Input::ShipFrom | Input::Hours => Some(text.into()),
            };
            put(item, &field.key, value);
        }
    }

    /// Where the secret would be taken from, if the document were applied from a file: a name made of the shop's.
    fn put_sign_in(&self, way: &str, item: &mut Value) {
        let (key, other) = if way == "token" { ("token", "password") } else { ("password", "token") };
        if item.get(key).is_none() {
            let shop: String = self.get("id").to_uppercase().chars().map(|c| if c == '-' { '_' } else { c }).collect();
            put(item, key, Some(json!({ "env": format!("SHOP_{shop}_{}", key.to_uppercase()) })));
        }
        put(item, other, None);
    }
}

/// Digits as documents have them: `１０，０００` and `10,000` are 10000.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, ',' | '，'))
        .map(|c| match c {
            '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
            other => other,
        })
        .collect()
}

/// What a field holds where the document says nothing: what goes without saying is not written there, and a form says it.
fn unsaid(key: &str) -> Option<Value> {
    match key {
        "batch_size" => Some(Connection::BATCH_SIZE.into()),
        "captured_payment_states" => Some(Connection::CAPTURED_PAYMENT_STATES.as_slice().into()),
        "status_sync.cancellation_answer" => Some(String::from(StatusSync::default().cancellation_answer).into()),
        _ => None,
    }
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

/// Sets what stands at a place, or takes it away.
fn put(item: &mut Value, key: &str, value: Option<Value>) {
    let mut place = item;
    let mut keys = key.split('.').peekable();
    while let Some(key) = keys.next() {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(map) = place.as_object_mut() else { return };
        if keys.peek().is_some() {
            place = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
            continue;
        }
        match value {
            Some(value) => map.insert(key.to_owned(), value),
            None => map.remove(key),
        };
        return;
    }
}

/// What can be chosen for a field; nothing where it is written.
pub fn choices(input: Input, now: &str, settings: &TenantSettings, lang: Lang) -> Option<Vec<Choice>> {
    let none = || std::iter::once((String::new(), lang.of("（選んでください）", "(choose)").to_owned()));
    let all: Vec<(String, String)> = match input {
        Input::Prefecture => none().chain(prefecture::ALL.map(|name| (name.to_owned(), name.to_owned()))).collect(),
        Input::ShipFrom => none()
            .chain(settings.ship_froms.iter().map(|from| (from.id.to_string(), format!("{} ({})", from.name, from.id))))
            .collect(),
        Input::SignIn => vec![
            ("password".to_owned(), lang.of("メールアドレスとパスワード", "E-mail and password").to_owned()),
            ("token".to_owned(), lang.of("トークン", "A ready-made token").to_owned()),
        ],
        Input::Hours => HOURS
            .map(|hours| {
                let text = if hours == 1 { "1 hour".to_owned() } else { format!("{hours} hours") };
                (text, format!("{hours}{}", lang.of("時間", " h")))
            })
            .into(),
        Input::Line | Input::Number | Input::Yes | Input::Lines | Input::Secret => return None,
    };
    Some(chosen(all, now))
}

/// What a new one begins with.
pub fn blank(kind: Kind, settings: &TenantSettings) -> Value {
    match kind {
        Kind::ShipFrom => json!({}),
        Kind::Connection => json!({
            "api": "ecforce",
            "ship_from": settings.ship_froms.first().map(|from| from.id.to_string()).unwrap_or_default(),
            "call_interval_ms": 1_000,
            "states": OrderStates::default(),
            "status_sync": StatusSync::default(),
        }),
        // The first one is for all orders, until there is another.
        Kind::ShippingMethod => json!({ "default": settings.shipping_methods.is_empty() }),
    }
}

/// The whole document with this item at its place in its list, or at the list's end.
pub fn within(kind: Kind, settings: &TenantSettings, place: usize, item: Value) -> Option<Value> {
    let mut whole = serde_json::to_value(settings).ok()?;
    let list = whole.as_object_mut()?.entry(kind.list()).or_insert_with(|| Value::Array(Vec::new()));
    let items = list.as_array_mut()?;
    // There is one default: who becomes it takes it from the former.
    if item.get("default") == Some(&Value::Bool(true)) {
        for other in items.iter_mut().filter_map(Value::as_object_mut) {
            other.remove("default");
        }
    }
    match items.get_mut(place) {
        Some(own) => *own = item,
        None => items.push(item),
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use renkei_domain::document;

    use super::*;

    const KINDS: [Kind; 3] = [Kind::ShipFrom, Kind::Connection, Kind::ShippingMethod];

    fn settings() -> TenantSettings {
        let text = "
tenant: hanako
ship_froms:
  - { id: dc, name: 第一倉庫, postal_code: 135-0064, prefecture: 東京都, address: 江東区見本町1-1, phone: 03-0000-0000, warehouse: dc }
connections:
  - { id: a, api: ecforce, api_url: https://a.example, ship_from: dc, password: { env: A }, daily_call_limit: 10000,
      call_interval_ms: 500, batch_size: 50, captured_payment_states: [done], automation_option: true, stock_buffer: 3,
      states: { fetch: f, working: w, shipped: s, cancelled: [c, d] }, payment_states: { paid: [p], wait: [q, r] },
      status_sync: { hold_differences: true, cancellation_answer: 4 hours } }
  - { id: b, api: ecforce, api_url: https://b.example, ship_from: dc, token: { env: B }, daily_call_limit: 5 }
  - { id: c, api: ecforce, api_url: https://c.example, ship_from: dc, token: { env: C }, daily_call_limit: 5,
      captured_payment_states: [] }
shipping_methods:
  - { id: y, name: 宅急便, warehouse_code: YAMATO, keywords: [ヤマト, クロネコ], carrier_ids: { a: 1, b: 22 }, default: true }
";
        document::read(text, &|url: &str| Ok(url.to_owned())).unwrap().settings
    }

    fn items(kind: Kind, settings: &TenantSettings) -> Vec<Value> {
        serde_json::to_value(settings).unwrap()[kind.list()].as_array().unwrap().clone()
    }

    #[test]
    fn what_is_opened_and_saved_unchanged_is_the_same() {
        let settings = settings();
        for kind in KINDS {
            let fields = groups(kind, &settings, Lang::Ja);
            for item in items(kind, &settings) {
                let entry = Entry::of(&fields, &item);
                assert!(entry.fits_a_form(&fields));
                let mut whole = serde_json::to_value(&settings).unwrap();
                let list = whole[kind.list()].as_array_mut().unwrap();
                let own = list.iter_mut().find(|it| it["id"] == item["id"]).unwrap();
                entry.put(&fields, own);
                let read = document::read(&whole.to_string(), &|url: &str| Ok(url.to_owned())).unwrap();
                assert_eq!(read.settings, settings, "{kind:?} {}", item["id"]);
            }
        }
    }

    #[test]
    fn a_form_sent_back_as_it_is_holds_the_same() {
        let settings = settings();
        for kind in KINDS {
            let fields = groups(kind, &settings, Lang::Ja);
            for item in items(kind, &settings) {
                let entry = Entry::of(&fields, &item);
                let sent = Form(entry.0.clone().into_iter().filter(|(_, text)| !text.is_empty()).collect());
                assert_eq!(Entry::read(&fields, &sent), entry);
            }
        }
    }

    #[test]
    fn a_new_shop_is_what_its_form_says() {
        let settings = settings();
        let fields = groups(Kind::Connection, &settings, Lang::En);
        let mut item = blank(Kind::Connection, &settings);
        let mut sent = Entry::of(&fields, &item).0;
        for (key, text) in [("id", "new-shop"), ("api_url", " https://n.example "), ("daily_call_limit", "１０,000")]
        {
            sent.insert(key.to_owned(), text.to_owned());
        }
        Entry(sent).put(&fields, &mut item);
        assert_eq!(item["api_url"], "https://n.example");
        assert_eq!(item["daily_call_limit"], 10_000);
        assert_eq!(item["password"]["env"], "SHOP_NEW_SHOP_PASSWORD");
        assert!(item.get("email").is_none() && item.get("token").is_none() && item.get("secret").is_none());
    }

    #[test]
    fn a_form_shows_what_goes_without_saying() {
        let settings = settings();
        let fields = groups(Kind::Connection, &settings, Lang::En);
        let shown = |key: &str| -> Vec<String> {
            let items = items(Kind::Connection, &settings);
            items.iter().map(|item| Entry::of(&fields, item).get(key).to_owned()).collect()
        };
        assert_eq!(shown("batch_size"), ["50", "100", "100"]);
        assert_eq!(shown("captured_payment_states"), ["done", "captured\ncompleted\npaid", ""]);
        assert_eq!(shown("status_sync.cancellation_answer"), ["4 hours", "24 hours", "24 hours"]);
    }

    #[test]
    fn there_is_one_default_and_a_new_one_takes_it_from_the_former() {
        let settings = settings();
        let new = json!({ "id": "n", "name": "ネコポス", "warehouse_code": "N", "default": true });
        let whole = within(Kind::ShippingMethod, &settings, 1, new).unwrap();
        let read = document::read(&whole.to_string(), &|url: &str| Ok(url.to_owned())).unwrap().settings;
        let defaults: Vec<bool> = read.shipping_methods.iter().map(|method| method.default).collect();
        assert_eq!(defaults, [false, true]);
    }

    #[test]
    fn what_depends_on_a_shop_goes_with_it() {
        let mut settings = settings();
        Kind::Connection.remove(&mut settings, "b");
        assert_eq!(Kind::Connection.ids(&settings), ["a", "c"]);
        assert_eq!(settings.shipping_methods[0].carrier_ids.len(), 1);
        let whole = serde_json::to_value(&settings).unwrap().to_string();
        assert!(document::read(&whole, &|url: &str| Ok(url.to_owned())).is_ok());
    }
}
