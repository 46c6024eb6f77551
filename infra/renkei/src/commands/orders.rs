//! `renkei orders`, `renkei retry` and `renkei dismiss`: what became of each order.

use renkei_domain::ids::OrderId;
use renkei_domain::run::Outcome;
use renkei_domain::shipment::Status;
use renkei_platform::queue::Queue;
use renkei_setup::retry;
use serde::Serialize;

use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::{Found, Stack};

const PAGE: i32 = 100;
/// How many imported orders are shown to people; scripts get all.
const SHOWN: usize = 50;

/// An order, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct OrderLine {
    tenant: String,
    connection: String,
    order_id: Option<u64>,
    order_number: Option<String>,
    outcome: &'static str,
    reason: Option<String>,
}

/// Lists orders: first those that were not imported, since they need somebody.
pub async fn list(stack: &Stack, scope: &Scope, outcome: Option<&str>, json: bool) -> Result<Exit, CliError> {
    let wanted = match outcome {
        None => None,
        Some(name) => Some(Outcome::ALL.into_iter().find(|o| o.as_str() == name).ok_or_else(|| {
            CliError::said(format!("there is no outcome {name}; take one of imported, duplicate, quarantined, refused"))
        })?),
    };
    let mut out = Listing { json, rows: Vec::new(), imported: 0 };
    for place in stack.connections(scope).await? {
        for order in place.tenant.not_imported(place.id()).await? {
            let summary = order.summary;
            if wanted.is_none_or(|wanted| wanted == summary.outcome) {
                let reason = Some(summary.reason);
                out.add(&place, summary.order_id, summary.order_number, summary.outcome, reason)?;
            }
        }
        if wanted.is_none_or(|wanted| wanted == Outcome::Imported) {
            imported(&place, &mut out).await?;
        }
    }
    if !json {
        output::table(&["tenant", "connection", "order", "number", "outcome", "reason"], &out.rows)?;
        if out.imported > SHOWN {
            eprintln!("{} more are imported; --json lists all", out.imported - SHOWN);
        }
    }
    Ok(Exit::Done)
}

struct Listing {
    json: bool,
    rows: Vec<Vec<String>>,
    imported: usize,
}

impl Listing {
    fn add(
        &mut self,
        place: &Found,
        id: Option<u64>,
        number: Option<String>,
        outcome: Outcome,
        reason: Option<String>,
    ) -> Result<(), CliError> {
        if self.json {
            return output::json_line(&OrderLine {
                tenant: place.tenant.id().to_string(),
                connection: place.id().to_string(),
                order_id: id,
                order_number: number,
                outcome: outcome.as_str(),
                reason,
            });
        }
        if outcome == Outcome::Imported {
            self.imported += 1;
            if self.imported > SHOWN {
                return Ok(());
            }
        }
        self.rows.push(vec![
            place.tenant.id().to_string(),
            place.id().to_string(),
            id.map(|id| id.to_string()).unwrap_or_default(),
            output::plain(&number.unwrap_or_default()),
            outcome.as_str().to_owned(),
            output::plain(&reason.unwrap_or_default()),
        ]);
        Ok(())
    }
}

/// Orders that are stored: the record of the first parcel stands for the order.
async fn imported(place: &Found, out: &mut Listing) -> Result<(), CliError> {
    for status in Status::ALL {
        let mut from = None;
        loop {
            let page = place.tenant.shipments_by_status(place.id(), status, PAGE, from).await?;
            let leads: Vec<_> = page.rows.into_iter().filter(renkei_domain::ids::ShipmentId::is_lead).collect();
            for lead in place.tenant.shipments(&leads).await? {
                let number = Some(lead.order_number.to_string());
                out.add(place, Some(lead.id.order.0), number, Outcome::Imported, None)?;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Tries orders once more that were not imported.
pub async fn retry(stack: &Stack, scope: &Scope, order: Option<u64>) -> Result<Exit, CliError> {
    let queue = Queue::new(&stack.aws, stack.output("ImportOrdersQueueUrl")?);
    let places = stack.connections(scope).await?;
    let order = order.map(OrderId);
    let places = match order {
        Some(order) => vec![place_of(places, order).await?],
        None => places,
    };
    let (mut now, mut with_next_fetch) = (0, 0);
    for place in places {
        let tried = retry::orders(&place.tenant, &queue, place.id(), order).await?;
        now += tried.now;
        with_next_fetch += tried.with_next_fetch;
    }
    output::line(format!("{now} orders are tried again; see `renkei orders` in a moment"))?;
    if with_next_fetch > 0 {
        output::line(format!(
            "{with_next_fetch} others were read more than 15 minutes ago: the next fetch reads them anew, if they are still to \
             be fetched (`renkei run CONNECTION/fetch-orders` does it now)"
        ))?;
    }
    Ok(Exit::Done)
}

/// Takes an order off the list of those that were not imported; without one, all rows that have no id.
pub async fn dismiss(stack: &Stack, scope: &Scope, order: Option<u64>) -> Result<Exit, CliError> {
    if order.is_none() && scope.tenant.is_none() && scope.connection.is_none() {
        return Err(CliError::said("say of whom with --tenant or --connection"));
    }
    let places = stack.connections(scope).await?;
    let mut dismissed = 0;
    match order.map(OrderId) {
        Some(order) => {
            let place = place_of(places, order).await?;
            place.tenant.forget_not_imported(place.id(), order.0).await?;
            dismissed += 1;
        }
        None => {
            for place in places {
                dismissed += place.tenant.forget_rows_without_id(place.id(), usize::MAX).await?;
            }
        }
    }
    output::line(format!(
        "{dismissed} are off the list; what is still to be fetched at the shop comes back with the next fetch"
    ))?;
    Ok(Exit::Done)
}

/// Where this order waits. Shops count their orders by themselves, so several may have one of this id: then nobody's is
/// touched before it is said whose is meant.
async fn place_of(places: Vec<Found>, order: OrderId) -> Result<Found, CliError> {
    let mut found = Vec::new();
    for place in places {
        if place.tenant.is_not_imported(place.id(), order).await? {
            found.push(place);
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(CliError::said(format!(
            "several shops have an order {order} that was not imported; say which with --tenant, or --connection"
        ))),
        (None, _) => Err(CliError::said("this order is not among those that were not imported; see `renkei orders`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let line = OrderLine {
            tenant: "hanako".into(),
            connection: "hanako-ecforce".into(),
            order_id: Some(88111),
            order_number: Some("EC-88111".into()),
            outcome: Outcome::Quarantined.as_str(),
            reason: Some("the product NEW-1 is not known".into()),
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"tenant":"hanako","connection":"hanako-ecforce","order_id":88111,"order_number":"EC-88111","outcome":"quarantined","reason":"the product NEW-1 is not known"}"#
        );
    }
}
