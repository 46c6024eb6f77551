//! From the shop's words into the domain's: an order as ecforce gives it becomes a [`SourceOrder`].

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::{AddressId, OrderId, OrderNumber, Sku};
use renkei_domain::jst;
use renkei_domain::money::Yen;
use renkei_domain::order::{SourceAddress, SourceCarrier, SourceLine, SourceOrder};
use renkei_domain::settings::Connection;
use renkei_domain::work::{Fetched, ImportOrder};
use renkei_ecforce::{Address, BadRecord, Direction, MAX_PER, Order, OrderItem, OrderPage, OrderQuery, SortBy};
use renkei_platform::queue::{Outgoing, carried, group};
use serde_json::Value;

/// What fetching asks for: the next hundred orders in the connection's fetch state, whatever their payment, with an id above
/// `after`.
#[must_use]
pub fn waiting(connection: &Connection, after: u64) -> OrderQuery {
    OrderQuery::new()
        .state_eq(&connection.states.fetch)
        .id_gt(after)
        .sort(SortBy::Id, Direction::Ascending)
        .per(MAX_PER)
        .include_all()
}

/// The page's rows that are to be imported, each with its place on the page: without what was there before (shops repeat
/// rows, and pass over conditions), and without orders that left the fetch state while the shop was reading.
#[must_use]
pub fn to_import(page: OrderPage, after: u64, fetch_state: &str) -> Vec<(u16, Fetched)> {
    let mut seen = HashSet::new();
    page.orders
        .into_iter()
        .enumerate()
        .filter(|(_, row)| {
            let (id, wanted) = match row {
                Ok(order) => (Some(order.id), order.state == fetch_state),
                Err(bad) => (bad.id, !shows_another_state(bad, fetch_state)),
            };
            wanted && id.is_none_or(|id| id > after && seen.insert(id))
        })
        .filter_map(|(place, row)| Some((u16::try_from(place).ok()?, fetched(row))))
        .collect()
}

/// Does a row that cannot be read still show that it left this state?
#[must_use]
pub fn shows_another_state(bad: &BadRecord, state: &str) -> bool {
    bad.raw["attributes"]["state"].as_str().is_some_and(|shown| shown.trim() != state)
}

/// Why an order of which nobody wants a piece is not imported.
const NOTHING_TO_SHIP: &str = "none of its lines has a quantity above 0";

/// What a row of a listing is to import: an order, or the reason why it is none.
#[must_use]
pub fn fetched(row: Result<Order, BadRecord>) -> Fetched {
    match shown(row) {
        Fetched::Order(order) if has_no_piece(&order) => Fetched::Unreadable {
            id: Some(order.id.0),
            number: Some(order.number.to_string()),
            reason: NOTHING_TO_SHIP.to_owned(),
        },
        other => other,
    }
}

/// An order that was read without its lines has none, and says nothing of its pieces.
fn has_no_piece(order: &SourceOrder) -> bool {
    !order.lines.is_empty() && order.lines.iter().all(|line| line.quantity == 0)
}

/// What a row of a listing shows: an order, or the reason why it cannot be read as one. That nothing of it is to be
/// shipped any more keeps an order from being imported, and not from being read: a sync has to see that of a shipment.
#[must_use]
pub fn shown(row: Result<Order, BadRecord>) -> Fetched {
    match row {
        Ok(order) => {
            let (id, number) = (order.id, order.number.clone());
            match source_order(&order) {
                Ok(order) => Fetched::Order(Box::new(order)),
                Err(reason) => Fetched::Unreadable { id: Some(id), number: Some(cut(&number)), reason },
            }
        }
        Err(bad) => {
            Fetched::Unreadable { id: bad.id, number: bad.number.as_deref().map(cut), reason: bad.reason.clone() }
        }
    }
}

/// Longest number of a row that is no order, in characters. An order's own is never longer.
const LONGEST_NUMBER: usize = 128;

/// A number as far as people need it to find the row: what is longer may not fit into a message, and nothing after it
/// would be fetched any more.
fn cut(number: &str) -> String {
    number.chars().take(LONGEST_NUMBER).collect()
}

/// A larger order does not travel in a queue message; it goes to quarantine by name.
const LARGEST_ORDER: usize = 200 * 1024;

/// Why an order is too large to be imported, if it is: by its size as JSON, in bytes.
#[must_use]
pub fn too_large(bytes: usize) -> Option<String> {
    let reason = || format!("the order has {} KB; at most {} can be imported", bytes / 1024, LARGEST_ORDER / 1024);
    (bytes > LARGEST_ORDER).then(reason)
}

