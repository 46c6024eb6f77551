//! Where parcels go: what the shop has of each address against what became of it here, and what its people changed.

use jiff::{SignedDuration, Timestamp};
use renkei_domain::order::SourceAddress;
use renkei_domain::shipment::{Difference, ShipTo, Shipment, ShipmentDetail, Status};
use renkei_simulator::api::{AddressTruth, OrderTruth};
use serde_json::Value;

use super::ends::{Facts, GRANULE};
use super::staff::Edit;

/// How old a reading may be when what came of it is written, calls to AWS repeated: an order made anew shows all that was there
/// before.
const AT_READING: SignedDuration = SignedDuration::from_secs(60);
/// Events that a shipment's history keeps.
const FULL_HISTORY: usize = 8;
/// Prefectures have official numbers up to this.
const PREFECTURES: u64 = 47;

/// Does an address go on a carrier's label, by what the shop has of it? Reckoned anew, and not by what import goes by.
pub fn goes_on_a_label(address: &AddressTruth) -> bool {
    let part = |name: &str| address.attributes.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    let postal_code = format!("{}{}", part("zip01"), part("zip02"));
    let prefecture = address.attributes.get("prefecture_id").and_then(Value::as_u64).unwrap_or_default();
    let any = |names: [&str; 2]| names.iter().any(|name| !part(name).is_empty());
    postal_code.len() == 7
        && postal_code.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=PREFECTURES).contains(&prefecture)
        && part("prefecture_name").ends_with(['都', '道', '府', '県'])
        && any(["addr01", "addr02"])
        && any(["name01", "company_name"])
}

/// Looks at where a parcel goes: where the order said when it was imported, whatever the shop's people change later, until
/// the merchant's own people have it made anew. What is changed and not taken over is shown as a difference once a sync has
/// read it.
pub fn edited(shipment: &Shipment, detail: &ShipmentDetail, order: &OrderTruth, facts: &Facts<'_>) -> Vec<String> {
    let Some(imported) = detail.source.addresses.iter().find(|address| address.id == shipment.address_id) else {
        return vec!["was made from an order that does not have its address".to_owned()];
    };
    let mut wrong = Vec::new();
    if !is_of(&detail.ship_to, imported) {
        wrong.push("goes elsewhere than its order said when it was imported".to_owned());
    }
    // The shop's people change the first address of an order.
    let is_first = order.shipping_addresses.first().is_some_and(|first| first.id == shipment.address_id.0);
    let edits: &[Edit] = if is_first { facts.edits } else { &[] };
    let line = imported.part("addr02");
    let read = edits.iter().find(|edit| edit.line == line);
    let made = made_anew_at(shipment);
    // A full history may have lost when it was made anew.
    let may_be_made = facts.wished.is_some() && (made.is_some() || shipment.events.len() >= FULL_HISTORY);
    if let Some(edit) = read.filter(|edit| edit.asked_at > shipment.imported_at)
        && (!may_be_made || made.is_some_and(|made| made < edit.asked_at))
    {
        wrong.push(format!(
            "was imported at {}, made anew at {made:?}, and goes where the shop's people changed it to at {}",
            shipment.imported_at, edit.asked_at
        ));
    }
    let later = &edits[edits.iter().rposition(|edit| edit.line == line).map_or(0, |place| place + 1)..];
    // It was read after somebody had wished for it, and shows all that was there by then.
    if let (Some(made), Some(wished), Some(missed)) = (made, facts.wished, later.first())
        && (missed.done_at + GRANULE < wished || missed.done_at + GRANULE + AT_READING < made)
    {
        wrong.push(format!(
            "was made anew at {made}, by a wish of {wished}, without what was changed at the shop at {}",
            missed.done_at
        ));
    }
    let since = made.unwrap_or(shipment.imported_at);
    let noted = shipment.differences.contains(&Difference::Address);
    match later.first() {
        None if noted => {
            wrong.push("shows a difference of its address, which nobody has changed since it was read".to_owned());
        }
        // Until it left: after that nobody compares. What is cancelled is not compared any more either.
        Some(edit) if !noted && shipment.status != Status::Cancelled => {
            let until = shipment.result_at.unwrap_or(Timestamp::MAX);
            if let Some(run) = facts.sync_between(edit.done_at.max(since), until) {
                wrong.push(format!(
                    "shows no difference of its address; it was changed at the shop at {}, and run {} had read that",
                    edit.done_at, run.id
                ));
            }
        }
        None | Some(_) => {}
    }
    wrong
}

/// When a shipment was made anew the last time, by what is kept of its history.
pub fn made_anew_at(shipment: &Shipment) -> Option<Timestamp> {
    let mut made = shipment.events.iter().rev();
    made.find(|event| event.what.starts_with("made anew: ")).map(|event| event.at)
}

