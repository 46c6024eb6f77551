//! Each call against the wire: what is sent, and what becomes of the answer.

mod common;

use common::{ORDERS, client, token};
use renkei_ecforce::{
    Client, Direction, Include, OrderQuery, Outcome, PageRequest, RecordKey, Retry, ShippingOptions, ShippingResult,
    SortBy, StateChange, StockLevel, StockOutcome,
};
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn shop(mock: Mock) -> (MockServer, Client) {
    let server = MockServer::start().await;
    mock.expect(1).mount(&server).await;
    let client = client(&server.uri());
    (server, client)
}

fn put(endpoint: &str) -> wiremock::MockBuilder {
    Mock::given(method("PUT")).and(path(endpoint)).and(header("content-type", "application/json"))
}

#[tokio::test]
async fn sign_in_sends_the_password_once_and_keeps_the_token() {
    let (_server, client) =
        shop(
            Mock::given(method("POST"))
                .and(path("/api/v2/admins/sign_in.json"))
                .and(header("accept", "application/json"))
                .and(body_json(json!({"admin": {"email": "robot@renkei.example", "password": "p@ss\"word"}})))
                .respond_with(ResponseTemplate::new(200).set_body_json(
                    json!({"id": 1, "email": "robot@renkei.example", "authentication_token": "abc-DEF_1"}),
                )),
        )
        .await;
    let signed = client.sign_in("robot@renkei.example", &"p@ss\"word".to_owned().into()).await.unwrap();
    assert_eq!(signed.id, Some(1));
    let shown = format!("{signed:?} {client:?}");
    assert!(!shown.contains("abc-DEF_1"), "{shown}");

    // The next call carries it.
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Token token=\"abc-DEF_1\""))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"data": []})))
        .expect(1)
        .mount(&server)
        .await;
    let page = common::client(&server.uri()).orders(&signed.token, &OrderQuery::new()).await.unwrap();
    assert_eq!((page.rows, page.is_last(100)), (0, true));
}

#[tokio::test]
async fn orders_asks_in_the_shops_words() {
    let (_server, client) = shop(
        Mock::given(method("GET"))
            .and(path("/api/v2/admin/orders.json"))
            .and(header("authorization", "Token token=\"tok-123\""))
            .and(query_param("q[state_eq]", "complete"))
            .and(query_param("q[id_gt]", "88110"))
            .and(query_param("q[updated_at_gteq]", "2026-11-24 00:00:00"))
            .and(query_param("q[updated_at_lt]", "2026-11-24 09:00:00"))
            .and(query_param("sort", "-updated_at"))
            .and(query_param("per", "50"))
            .and(query_param("page", "2"))
            .and(query_param("include", "shipping_addresses,order_items"))
            .and(query_param_is_missing("lighter"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(ORDERS, "application/json")),
    )
    .await;
    let query = OrderQuery::new()
        .state_eq("complete")
        .id_gt(88_110)
        .updated_at("2026-11-23T15:00:00Z".parse().unwrap(), "2026-11-24T00:00:00.9Z".parse().unwrap())
        .sort(SortBy::UpdatedAt, Direction::Descending)
        .per(50)
        .page(2)
        .include([Include::OrderItems, Include::ShippingAddresses]);
    let page = client.orders(&token(), &query).await.unwrap();
    assert_eq!((page.rows, page.meta.total_count, page.meta.total_pages), (3, Some(3), Some(9)));
    assert!(page.is_last(50) && !page.is_last(3) && page.is_last(1000));
}

#[tokio::test]
async fn order_reads_one_with_everything() {
    let document: serde_json::Value = serde_json::from_str(ORDERS).unwrap();
    let (_server, client) = shop(
        Mock::given(method("GET"))
            .and(path("/api/v2/admin/orders/70001.json"))
            .and(query_param("include", "customer,billing_address,shipping_address,shipping_addresses,order_items"))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!({"data": document["data"][0], "included": document["included"]})),
            ),
    )
    .await;
    let order = client.order(&token(), 70_001).await.unwrap().unwrap();
    assert_eq!((order.number.as_str(), order.items.len()), ("b7000001aa", 3));
}

