//! The gate's item as it is stored. The form outlives a deploy: what these tests show must go on being read, and a
//! change of a snapshot is a change of what lies in merchants' tables.

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::gate::{Call, CallDecision, Entry, GateRules, GateState, Kind, Lane};
use serde_json::json;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A day with something in every field.
fn full() -> GateState {
    let rules = GateRules::new(3);
    let mut now = at("2026-11-24T23:58:00Z");
    let entry = GateState::fresh(now).enter(&rules, now, "01KAT0V0F9", Lane::Fetch, None);
    let Entry::Entered(mut state) = entry else { panic!() };
    for (id, kind, day) in [("c1", Kind::SignIn, "24"), ("c2", Kind::Call, "24"), ("c3", Kind::Call, "25")] {
        if day == "25" {
            now = at("2026-11-25T00:07:00.25Z");
        }
        let call = Call {
            run: "01KAT0V0F9",
            epoch: 1,
            lane: Lane::WriteBack,
            robot: "shipped results",
            call_id: id,
            kind,
            last_began: None,
        };
        let CallDecision::Granted(next) = state.call(&rules, now, &call) else { panic!() };
        state = next;
        now += Duration::from_secs(1);
    }
    state
}

#[test]
fn the_item_of_a_full_day() {
    let state = full();
    insta::assert_json_snapshot!(state, @r#"
    {
      "v": 1,
      "seq": 4,
      "day": "2026-11-25",
      "used": 1,
      "carried": 2,
      "late": 0,
      "yesterday": 2,
      "by_robot": {
        "shipped results": 1
      },
      "by_lane": {
        "write-back": 1,
        "payment": 0,
        "fetch": 0,
        "stock": 0
      },
      "next_call_at": "2026-11-25T00:07:01.25Z",
      "gap_ms": 1000,
      "holder": "01KAT0V0F9",
      "epoch": 1,
      "lease_until": "2026-11-25T00:08:00.25Z",
      "last_call": "c3",
      "closed": {
        "until": "2026-11-26T00:05:00Z",
        "reason": "limit-reached"
      },
      "sign_ins": [
        "2026-11-24T23:58:00Z"
      ]
    }
    "#);
    let stored = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<GateState>(&stored).unwrap(), state);
    assert!(stored.len() < 1_024, "an item past 1 KB costs a second write unit with each call: {}", stored.len());
}

#[test]
fn the_item_of_a_gate_never_called() {
    insta::assert_json_snapshot!(GateState::fresh(at("2026-11-24T01:02:03Z")), @r#"
    {
      "v": 1,
      "seq": 0,
      "day": "2026-11-24",
      "used": 0,
      "carried": 0,
      "late": 0,
      "yesterday": 0,
      "by_robot": {},
      "by_lane": {
        "write-back": 0,
        "payment": 0,
        "fetch": 0,
        "stock": 0
      },
      "next_call_at": "2026-11-24T01:02:03Z",
      "gap_ms": 0,
      "epoch": 0
    }
    "#);
}

/// Version 1 as first released. Never to be edited: a version that can no longer be read is replaced as a whole.
#[test]
fn version_1_is_read() {
    let stored = json!({
        "v": 1,
        "seq": 812,
        "day": "2026-11-24",
        "used": 430,
        "carried": 2,
        "late": 0,
        "yesterday": 981,
        "by_robot": { "fetch orders": 400, "shipped results": 30 },
        "by_lane": { "write-back": 30, "payment": 0, "fetch": 400, "stock": 0 },
        "next_call_at": "2026-11-24T05:00:01.25Z",
        "gap_ms": 1000,
        "holder": "01KAT0V0F9",
        "epoch": 37,
        "lease_until": "2026-11-24T05:01:00.25Z",
        "last_call": "01KAT0V0F9-12",
        "closed": { "until": "2026-11-25T00:05:00Z", "reason": "refused-by-shop" },
        "sign_ins": ["2026-11-24T04:59:00Z"]
    });
    let state: GateState = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&state).unwrap(), stored);
    assert!(state.held_by("01KAT0V0F9", 37));
    assert_eq!(state.rest(&GateRules::new(1_000), at("2026-11-25T00:05:00Z"), Lane::Fetch), 1_000 - 270);
}

#[test]
fn what_a_newer_release_added_is_passed_over_and_what_it_left_out_has_a_default() {
    let state: GateState = serde_json::from_value(json!({
        "v": 1,
        "seq": 3,
        "day": "2026-11-24",
        "used": 0,
        "by_lane": { "fetch": 0, "returns": 7 },
        "next_call_at": "2026-11-24T05:00:01Z",
        "epoch": 2,
        "mood": { "of": ["the", "shop"] }
    }))
    .unwrap();
    assert_eq!((state.seq(), state.epoch(), state.holder(), state.closed()), (3, 2, None, None));
}

#[test]
fn a_version_that_this_release_cannot_know_is_refused_and_not_guessed_at() {
    let mut stored = serde_json::to_value(full()).unwrap();
    stored["v"] = json!(2);
    let error = serde_json::from_value::<GateState>(stored).unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
}
