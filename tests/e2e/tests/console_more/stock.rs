//! 在庫 in the console: what a warehouse counted comes in by file, and what may be sold of it is shown.

use renkei_e2e::browser::{Browser, Page};
use renkei_e2e::ways::Shop;
use renkei_e2e::{aws, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

const STOCK: &str = "/t/counted/stock";
const COUNTS: &str = "/t/counted/files/counts";

fn plain() -> ShopSpec {
    ShopSpec { orders: 0, order_options: OrderOptions::plain(), ..ShopSpec::default() }
}

/// The cells of a SKU's row, behind the SKU: name, count, when, buffer, reserved, sellable, told. None if it has no row.
fn cells(page: &Page, sku: &str) -> Option<Vec<String>> {
    let (_, rest) = page.text.split_once(&format!("<bdi>{sku}</bdi></th>"))?;
    let row = rest.split("</tr>").next()?;
    Some(row.split("</td>").map(plain_text).collect())
}

fn plain_text(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for sign in html.chars() {
        match sign {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(sign),
            _ => {}
        }
    }
    text.trim().to_owned()
}

/// Count, reserved, sellable and told of a SKU.
fn numbers(page: &Page, sku: &str) -> Option<[String; 4]> {
    let cells = cells(page, sku)?;
    Some([1, 4, 5, 6].map(|place| cells[place].clone()))
}

fn wanted(numbers: [&str; 4]) -> [String; 4] {
    numbers.map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_by_file_are_shown_with_what_is_reserved() {
    let shop = Shop::new("counted", plain(), |_| ()).await;
    let _theirs = Shop::new("counted-theirs", plain(), |_| ()).await;
    let order = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "SERUM-30", "quantity": 3 }] });
    shop.simulator.add_order(shop.name, order).await.expect("an order");
    shop.robot_does("fetch-orders");
    for who in ["viewer", "operator", "admin"] {
        let email = format!("{who}@renkei.example");
        let added = run(&["member", "add", &email, "--tenant", shop.name, "--role", who], None);
        assert_eq!(added.code, 0, "{added:?}");
    }
    let header = "商品コード,数量,計数日時\r\n";

    // A viewer sees, and is offered nothing more.
    let mut viewer = Browser::signed_in("viewer").await;
    let empty = viewer.get(STOCK).await;
    assert!(empty.status == 200 && empty.text.contains("在庫数がまだありません"), "{empty:?}");
    assert!(!empty.text.contains("#counts"), "{}", empty.text);
    let from = ("ship_from", "dc");
    let csrf = empty.csrf();
    let refused = viewer.upload(COUNTS, &[("csrf", &csrf), from], &format!("{header}SERUM-30,100,\r\n")).await;
    assert_eq!(refused.status, 403, "{refused:?}");

    // A file that is none of counts says so and changes nothing.
    let mut operator = Browser::signed_in("operator").await;
    let files = operator.get("/t/counted/files").await;
    assert!(files.text.contains("/files/counts\""), "{}", files.text);
    let csrf = files.csrf();
    let forged = operator.upload(COUNTS, &[("csrf", "x"), from], &format!("{header}SERUM-30,100,\r\n")).await;
    assert_eq!(forged.status, 403);
    let wrong = operator.upload(COUNTS, &[("csrf", &csrf), from], "a,b\r\nSERUM-30,100\r\n").await;
    assert!(wrong.status == 200 && wrong.text.contains("何も取り込んでいません"), "{wrong:?}");
    assert!(wrong.text.contains("1行目 見出し: 1行目に見出しが必要です"), "{}", wrong.text);
    let nothing = operator.upload(COUNTS, &[("csrf", &csrf), from], "").await;
    assert!(nothing.status == 400 && nothing.text.contains("ファイルを選んでください"), "{nothing:?}");
    let elsewhere = operator.upload(COUNTS, &[("csrf", &csrf), ("ship_from", "osaka")], header).await;
    assert_eq!(elsewhere.status, 404, "{elsewhere:?}");
    assert!(operator.get(STOCK).await.text.contains("在庫数がまだありません"));

    // Row by row: what is wrong is said, and the others are taken.
    let mixed = format!("{header}SERUM-30,100,\r\nMASK-5,-1,\r\nNOT-OURS,5,\r\nSOAP-80,7,2100-01-01 09:00:00\r\n");
    let taken = operator.upload(COUNTS, &[("csrf", &csrf), from], &mixed).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    for words in [
        "取り込みました: 1 ·",
        "取り込めなかった行: 3",
        "3行目 数量: 0以上の整数",
        "4行目 商品コード: この商品コードの商品はありません",
        "5行目 計数日時: システムの時計より5分を超えて先の日時です",
    ] {
        assert!(taken.text.contains(words), "{words}: {}", taken.text);
    }
    let page = viewer.get(STOCK).await;
    assert_eq!(numbers(&page, "SERUM-30"), Some(wanted(["100", "3", "97", "—"])), "{}", page.text);
    assert!(["MASK-5", "SOAP-80", "NOT-OURS"].iter().all(|sku| cells(&page, sku).is_none()), "{}", page.text);

    // An older count changes nothing; the shop is told, and the command line says the same.
    let late = "sku,quantity,counted_at\nSERUM-30,1,2026-01-01 09:00\n";
    let older = operator.upload(COUNTS, &[("csrf", &csrf), from], late).await;
    assert!(older.text.contains("より新しい計数があるため、そのまま: 1"), "{}", older.text);
    shop.robot_does("inventory");
    let page = viewer.get(STOCK).await;
    assert_eq!(numbers(&page, "SERUM-30"), Some(wanted(["100", "3", "97", "97"])), "{}", page.text);
    let lines = run(&["stock", shop.name, "--json"], None).lines();
    let line = json!({ "sku": "SERUM-30", "count": 100, "buffer": 0, "reserved": 3, "sellable": 97, "told": 97,
                       "uncertain": false, "refused": null });
    assert_eq!(lines, [line]);

    // Looked for, and another merchant's.
    let found = viewer.get(&format!("{STOCK}?q=serum")).await;
    assert!(cells(&found, "SERUM-30").is_some(), "{}", found.text);
    let none = viewer.get(&format!("{STOCK}?q=mask&after=A")).await;
    assert!(none.status == 200 && none.text.contains("この条件の商品はありません"), "{}", none.text);
    for theirs in [format!("{STOCK}?connection=counted-theirs").as_str(), "/t/counted-theirs/stock"] {
        assert_eq!(viewer.get(theirs).await.status, 404, "{theirs}");
    }
    let theirs = operator.upload("/t/counted-theirs/files/counts", &[("csrf", &csrf), from], header).await;
    assert_eq!(theirs.status, 404);

    let audit = Browser::signed_in("admin").await.get("/t/counted/audit").await.text;
    assert_eq!(audit.matches("<td>在庫数の取込</td>").count(), 3, "{audit}");
    assert!(audit.contains("取込1件・より新しい計数があるもの0件・取り込めない行3件"), "{audit}");
    assert!(!audit.contains("SERUM-30"), "numbers only: {audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_looks_at_5_000_shipments_for_the_stock_and_at_no_more() {
    let shop = Shop::new("counted-many", plain(), |_| ()).await;
    let (name, address) = (shop.name, "/t/counted-many/stock");
    let file = shop.file("counts.csv", "商品コード,数量,計数日時\r\nSERUM-30,100,\r\n");
    let file = file.to_str().expect("a path");
    let counted = run(&["files", "counts", "--tenant", name, "--ship-from", "dc", file], None);
    assert_eq!(counted.code, 0, "{counted:?}");
    let added = run(&["member", "add", "owner@renkei.example", "--tenant", name, "--role", "owner"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("owner").await;
    let page = browser.get(address).await;
    assert!(cells(&page, "SERUM-30").is_some(), "{}", page.text);

    // Their places in the list of what is ready, which is all that is looked at before it is known that they are too many.
    let aws = aws();
    let table = aws.table("Shipments").await;
    let places: Vec<Value> = (1..=5_001)
        .map(|order| {
            json!({ "PutRequest": { "Item": {
                "pk": { "S": format!("S#{name}#{name}#{order}") }, "sk": { "S": "P#00001" },
                "status_pk": { "S": format!("{name}#{name}#ready") },
                "status_sk": { "S": format!("2026-11-25T00:00:00.000Z#{order}#1") },
            } } })
        })
        .collect();
    for some in places.chunks(25) {
        let put = json!({ "RequestItems": { table.as_str(): some } });
        aws.call("dynamodb", "DynamoDB_20120810.BatchWriteItem", put).await;
    }
    let page = browser.get(address).await;
    assert!(page.status == 200 && cells(&page, "SERUM-30").is_none(), "{}", page.text);
    let command = format!("<code>renkei stock {name}</code>");
    assert!(page.text.contains("5,000") && page.text.contains(&command), "{}", page.text);
}
