//! Reads every kind of item as functions read it.

use std::collections::HashSet;

use futures::future::BoxFuture;
use jiff::Timestamp;
use renkei_domain::ids::Sku;
use renkei_domain::member::Email;
use renkei_domain::shipment::{ShopWork, Status};
use renkei_store::access::Secret;
use renkei_store::sessions::Sessions;
use renkei_store::shipments::detail_version;
use renkei_store::{Store, StoreError, Tenant};
use serde_json::{Value, json};

use crate::midori;

/// What is read, by what reads it. Whatever cannot be turned into JSON is given as it prints, and where it prints nothing of
/// itself, by what shows that it came back whole.
#[expect(clippy::too_many_lines, reason = "all that there is to read, one after the other")]
pub async fn everything(
    store: &Store,
    tenant: &Tenant,
    sessions: &Sessions,
) -> Vec<(&'static str, Result<Value, String>)> {
    let shop = midori::shop();
    let (lead, numbers) = (midori::parcels(), midori::numbers());
    let orders: Vec<_> = numbers.iter().map(|(id, _)| *id).collect();
    let skus: HashSet<Sku> = tenant_skus();
    let now: Timestamp = midori::NOW.parse().unwrap();
    let reads: Vec<(&'static str, BoxFuture<'_, Result<Value, StoreError>>)> = vec![
        ("known orders", Box::pin(async { Ok(text(&tenant.known_orders(&shop, &numbers).await?)) })),
        ("shipments", Box::pin(async { Ok(json!(tenant.shipments(&lead).await?)) })),
        (
            "details",
            Box::pin(async {
                let shipments = tenant.shipments(&lead).await?;
                let details = tenant.details(&shipments).await?;
                // Their names are made of their content: what came back otherwise has another.
                let same =
                    shipments.iter().zip(&details).all(|(shipment, detail)| shipment.detail == detail_version(detail));
                Ok(json!({ "details": details, "same": same }))
            }),
        ),
        (
            "lists by status",
            Box::pin(async {
                let mut found = Vec::new();
                for status in Status::ALL {
                    found.push(text(&tenant.shipments_by_status(&shop, status, 100, None).await?.rows));
                }
                Ok(json!(found))
            }),
        ),
        (
            "lists of work",
            Box::pin(async {
                let mut found = Vec::new();
                for work in [ShopWork::TellWorking, ShopWork::WriteBack, ShopWork::TellShipped] {
                    found.push(text(&tenant.shop_work(&shop, work, 100, None).await?.rows));
                }
                Ok(json!(found))
            }),
        ),
        ("what needs a person", Box::pin(async { Ok(text(&tenant.needs(100, None).await?.rows)) })),
        ("sales", Box::pin(async { Ok(json!(tenant.sales(&shop, &orders).await?)) })),
        (
            "orders that were not imported",
            Box::pin(async {
                let kept = tenant.not_imported(&shop).await?;
                Ok(kept.iter().map(|order| json!({ "summary": order.summary, "message": order.message })).collect())
            }),
        ),
        (
            "orders that waited for products",
            Box::pin(async { Ok(json!(tenant.orders_with_products(&shop, Timestamp::MIN).await?.messages)) }),
        ),
        ("settings", Box::pin(async { Ok(text(&tenant.settings().await?)) })),
        ("history of settings", Box::pin(async { Ok(text(&tenant.settings_history().await?)) })),
        ("a version of settings", Box::pin(async { Ok(text(&tenant.settings_version(1).await?)) })),
        (
            "what a page begins with",
            Box::pin(async {
                let found = tenant.member_at_desk(&Email::parse(midori::OWNER).unwrap()).await?;
                Ok(json!(found.map(|(member, desk)| {
                    let version = desk.settings.map(|applied| applied.version);
                    json!({ "member": member.email, "usual": desk.usual, "kept": desk.kept, "version": version })
                })))
            }),
        ),
        ("notices", Box::pin(async { Ok(json!(tenant.notices().await?)) })),
        ("tenants", Box::pin(async { Ok(json!(store.tenants().await?)) })),
        ("products", Box::pin(async { Ok(json!(tenant.products().await?)) })),
        (
            "products by SKU",
            Box::pin(async {
                let mut found = tenant.products_of(&skus).await?;
                found.sort_by(|one, other| one.sku.cmp(&other.sku));
                Ok(json!(found))
            }),
        ),
        ("mark of the sync", Box::pin(async { Ok(json!(tenant.sync_mark(&shop).await?)) })),
        ("back-fill", Box::pin(async { Ok(json!(tenant.backfill(&shop, midori::RUN).await?)) })),
        ("orders called off", Box::pin(async { Ok(json!(tenant.called_off(&shop).await?)) })),
        ("hints", Box::pin(async { Ok(text(&tenant.hints(&shop, 100).await?)) })),
        ("announced look at hints", Box::pin(async { Ok(text(&tenant.drain(&shop).await?)) })),
        (
            "keys",
            Box::pin(async {
                let grants = tenant.grants().await?;
                Ok(grants.iter().map(|grant| json!([grant, grant.is_valid(now), grant.seal()])).collect())
            }),
        ),
        (
            "what a key opens",
            Box::pin(async {
                let mut opened = Vec::new();
                for (kind, secret) in midori::KEYS {
                    let secret = Secret::parse(kind, secret).unwrap();
                    opened.push(store.opened_by(&secret, now).await?.expect("it was handed out"));
                }
                Ok(json!(opened))
            }),
        ),
        ("members", Box::pin(async { Ok(json!(tenant.members().await?)) })),
        (
            "people's merchants",
            Box::pin(async {
                let mut found = Vec::new();
                for person in midori::PEOPLE {
                    found.push(store.memberships(&Email::parse(person.0).unwrap()).await?);
                }
                Ok(json!(found))
            }),
        ),
        ("audit log", Box::pin(async { Ok(json!(tenant.audit_log(100, None).await?.rows)) })),
        ("gate", Box::pin(async { Ok(json!(tenant.gate(&shop, now).await?)) })),
        ("counts", Box::pin(async { Ok(json!(tenant.counts(&midori::ship_from()).await?)) })),
        ("offers", Box::pin(async { Ok(json!(tenant.told_offers(&shop).await?)) })),
        ("run", Box::pin(async { Ok(json!(tenant.run(midori::RUN).await?)) })),
        ("run's place", Box::pin(async { Ok(text(&tenant.run_progress(midori::RUN).await?)) })),
        ("pages of a run", Box::pin(async { Ok(text(&tenant.run_pages(midori::RUN).await?)) })),
        ("runs", Box::pin(async { Ok(json!(tenant.runs(100, None).await?.rows)) })),
        // What is noted of the robot says more; its shape is looked at in the store's own tests.
        ("whether a robot fails", Box::pin(async { Ok(json!(tenant.is_failing(&shop, &midori::robot()).await?)) })),
        ("session", Box::pin(async { Ok(json!(sessions.find(midori::OWNER, midori::DIGEST).await?)) })),
        (
            "sign-in",
            Box::pin(async {
                // It is there once: what was read is put back.
                let sign_in = sessions.take_sign_in(midori::DIGEST).await?;
                if let Some(sign_in) = &sign_in {
                    sessions.begin_sign_in(midori::DIGEST, sign_in).await?;
                }
                Ok(json!(sign_in))
            }),
        ),
    ];
    let mut found = Vec::new();
    for (what, read) in reads {
        found.push((what, read.await.map_err(|error| error.to_string())));
    }
    found
}

fn tenant_skus() -> HashSet<Sku> {
    midori::settings().products.into_iter().map(|product| product.sku).collect()
}

fn text(value: &impl std::fmt::Debug) -> Value {
    Value::from(format!("{value:?}"))
}
