//! `renkei shipments` and `renkei shipment`.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, ShipmentId, TenantId};
use renkei_domain::jst;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Item, Shipment, ShipmentDetail, Status};
use serde::Serialize;

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::{Found, Stack};

/// How many are shown to people who did not say.
const SHOWN: usize = 50;
const PAGE: i32 = 100;

/// A shipment, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct ShipmentLine<'a> {
    id: &'a ShipmentId,
    tenant: &'a TenantId,
    connection: &'a ConnectionId,
    order_id: u64,
    order_number: &'a str,
    address_id: u64,
    status: &'a str,
    hold_reason: Option<&'a str>,
    hold_reasons: Vec<&'a str>,
    payment: renkei_domain::payment::Payment,
    payment_state: &'a str,
    shop_sync: &'a str,
    shop_error: Option<&'a renkei_domain::shipment::ShopError>,
    shipping_method: Option<&'a str>,
    carrier_id: Option<u64>,
    tracking_number: Option<&'a str>,
    shipped_at: Option<Timestamp>,
    ship_to: ShipToLine<'a>,
    items: Vec<ItemLine<'a>>,
    totals: TotalsLine,
    imported_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct ShipToLine<'a> {
    name: &'a str,
    postal_code: &'a str,
    prefecture: &'a str,
    address1: &'a str,
    address2: &'a str,
    address3: &'a str,
    phone: &'a str,
}

#[derive(Serialize)]
struct ItemLine<'a> {
    sku: &'a str,
    name: &'a str,
    quantity: u32,
    price: i64,
}

#[derive(Serialize)]
struct TotalsLine {
    total: i64,
}

impl<'a> ShipmentLine<'a> {
    fn of(tenant: &'a TenantId, settings: &TenantSettings, shipment: &'a Shipment, detail: &'a ShipmentDetail) -> Self {
        let method = shipment.shipping_method.as_ref();
        let carrier_id = settings
            .shipping_methods
            .iter()
            .find(|known| Some(&known.id) == method)
            .and_then(|known| known.carrier_ids.get(&shipment.id.connection).copied());
        let to = &detail.ship_to;
        Self {
            id: &shipment.id,
            tenant,
            connection: &shipment.id.connection,
            order_id: shipment.id.order.0,
            order_number: shipment.order_number.as_str(),
            address_id: shipment.address_id.0,
            status: shipment.status.as_str(),
            hold_reason: shipment.hold_reason().map(renkei_domain::shipment::HoldReason::as_str),
            hold_reasons: shipment.holds.iter().map(|reason| reason.as_str()).collect(),
            payment: shipment.payment,
            payment_state: &shipment.payment_state,
            shop_sync: shipment.shop_sync.as_str(),
            shop_error: shipment.shop_error.as_ref(),
            shipping_method: method.map(renkei_domain::ids::ShippingMethodId::as_str),
            carrier_id,
            tracking_number: shipment.tracking_number.as_deref(),
            shipped_at: shipment.shipped_at,
            ship_to: ShipToLine {
                name: &to.name,
                postal_code: &to.postal_code,
                prefecture: &to.prefecture,
                address1: &to.address1,
                address2: &to.address2,
                address3: &to.address3,
                phone: &to.phone,
            },
            items: detail.items.iter().map(item_line).collect(),
            totals: TotalsLine { total: detail.totals.total.0 },
            imported_at: shipment.imported_at,
            updated_at: shipment.updated_at,
        }
    }
}

fn item_line(item: &Item) -> ItemLine<'_> {
    ItemLine { sku: item.sku.as_str(), name: &item.name, quantity: item.quantity, price: item.price.0 }
}

/// The statuses that a filter means.
pub fn statuses(filter: Option<&str>) -> Result<Vec<Status>, CliError> {
    let Some(name) = filter else { return Ok(Status::ALL.to_vec()) };
    match Status::ALL.into_iter().find(|status| status.as_str() == name) {
        Some(status) => Ok(vec![status]),
        None => Err(CliError::said(format!(
            "there is no status {name}; take one of hold, ready, picking, shipped, cancelled"
        ))),
    }
}

