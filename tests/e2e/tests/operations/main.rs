//! What operators do: invite people, see what is wrong, hear of it, and let a merchant go. And what nobody may ever see:
//! secrets and customers' data in logs. They are one program because each program deploys the stack anew.

mod alerts;
mod departure;
mod doctor;
mod logs;
mod members;
mod metrics;
mod restore;

use renkei_e2e::aws;
use renkei_simulator::api::{OrderOptions, ShopSpec};

/// The tests of this program plant faults in the one stack, so they follow each other.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// Everything that is stored of a tenant.
async fn kept(name: &str) -> Vec<String> {
    let all = aws().everything().await;
    let mut of_it: Vec<String> =
        all.iter().map(|(table, item)| format!("{table} {item}")).filter(|text| text.contains(name)).collect();
    of_it.sort();
    of_it
}
