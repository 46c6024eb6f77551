//! A list as a file for spreadsheets.

use axum::Extension;
use axum::extract::Query;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use renkei_domain::payment::Payment;
use renkei_files::export::is_formula;
use serde::Deserialize;

use super::shipments::status_named;
use super::{chosen, words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

/// Rows of a file: what one answer carries and one request bears.
const MOST: usize = 1_000;
const AT_ONCE: i32 = 100;
/// Not `text/csv`: what is text is decoded once more on its way through Lambda, and loses the mark at its beginning.
const KIND: &str = "application/octet-stream";

/// Which list.
#[derive(Deserialize)]
pub struct Which {
    connection: Option<String>,
    status: Option<String>,
}

/// Sends the list's newest shipments.
pub async fn download(Extension(caller): Extension<Caller>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let settings = caller.settings().await?;
    let status = status_named(which.status.as_deref())?;
    let Some(connection) = chosen(&settings, which.connection.as_deref())? else { return Err(Problem::not_found()) };
    let shell = &caller.shell;
    // Spreadsheets take a file without this mark for Shift_JIS.
    let mut text = String::from("\u{feff}");
    line(&mut text, &heading(shell));
    let mut after = None;
    let mut rows = 0;
    while rows < MOST {
        let listed = caller.tenant.newest(&connection, status, AT_ONCE, after).await?;
        let shipments = caller.tenant.shipments(&listed.ids).await?;
        let details = caller.tenant.details(&shipments).await?;
        rows += shipments.len();
        for (shipment, detail) in shipments.iter().zip(&details) {
            let to = &detail.ship_to;
            let holds: Vec<_> = shipment.holds.iter().map(|reason| words::hold(shell.lang, *reason)).collect();
            let items: Vec<_> = detail.items.iter().map(|item| format!("{} x {}", item.sku, item.quantity)).collect();
            line(
                &mut text,
                &[
                    shipment.id.to_string(),
                    shipment.order_number.to_string(),
                    words::status(shell.lang, shipment.status).to_owned(),
                    holds.join("・"),
                    shell
                        .l(
                            if shipment.payment == Payment::Paid { "入金済み" } else { "未入金" },
                            if shipment.payment == Payment::Paid { "paid" } else { "unpaid" },
                        )
                        .to_owned(),
                    words::sync(shell.lang, shipment.shop_sync).to_owned(),
                    shipment.shipping_method.as_ref().map(ToString::to_string).unwrap_or_default(),
                    shipment.tracking_number.clone().unwrap_or_default(),
                    to.name.clone(),
                    to.postal_code.clone(),
                    format!("{}{}{}{}", to.prefecture, to.address1, to.address2, to.address3),
                    to.phone.clone(),
                    items.join(" / "),
                    detail.totals.total.0.to_string(),
                    shell.full_time(&shipment.imported_at),
                ],
            );
        }
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    // Whoever takes customers' data out in bulk is written down.
    let target = format!("{connection} {}", status.as_str());
    caller.audit("shipments.csv", target, renkei_store::audit::AuditOutcome::Done, format!("{rows} rows")).await?;
    let name = format!("attachment; filename=\"{connection}-{}.csv\"", status.as_str());
    Ok(([(CONTENT_TYPE, KIND.to_owned()), (CONTENT_DISPOSITION, name)], text).into_response())
}

fn heading(shell: &Shell) -> [String; 15] {
    [
        ("出荷指示ID", "shipment"),
        ("受注番号", "order_number"),
        ("状況", "status"),
        ("保留理由", "hold_reasons"),
        ("入金", "payment"),
        ("APIステータス", "shop_sync"),
        ("配送方法", "shipping_method"),
        ("お問い合わせ番号", "tracking_number"),
        ("お届け先名", "name"),
        ("郵便番号", "postal_code"),
        ("住所", "address"),
        ("電話番号", "phone"),
        ("商品", "items"),
        ("合計金額", "total"),
        ("取込日時", "imported_at"),
    ]
    .map(|(ja, en)| shell.l(ja, en).to_owned())
}

fn line(text: &mut String, fields: &[String]) {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push('"');
        if is_formula(field) {
            text.push('\'');
        }
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_customers_write_leaves_its_field_or_is_run() {
        let mut text = String::new();
        line(&mut text, &["a\"b,c\nd".into(), "=HYPERLINK(\"x\")".into(), "＝1+1".into(), "髙橋".into()]);
        assert_eq!(text, "\"a\"\"b,c\nd\",\"'=HYPERLINK(\"\"x\"\")\",\"'＝1+1\",\"髙橋\"\r\n");
    }
}
