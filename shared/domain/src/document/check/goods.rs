//! Shipping methods and products.

use std::collections::{HashMap, HashSet};

use super::super::nearest::quoted;
use super::super::problem::Report;
use super::{exists, filled, unique};
use crate::settings::{Product, TenantSettings};

pub(super) fn shipping_methods(settings: &TenantSettings, report: &mut Report<'_>) {
    let methods = &settings.shipping_methods;
    unique(report, "shipping_methods", "id", methods.iter().map(|method| method.id.as_str()));
    let connections: Vec<&str> = settings.connections.iter().map(|connection| connection.id.as_str()).collect();
    let mut keywords: HashMap<&str, usize> = HashMap::new();
    let mut default: Option<usize> = None;
    for (at, method) in methods.iter().enumerate() {
        let path = |key: &str| format!("shipping_methods[{at}].{key}");
        filled(report, path("name"), &method.name);
        filled(report, path("warehouse_code"), &method.warehouse_code);
        for (index, keyword) in method.keywords.iter().enumerate() {
            let path = path(&format!("keywords[{index}]"));
            if keyword.trim().is_empty() {
                report.problem(path, "an empty keyword would match every carrier: write a part of the carrier's name");
                continue;
            }
            match keywords.get(keyword.as_str()).copied() {
                Some(other) if other == at => {
                    report.problem(path, format!("{} stands in this list twice", quoted(keyword)));
                }
                Some(other) => {
                    let sentence = format!(
                        "the keyword {} belongs to the shipping method {} already: it could not be told which one is meant",
                        quoted(keyword),
                        quoted(methods[other].id.as_str())
                    );
                    report.problem(path, sentence);
                }
                None => {
                    keywords.insert(keyword, at);
                }
            }
        }
        for connection in method.carrier_ids.keys() {
            let path = path(&format!("carrier_ids.{connection}"));
            exists(report, path, "connection", connection.as_str(), &connections);
        }
        if method.default {
            match default {
                Some(first) => {
                    let sentence = format!(
                        "the shipping method {} is the default already: there can be one",
                        quoted(methods[first].id.as_str())
                    );
                    report.problem(path("default"), sentence);
                }
                None => default = Some(at),
            }
        }
    }
    if default.is_none() && !methods.is_empty() {
        report.warning(
            "shipping_methods",
            "no method has `default: true`: orders whose carrier matches no keyword will have no shipping method",
        );
    }
}

pub(super) fn products(settings: &TenantSettings, report: &mut Report<'_>) {
    unique(report, "products", "sku", settings.products.iter().map(|product| product.sku.as_str()));
    let sets: HashSet<&str> =
        settings.products.iter().filter(|product| !product.made_of.is_empty()).map(|set| set.sku.as_str()).collect();
    for (at, product) in settings.products.iter().enumerate() {
        filled(report, format!("products[{at}].name"), &product.name);
        parts(at, product, &sets, report);
    }
}

/// Parts may be products that the document does not name: they can have been stored before.
fn parts(at: usize, product: &Product, sets: &HashSet<&str>, report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    for (place, part) in product.made_of.iter().enumerate() {
        let path = |key: &str| format!("products[{at}].made_of[{place}].{key}");
        if part.quantity == 0 {
            report.problem(path("quantity"), "a part of which there is none is no part: write 1 or more");
        }
        let sku = part.sku.as_str();
        if part.sku == product.sku {
            report.problem(path("sku"), "a set cannot be a part of itself");
        } else if sets.contains(sku) {
            report.problem(path("sku"), format!("{} is a set itself: name what that is made of", quoted(sku)));
        } else if !seen.insert(sku) {
            report.problem(path("sku"), format!("{} stands in this list twice: write one quantity", quoted(sku)));
        }
    }
}
