//! A mistake in the settings is told in a sentence of its own, by the test of a connection and by the runs.

use renkei_e2e::{Ended, World, run};
use renkei_simulator::api::{Endpoint, OrderOptions, ShopSpec};
use serde_json::Value;

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn tested(world: &World) -> Ended {
    run(&["connection", "test", &world.shop.name], None)
}

/// Applies the document with the connection changed.
fn with(world: &World, password: Option<&str>, change: impl FnOnce(&mut Value)) {
    let applied = world.apply_with(1_000, password, |document| change(&mut document["connections"][0]));
    assert_eq!(applied.code, 0, "{applied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mistake_in_a_connection_has_its_own_sentence() {
    let world = World::new("mistaken", plain(3), 1_000).await;
    let right = tested(&world);
    assert_eq!(right.code, 0, "{right:?}");

    let says = |what: &str, ended: &Ended, words: &[&str]| {
        println!(
            "{what}: {}",
            ended.out.lines().find(|line| words.iter().all(|w| line.contains(w))).unwrap_or("-").trim()
        );
        assert_eq!(ended.code, 1, "{what}: {ended:?}");
        assert!(words.iter().all(|word| ended.out.contains(word)), "{what}: {ended:?}");
    };
    // A port where nobody listens. With a token: a password is for one address, and each sign-in that is tried at another is one
    // of the hour's five.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    with(&world, None, |connection| {
        connection["api_url"] = format!("http://{nobody}").into();
        connection["token"] = connection["password"].take();
        connection.as_object_mut().expect("a connection").remove("password");
    });
    says("URL", &tested(&world), &["API URL", "is wrong"]);
    // A shop that is down looks the same: the run comes again by itself, and says meanwhile why it waits.
    world.start("fetch-orders");
    let waits = || run(&["runs", "--json", "--tenant", "mistaken"], None).lines()[0]["error"].to_string();
    world.until("the run says why it waits", async || waits().contains("connect")).await;
    println!("URL, the run: {}", waits());

    with(&world, None, |connection| connection["email"] = "nobody@else.example".into());
    says("e-mail", &tested(&world), &["e-mail or password", "nobody@else.example"]);
    with(&world, Some("not-this-4711"), |_| {});
    let wrong = tested(&world);
    says("password", &wrong, &["e-mail or password", "renkei@service.example"]);
    assert!(!wrong.out.contains("4711"), "{wrong:?}");

    with(&world, None, |connection| connection["stock_location_code"] = "defalt".into());
    says("location", &tested(&world), &["no stock in a location", "defalt", "default"]);
    with(&world, None, |connection| connection["states"] = serde_json::json!({ "fetch": "compleet" }));
    says("state", &tested(&world), &["compleet", "complete", "states.fetch"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_only_written_shows_when_it_is_written() {
    let world = World::new("misnamed", plain(3), 1_000).await;
    with(&world, None, |connection| connection["states"] = serde_json::json!({ "working": "wroking" }));
    assert_eq!(world.run("fetch-orders").code, 0);
    let told = world.run("state-working");
    let error = told.lines()[0]["error"].as_str().unwrap_or_default().to_owned();
    assert!(told.code == 1 && error.contains("wroking") && error.contains("states.working"), "{told:?}");
    with(&world, None, |_| {});
    assert_eq!(world.run("state-working").code, 0, "and the right name heals");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_rights_are_named() {
    let spec = ShopSpec { forbidden: vec![Endpoint::OrdersList, Endpoint::BulkUpdate], ..plain(3) };
    let world = World::new("unrighted", spec, 1_000).await;
    let wrong = tested(&world);
    println!("rights: {}", wrong.out.trim());
    assert!(wrong.code == 1 && wrong.out.contains("rights") && wrong.out.contains("権限"), "{wrong:?}");
    let ran = world.run("fetch-orders");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.lines()[0]["error"].as_str().is_some_and(|error| error.contains("right")), "{ran:?}");
}
