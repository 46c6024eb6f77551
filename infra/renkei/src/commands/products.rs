//! `renkei products`: the merchant's products, by CSV or from a shop.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use renkei_domain::gate::Lane;
use renkei_domain::ids::{ConnectionId, Sku, TenantId};
use renkei_domain::products::from_csv;
use renkei_domain::settings::{Product, TenantSettings};
use renkei_ecforce::{MAX_PER, PageRequest};
use renkei_platform::queue::Queue;
use renkei_products::Released;
use renkei_shop::{Session, SessionRequest};
use renkei_store::Tenant;
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::Stack;

/// Whose calls these are in the quota.
const ROBOT: &str = "products-import";
/// How long a shop's list may take: waiting for another run, pace, and many pages.
const PATIENCE: Duration = Duration::from_mins(10);
/// Largest CSV.
const MOST_BYTES: u64 = 32 * 1_024 * 1_024;

/// A product, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct ProductLine<'a> {
    tenant: &'a TenantId,
    sku: &'a str,
    name: &'a str,
    stock_buffer: Option<u32>,
    not_for_sale: bool,
    temperature: &'a str,
}

/// Lists products.
pub async fn list(stack: &Stack, tenant: Option<&str>, json: bool) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    for (tenant, _) in stack.tenants(tenant).await? {
        for product in tenant.products().await? {
            if json {
                output::json_line(&ProductLine {
                    tenant: tenant.id(),
                    sku: product.sku.as_str(),
                    name: &product.name,
                    stock_buffer: product.stock_buffer,
                    not_for_sale: product.not_for_sale,
                    temperature: product.temperature.as_str(),
                })?;
                continue;
            }
            rows.push(vec![
                tenant.id().to_string(),
                plain(product.sku.as_str()),
                plain(&product.name),
                product.stock_buffer.map(|buffer| buffer.to_string()).unwrap_or_default(),
                if product.not_for_sale { "no".to_owned() } else { "yes".to_owned() },
                product.temperature.label().to_owned(),
            ]);
        }
    }
    if !json {
        output::table(&["tenant", "sku", "name", "buffer", "for sale", "temperature"], &rows)?;
    }
    Ok(Exit::Done)
}

/// Keeps products and lets the orders go that waited for them.
async fn put(
    stack: &Stack,
    tenant: &Tenant,
    settings: &TenantSettings,
    products: &[Product],
) -> Result<Released, CliError> {
    let queue = Queue::new(&stack.aws, stack.output("ImportOrdersQueueUrl")?);
    Ok(renkei_products::put(tenant, ids(settings), &queue, products).await?)
}

fn ids(settings: &TenantSettings) -> impl Iterator<Item = &ConnectionId> {
    settings.connections.iter().map(|connection| &connection.id)
}

