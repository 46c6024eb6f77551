//! Two merchants on one deployed stack do not meet: every route of the console, every operation of the warehouse's API,
//! every command of `renkei` and every method of the store, with all that the other merchant has. Nothing of the other's is
//! shown, nothing is changed. The lists are the router's own table, the API's own document, the program's own help and the
//! store's own sources: what is new has to say here what it answers.

mod api;
mod canaries;
mod commands;
mod faults;
mod routes;
mod store;
mod two;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_operation_or_command_leads_to_another_merchant() {
    let both = two::both().await;
    let kept = both.kept().await;
    assert!(kept.len() > 15 && kept.iter().any(|item| item.contains(two::MARK)), "{kept:?}");
    routes::walk(&both, &kept).await;
    api::walk(&both, &kept).await;
    commands::walk(&both, &kept).await;
}