/// Lists shipments, page by page: however many there are, one page is in memory.
pub async fn list(
    stack: &Stack,
    scope: &Scope,
    status: Option<&str>,
    limit: Option<usize>,
    json: bool,
) -> Result<Exit, CliError> {
    let statuses = statuses(status)?;
    let mut left = limit.unwrap_or(if json { usize::MAX } else { SHOWN });
    let mut rows = Vec::new();
    let mut more = false;
    'all: for place in stack.connections(scope).await? {
        for status in &statuses {
            let mut from = None;
            loop {
                let page = place.tenant.shipments_by_status(place.id(), *status, PAGE, from).await?;
                let mut shipments = place.tenant.shipments(&page.rows).await?;
                more |= shipments.len() > left;
                shipments.truncate(left);
                left -= shipments.len();
                show_rows(&place, &shipments, json, &mut rows).await?;
                from = page.next;
                if left == 0 {
                    more |= from.is_some();
                    break 'all;
                }
                if from.is_none() {
                    break;
                }
            }
        }
    }
    if !json {
        output::table(&["shipment", "order", "status", "payment", "shop", "method", "to", "items", "total"], &rows)?;
        if more {
            eprintln!("there are more; ask for them with --limit, or for all with --json");
        }
    }
    Ok(Exit::Done)
}

async fn show_rows(
    place: &Found,
    shipments: &[Shipment],
    json: bool,
    rows: &mut Vec<Vec<String>>,
) -> Result<(), CliError> {
    let details = place.tenant.details(shipments).await?;
    for (shipment, detail) in shipments.iter().zip(&details) {
        if json {
            output::json_line(&ShipmentLine::of(place.tenant.id(), &place.settings, shipment, detail))?;
            continue;
        }
        let items: Vec<String> = detail.items.iter().map(|item| format!("{}×{}", item.sku, item.quantity)).collect();
        rows.push(vec![
            shipment.id.to_string(),
            output::plain(shipment.order_number.as_str()),
            status_text(shipment),
            format!("{:?}", shipment.payment).to_lowercase(),
            shipment.shop_sync.as_str().to_owned(),
            shipment.shipping_method.as_ref().map(ToString::to_string).unwrap_or_default(),
            output::plain(&format!("{} {}", detail.ship_to.prefecture, detail.ship_to.name)),
            output::plain(&items.join(" ")),
            detail.totals.total.to_string(),
        ]);
    }
    Ok(())
}

fn status_text(shipment: &Shipment) -> String {
    let reasons: Vec<&str> = shipment.holds.iter().map(|reason| reason.label()).collect();
    if reasons.is_empty() {
        return shipment.status.label().to_owned();
    }
    format!("{} ({})", shipment.status.label(), reasons.join("・"))
}

/// One shipment with everything.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    line: ShipmentLine<'a>,
    parcels: u16,
    told_at: Option<Timestamp>,
    reappeared: u32,
    delivery_note: &'a str,
    ship_on: Option<jiff::civil::Date>,
    deliver_on: Option<jiff::civil::Date>,
    delivery_time: &'a str,
    tags: &'a [String],
    robots: &'a [renkei_domain::shipment::RobotTrace],
    events: &'a [renkei_domain::shipment::Event],
    run: &'a str,
    order: &'a renkei_domain::order::SourceOrder,
}

/// Shows one shipment.
pub async fn show_one(stack: &Stack, tenant: Option<&str>, id: &str, json: bool) -> Result<Exit, CliError> {
    let id: ShipmentId =
        id.parse().map_err(|error: renkei_domain::ids::InvalidId| CliError::said(error.to_string()))?;
    let place = stack.connection(tenant, id.connection.as_str()).await?;
    let Some(shipment) = place.tenant.shipment(&id).await? else {
        return Err(CliError::said(format!("there is no shipment {id}")));
    };
    let details = place.tenant.details(std::slice::from_ref(&shipment)).await?;
    let Some(detail) = details.first() else {
        return Err(CliError::said(format!(
            "shipment {id} has no detail; see docs/operations.md, Data is lost or spoilt"
        )));
    };
    if json {
        output::json_line(&Whole {
            line: ShipmentLine::of(place.tenant.id(), &place.settings, &shipment, detail),
            parcels: shipment.parcels,
            told_at: shipment.told_at,
            reappeared: shipment.reappeared,
            delivery_note: &detail.delivery_note,
            ship_on: detail.ship_on,
            deliver_on: detail.deliver_on,
            delivery_time: &detail.delivery_time,
            tags: &detail.tags,
            robots: &detail.robots,
            events: &shipment.events,
            run: &shipment.run,
            order: &detail.source,
        })?;
        return Ok(Exit::Done);
    }
    describe(&place, &shipment, detail)?;
    Ok(Exit::Done)
}