/// The queue's message for an order that is to be imported.
#[must_use]
pub fn outgoing(mut message: ImportOrder) -> Outgoing {
    let mut body = text(&message);
    if let Some(reason) = too_large(body.len())
        && let Fetched::Order(order) = &message.order
    {
        message.order = Fetched::Unreadable { id: Some(order.id.0), number: Some(order.number.to_string()), reason };
        body = text(&message);
    }
    Outgoing { group: group(&message.tenant, &message.connection), body, delay: Duration::ZERO }
}

/// An order was read from JSON, so it can be written as JSON; were that ever untrue, the empty text is a message that
/// ends among the dead letters, where it is seen.
fn text(message: &ImportOrder) -> String {
    serde_json::to_string(message).unwrap_or_default()
}

fn source_order(order: &Order) -> Result<SourceOrder, String> {
    let number = OrderNumber::parse(carried(order.number.trim())).map_err(|e| e.to_string())?;
    let lines = source_lines(&order.items)?;
    let addresses = order.shipping_addresses.iter().map(source_address).collect::<Result<Vec<_>, _>>()?;
    let billing = order.billing_address.as_ref().map(source_address).transpose()?;
    let carrier_name = order.shipping_carrier_name.as_deref().map(|name| carried(name).into_owned());
    let carrier = SourceCarrier { id: order.shipping_carrier_id, name: carrier_name };
    Ok(SourceOrder {
        id: OrderId(order.id),
        number,
        state: order.state.clone(),
        payment_state: order.payment_state.clone().unwrap_or_default(),
        total: Yen(order.total.unwrap_or(0)),
        updated_at: order.updated_at,
        carrier: (carrier.id.is_some() || carrier.name.is_some()).then_some(carrier),
        billing: billing.filter(|billing| is_another(billing, &addresses)),
        addresses,
        lines,
        attributes: scalars(order)?,
    })
}

/// The lines of which there is a piece to ship; where there is a piece of none, all that can be read, so that the order
/// is not taken for one that was read without its lines. That one has none, and is none the worse.
fn source_lines(items: &[OrderItem]) -> Result<Vec<SourceLine>, String> {
    let ordered = items.iter().enumerate().filter(|(_, item)| item.quantity > 0);
    let lines = ordered.map(|(place, item)| source_line(place, item)).collect::<Result<Vec<_>, String>>()?;
    if !lines.is_empty() || items.is_empty() {
        return Ok(lines);
    }
    let of_none: Vec<_> = items.iter().enumerate().filter_map(|(place, item)| source_line(place, item).ok()).collect();
    if of_none.is_empty() { Err(NOTHING_TO_SHIP.to_owned()) } else { Ok(of_none) }
}

fn source_line(place: usize, item: &OrderItem) -> Result<SourceLine, String> {
    let sku = carried(item.variant_sku.as_deref().map(str::trim).unwrap_or_default());
    Ok(SourceLine {
        sku: Sku::parse(&*sku).map_err(|_| format!("line {} has no usable SKU", place + 1))?,
        name: item.product_name.as_deref().map_or(sku, carried).into_owned(),
        quantity: item.quantity,
        // What was charged: a subscription's or a campaign's price differs from what the shop sells one for as a rule.
        price: Yen(item.price.or(item.sales_price).unwrap_or(0)),
        address: item.shipping_address_id.map(AddressId),
        bundled: item.product_bundled_item_id.is_some(),
    })
}

/// Every scalar attribute by the shop's name, times in Japan's wall clock as the shop writes them: conditions and
/// templates are written by people who read them there. All as queues carry it: an order that is read anew is compared with
/// one that was imported, and shows no difference that nobody made.
fn scalars(record: &impl serde::Serialize) -> Result<BTreeMap<String, Value>, String> {
    let Value::Object(attributes) = serde_json::to_value(record).map_err(|e| e.to_string())? else {
        return Ok(BTreeMap::new());
    };
    Ok(attributes
        .into_iter()
        .filter(|(_, value)| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)))
        .map(|(name, value)| {
            let time = value.as_str().filter(|_| name.ends_with("_at")).and_then(|text| text.parse::<Timestamp>().ok());
            let value = match (time, value) {
                (Some(at), _) => at.to_zoned_datetime(jst::zone()).strftime("%Y/%m/%d %H:%M:%S").to_string().into(),
                (None, Value::String(text)) => carried(&text).into(),
                (None, other) => other,
            };
            (carried(&name).into_owned(), value)
        })
        .collect())
}

