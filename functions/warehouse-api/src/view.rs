//! A shipment as a warehouse sees it: what it needs to pack, label and send a parcel, and nothing else of the order.

use jiff::Timestamp;
use jiff::civil::Date;
use renkei_domain::convert::standard;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{CancellationState, ShipTo, Shipment, ShipmentDetail, Status};
use serde::Serialize;
use utoipa::ToSchema;

/// 出荷指示: one parcel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shipment)]
pub struct ShipmentView {
    /// Its id, by which all other calls name it.
    #[schema(example = "hanako-ecforce.88111.1")]
    id: String,
    /// 受注番号: the order's number as the customer knows it. Parcels of one order share it.
    order_number: String,
    /// Which of the order's parcels this is, counted from 1.
    parcel: u16,
    /// How many parcels the order became.
    parcels: u16,
    /// Where it stands.
    #[schema(schema_with = crate::openapi::status)]
    status: &'static str,
    /// 発送元: where it leaves, by the merchant's id.
    ship_from: String,
    /// 送付先.
    ship_to: ShipToView,
    /// 注文者: who ordered, as the shop has it, for the slip and the label of a gift; null where it is not known.
    orderer: Option<ShipToView>,
    /// 出荷明細: what goes into the parcel; leaflets and samples that the merchant's robots added are among it.
    items: Vec<ItemView>,
    /// WMS配送方法: the shipping method as the warehouse calls it; null where none was chosen.
    #[schema(example = "NEKOPOS")]
    shipping_method: Option<String>,
    /// 配送方法: the same by the merchant's id.
    shipping_method_id: Option<String>,
    /// 出荷予定日: not to be sent before this day in Japan; null if it may go at once. It may be claimed before.
    #[schema(value_type = Option<String>, format = Date)]
    ship_on: Option<Date>,
    /// お届け希望日.
    #[schema(value_type = Option<String>, format = Date)]
    deliver_on: Option<Date>,
    /// お届け希望時間帯, in the shop's words; empty if none.
    delivery_time: String,
    /// 納品書・送り状の備考; empty if none.
    delivery_note: String,
    /// 金額 of the whole order, in yen. 代金引換 collects `total`, on the order's first parcel.
    totals: TotalsView,
    /// 決済方法, in the shop's words.
    payment_method: String,
    /// キャンセル依頼: the shop asks to stop this parcel, and waits for an answer.
    cancel_requested: bool,
    /// How a cancellation stands that was asked for after the shipment was claimed; `too-late` also where it left although it
    /// had been cancelled before. Null if neither, or if it was taken back.
    #[schema(schema_with = crate::openapi::cancellation)]
    cancellation: Option<&'static str>,
    /// お問い合わせ番号, once it is out, be it although it is cancelled.
    tracking_number: Option<String>,
    /// When it left, likewise.
    #[schema(value_type = Option<String>, format = DateTime)]
    shipped_at: Option<Timestamp>,
    /// When the warehouse claimed it.
    #[schema(value_type = Option<String>, format = DateTime)]
    claimed_at: Option<Timestamp>,
    /// When the order was imported.
    #[schema(value_type = String, format = DateTime)]
    imported_at: Timestamp,
    /// When the shipment last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// 送付先, or who ordered. Parts that the shop left out are empty texts.
#[derive(Serialize, ToSchema)]
#[schema(as = ShipTo)]
struct ShipToView {
    /// お届け先名.
    name: String,
    /// お届け先名カナ.
    kana: String,
    /// 会社名.
    company: String,
    /// 郵便番号, `135-0064` where it has seven digits, else as the shop has it.
    postal_code: String,
    /// 都道府県.
    prefecture: String,
    /// 市区町村・町名: the shop's first line.
    address1: String,
    /// 番地: the second.
    address2: String,
    /// 建物名・部屋番号: the third.
    address3: String,
    /// 電話番号.
    phone: String,
}

impl From<ShipTo> for ShipToView {
    fn from(to: ShipTo) -> Self {
        let ShipTo { name, kana, company, postal_code, prefecture, address1, address2, address3, phone } = to;
        Self { name, kana, company, postal_code, prefecture, address1, address2, address3, phone }
    }
}

impl std::fmt::Debug for ShipToView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShipToView(…)")
    }
}

/// 出荷明細, one line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Item)]
struct ItemView {
    /// 商品コード.
    sku: String,
    /// 商品名.
    name: String,
    /// 数量.
    quantity: u32,
    /// 単価, in yen.
    price: i64,
    /// Added by a robot of the merchant's (同梱物), not ordered by the customer.
    bundled: bool,
}

/// 金額, in yen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Totals)]
struct TotalsView {
    /// 合計.
    total: i64,
    /// 小計.
    subtotal: i64,
    /// 送料.
    delivery_fee: i64,
    /// 手数料.
    charge: i64,
    /// 割引.
    discount: i64,
    /// ポイント.
    points: i64,
    /// 消費税.
    tax: i64,
}

/// Does the shop wait for the warehouse's answer to a cancellation request?
#[must_use]
pub fn is_cancel_requested(shipment: &Shipment) -> bool {
    shipment.status == Status::Picking
        && shipment.cancellation.is_some_and(|asked| asked.state == CancellationState::Requested)
}

impl ShipmentView {
    /// A shipment by these settings.
    #[must_use]
    pub fn of(settings: &TenantSettings, shipment: &Shipment, detail: &ShipmentDetail) -> Self {
        let method = shipment.shipping_method.as_ref();
        let known = settings.shipping_methods.iter().find(|known| Some(&known.id) == method);
        let totals = &detail.totals;
        Self {
            id: shipment.id.to_string(),
            order_number: shipment.order_number.to_string(),
            parcel: shipment.id.parcel,
            parcels: shipment.parcels,
            status: shipment.status.as_str(),
            ship_from: shipment.ship_from.to_string(),
            ship_to: detail.ship_to.clone().into(),
            orderer: detail.source.orderer().map(standard::ship_to).map(Into::into),
            items: detail
                .items
                .iter()
                .map(|item| ItemView {
                    sku: item.sku.to_string(),
                    name: item.name.clone(),
                    quantity: item.quantity,
                    price: item.price.0,
                    bundled: item.added_by.is_some(),
                })
                .collect(),
            shipping_method: known.map(|known| known.warehouse_code.clone()),
            shipping_method_id: method.map(ToString::to_string),
            ship_on: detail.ship_on,
            deliver_on: detail.deliver_on,
            delivery_time: detail.delivery_time.clone(),
            delivery_note: detail.delivery_note.clone(),
            totals: TotalsView {
                total: totals.total.0,
                subtotal: totals.subtotal.0,
                delivery_fee: totals.delivery_fee.0,
                charge: totals.charge.0,
                discount: totals.discount.0,
                points: totals.points.0,
                tax: totals.tax.0,
            },
            payment_method: detail.payment_method.clone(),
            cancel_requested: is_cancel_requested(shipment),
            cancellation: shipment.cancellation.map(|asked| asked.state.as_str()),
            tracking_number: shipment.tracking_number.clone(),
            shipped_at: shipment.shipped_at,
            claimed_at: shipment.claimed_at,
            imported_at: shipment.imported_at,
            updated_at: shipment.updated_at,
        }
    }
}
