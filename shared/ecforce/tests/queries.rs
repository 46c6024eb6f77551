//! Queries as the shop reads them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use renkei_ecforce::{Include, OrderQuery, TextAttribute, TextTest, TimeAttribute, WholeAttribute, WholeTest};

fn conditions(query: &OrderQuery) -> Vec<(String, String)> {
    query.pairs().into_iter().filter(|(name, _)| name.starts_with("q[")).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn every_condition_has_its_predicate() {
    let moment: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
    let whole = |attribute, test| conditions(&OrderQuery::new().whole(attribute, test)).remove(0);
    let text = |attribute, test| conditions(&OrderQuery::new().text(attribute, test)).remove(0);
    let cases = [
        (whole(WholeAttribute::Id, WholeTest::Eq(1)), pair("q[id_eq]", "1")),
        (whole(WholeAttribute::CustomerId, WholeTest::In(vec![1])), pair("q[customer_id_in][]", "1")),
        (whole(WholeAttribute::SubsOrderId, WholeTest::Lt(1)), pair("q[subs_order_id_lt]", "1")),
        (whole(WholeAttribute::Total, WholeTest::LtEq(1)), pair("q[total_lteq]", "1")),
        (whole(WholeAttribute::PaymentTotal, WholeTest::Gt(-1)), pair("q[payment_total_gt]", "-1")),
        (whole(WholeAttribute::ShippingCarrierId, WholeTest::GtEq(1)), pair("q[shipping_carrier_id_gteq]", "1")),
        (whole(WholeAttribute::StockLocationId, WholeTest::Eq(1)), pair("q[stock_location_id_eq]", "1")),
        (whole(WholeAttribute::Times, WholeTest::Eq(1)), pair("q[times_eq]", "1")),
        (text(TextAttribute::Number, TextTest::Eq("a".into())), pair("q[number_eq]", "a")),
        (text(TextAttribute::PaymentState, TextTest::In(vec!["paid".into()])), pair("q[payment_state_in][]", "paid")),
        (text(TextAttribute::Email, TextTest::Cont("森 &=+%".into())), pair("q[email_cont]", "森 &=+%")),
    ];
    for (got, expected) in cases {
        assert_eq!(got, expected);
    }
    let window = OrderQuery::new().created_at(moment, moment).since(TimeAttribute::ScheduledToBeShippedAt, moment);
    assert_eq!(
        conditions(&window),
        [
            pair("q[created_at_gteq]", "2026-11-24 00:00:00"),
            pair("q[created_at_lt]", "2026-11-24 00:00:00"),
            pair("q[scheduled_to_be_shipped_at_gteq]", "2026-11-24 00:00:00"),
        ]
    );
}

/// A shop takes a blank condition for none and lists every order. Nothing must mean nothing.
#[test]
fn a_blank_condition_matches_nothing_instead_of_everything() {
    let none: [String; 0] = [];
    let queries = [
        OrderQuery::new().state_eq(""),
        OrderQuery::new().state_eq(" \u{3000}"),
        OrderQuery::new().state_in(none),
        OrderQuery::new().state_in(["", " "]),
        OrderQuery::new().id_in([]),
        OrderQuery::new().whole(WholeAttribute::Id, WholeTest::In(vec![])),
        OrderQuery::new().text(TextAttribute::Email, TextTest::Cont(String::new())),
        OrderQuery::new().state_eq("complete").id_gt(5).id_in([]),
    ];
    for query in queries {
        assert_eq!(conditions(&query), [pair("q[id_eq]", "0")], "{query:?}");
    }
    let some = OrderQuery::new().state_in(["complete", "", "working"]);
    assert_eq!(conditions(&some), [pair("q[state_in][]", "complete"), pair("q[state_in][]", "working")]);
}

#[test]
fn values_are_not_printed() {
    let query = OrderQuery::new().text(TextAttribute::Email, TextTest::Eq("midori@buyer.example".into()));
    assert!(!format!("{query:?}").contains("midori"));
}

proptest! {
    /// Whatever a value contains, the shop's parser gets exactly that value under exactly that name.
    #[test]
    fn values_survive_encoding(state in ".{1,40}", ids in prop::collection::vec(1_u64.., 1..5), page in 0_u32.., per in 0_u32..) {
        prop_assume!(!state.chars().all(|c| c.is_whitespace() || c.is_control()));
        let query = OrderQuery::new().state_eq("replaced").state_eq(state.clone()).id_in(ids.clone()).page(page).per(per).include(Include::ALL);
        let mut url = url::Url::parse("https://api.shop.example/api/v2/admin/orders.json").unwrap();
        url.query_pairs_mut().extend_pairs(query.pairs());
        let url = url::Url::parse(url.as_str()).unwrap();
        let mut got: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in url.query_pairs() {
            got.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        prop_assert_eq!(&got["q[state_eq]"], &vec![state]);
        prop_assert_eq!(&got["q[id_in][]"], &ids.iter().map(u64::to_string).collect::<Vec<_>>());
        prop_assert_eq!(&got["page"], &vec![page.max(1).to_string()]);
        prop_assert_eq!(&got["per"], &vec![per.clamp(1, 100).to_string()]);
        prop_assert_eq!(&got["sort"], &vec!["id".to_owned()]);
        prop_assert_eq!(got.len(), 6);
    }

    /// Windows that share an end neither overlap nor leave a gap, wherever within a second the end lies.
    #[test]
    fn neighbouring_windows_meet(nanos in 0_i128..4_000_000_000_000_000_000) {
        let end = Timestamp::from_nanosecond(nanos).unwrap();
        let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(4_100_000_000).unwrap());
        let before = conditions(&OrderQuery::new().updated_at(first, end));
        let after = conditions(&OrderQuery::new().updated_at(end, last));
        prop_assert_eq!(&before.iter().find(|(name, _)| name.contains("_lt]")).unwrap().1,
            &after.iter().find(|(name, _)| name.contains("_gteq]")).unwrap().1);
    }
}
