//! What stands against taking a ship-from, a shop or a shipping method away: who names it. The checks would find that these
//! name what there is not, and say so with a place in a document that nobody sees in a form.

use renkei_domain::ids::ShippingMethodId;
use renkei_domain::processing::{Action, Condition, Literal, Operator, ProcessingRobot};
use renkei_domain::settings::TenantSettings;

use super::super::setting_fields::Kind;
use crate::lang::Lang;

/// Shops and processing robots that name it: a sentence for each kind of them.
pub(super) fn in_use(lang: Lang, kind: Kind, settings: &TenantSettings, id: &str) -> Vec<String> {
    let shops = settings.connections.iter().filter(|shop| kind == Kind::ShipFrom && shop.ship_from.as_str() == id);
    let shops: Vec<String> = shops.map(|shop| shop.id.to_string()).collect();
    let robots = settings.processing_robots.custom.iter().filter(|robot| is_named_by(robot, kind, id));
    let robots: Vec<String> = robots
        .map(|robot| match lang {
            Lang::Ja => format!("「{}」", robot.name),
            Lang::En => format!("“{}”", robot.name),
        })
        .collect();
    let what = match kind {
        Kind::ShipFrom => lang.of("発送元", "ship-from"),
        Kind::Connection => lang.of("ショップ", "shop"),
        Kind::ShippingMethod => lang.of("配送方法", "shipping method"),
    };
    let mut said = Vec::new();
    if !shops.is_empty() {
        let who = listed(lang, &shops);
        said.push(match lang {
            Lang::Ja => {
                format!("ショップ {who} がこの{what}を使っています。先にそのショップの{what}を変えてください。")
            }
            Lang::En if shops.len() == 1 => format!("The shop {who} uses this {what}: change it there first."),
            Lang::En => format!("The shops {who} use this {what}: change it there first."),
        });
    }
    if !robots.is_empty() {
        let who = listed(lang, &robots);
        said.push(match lang {
            Lang::Ja => {
                format!("処理ロボット{who}がこの{what}を使っています。先にそのロボットの条件や処理を変えてください。")
            }
            Lang::En if robots.len() == 1 => {
                format!("The processing robot {who} uses this {what}: change it there first.")
            }
            Lang::En => format!("The processing robots {who} use this {what}: change it there first."),
        });
    }
    said
}

/// Some of these by name, and how many more.
fn listed(lang: Lang, names: &[String]) -> String {
    const NAMED: usize = 5;
    let named = names[..names.len().min(NAMED)].join(lang.of("、", ", "));
    match (lang, names.len().saturating_sub(NAMED)) {
        (_, 0) => named,
        (Lang::Ja, more) => format!("{named}、ほか{more}件"),
        (Lang::En, more) => format!("{named} and {more} more"),
    }
}

/// Does a robot, be it on or off, look for this or ship by it?
fn is_named_by(robot: &ProcessingRobot, kind: Kind, id: &str) -> bool {
    let field = match kind {
        Kind::ShipFrom => "ship_from",
        Kind::Connection => "connection.id",
        Kind::ShippingMethod => "shipping_method",
    };
    let is_it = |method: &ShippingMethodId| kind == Kind::ShippingMethod && method.as_str() == id;
    let does = |action: &Action| match action {
        Action::SetShippingMethod(method) => is_it(method),
        Action::Split(split) => split.shipping_method.as_ref().is_some_and(is_it),
        _ => false,
    };
    asks_for(&robot.when, field, id) || robot.actions.iter().any(does)
}

