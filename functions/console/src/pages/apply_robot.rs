//! 一括操作, ロボットの適用: a processing robot, to the shipments that a person chose. First what it would change of each,
//! on copies; then the same on the records. Only shipments that are still in the shop's hands are touched: what a warehouse
//! has, has left or is cancelled stays as it is.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::response::{Html, Response};
use renkei_domain::ids::RuleId;
use renkei_domain::processing::{Facts, Goods, RobotSet};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Shipment, ShipmentDetail, Status};
use renkei_setup::try_robot::{ChangeLine, on_a_copy};
use renkei_store::audit::AuditOutcome;
use renkei_store::processing::Application;

use super::bulk::Selection;
use super::{Form, Page, trial_words, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;

/// A robot that can be applied to shipments: its id and name. Those that are on, in the order in which they run.
pub fn choices(settings: &TenantSettings) -> Vec<(String, String)> {
    let Ok(set) = RobotSet::compile(settings) else { return Vec::new() };
    set.robots().map(|robot| (robot.id.to_string(), robot.name.clone())).collect()
}

/// Is it still in the shop's hands?
fn is_open(shipment: &Shipment) -> bool {
    matches!(shipment.status, Status::Hold | Status::Ready)
}

/// What a form asks for.
struct Asked {
    rule: RuleId,
    name: String,
    robots: RobotSet,
    settings: TenantSettings,
    selection: Selection,
}

impl Asked {
    async fn read(caller: &Caller, form: &[u8]) -> Result<Self, Problem> {
        let settings = caller.settings().await?.settings;
        let robots = RobotSet::compile(&settings).map_err(|_| {
            Problem::bad(
                "設定されたロボットに誤りがあり、適用できません。ロボット画面で確認してください。",
                "The robots of these settings cannot be used. See them on the robots' page.",
            )
        })?;
        let rule = RuleId::parse(Form::read(form).get("robot")).ok();
        let robot = rule.as_ref().and_then(|rule| robots.get(rule)).ok_or_else(|| {
            Problem::bad(
                "選ばれたロボットは有効ではありません。一覧からやり直してください。",
                "That robot is not on. Begin again from the list.",
            )
        })?;
        let (rule, name) = (robot.id.clone(), robot.name.clone());
        Ok(Self { rule, name, robots, settings, selection: Selection::read(form)? })
    }

    /// The shipments, all of them or none: what is not this merchant's is not found.
    async fn shipments(&self, caller: &Caller) -> Result<Vec<(Shipment, ShipmentDetail)>, Problem> {
        let shipments = caller.tenant.shipments(&self.selection.ids).await?;
        if shipments.len() != self.selection.ids.len() {
            return Err(Problem::not_found());
        }
        let details = caller.tenant.details(&shipments).await?;
        Ok(shipments.into_iter().zip(details).collect())
    }

    /// What a robot is told beside the shipment. None if its shop is not in the settings any more.
    fn facts(&self, shipment: &Shipment, caller: &Caller) -> Option<Facts<'_>> {
        let connection = self.settings.connection(&shipment.id.connection)?;
        let conversion_robot = self.settings.tie_of(&connection.id);
        Some(Facts { connection, conversion_robot, unknown_skus: &[], duplicate_number: false, now: caller.now })
    }
}

#[derive(Template)]
#[template(path = "apply_robot.html")]
struct PreviewPage {
    s: Shell,
    robot: String,
    name: String,
    back: String,
    rows: Vec<PreviewRow>,
    changing: usize,
}

struct PreviewRow {
    shipment: Shipment,
    now: &'static str,
    /// What would change, or why nothing would.
    changes: Vec<ChangeLine>,
    left: &'static str,
}

fn foreseen(asked: &Asked, caller: &Caller, goods: &Goods, shipment: Shipment, detail: &ShipmentDetail) -> PreviewRow {
    let lang = caller.shell.lang;
    let now = words::status(lang, shipment.status);
    let row = |shipment, changes, left| PreviewRow { shipment, now, changes, left };
    if !is_open(&shipment) {
        return row(shipment, Vec::new(), too_late(lang));
    }
    let Some(facts) = asked.facts(&shipment, caller) else {
        let left = lang.of("できません（ショップの設定がありません）", "not possible: its shop is not set up any more");
        return row(shipment, Vec::new(), left);
    };
    let (_, changes) = on_a_copy(&asked.robots, &asked.rule, &facts, goods, &shipment, detail);
    let changes = changes.iter().map(|it| trial_words::change(lang, &asked.settings, it)).collect();
    row(shipment, changes, lang.of("変わりません", "nothing"))
}

fn too_late(lang: Lang) -> &'static str {
    lang.of("できません（倉庫に渡った後、または終了済み）", "not possible any more")
}

/// Shows what it would change. Changes nothing, so it has an address.
pub async fn preview(Extension(caller): Extension<Caller>, RawQuery(query): RawQuery) -> Page {
    let asked = Asked::read(&caller, query.unwrap_or_default().as_bytes()).await?;
    let shipments = asked.shipments(&caller).await?;
    let details: Vec<ShipmentDetail> = shipments.iter().map(|(_, detail)| detail.clone()).collect();
    let goods = caller.tenant.goods_of(&details).await?;
    let rows: Vec<PreviewRow> =
        shipments.into_iter().map(|(shipment, detail)| foreseen(&asked, &caller, &goods, shipment, &detail)).collect();
    let page = PreviewPage {
        robot: asked.rule.to_string(),
        name: asked.name,
        back: asked.selection.back,
        changing: rows.iter().filter(|row| !row.changes.is_empty()).count(),
        rows,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Applies it. A shipment that changed since the preview is judged as it is now.
pub async fn apply(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let asked = Asked::read(&caller, &form).await?;
    let shipments = asked.shipments(&caller).await?;
    let details: Vec<ShipmentDetail> = shipments.iter().map(|(_, detail)| detail.clone()).collect();
    let goods = caller.tenant.goods_of(&details).await?;
    let application = Application {
        robots: &asked.robots,
        rule: &asked.rule,
        fits: &is_open,
        goods: &goods,
        by: caller.email.as_str(),
    };
    let (mut changed, all) = (0, shipments.len());
    for (shipment, detail) in shipments {
        let Some(facts) = asked.facts(&shipment, &caller) else { continue };
        let id = shipment.id.to_string();
        if caller.tenant.apply_robot(&application, &facts, shipment, detail).await?.changed {
            changed += 1;
            caller.audit("shipment.robot", id, AuditOutcome::Done, asked.rule.to_string()).await?;
        }
    }
    Ok(asked.selection.back(&caller, &format!("robot.{changed}.{}", all - changed)))
}
