//! Which endpoint a method and a path mean.

use axum::http::Method;

use crate::api::Endpoint;

/// An endpoint with the id in its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What the call is for.
    pub endpoint: Endpoint,
    /// The path with ids replaced.
    pub template: &'static str,
    /// The order's id, for a single order.
    pub id: Option<u64>,
}

impl Route {
    /// Finds the route; what the shop does not have is [`Endpoint::Unknown`], a method that it does not take included.
    pub fn of(method: &Method, path: &str) -> Self {
        let is = |wanted: &[Method]| wanted.contains(method);
        let (endpoint, template) = match path {
            "/api/v2/admins/sign_in.json" if is(&[Method::POST]) => (Endpoint::SignIn, "/api/v2/admins/sign_in.json"),
            "/api/v2/admin/orders.json" if is(&[Method::GET]) => (Endpoint::OrdersList, "/api/v2/admin/orders.json"),
            "/api/v2/admin/orders/bulk_update.json" if is(&[Method::PUT]) => {
                (Endpoint::BulkUpdate, "/api/v2/admin/orders/bulk_update.json")
            }
            "/api/v2/admin/orders/shipping.json" if is(&[Method::PUT, Method::POST]) => {
                (Endpoint::Shipping, "/api/v2/admin/orders/shipping.json")
            }
            "/api/v2/admin/stock_items.json" if is(&[Method::GET, Method::PUT]) => {
                (Endpoint::StockItems, "/api/v2/admin/stock_items.json")
            }
            "/api/v2/admin/shipping_carriers.json" if is(&[Method::GET]) => {
                (Endpoint::Carriers, "/api/v2/admin/shipping_carriers.json")
            }
            "/api/v2/admin/products.json" if is(&[Method::GET]) => (Endpoint::Products, "/api/v2/admin/products.json"),
            other => {
                let id = other
                    .strip_prefix("/api/v2/admin/orders/")
                    .and_then(|rest| rest.strip_suffix(".json"))
                    .filter(|_| is(&[Method::GET]))
                    .and_then(|id| id.parse().ok());
                return match id {
                    Some(id) => {
                        Self { endpoint: Endpoint::Order, template: "/api/v2/admin/orders/{id}.json", id: Some(id) }
                    }
                    None => Self { endpoint: Endpoint::Unknown, template: "(other)", id: None },
                };
            }
        };
        Self { endpoint, template, id: None }
    }
}