fn describe(place: &Found, shipment: &Shipment, detail: &ShipmentDetail) -> Result<(), CliError> {
    let line = |label: &str, text: &str| match text.trim() {
        "" => Ok(()),
        text => output::line(format!("{label:<16}{}", output::plain(text))),
    };
    let to = &detail.ship_to;
    output::line(format!("{}  {}", shipment.id, status_text(shipment)))?;
    line("order", &format!("{} (parcel {} of {})", shipment.order_number, shipment.id.parcel, shipment.parcels))?;
    line("tenant", place.tenant.id().as_str())?;
    line("payment", &format!("{:?} ({} at the shop)", shipment.payment, shipment.payment_state).to_lowercase())?;
    line("shop knows", shipment.shop_sync.as_str())?;
    if let Some(error) = &shipment.shop_error {
        line("shop refused", &format!("{} {}", error.code, error.message))?;
    }
    line("to", &format!("〒{} {}{}{}{}", to.postal_code, to.prefecture, to.address1, to.address2, to.address3))?;
    line("", &format!("{} {} {}", to.company, to.name, to.phone))?;
    for item in &detail.items {
        line("item", &format!("{} {} × {} ({})", item.sku, item.name, item.quantity, item.price))?;
    }
    line("total", &detail.totals.total.to_string())?;
    line("method", shipment.shipping_method.as_ref().map_or("", |method| method.as_str()))?;
    line("note", &detail.delivery_note)?;
    line("deliver on", &detail.deliver_on.map(|date| date.to_string()).unwrap_or_default())?;
    line("deliver at", &detail.delivery_time)?;
    for trace in &detail.robots {
        line("robot", &format!("{}: {}", trace.robot, trace.changes.join(", ")))?;
    }
    for event in &shipment.events {
        line("happened", &format!("{}  {} ({})", jst::display(event.at), event.what, event.by))?;
    }
    if let Some(told) = shipment.told_at {
        line("happened", &format!("{}  told to the shop", jst::display(told)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use renkei_domain::ids::{AddressId, OrderId, OrderNumber, ShipFromId, ShippingMethodId, Sku};
    use renkei_domain::money::Yen;
    use renkei_domain::order::{SourceAddress, SourceLine, SourceOrder};
    use renkei_domain::payment::Payment;
    use renkei_domain::settings::ShippingMethod;
    use renkei_domain::shipment::{HoldReason, ShipTo, ShopSync, Totals};
    use renkei_domain::work::Place;

    use super::*;

    fn settings() -> TenantSettings {
        let id = ShippingMethodId::parse("nekopos").unwrap();
        let connection = ConnectionId::parse("hanako-ecforce").unwrap();
        TenantSettings {
            tenant: TenantId::parse("hanako").unwrap(),
            ship_froms: vec![],
            connections: vec![],
            shipping_methods: vec![ShippingMethod {
                id,
                name: "ネコポス".into(),
                warehouse_code: "NEKOPOS".into(),
                keywords: vec![],
                carrier_ids: BTreeMap::from([(connection, 6)]),
                default: true,
            }],
            products: vec![],
            conversion_robots: vec![],
            processing_robots: renkei_domain::settings::ProcessingRobots::default(),
            integration_robots: renkei_domain::settings::IntegrationRobots::default(),
        }
    }

    fn shipment() -> Shipment {
        let at: Timestamp = "2026-11-24T01:02:03Z".parse().unwrap();
        Shipment {
            id: "hanako-ecforce.88111.1".parse().unwrap(),
            order_number: OrderNumber::parse("EC-88111").unwrap(),
            address_id: AddressId(120),
            parcels: 1,
            several_addresses: false,
            ship_from: ShipFromId::parse("tokyo-dc").unwrap(),
            status: Status::Hold,
            holds: vec![HoldReason::AwaitingPayment],
            payment: Payment::Unpaid,
            payment_state: "pending".into(),
            payment_unknown: false,
            released_unpaid: false,
            shop_sync: ShopSync::Registered,
            shipping_method: Some(ShippingMethodId::parse("nekopos").unwrap()),
            tracking_number: None,
            shipped_at: None,
            claimed_at: None,
            claim_key: None,
            result_at: None,
            cancellation: None,
            seen_at: None,
            cancelled_by_shop: false,
            differences: Vec::new(),
            more_differences: Vec::new(),
            differences_of: None,
            differences_seen: false,
            tracking_told: None,
            told_at: None,
            shop_error: None,
            reappeared: 0,
            imported_at: at,
            updated_at: at,
            run: "01J".into(),
            place: Place { page: 1, row: 0 },
            rev: 0,
            detail: "0".into(),
            events: vec![],
        }
    }

    fn detail() -> ShipmentDetail {
        let sku = Sku::parse("SERUM-30").unwrap();
        ShipmentDetail {
            ship_to: ShipTo {
                name: "髙橋 花子".into(),
                postal_code: "135-0064".into(),
                prefecture: "東京都".into(),
                address1: "江東区架空町1-2-3".into(),
                phone: "03-0000-0000".into(),
                ..ShipTo::default()
            },
            items: vec![Item {
                sku: sku.clone(),
                name: "美容液 30ml".into(),
                quantity: 2,
                price: Yen(3000),
                added_by: None,
            }],
            totals: Totals { total: Yen(6600), ..Totals::default() },
            payment_method: String::new(),
            delivery_note: String::new(),
            ship_on: None,
            deliver_on: None,
            delivery_time: String::new(),
            tags: vec![],
            robots: vec![],
            source: SourceOrder {
                id: OrderId(88111),
                number: OrderNumber::parse("EC-88111").unwrap(),
                state: "complete".into(),
                payment_state: "pending".into(),
                total: Yen(6600),
                updated_at: None,
                carrier: None,
                addresses: vec![SourceAddress { id: AddressId(120), parts: BTreeMap::new() }],
                billing: None,
                lines: vec![SourceLine {
                    sku,
                    name: "美容液 30ml".into(),
                    quantity: 2,
                    price: Yen(3000),
                    address: None,
                    bundled: false,
                }],
                attributes: BTreeMap::new(),
            },
        }
    }

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let (settings, shipment, detail) = (settings(), shipment(), detail());
        let line = ShipmentLine::of(&settings.tenant, &settings, &shipment, &detail);
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"id":"hanako-ecforce.88111.1","tenant":"hanako","connection":"hanako-ecforce","order_id":88111,"order_number":"EC-88111","address_id":120,"status":"hold","hold_reason":"awaiting-payment","hold_reasons":["awaiting-payment"],"payment":"unpaid","payment_state":"pending","shop_sync":"registered","shop_error":null,"shipping_method":"nekopos","carrier_id":6,"tracking_number":null,"shipped_at":null,"ship_to":{"name":"髙橋 花子","postal_code":"135-0064","prefecture":"東京都","address1":"江東区架空町1-2-3","address2":"","address3":"","phone":"03-0000-0000"},"items":[{"sku":"SERUM-30","name":"美容液 30ml","quantity":2,"price":3000}],"totals":{"total":6600},"imported_at":"2026-11-24T01:02:03Z","updated_at":"2026-11-24T01:02:03Z"}"#
        );
    }

    #[test]
    fn people_read_the_label_and_the_reasons() {
        assert_eq!(status_text(&shipment()), "保留 (入金確認)");
        assert_eq!(statuses(Some("ready")).unwrap(), [Status::Ready]);
        assert!(statuses(Some("reddy")).unwrap_err().to_string().contains("hold, ready, picking"));
    }
}