fn source_address(address: &Address) -> Result<SourceAddress, String> {
    let mut parts = scalars(address)?
        .into_iter()
        .filter(|(name, _)| name != "id")
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
        .collect();
    if let Some(prefecture) = address.prefecture() {
        name_prefecture(&mut parts, prefecture);
    }
    Ok(SourceAddress { id: AddressId(address.id), parts })
}

/// Parts by which one person at one address is told from another. Those of which an edit is a difference have the kana too:
/// another reading of a name is no other person.
const WHO_AND_WHERE: [&str; 12] = [
    "name01",
    "name02",
    "company_name",
    "zip01",
    "zip02",
    "prefecture_name",
    "addr01",
    "addr02",
    "addr03",
    "tel01",
    "tel02",
    "tel03",
];

/// The same in one text each, of shops that have no parts. They are compared where both have them.
const WRITTEN: [&str; 4] = ["full_name", "full_zip", "full_tel", "full_address"];
/// Longest bill that is kept, over all its parts, in bytes. No person's name and address are longer.
const LONGEST_BILL: usize = 4 * 1024;

/// Does the bill go to somebody, and is that another than the only recipient, or elsewhere? Most orders are for those who
/// order: what is the same twice is not kept twice, nor what only says less. Of an order to several it is always kept.
fn is_another(billing: &SourceAddress, recipients: &[SourceAddress]) -> bool {
    let says = |part: &&str| !billing.part(part).is_empty();
    let is_named = ["name01", "name02", "company_name", "full_name"].iter().any(says);
    let is_short = billing.parts.values().map(String::len).sum::<usize>() <= LONGEST_BILL;
    let is_other = |to: &SourceAddress| {
        WHO_AND_WHERE.iter().filter(|part| says(part)).any(|part| billing.part(part) != to.part(part))
            || WRITTEN
                .iter()
                .filter(|part| says(part) && !to.part(part).is_empty())
                .any(|part| billing.part(part) != to.part(part))
    };
    is_named && is_short && !matches!(recipients, [only] if !is_other(only))
}

