//! What each target reads, and what must hold of it.

use std::str::from_utf8;
use std::sync::LazyLock;

use jiff::Timestamp;
use renkei_domain::convert::convert;
use renkei_domain::ids::{ConnectionId, TenantId, WarehouseId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::work::{Fetched, Hint, ImportOrder, Place, StartRobot, UnreadableMessage, VERSION};
use renkei_domain::{document, products};
use renkei_ecforce::{AddressPolicy, ApiAddress, LONGEST_RETRY_AFTER, fuzz as shop};
use renkei_files::{Layout, counts, results};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A text that is of no release and of no word of ours: it must stand in no error.
const CANARY: &str = "見本";

fn now() -> Timestamp {
    Timestamp::new(1_764_000_000, 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn connection() -> ConnectionId {
    ConnectionId::parse("midori-ecforce").expect("an id")
}

fn tenant() -> TenantId {
    TenantId::parse("midori").expect("an id")
}

fn check_url(url: &str) -> Result<String, String> {
    let address = ApiAddress::parse(url, &AddressPolicy::public_only()).map_err(|error| error.to_string())?;
    Ok(address.to_string())
}

fn settings() -> &'static TenantSettings {
    static SETTINGS: LazyLock<TenantSettings> = LazyLock::new(|| {
        let text = include_str!("../../../shared/domain/tests/fixtures/midori.yaml");
        document::read(text, &check_url).unwrap_or_else(|problems| panic!("{problems:?}")).settings
    });
    &SETTINGS
}

/// A merchant's document. What is taken is written down again, and means the same then.
pub fn document(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    match document::read(text, &check_url) {
        Ok(read) => {
            let written = document::write(&read.settings);
            let again = document::read(&written, &check_url);
            let again =
                again.unwrap_or_else(|problems| panic!("what was written is not taken: {problems:?}\n{written}"));
            assert_eq!(again.settings, read.settings, "{written}");
        }
        Err(problems) => assert!(!problems.is_empty(), "it is refused, and nobody knows why"),
    }
}

/// A shop's address. One that is taken is taken again as it is shown, and is of a public host by its form.
pub fn api_url(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    for policy in [AddressPolicy::public_only(), AddressPolicy::with_loopback()] {
        let Ok(address) = ApiAddress::parse(text, &policy) else { continue };
        let again = ApiAddress::parse(&address.to_string(), &policy);
        assert_eq!(again.as_ref().map(ToString::to_string), Ok(address.to_string()), "{text:?}");
        if !policy.opens_loopback() {
            // By https and its own port, for nothing else is shown.
            let shown = address.to_string();
            assert_eq!(shown, address.host());
            assert!(shown.contains('.') && shown.parse::<std::net::IpAddr>().is_err(), "{shown}");
            let is_of_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
            assert!(shown.bytes().all(is_of_host), "{shown}");
        }
    }
}

/// A `Retry-After` header.
pub fn retry_after(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    for now in [Timestamp::MIN, now(), Timestamp::MAX] {
        let wait = renkei_ecforce::retry_after(text, now);
        assert!(wait.is_none_or(|wait| wait <= LONGEST_RETRY_AFTER), "{wait:?}");
    }
}

/// A page of orders: each row becomes an order or says why not, travels through a queue, and becomes parcels.
pub fn shop_orders(bytes: &[u8]) {
    let page = shop::orders(bytes);
    let single = shop::order(bytes);
    let rows = page.map(|page| page.orders).unwrap_or_default().into_iter().chain(single);
    for row in rows {
        let fetched = renkei_shop::order::fetched(row);
        if let Fetched::Unreadable { reason, .. } = &fetched {
            assert!(!reason.contains(CANARY), "a reason quotes the order: {reason}");
        }
        if let Fetched::Order(order) = &fetched {
            match convert(&connection(), order, None) {
                Ok(parcels) => {
                    assert!(!parcels.is_empty() && parcels.iter().all(|parcel| !parcel.detail.items.is_empty()));
                }
                Err(error) => assert!(!error.to_string().contains(CANARY), "{error}"),
            }
        }
        let message = ImportOrder {
            v: VERSION,
            tenant: tenant(),
            connection: connection(),
            run: "run".to_owned(),
            place: Place { page: 1, row: 0 },
            conversion_robot: None,
            fetched_at: now(),
            order: fetched,
        };
        same_again(&message, ImportOrder::read);
    }
}

/// Whatever else a shop answers.
pub fn shop_answers(bytes: &[u8]) {
    let _ = shop::catalogs(bytes);
    let _ = shop::answers(bytes);
    if let Ok(signed_in) = shop::sign_in(bytes) {
        assert!(!format!("{signed_in:?}").contains(CANARY), "a token is printed");
    }
    let shown = format!("{:?}", shop::errors(bytes));
    // What follows each `message` is shown to people; codes are the shop's own words.
    let messages = shown.split("message: ").skip(1).filter_map(|rest| rest.split(" }").next());
    assert!(messages.into_iter().all(|message| !message.contains('@')), "an address of a person is shown: {shown}");
}

/// Messages on queues.
pub fn messages(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    message(text, StartRobot::read);
    message(text, ImportOrder::read);
    message(text, Hint::read);
}

fn message<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    text: &str,
    read: impl Fn(&str) -> Result<T, UnreadableMessage>,
) {
    match read(text) {
        Ok(message) => same_again(&message, read),
        Err(error) => assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}"),
    }
}