/// Does a condition ask whether the field has this value?
fn asks_for(condition: &Condition, field: &str, id: &str) -> bool {
    let is_it = |value: &Literal| value.text().trim() == id;
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| asks_for(part, field, id)),
        Condition::Not(part) => asks_for(part, field, id),
        Condition::Test(test) if test.field == field => match &test.operator {
            Operator::Equals(value) => is_it(value),
            Operator::In(values) => values.iter().any(is_it),
            _ => false,
        },
        Condition::Test(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use renkei_domain::document;

    use super::*;

    #[test]
    fn who_needs_what_is_to_go_is_named() {
        let settings: TenantSettings = serde_json::from_value(serde_json::json!({
            "tenant": "a",
            "connections": [{ "id": "midori-shop", "api": "ecforce", "api_url": "https://a.example", "ship_from": "dc",
                "daily_call_limit": 10_000 }],
            "processing_robots": { "custom": [
                { "id": "north", "name": "北海道", "do": [{ "set_shipping_method": "mail" }] },
                { "id": "ice", "name": "冷凍", "enabled": false,
                    "do": [{ "split": { "skus": ["ICE"], "shipping_method": "mail" } }] },
                { "id": "when", "name": "条件", "do": [{ "tag": "x" }], "when": { "not": { "any": [
                    { "field": "shipping_method", "in": ["other", "mail"] },
                    { "field": "ship_from", "equals": "dc" },
                    { "field": "delivery_note", "equals": "unused" },
                ] } } },
            ] },
        }))
        .unwrap();
        let said = |lang, kind, id| in_use(lang, kind, &settings, id);
        assert_eq!(
            said(Lang::Ja, Kind::ShipFrom, "dc"),
            [
                "ショップ midori-shop がこの発送元を使っています。先にそのショップの発送元を変えてください。",
                "処理ロボット「条件」がこの発送元を使っています。先にそのロボットの条件や処理を変えてください。",
            ]
        );
        assert_eq!(
            said(Lang::En, Kind::ShipFrom, "dc"),
            [
                "The shop midori-shop uses this ship-from: change it there first.",
                "The processing robot “条件” uses this ship-from: change it there first.",
            ]
        );
        assert_eq!(
            said(Lang::Ja, Kind::ShippingMethod, "mail"),
            [
                "処理ロボット「北海道」、「冷凍」、「条件」がこの配送方法を使っています。先にそのロボットの条件や処理を変えてください。"
            ]
        );
        assert_eq!(
            said(Lang::En, Kind::ShippingMethod, "mail"),
            ["The processing robots “北海道”, “冷凍”, “条件” use this shipping method: change it there first."]
        );
        for kind in [Kind::ShipFrom, Kind::Connection, Kind::ShippingMethod] {
            assert_eq!(said(Lang::Ja, kind, "unused"), Vec::<String>::new(), "{kind:?}");
        }
        assert_eq!(said(Lang::Ja, Kind::Connection, "midori-shop"), Vec::<String>::new(), "its robots go with it");
        let many: Vec<String> = (1..=7).map(|number| number.to_string()).collect();
        assert_eq!(listed(Lang::Ja, &many), "1、2、3、4、5、ほか2件");
        assert_eq!(listed(Lang::En, &many[..6]), "1, 2, 3, 4, 5 and 1 more");
        assert_eq!(listed(Lang::En, &many[..5]), "1, 2, 3, 4, 5");
    }

    /// What would be said of it if nobody looked before: nothing that names it is left out.
    #[test]
    fn what_nobody_needs_can_go() {
        let text = "
tenant: a
ship_froms:
  - { id: dc, name: 第一倉庫, postal_code: 135-0064, prefecture: 東京都, address: 江東区見本町1-1, phone: 03-0000-0000, warehouse: dc }
  - { id: spare, name: 第二倉庫, postal_code: 135-0064, prefecture: 東京都, address: 江東区見本町1-2, phone: 03-0000-0000, warehouse: dc }
connections:
  - { id: a, api: ecforce, api_url: https://a.example, ship_from: dc, token: { env: SHOP_A_TOKEN }, daily_call_limit: 5 }
  - { id: b, api: ecforce, api_url: https://b.example, ship_from: dc, token: { env: SHOP_B_TOKEN }, daily_call_limit: 5 }
shipping_methods:
  - { id: by-action, name: 宅急便, warehouse_code: YAMATO, default: true }
  - { id: by-split, name: クール便, warehouse_code: COOL }
  - { id: by-condition, name: ネコポス, warehouse_code: NEKOPOS }
  - { id: spare, name: ゆうパック, warehouse_code: YUPACK }
processing_robots:
  custom:
    - { id: ships, name: 一, do: [{ set_shipping_method: by-action }, { split: { skus: [ICE], shipping_method: by-split } }] }
    - { id: looks, name: 二, when: { field: shipping_method, equals: by-condition }, do: [{ tag: 薄い }] }
    - { id: shop, name: 三, when: { field: connection.id, in: [a] }, do: [{ tag: a }] }
";
        let read = |text: &str| document::read(text, &|url: &str| Ok(url.to_owned()));
        let settings = read(text).unwrap().settings;
        for kind in [Kind::ShipFrom, Kind::Connection, Kind::ShippingMethod] {
            for id in kind.ids(&settings) {
                let mut without = settings.clone();
                kind.remove(&mut without, id);
                let can_go = read(&document::write(&without)).is_ok();
                assert_eq!(in_use(Lang::Ja, kind, &settings, id).is_empty(), can_go, "{kind:?} {id}");
                assert_eq!(can_go, id == "spare" || id == "b", "{kind:?} {id}");
            }
        }
    }
}
