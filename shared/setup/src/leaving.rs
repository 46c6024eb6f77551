//! 発送元 that a document takes out: each goes once nothing is to leave from it any more. And shops that it puts another in
//! the place of, under the same name.

use renkei_domain::document::Document;
use renkei_domain::ids::{ConnectionId, ShipFromId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Status;
use renkei_store::{StoreError, Tenant};

/// Statuses of shipments that a warehouse may still ship.
const OPEN: [Status; 3] = [Status::Hold, Status::Ready, Status::Picking];

/// Ship-froms of the settings in force that the document does not hold, while parcels are still to leave from them: no
/// warehouse would see those any more, nor could it report them.
pub async fn left_behind(
    tenant: &Tenant,
    current: &TenantSettings,
    document: &Document,
) -> Result<Vec<String>, StoreError> {
    let is_gone = |id: &&ShipFromId| document.settings.ship_froms.iter().all(|from| from.id != **id);
    let gone: Vec<&ShipFromId> = current.ship_froms.iter().map(|from| &from.id).filter(is_gone).collect();
    // It takes reading all that is open, so nobody pays for it but who takes a ship-from out.
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let mut open = Vec::new();
    for connection in &current.connections {
        open.extend(open_from(tenant, &connection.id, &gone).await?);
    }
    let line = document.places.line("ship_froms");
    Ok(gone.into_iter().filter_map(|id| still_leaving(line, id, &open)).collect())
}

/// Connections whose address the document changes while there are shipments that came from the one before. Shops count their
/// orders by themselves, each from 1: what is told and read by ids would be another customer's order there.
pub async fn led_elsewhere(
    tenant: &Tenant,
    current: &TenantSettings,
    document: &Document,
) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    for (place, connection) in document.settings.connections.iter().enumerate() {
        let id = &connection.id;
        let is_led = current.connection(id).is_some_and(|known| known.api_url != connection.api_url);
        if !is_led || !has_shipments(tenant, id).await? {
            continue;
        }
        let path = format!("connections[{place}].api_url");
        problems.push(format!(
            "line {}: {path}: {id} has shipments of the shop at its former address, and another shop counts its orders alike. \
             Give another shop a connection of its own, with another id. If it is the same shop at a new address, apply with \
             `--same-shop`",
            document.places.line(&path)
        ));
    }
    Ok(problems)
}

async fn has_shipments(tenant: &Tenant, connection: &ConnectionId) -> Result<bool, StoreError> {
    for status in Status::ALL {
        if !tenant.shipments_by_status(connection, status, 1, None).await?.rows.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The open shipments of a connection that leave from one of these.
async fn open_from(
    tenant: &Tenant,
    connection: &ConnectionId,
    ship_froms: &[&ShipFromId],
) -> Result<Vec<(ShipFromId, Status)>, StoreError> {
    const PAGE: i32 = 100;
    let mut open = Vec::new();
    for status in OPEN {
        let mut from = None;
        loop {
            let page = tenant.shipments_by_status(connection, status, PAGE, from).await?;
            let shipments = tenant.shipments(&page.rows).await?.into_iter();
            // The list follows the records a moment behind.
            let theirs = shipments.filter(|it| it.status == status && ship_froms.contains(&&it.ship_from));
            open.extend(theirs.map(|shipment| (shipment.ship_from, status)));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(open)
}

/// That a ship-from cannot go yet, and why; None if nothing is to leave from it.
fn still_leaving(line: usize, id: &ShipFromId, open: &[(ShipFromId, Status)]) -> Option<String> {
    let counts: Vec<String> = OPEN
        .iter()
        .filter_map(|status| {
            let count = open.iter().filter(|(from, of)| from == id && of == status).count();
            (count > 0).then(|| format!("{count} {} ({})", status.as_str(), status.label()))
        })
        .collect();
    (!counts.is_empty()).then(|| {
        format!(
            "line {line}: ship_froms: {id} is not in the document any more, but has open shipments: {}. Let its shops \
             send from another ship-from, and keep this one until these are shipped or cancelled",
            counts.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ship_from_stays_while_parcels_are_to_leave_from_it() {
        let [dc, old] = ["dc", "old"].map(|id| ShipFromId::parse(id).unwrap());
        let open = [(old.clone(), Status::Hold), (old.clone(), Status::Picking), (old.clone(), Status::Picking)];
        let said = still_leaving(7, &old, &open).unwrap();
        assert!(said.starts_with("line 7: ship_froms: old is not in the document any more"), "{said}");
        assert!(said.contains("1 hold (") && said.contains("2 picking (") && !said.contains("ready"), "{said}");
        assert_eq!(still_leaving(7, &dc, &open), None);
    }
}
