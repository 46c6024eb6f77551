//! One shipment, with everything: what the shop gave, what robots did, what happened, what the shop has otherwise.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query};
use axum::response::Html;
use renkei_domain::ids::ShipmentId;
use renkei_domain::shipment::{Shipment, ShipmentDetail};
use serde::Deserialize;

use super::shipments::Row;
use super::{Page, words};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::{Shell, grouped};

/// The merchant and the shipment in the address.
#[derive(Deserialize)]
pub struct Which {
    id: String,
}

/// What was done just before.
#[derive(Deserialize)]
pub struct After {
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "shipment.html")]
struct ShipmentPage {
    s: Shell,
    row: Row,
    detail: ShipmentDetail,
    siblings: Vec<Shipment>,
    method: Option<String>,
    source: String,
    done: Option<String>,
}

impl ShipmentPage {
    fn shipment(&self) -> &Shipment {
        &self.row.shipment
    }
    fn yen(&self, amount: &renkei_domain::money::Yen) -> String {
        format!("{}円", grouped(amount.0))
    }
    fn status(&self, shipment: &Shipment) -> &'static str {
        words::status(self.s.lang, shipment.status)
    }
    fn holds(&self) -> Vec<&'static str> {
        self.shipment().holds.iter().map(|reason| words::hold(self.s.lang, *reason)).collect()
    }
    fn differences(&self) -> Vec<&'static str> {
        self.shipment().differences.iter().map(|it| words::difference(self.s.lang, *it)).collect()
    }
    fn sync(&self) -> &'static str {
        words::sync(self.s.lang, self.shipment().shop_sync)
    }
    fn cancellation(&self) -> Option<&'static str> {
        self.shipment().cancellation.map(|it| words::cancellation(self.s.lang, it.state))
    }
    fn is_paid(&self) -> bool {
        self.shipment().payment == renkei_domain::payment::Payment::Paid
    }
}

/// Shows it.
pub async fn show(Extension(caller): Extension<Caller>, Path(which): Path<Which>, Query(after): Query<After>) -> Page {
    let id = ShipmentId::try_from(which.id).map_err(|_| Problem::not_found())?;
    let shipment = caller.tenant.shipment(&id).await?.ok_or_else(Problem::not_found)?;
    let settings = caller.settings().await?.settings;
    let detail = caller
        .tenant
        .details(std::slice::from_ref(&shipment))
        .await?
        .pop()
        .ok_or_else(|| Problem::ours("a shipment without a detail"))?;
    let siblings = match shipment.parcels {
        1 => Vec::new(),
        _ => caller.tenant.shipments_of(&id.connection, id.order).await?,
    };
    let method = shipment.shipping_method.as_ref().map(|id| {
        let named = settings.shipping_methods.iter().find(|method| method.id == *id);
        named.map_or_else(|| id.to_string(), |method| method.name.clone())
    });
    let source = serde_json::to_string_pretty(&detail.source).map_err(|error| Problem::ours(&error.to_string()))?;
    let page = ShipmentPage {
        row: Row::of(&caller.shell, shipment, &detail),
        siblings,
        method,
        source,
        done: after.done.and_then(|code| super::bulk::done(caller.shell.lang, &code)),
        detail,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}