/// Gives an address whose prefecture stands in its written lines only the part that others have it in. The first line
/// loses it, or a label would have it twice; an address that has the part is left as the shop gave it.
fn name_prefecture(parts: &mut BTreeMap<String, String>, prefecture: &str) {
    if parts.get("prefecture_name").is_some_and(|named| !named.trim().is_empty()) {
        return;
    }
    if let Some(line) = parts.get_mut("addr01")
        && let Some(below) = line.trim_start().strip_prefix(prefecture)
    {
        *line = below.trim_start().to_owned();
    }
    parts.insert("prefecture_name".to_owned(), prefecture.to_owned());
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use renkei_domain::convert::standard;
    use renkei_domain::ids::{ConnectionId, TenantId};
    use renkei_domain::work::{Place, VERSION};
    use renkei_ecforce::{AddressPolicy, ApiAddress, Client, Timeouts, Token, http_client};
    use serde_json::json;
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    /// An order as the shop gave it, with some of it otherwise.
    fn order(change: impl FnOnce(&mut Value)) -> Order {
        let mut order = json!({
            "id": 88_111, "number": "H-1001", "state": "complete", "total": 4_500,
            "shipping_addresses": [
                { "id": 120, "prefecture_name": "東京都", "addr01": "江東区架空町", "full_address": "東京都江東区架空町" },
            ],
            "order_items": [
                { "id": 1, "variant_sku": "SERUM-30", "sales_price": 4_980, "price": 4_482, "quantity": 1 },
                { "id": 2, "variant_sku": "MASK-5", "sales_price": 1_980, "quantity": 2 },
            ],
        });
        change(&mut order);
        serde_json::from_value(order).unwrap()
    }

    fn read(change: impl FnOnce(&mut Value)) -> SourceOrder {
        source_order(&order(change)).unwrap()
    }

    #[test]
    fn a_line_has_the_price_that_was_charged() {
        let prices: Vec<Yen> = read(|_| {}).lines.iter().map(|line| line.price).collect();
        assert_eq!(prices, [Yen(4_482), Yen(1_980)]);
    }

    #[test]
    fn what_nobody_ordered_a_piece_of_is_no_line() {
        let none = |places: &[usize]| {
            order(|order| {
                for place in places {
                    order["order_items"][*place]["quantity"] = json!(0);
                }
            })
        };
        let left = source_order(&none(&[0])).unwrap().lines;
        assert_eq!(left.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), ["MASK-5"]);
        assert!(matches!(fetched(Ok(none(&[0]))), Fetched::Order(_)));
        // A reading of the states alone has no lines at all.
        assert!(read(|order| order["order_items"] = json!([])).lines.is_empty());
    }

    #[test]
    fn an_order_without_a_piece_is_read_whole_and_not_imported() {
        let without = |change: fn(&mut Value)| {
            Ok(order(|order| {
                for place in 0..2_usize {
                    order["order_items"][place]["quantity"] = json!(0);
                }
                change(order);
            }))
        };
        let Fetched::Order(order) = shown(without(|_| ())) else { panic!("a sync reads it anew each time") };
        assert_eq!(order.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [0, 0]);
        let Fetched::Unreadable { id, number, reason } = fetched(without(|_| ())) else { panic!("it is imported") };
        assert_eq!((id, number.as_deref(), reason.as_str()), (Some(88_111), Some("H-1001"), NOTHING_TO_SHIP));
        // A line of nothing needs no SKU; without any it is not known what the order was of.
        let bare: fn(&mut Value) = |order| order["order_items"][0]["variant_sku"] = json!("");
        assert!(matches!(shown(without(bare)), Fetched::Order(order) if order.lines.len() == 1));
        let none: fn(&mut Value) = |order| {
            for place in 0..2_usize {
                order["order_items"][place]["variant_sku"] = json!("");
            }
        };
        assert!(matches!(shown(without(none)), Fetched::Unreadable { reason, .. } if reason == NOTHING_TO_SHIP));
    }

    #[test]
    fn a_prefecture_that_only_the_written_address_has_becomes_a_part() {
        let address = |parts: Value| read(|order| order["shipping_addresses"][0] = parts).addresses.remove(0);
        let both =
            |address: &SourceAddress| (address.part("prefecture_name").to_owned(), address.part("addr01").to_owned());
        let osaka = ("大阪府".to_owned(), "大阪市北区見本町".to_owned());
        let full =
            address(json!({ "id": 1, "addr01": "大阪市北区見本町", "full_address": "大阪府大阪市北区見本町1-1" }));
        assert_eq!(both(&full), osaka);
        let first = address(json!({ "id": 1, "addr01": " 大阪府 大阪市北区見本町" }));
        assert_eq!(both(&first), osaka, "not twice on the label");
        // What has the part already is as the shop gave it.
        let given = json!({ "id": 1, "prefecture_name": "東京都", "addr01": "東京都江東区架空町" });
        assert_eq!(both(&address(given)), ("東京都".to_owned(), "東京都江東区架空町".to_owned()));
        assert_eq!(both(&address(json!({ "id": 1, "addr01": "架空町" }))).0, "");
    }

    #[test]
    fn who_ordered_is_kept_where_that_is_somebody_else_or_elsewhere() {
        let orderer = |billing: Value| {
            let order = read(|order| {
                order["shipping_addresses"][0]["name01"] = json!("見本");
                order["shipping_addresses"][0]["tel01"] = json!("03");
                order["billing_address"] = billing;
            });
            (order.billing.is_some(), order.orderer().unwrap().id.0)
        };
        let same =
            json!({ "id": 7, "name01": "見本", "prefecture_name": "東京都", "addr01": "江東区架空町", "tel01": "03" });
        let with = |part: &str, value: &str| {
            let mut other = same.clone();
            other[part] = json!(value);
            other
        };
        assert_eq!(orderer(same.clone()), (false, 120));
        assert_eq!(orderer(with("tel01", "")), (false, 120), "it says less of the same");
        assert_eq!(orderer(with("name01", "")), (false, 120), "nobody");
        assert_eq!(orderer(Value::Null), (false, 120));
        assert_eq!(orderer(with("name01", "贈主")), (true, 7), "a gift");
        assert_eq!(orderer(with("addr01", "港区架空町")), (true, 7), "sent elsewhere");
        assert_eq!(orderer(with("addr03", &"号".repeat(2_000))), (false, 120), "no address is as long");
        let whole = json!({ "id": 7, "full_name": "贈主 一郎", "full_address": "東京都港区架空町" });
        assert_eq!(orderer(whole), (true, 7), "in one text");
        // Of several recipients none is taken for who ordered.
        let several = |billing: Value| {
            read(|order| {
                let first = order["shipping_addresses"][0].clone();
                order["shipping_addresses"] = json!([first, { "id": 121, "name01": "別人" }]);
                order["billing_address"] = billing;
            })
        };
        assert_eq!(several(same).orderer().map(|orderer| orderer.id.0), Some(7));
        assert!(several(Value::Null).orderer().is_none());
    }

    #[test]
    fn a_total_that_the_shop_left_out_is_told_from_one_of_nothing() {
        assert!(read(|_| {}).says_total() && read(|order| order["total"] = json!(0)).says_total());
        assert!(!read(|order| order["total"] = Value::Null).says_total());
    }

    /// In UTC they are the evenings before.
    #[tokio::test]
    async fn the_days_that_a_shop_writes_are_the_days_of_the_shipment() {
        let row = json!({ "id": "88111", "type": "order", "attributes": {
            "number": "H-1001", "state": "complete",
            "scheduled_to_be_shipped_at": "2026/11/25 00:00:00", "scheduled_to_be_delivered_at": "2026/11/27 00:00:00"
        } });
        let shop = MockServer::start().await;
        let answer = ResponseTemplate::new(200).set_body_json(json!({ "data": [row] }));
        Mock::given(any()).respond_with(answer).mount(&shop).await;
        let policy = AddressPolicy::with_loopback();
        let http = http_client(&policy, &Timeouts::default()).unwrap();
        let client = Client::new(http, ApiAddress::parse(&shop.uri(), &policy).unwrap());
        let token = Token::parse(&"tok-123".to_owned().into()).unwrap();
        let mut page = client.orders(&token, &OrderQuery::new()).await.unwrap();

        let Fetched::Order(order) = shown(page.orders.remove(0)) else { panic!("it is an order") };
        let address = SourceAddress { id: AddressId(120), parts: BTreeMap::new() };
        let detail = standard::detail(&order, &address);
        let days = (detail.ship_on, detail.deliver_on);
        assert_eq!(days, (Some(date(2026, 11, 25)), Some(date(2026, 11, 27))));
    }

    #[test]
    fn a_bad_row_that_shows_another_state_is_not_to_be_imported() {
        let left = |raw: Value| {
            let bad = BadRecord { id: Some(1), number: None, reason: "it has no items".to_owned(), raw };
            shows_another_state(&bad, "complete")
        };
        assert!(left(json!({ "attributes": { "state": "shipped" } })));
        assert!(!left(json!({ "attributes": { "state": " complete " } })));
        // Of these nothing is known: a person has to look.
        assert!(!left(json!({ "attributes": { "state": null } })) && !left(json!("no record")));
    }

    #[test]
    fn what_a_queue_would_not_take_is_the_same_in_an_order_that_is_read_anew() {
        let order = read(|order| {
            order["number"] = json!("H-\u{fffe}1");
            order["gift\u{fffe}"] = json!("のし\u{ffff}");
            order["shipping_addresses"][0]["addr02"] = json!("1-1\u{ffff}");
            order["order_items"][0]["product_name"] = json!("美容液\u{fffe}");
            order["order_items"][1]["variant_sku"] = json!("MASK-\u{fffe}");
        });
        assert_eq!(order.number.as_str(), "H-\u{fffd}1");
        assert_eq!(order.attributes.get("gift\u{fffd}"), Some(&json!("のし\u{fffd}")));
        assert_eq!(order.addresses[0].part("addr02"), "1-1\u{fffd}");
        assert_eq!((order.lines[0].name.as_str(), order.lines[1].sku.as_str()), ("美容液\u{fffd}", "MASK-\u{fffd}"));
        let text = serde_json::to_string(&order).unwrap();
        assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "{text}");
    }

    #[test]
    fn no_number_makes_a_message_too_large() {
        let endless = "注".repeat(300_000);
        let fetched = fetched(Ok(order(|order| order["number"] = json!(endless))));
        assert!(matches!(&fetched, Fetched::Unreadable { number: Some(number), .. } if number.chars().count() == 128));
        let message = ImportOrder {
            v: VERSION,
            tenant: TenantId::parse("hanako").unwrap(),
            connection: ConnectionId::parse("hanako-ecforce").unwrap(),
            run: "run".to_owned(),
            place: Place { page: 1, row: 0 },
            conversion_robot: None,
            fetched_at: Timestamp::UNIX_EPOCH,
            order: fetched,
        };
        assert!(outgoing(message).body.len() < 4_096);
    }
}