#[tokio::test]
async fn bulk_update_tells_each_record_apart() {
    let (_server, client) = shop(
        put("/api/v2/admin/orders/bulk_update.json")
            .and(body_json(json!({"orders": [
                {"id": 1, "state": "working"}, {"id": 2, "state": "working"}, {"id": 3, "state": "working"},
                {"id": 4, "state": "working"}, {"id": 5, "state": "working"}
            ]})))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "success": [1, "2"],
                "failure": [3],
                "errors": [
                    {"id": 3, "code": "AOR0000", "message": "更新できません", "errors": [{"code": "AOR2001", "message": "orderが見つかりません。"}]},
                    {"id": "4", "code": "AOR0000", "message": "", "errors": [{"code": "AOR9999", "message": "内部エラー"}]}
                ]
            }))),
    )
    .await;
    let changes: Vec<StateChange> = (1..=5).map(|id| StateChange { id, state: "working".to_owned() }).collect();
    let answer = client.bulk_update(&token(), &changes).await.unwrap();
    assert_eq!(answer.outcome_for(1, None), Outcome::Success);
    assert_eq!(answer.outcome_for(2, None), Outcome::Success);
    let Outcome::Failure(Some(gone)) = answer.outcome_for(3, None) else { panic!("3 failed") };
    assert_eq!(gone.to_string(), "AOR0000 更新できません: AOR2001 orderが見つかりません。");
    assert_eq!(gone.retry(), Retry::Permanent);
    let Outcome::Failure(Some(trouble)) = answer.outcome_for(4, None) else { panic!("4 failed") };
    assert_eq!(trouble.retry(), Retry::Passing { after: None });
    assert_eq!(answer.outcome_for(5, None), Outcome::Unknown);
}

fn parcel(order_id: u64, address: Option<u64>) -> ShippingResult {
    ShippingResult {
        order_id,
        shipping_slip: "1234-5678".to_owned(),
        shipping_carrier_id: Some(6),
        shipped_at: "2026-11-23T01:00:00Z".parse().unwrap(),
        shipping_address_id: address,
    }
}

#[tokio::test]
async fn shipping_tells_addresses_apart() {
    let (_server, client) = shop(
        put("/api/v2/admin/orders/shipping.json")
            .and(body_json(json!({
                "orders": [
                    {"id": 88111, "shipping_slip": "1234-5678", "shipping_carrier_id": 6, "shipped_at": "2026-11-23 10:00:00", "shipping_address_id": 120},
                    {"id": 88112, "shipping_slip": "1234-5678", "shipping_carrier_id": 6, "shipped_at": "2026-11-23 10:00:00"}
                ],
                "with_async": 0, "with_sale": 0
            })))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "success": ["88111-120", 88112, "88114-1"],
                "failure": ["88111-121", "88114-2"],
                "errors": [{"id": "88111-121", "code": "AOR3002", "message": "不正"}]
            }))),
    )
    .await;
    let parcels = [parcel(88_111, Some(120)), parcel(88_112, None)];
    let answer = client.shipping(&token(), &parcels, ShippingOptions::default()).await.unwrap();
    assert_eq!(answer.success[0], RecordKey { order: 88_111, address: Some(120) });
    assert_eq!(answer.outcome_for(88_111, Some(120)), Outcome::Success);
    assert!(matches!(answer.outcome_for(88_111, Some(121)), Outcome::Failure(Some(error)) if error.code == "AOR3002"));
    assert_eq!(answer.outcome_for(88_111, Some(122)), Outcome::Unknown);
    // Named by the order alone: that speaks for its addresses.
    assert_eq!(answer.outcome_for(88_112, Some(7)), Outcome::Success);
    // Asked by the order alone: one failure is a failure.
    assert_eq!(answer.outcome_for(88_114, None), Outcome::Failure(None));
    assert_eq!(answer.outcome_for(8811, None), Outcome::Unknown);
}

