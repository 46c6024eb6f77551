//! Shipping methods and products.

use std::collections::HashMap;

use super::super::nearest::quoted;
use super::super::problem::Report;
use super::{exists, filled, unique};
use crate::settings::TenantSettings;

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
    for (at, product) in settings.products.iter().enumerate() {
        filled(report, format!("products[{at}].name"), &product.name);
    }
}