fn same_again<T: Serialize + PartialEq + std::fmt::Debug>(
    message: &T,
    read: impl Fn(&str) -> Result<T, UnreadableMessage>,
) {
    let body = serde_json::to_string(message).expect("a message is written");
    match read(&body) {
        Ok(again) => assert_eq!(&again, message, "it came back otherwise"),
        Err(error) => panic!("what was written is not read: {error}: {body}"),
    }
}

/// Bodies that warehouses send.
pub fn warehouse_bodies(bytes: &[u8]) {
    let _ = warehouse_api::fuzz::bodies(bytes, settings(), now());
}

/// Addresses of a warehouse's list, with their cursors: nobody makes up one that is taken.
pub fn warehouse_lists(bytes: &[u8]) {
    let warehouse = WarehouseId::parse("tama-soko").expect("an id");
    if let Some((query, place)) = warehouse_api::fuzz::list(bytes, &warehouse, b"a key that nobody has") {
        assert!(place.is_none(), "a cursor that was made up is taken: {query:?}");
        assert!((1..=warehouse_api::limits::PAGE).contains(&query.limit), "{query:?}");
    }
}

/// Bodies of shops' webhooks.
pub fn webhooks(bytes: &[u8]) {
    let hint = warehouse_api::fuzz::hook(bytes, tenant(), connection(), now());
    assert!(hint.order_ids.len() <= warehouse_api::limits::HINTS);
    assert!(hint.order_numbers.len() <= warehouse_api::limits::HINTS);
    same_again(&hint, Hint::read);
}

/// Files of results and of counts, in every layout of ours.
pub fn result_files(bytes: &[u8]) {
    static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| Layout::all().expect("layouts of ours"));
    for layout in LAYOUTS.iter() {
        for connection in [None, Some(connection())] {
            let file = results::read(layout, connection.as_ref(), bytes);
            let mut ids: Vec<_> = file.rows.iter().map(|row| &row.id).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), file.rows.len(), "{}: a parcel left twice", layout.id);
            let fits = |number: &str| (1..=64).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_graphic());
            assert!(file.rows.iter().all(|row| fits(&row.tracking_number)), "{}: {:?}", layout.id, file.rows);
        }
    }
    let (rows, problems) = counts::read(bytes);
    // A heading alone has neither; every row behind it is one of the two, or blank.
    assert!(rows.len() + problems.len() <= bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1);
}

/// Layouts of merchants' own.
pub fn file_layouts(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    if let Ok(layout) = Layout::parse(text) {
        let written = serde_json::to_string(&layout).expect("a layout is written");
        let again = Layout::parse(&written).map(|again| serde_json::to_string(&again).expect("likewise"));
        assert_eq!(again.expect("what was written is read"), written);
        let _ = results::read(&layout, None, b"a,b,c\n1,2,3\n");
        let _ = renkei_files::export::beginning(&layout);
    }
}

/// Products as CSV.
pub fn products_csv(bytes: &[u8]) {
    match products::from_csv(bytes) {
        Ok(read) => {
            let mut skus: Vec<_> = read.products.iter().map(|product| &product.sku).collect();
            skus.sort();
            skus.dedup();
            assert_eq!(skus.len(), read.products.len(), "a product stands in it twice");
        }
        Err(problems) => assert!(!problems.is_empty(), "it is refused, and nobody knows why"),
    }
}

/// Forms of the console, and places in its addresses.
pub fn console_forms(bytes: &[u8]) {
    assert!(console::fuzz::form(bytes) <= 100, "more than the console works on at a time");
    let Ok(text) = from_utf8(bytes) else { return };
    let shops = [connection()];
    if let Some(place) = console::fuzz::place(text, &shops) {
        assert_eq!(console::fuzz::place(&place, &shops).as_ref(), Some(&place), "{text:?}");
    }
    // What a form puts in force is a document, and is written as one.
    for settings in console::fuzz::setting(bytes, settings()) {
        let written = document::write(&settings);
        let read = document::read(&written, &|url: &str| Ok(url.to_owned()));
        assert_eq!(read.map(|document| document.settings), Ok(settings), "{written}");
    }
}

/// Forms of the console that come with a file.
pub fn console_uploads(bytes: &[u8]) {
    let _ = console::fuzz::upload(bytes);
}