#[tokio::test]
async fn shipping_as_a_job_leaves_everything_unknown() {
    let (server, client) = shop(
        put("/api/v2/admin/orders/shipping.json")
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"job_id": 1234}))),
    )
    .await;
    let options = ShippingOptions { with_async: true, with_sale: true };
    let answer = client.shipping(&token(), &[parcel(1, None)], options).await.unwrap();
    assert_eq!((answer.job_id.as_deref(), answer.outcome_for(1, None)), (Some("1234"), Outcome::Unknown));
    let sent: serde_json::Value = server.received_requests().await.unwrap()[0].body_json().unwrap();
    assert_eq!((&sent["with_async"], &sent["with_sale"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn an_empty_success_of_a_write_says_nothing() {
    for template in
        [ResponseTemplate::new(204), ResponseTemplate::new(200), ResponseTemplate::new(200).set_body_string("{}")]
    {
        let (_server, client) = shop(put("/api/v2/admin/orders/shipping.json").respond_with(template)).await;
        let answer = client.shipping(&token(), &[parcel(1, None)], ShippingOptions::default()).await.unwrap();
        assert_eq!(answer.outcome_for(1, None), Outcome::Unknown);
    }
}

#[tokio::test]
async fn a_write_of_nothing_is_not_sent() {
    let server = MockServer::start().await;
    let client = client(&server.uri());
    let refused = client.bulk_update(&token(), &[]).await.unwrap_err();
    assert_eq!((refused.retry(), refused.maybe_applied()), (Retry::Permanent, false));
    client.put_stock_items(&token(), &[]).await.unwrap_err();
    client.shipping(&token(), &[], ShippingOptions::default()).await.unwrap_err();
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn stock_is_read_and_written() {
    let (_server, client) = shop(
        Mock::given(method("GET"))
            .and(path("/api/v2/admin/stock_items.json"))
            .and(query_param("page", "3"))
            .and(query_param("per", "2"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"data": [
                {"id": "1", "type": "stock_item", "attributes": {"id": 1, "variant_sku": "TEA-50", "stock_location_code": "default", "stock": "10"}},
                {"id": "2", "type": "stock_item", "attributes": {"id": 2, "variant_sku": "CUP-1", "stock": null, "stock_unlimited": 1}},
                {"id": "3", "type": "stock_item", "attributes": {"id": 3, "stock": 1}}
            ]}))),
    )
    .await;
    let page = client.stock_items(&token(), PageRequest::new(3, 2)).await.unwrap();
    let tea = page.records[0].as_ref().unwrap();
    assert_eq!(
        (tea.variant_sku.as_str(), tea.stock_location_code.as_deref(), tea.stock),
        ("TEA-50", Some("default"), Some(10))
    );
    assert!(page.records[1].as_ref().unwrap().stock_unlimited);
    let bad = page.records[2].as_ref().unwrap_err();
    assert_eq!(bad.reason, "stock item with id 3 cannot be read: it has no variant_sku");
    assert_eq!((page.rows, page.is_last(4)), (3, true));

    let (_server, client) = shop(
        put("/api/v2/admin/stock_items.json")
            .and(body_json(
                json!({"stock_items": [{"variant_sku": "TEA-50", "stock_location_code": "default", "stock": 10}]}),
            ))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "success": [{"variant_sku": "TEA-50", "stock_location_code": "default", "stock": "10"}],
                "failure": [{"variant_sku": "TEA-50", "stock_location_code": "osaka", "stock": 1}, "CUP-1"],
                "errors": [{"id": "CUP-1", "code": "AOR2001", "message": "variantが見つかりません。"}]
            }))),
    )
    .await;
    let level =
        |sku: &str| StockLevel { variant_sku: sku.to_owned(), stock_location_code: "default".to_owned(), stock: 10 };
    let answer = client.put_stock_items(&token(), &[level("TEA-50")]).await.unwrap();
    assert_eq!(answer.outcome_for("TEA-50", "default"), StockOutcome::Success);
    assert_eq!(answer.outcome_for("TEA-50", "osaka"), StockOutcome::Failure(None));
    assert!(matches!(answer.outcome_for("CUP-1", "default"), StockOutcome::Failure(Some(e)) if e.code == "AOR2001"));
    assert_eq!(answer.outcome_for("PEN-1", "default"), StockOutcome::Unknown);
    assert_eq!(answer.errors()[0].retry(), Retry::Permanent);
}

#[tokio::test]
async fn carriers_and_products_are_listed() {
    let (_server, client) =
        shop(Mock::given(method("GET")).and(path("/api/v2/admin/shipping_carriers.json")).respond_with(
            ResponseTemplate::new(200).set_body_json(json!({"data": [
                {"id": "6", "type": "shipping_carrier", "attributes": {"id": 6, "name": "ネコポス", "state": "active"}}
            ]})),
        ))
        .await;
    let carriers = client.shipping_carriers(&token(), PageRequest::default()).await.unwrap();
    let carrier = carriers.records[0].as_ref().unwrap();
    assert_eq!((carrier.id, carrier.name.as_str()), (6, "ネコポス"));

    let (_server, client) = shop(
        Mock::given(method("GET"))
            .and(path("/api/v2/admin/products.json"))
            .and(query_param("include", "variants"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "data": [{"id": "5", "type": "product", "attributes": {"id": 5, "number": "TEA", "name": "緑茶", "state": "active"},
                    "relationships": {"variants": {"data": [{"id": "51", "type": "variant"}, {"id": "52", "type": "variant"}]}}}],
                "included": [{"id": "51", "type": "variant", "attributes": {"id": 51, "sku": "TEA-50", "name": ""}},
                    {"id": "52", "type": "variant", "attributes": {"id": 52, "sku": null}}]
            }))),
    )
    .await;
    let products = client.products(&token(), PageRequest::default(), true).await.unwrap();
    let tea = products.records[0].as_ref().unwrap();
    let skus: Vec<&str> = tea.variants.iter().map(|variant| variant.sku.as_str()).collect();
    assert_eq!((tea.number.as_deref(), skus), (Some("TEA"), vec!["TEA-50"]));
}