/// What is said of orders that were let go; nothing if there were none.
pub fn released(orders: Released) -> Option<String> {
    let Released { now, with_next_fetch } = orders;
    let at_once = (now > 0).then(|| {
        format!("{now} orders that waited for products are imported now (商品待ちの受注 {now}件を取り込みます)")
    });
    let later = (with_next_fetch > 0).then(|| {
        format!(
            "{with_next_fetch} more were read long ago and are imported by the next fetch, as they are then \
             (ほか{with_next_fetch}件は次回の出荷指示取得で最新の内容を取り込みます)"
        )
    });
    let said: Vec<String> = at_once.into_iter().chain(later).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// `renkei products import FILE`.
pub async fn import_csv(stack: &Stack, tenant: Option<&str>, file: &Path, dry_run: bool) -> Result<Exit, CliError> {
    let unreadable = |error: std::io::Error| CliError::said(format!("{} cannot be read: {error}", file.display()));
    if std::fs::metadata(file).map_err(unreadable)?.len() > MOST_BYTES {
        return Err(CliError::said("the file is larger than 32 MB: import it in parts"));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let table = from_csv(&bytes).map_err(|problems| {
        for problem in &problems {
            eprintln!("{}", plain(&problem.to_string()));
        }
        CliError::said(format!("{} problems to put right; nothing was imported", problems.len()))
    })?;
    let (tenant, applied) = stack.one_tenant(tenant).await?;
    let import = renkei_products::compare(&tenant, table).await?;
    finish(stack, &tenant, &applied.settings, &import.changed, (import.read, import.new), dry_run).await
}

async fn finish(
    stack: &Stack,
    tenant: &Tenant,
    settings: &TenantSettings,
    changed: &[Product],
    (read, new): (usize, usize),
    dry_run: bool,
) -> Result<Exit, CliError> {
    let replaced = changed.len() - new;
    output::line(format!(
        "{read} products read: {new} new, {replaced} changed, {} as they were",
        read - changed.len()
    ))?;
    if dry_run {
        output::line("dry run: nothing was imported")?;
        return Ok(Exit::Done);
    }
    // Also if nothing changed: a former attempt may have ended before it let the orders go.
    if let Some(sentence) = released(put(stack, tenant, settings, changed).await?) {
        output::line(sentence)?;
    }
    Ok(Exit::Done)
}

/// `renkei products import --from-shop CONNECTION`.
pub async fn import_shop(stack: &Stack, tenant: Option<&str>, shop: &str, dry_run: bool) -> Result<Exit, CliError> {
    let found = stack.connection(tenant, shop).await?;
    let request = SessionRequest {
        connection: &found.connection,
        holder: format!("{ROBOT}-{}", ulid::Ulid::generate()),
        robot: ROBOT,
        lane: Lane::Fetch,
        deadline: Instant::now() + PATIENCE,
        after_failure: false,
    };
    let mut session = stack.shops()?.open(&found.tenant, request).await?;
    let listed = read_shop(&mut session, dry_run).await;
    let calls = session.calls();
    session.leave().await?;
    output::line(format!("{calls} calls spent (API呼び出し {calls}回)"))?;
    let products = listed?;
    let skus: HashSet<Sku> = products.keys().cloned().collect();
    let known = found.tenant.known_skus(&skus).await?;
    // What the merchant keeps of a product is more than a shop knows: buffers, temperatures. It stays as it is.
    let new: Vec<Product> = products.values().filter(|product| !known.contains(&product.sku)).cloned().collect();
    finish(stack, &found.tenant, &found.settings, &new, (products.len(), new.len()), dry_run).await
}

/// Reads the shop's products, their number of calls said before they are made.
async fn read_shop(session: &mut Session, first_page_only: bool) -> Result<BTreeMap<Sku, Product>, CliError> {
    let mut products = BTreeMap::new();
    let mut unusable = 0;
    let mut seen: HashSet<u64> = HashSet::new();
    let mut number = 1;
    loop {
        let request = PageRequest::new(number, MAX_PER);
        let page = session.call(async |client, token| client.products(token, request, true).await).await?;
        let mut last = page.is_last(MAX_PER);
        let before = seen.len();
        for record in page.records {
            let Ok(product) = record else {
                unusable += 1;
                continue;
            };
            seen.insert(product.id);
            let name = product.name.clone().unwrap_or_default();
            for variant in product.variants {
                let Ok(sku) = Sku::parse(variant.sku.trim()) else {
                    unusable += 1;
                    continue;
                };
                let name = named(&name, variant.name.as_deref(), &sku);
                products.entry(sku.clone()).or_insert(Product {
                    sku,
                    name,
                    stock_buffer: None,
                    not_for_sale: false,
                    temperature: renkei_domain::settings::Temperature::default(),
                    made_of: Vec::new(),
                });
            }
        }
        // A shop that repeats itself must not cost calls without end.
        last |= seen.len() == before;
        if number == 1 && !last {
            let pages = page.meta.total_count.map(|total| total.div_ceil(u64::from(MAX_PER)));
            if let Some(pages) = pages {
                output::line(format!(
                    "by the shop's count its products are read in {pages} calls (API呼び出し {pages}回)"
                ))?;
                if !first_page_only && pages.saturating_sub(1) > u64::from(session.rest()) {
                    return Err(CliError::said(format!(
                        "the day has {} calls left for this: import after 09:00 (JST), or by CSV; nothing was imported",
                        session.rest()
                    )));
                }
            }
        }
        if last || first_page_only {
            break;
        }
        number += 1;
    }
    if unusable > 0 {
        eprintln!("{unusable} of the shop's products cannot be read or have no usable SKU, and are left out");
    }
    Ok(products)
}

fn named(product: &str, variant: Option<&str>, sku: &Sku) -> String {
    let variant = variant.unwrap_or_default().trim();
    match (product.trim(), variant) {
        ("", "") => sku.to_string(),
        ("", variant) => variant.to_owned(),
        (product, variant) if variant.is_empty() || variant == product => product.to_owned(),
        (product, variant) => format!("{product} {variant}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_named_after_its_product() {
        let sku = Sku::parse("TEA-100").unwrap();
        assert_eq!(named("煎茶", Some("100g"), &sku), "煎茶 100g");
        assert_eq!(named("煎茶", Some("煎茶"), &sku), "煎茶");
        assert_eq!(named("煎茶", None, &sku), "煎茶");
        assert_eq!(named("", None, &sku), "TEA-100");
    }
}