/// Is it this address, as the standard conversion writes it?
fn is_of(to: &ShipTo, address: &SourceAddress) -> bool {
    let lines = [
        (&to.prefecture, "prefecture_name"),
        (&to.address1, "addr01"),
        (&to.address2, "addr02"),
        (&to.address3, "addr03"),
        (&to.company, "company_name"),
    ];
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    lines.into_iter().all(|(ours, part)| ours == address.part(part))
        && ["name01", "name02"].into_iter().all(|part| to.name.contains(address.part(part)))
        && digits(&to.postal_code) == digits(address.part("zip01")) + &digits(address.part("zip02"))
}

#[cfg(test)]
mod tests {
    use renkei_domain::run::Run;
    use serde_json::json;

    use super::*;
    use crate::prove::samples::{self, at};
    use crate::prove::warehouse::Notes;

    #[test]
    fn an_address_goes_on_a_label_if_it_has_all_that_one_needs() {
        let address = |change: &Value| {
            let mut address = samples::order().shipping_addresses.remove(0);
            for (part, value) in change.as_object().unwrap() {
                address.attributes.insert(part.clone(), value.clone());
            }
            goes_on_a_label(&address)
        };
        assert!(address(&json!({})));
        assert!(address(&json!({ "addr02": "", "name01": "", "company_name": "見本商事" })));
        for change in [
            json!({ "zip01": "ABC" }),
            json!({ "zip02": null }),
            json!({ "prefecture_id": 48 }),
            json!({ "prefecture_name": "" }),
            json!({ "addr01": "", "addr02": null }),
            json!({ "name01": "" }),
        ] {
            assert!(!address(&change), "{change}");
        }
    }

    #[test]
    fn what_is_made_anew_shows_all_that_was_there_when_it_was_wished_for() {
        let (mut shipment, mut detail) = (samples::shipment("ready"), samples::detail());
        let said = |shipment: &Shipment, detail: &ShipmentDetail, edits: &[Edit], wished: Option<i64>| {
            let notes = Notes::default();
            let facts = Facts { edits, wished: wished.map(at), ..samples::facts(&notes) };
            edited(shipment, detail, &samples::order(), &facts)
        };
        let edits = [edit("見本8番", 10), edit("見本9番", 20)];
        shipment.note(at(40), "made anew: ready", "office@merchant.example");
        assert_eq!(said(&shipment, &detail, &edits, Some(30)).len(), 1, "it shows neither");
        "見本8番".clone_into(&mut detail.ship_to.address2);
        detail.source.addresses[0].parts.insert("addr02".to_owned(), "見本8番".to_owned());
        assert_eq!(said(&shipment, &detail, &edits, Some(30)).len(), 1, "it shows the first alone");
        assert!(said(&shipment, &detail, &edits, Some(15)).is_empty(), "the second came after the wish");
        let slow = Shipment { events: vec![], ..shipment.clone() };
        let made_at = |second: i64| {
            let mut shipment = slow.clone();
            shipment.note(at(second), "made anew: ready", "office@merchant.example");
            shipment
        };
        assert_eq!(said(&made_at(90), &detail, &edits, Some(15)).len(), 1, "no reading is as old");
        assert_eq!(said(&made_at(5), &detail, &edits, Some(2)).len(), 1, "it was made before it was changed to that");
        assert!(!said(&shipment, &detail, &edits, None).is_empty(), "nobody wished for that");
    }

    fn edit(line: &str, second: i64) -> Edit {
        Edit { order: 7, line: line.to_owned(), asked_at: at(second), done_at: at(second) }
    }

    fn said(shipment: &Shipment, detail: &ShipmentDetail, edits: &[Edit], runs: &[Run]) -> Vec<String> {
        let notes = Notes::default();
        edited(shipment, detail, &samples::order(), &Facts { runs, edits, ..samples::facts(&notes) })
    }

    #[test]
    fn an_edit_is_shown_once_a_sync_has_read_it_and_never_applied() {
        let (shipment, detail) = (samples::shipment("hold"), samples::detail());
        let edits = [edit("見本8番", 100)];
        assert!(said(&shipment, &detail, &edits, &[]).is_empty(), "no sync has read it");
        assert!(said(&shipment, &detail, &edits, &[samples::sync(90, 95)]).is_empty(), "that one was before");
        let read = [samples::sync(110, 115)];
        assert_eq!(said(&shipment, &detail, &edits, &read).len(), 1);
        let noted = Shipment { differences: vec![Difference::Address], ..shipment.clone() };
        assert!(said(&noted, &detail, &edits, &read).is_empty());
        assert_eq!(said(&noted, &detail, &[], &read).len(), 1, "nobody changed it");
        let left = Shipment { result_at: Some(at(112)), ..shipment.clone() };
        assert!(said(&left, &detail, &edits, &read).is_empty(), "it left while that was read");
        let mut applied = detail.clone();
        "見本8番".clone_into(&mut applied.ship_to.address2);
        assert_eq!(said(&shipment, &applied, &edits, &[]).len(), 1);
        applied.source.addresses[0].parts.insert("addr02".to_owned(), "見本8番".to_owned());
        assert_eq!(said(&shipment, &applied, &edits, &[]).len(), 1, "its source was applied with it");
        let before = [edit("見本8番", -5)];
        assert!(said(&shipment, &applied, &before, &read).is_empty(), "it was so when it was imported");
    }
}
