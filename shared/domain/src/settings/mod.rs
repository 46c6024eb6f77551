//! What a merchant set up, as data: the form in which it is written in a document, kept, and read by every function.
//!
//! Field names are the document's keys; see `docs/document.md`. Whatever a shop can rename or that differs by contract
//! is here, never in code.

mod connection;
mod every;
mod product;
mod robots;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use connection::{Connection, OrderStates, SecretSource, ShopApi, StatusSync};
pub use every::Every;
pub use product::{Part, Product, Temperature};
pub use robots::{
    Action, ApplyProcessing, ConversionRobot, CustomAction, CustomRobot, EasySetup, EnabledRobot, IntegrationRobots,
    OneOrMany, ProcessingRobots, STANDARD_CONVERSION, STANDARD_CONVERSION_NAME, TiedRobot, Trigger,
};

use crate::ids::{ConnectionId, RobotId, RuleId, ShipFromId, ShippingMethodId, TenantId, WarehouseId};

/// The standard conversion robot, as processing robots are tied to it.
static STANDARD: LazyLock<Option<RuleId>> = LazyLock::new(|| RuleId::parse(STANDARD_CONVERSION.to_string()).ok());

/// One merchant's settings: the whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// 契約企業.
    pub tenant: TenantId,
    /// 発送元.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ship_froms: Vec<ShipFrom>,
    /// API認証設定.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// 配送方法.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping_methods: Vec<ShippingMethod>,
    /// 商品マスタ. Products are kept one by one, not with the settings: there may be very many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Product>,
    /// 変換ロボット of the merchant's own; the standard one, 14448, is always there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversion_robots: Vec<ConversionRobot>,
    /// 処理ロボット.
    #[serde(default)]
    pub processing_robots: ProcessingRobots,
    /// 連携ロボット.
    #[serde(default)]
    pub integration_robots: IntegrationRobots,
}

/// 発送元: where parcels leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipFrom {
    /// Its id in this document.
    pub id: ShipFromId,
    /// 発送元名.
    pub name: String,
    /// 郵便番号, `135-0064`.
    pub postal_code: String,
    /// 都道府県.
    pub prefecture: String,
    /// 住所, below the prefecture.
    pub address: String,
    /// 電話番号.
    pub phone: String,
    /// The warehouse whose key may read this ship-from's shipments.
    pub warehouse: WarehouseId,
    /// Its counts are of all that is there, what it has taken for claimed shipments and not sent yet among it. False: what is
    /// claimed when it counts is not counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_include_claimed: bool,
}

/// 配送方法.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingMethod {
    /// Its id in this document.
    pub id: ShippingMethodId,
    /// 配送方法名, shown to people.
    pub name: String,
    /// WMS配送方法: what the warehouse calls it.
    pub warehouse_code: String,
    /// キーワード: chosen when one of them stands in the shop's carrier name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// 外部連携配送方法: the carrier's id at each shop.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carrier_ids: BTreeMap<ConnectionId, u64>,
    /// Chosen when no keyword matches. At most one method.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
}

impl TenantSettings {
    /// A connection by id.
    #[must_use]
    pub fn connection(&self, id: &ConnectionId) -> Option<&Connection> {
        self.connections.iter().find(|c| c.id == *id)
    }

    /// Whether a ship-from's counts are of all that is there: see [`ShipFrom::counts_include_claimed`].
    #[must_use]
    pub fn counts_include_claimed(&self, ship_from: &ShipFromId) -> bool {
        self.ship_froms.iter().any(|known| known.id == *ship_from && known.counts_include_claimed)
    }

    /// 変換ロボット: the one that a shop's orders go through; None for the standard one.
    #[must_use]
    pub fn conversion_robot_of(&self, connection: &ConnectionId) -> Option<&RuleId> {
        let setup = self.integration_robots.easy_setup.iter().find(|setup| setup.connection == *connection);
        setup.and_then(|setup| setup.conversion_robot.as_ref())
    }

    /// The same by the id that processing robots are tied to, which the standard one has, too. What a shipment was made by is
    /// not kept: of a stored one it is the one that its shop's orders go through now.
    #[must_use]
    pub fn tie_of(&self, connection: &ConnectionId) -> Option<&RuleId> {
        self.conversion_robot_of(connection).or(STANDARD.as_ref())
    }

    /// The robots of a connection's easy set-up: name → action, what the automation option or the merchant excludes
    /// left out.
    #[must_use]
    pub fn easy_robots(&self, setup: &EasySetup) -> Vec<(RobotId, Action)> {
        let automation = self.connection(&setup.connection).is_some_and(|c| c.automation_option);
        Action::ALL
            .into_iter()
            .filter(|action| match action {
                Action::StateShipped => setup.shipped.unwrap_or(!automation),
                // Where the shop moves states by itself, tracking numbers are still ours to tell.
                Action::WriteBack => automation,
                Action::Inventory => setup.inventory,
                Action::FetchOrders | Action::StateWorking | Action::StatusSync | Action::Reconcile => true,
                Action::ApplyProcessing => false,
            })
            .filter_map(|action| {
                let name = format!("{}/{}", setup.connection, action.as_str());
                RobotId::parse(name).ok().map(|id| (id, action))
            })
            .collect()
    }

    /// What the robots of a shop do: those of its easy set-up, and the merchant's own.
    pub fn actions_of<'a>(&'a self, connection: &'a Connection) -> impl Iterator<Item = Action> + 'a {
        let robots = &self.integration_robots;
        let easy = robots.easy_setup.iter().filter(move |setup| setup.connection == connection.id);
        let easy = easy.flat_map(move |setup| self.easy_robots(setup)).map(|(_, action)| action);
        let own = robots.custom.iter().filter(move |own| own.enabled && *own.on.connection() == connection.id);
        easy.chain(own.map(|own| own.action.action()))
    }

    /// Is there a robot that tells this shop that whole orders have left? None may be where the shop moves them by itself;
    /// without one, that is not ours to tell, and an order is through once its numbers are told.
    #[must_use]
    pub fn tells_shipped(&self, connection: &Connection) -> bool {
        !connection.automation_option && self.actions_of(connection).any(|action| action == Action::StateShipped)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
