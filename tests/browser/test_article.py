"""The article, S0 to S7, clicked through by its Japanese names: from a company of which there is nothing but a name to
shipments that wait for the warehouse. What only the operator does (the company, its people, a run ahead of its schedule)
is done by the command line."""

import re
from types import SimpleNamespace

import pytest
from conftest import ROLES, ROOT, SHOP_PASSWORD, assert_fits, findings, lines, on_stack
from playwright.sync_api import expect
from test_pages import opened

STANDARD = "EC Force 出荷指示登録(標準・API用)"


@pytest.fixture(scope="module")
def midori(shops):
    """A company that has signed its contract today, and its shop, with orders in it."""
    shop = shops.post("/shops", {"name": "midori-shop", "email": "renkei@service.example", "password": SHOP_PASSWORD, "orders": 12,
                                 "order_options": {"payment_states": {"authed": 1.0}, "multi_address_percent": 0.0, "remark_percent": 0.0},
                                 "daily_call_limit": 100_000})
    shops.post("/shops/midori-shop/orders", {"orders": [{"payment_state": "pending"}]})
    document = ROOT / "target" / "browser-midori.yaml"
    document.write_text("tenant: midori\n")
    on_stack("apply", str(document))
    for role in ROLES:
        on_stack("member", "add", f"{role}@renkei.example", "--tenant", "midori", "--role", role)
    yield SimpleNamespace(url=shop["url"])
    # Of the tests that follow each person is in one company.
    on_stack("member", "add", "owner@midori.example", "--tenant", "midori", "--role", "owner")
    for role in ROLES:
        on_stack("member", "remove", f"{role}@renkei.example", "--tenant", "midori")


def menu(page, name: str) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", level=1, name=re.compile(f"^{name}")).wait_for()


def said(page) -> str:
    return page.get_by_role("status").first.inner_text()


def is_good(page, axe) -> None:
    assert findings(page, axe) == []
    for width in (320, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)


def exported() -> str:
    return on_stack("export", "--tenant", "midori")


def test_the_article_is_clicked_through(people, console, midori, axe):
    # S0: settings are for administrators and above.
    page = people.signed_in("operator")
    opened(page, f"{console}/t/midori/settings")
    assert page.get_by_role("link", name=re.compile("を登録する")).count() == 0
    assert page.goto(f"{console}/t/midori/setting/ship-from/new?new").status == 403
    assert "以上の役割が必要です" in page.get_by_role("alert").inner_text()

    page = people.signed_in("owner")
    opened(page, f"{console}/t/midori")
    menu(page, "設定")

    # S1: 発送元. What is wrong is said while it is written, at its field, and nothing is saved.
    page.get_by_role("link", name="発送元を登録する").click()
    page.get_by_label("ID", exact=False).first.fill("tokyo-dc")
    page.get_by_label("発送元名").fill("東京第一倉庫")
    page.get_by_role("combobox", name="都道府県").select_option(label="東京都")
    page.get_by_label("住所").fill("江東区見本町1-1")
    page.get_by_label("電話番号").fill("03-0000-0000")
    page.get_by_role("button", name="検査して保存する").click()
    alert = page.get_by_role("alert").inner_text()
    assert re.search("倉庫ID: 未入力です", alert) and "発送元名" not in alert, alert
    assert page.get_by_label("発送元名").input_value() == "東京第一倉庫", "what was typed stays"
    assert "ship_froms" not in exported()
    page.get_by_label("郵便番号").fill("135-006")
    page.get_by_label("倉庫ID").fill("airlogi-tokyo")
    page.get_by_role("alert").get_by_text("郵便番号ではありません").wait_for()
    page.get_by_role("alert").get_by_role("link", name="郵便番号").click()
    page.get_by_label("郵便番号").fill("135-0064")
    page.get_by_text("このまま保存できます").wait_for()
    is_good(page, axe)
    page.get_by_role("button", name="検査して保存する").click()
    assert "発送元を保存しました" in said(page)
    # Its warehouse's key.
    page.get_by_role("link", name="倉庫のキーとWebhook").click()
    page.get_by_role("button", name="作る").first.click()
    assert page.get_by_role("textbox", name="キー").input_value().startswith("rkw_")

    # S2: 変換ロボット: the standard is copied, renamed, and on.
    menu(page, "ロボット")
    page.get_by_role("row", name=re.compile("14448 · 標準")).get_by_role("link", name="コピーを作る").click()
    page.get_by_label("名前", exact=True).fill(f"{STANDARD} - 独自")
    assert page.get_by_role("checkbox", name="有効").is_checked()
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    assert f"{STANDARD} - 独自" in page.locator("main").inner_text()

    # S3: API認証設定, then かんたん設定. The address in the form in which the shop has handed it out (S3c).
    menu(page, "設定")
    page.get_by_role("link", name="API認証設定を登録する").click()
    page.get_by_label("ID", exact=False).first.fill("midori-shop")
    page.get_by_label("API URL").fill(f"  {midori.url}/api/ ")
    assert "renkei@service.example" in page.locator("#email-says").inner_text(), "what is registered at the shop first"
    page.get_by_label("1日の上限").fill("１０,０００")
    page.get_by_label("呼び出しの間隔").fill("100")
    page.get_by_label("在庫ロケーションコード").fill("default")
    # S3e: states that cannot be.
    page.get_by_label("取得後の対応状況").fill("complete")
    page.get_by_role("alert").get_by_text("何度も取り込む").wait_for()
    page.get_by_label("取得後の対応状況").fill("working")
    page.get_by_text("このまま保存できます").wait_for()
    is_good(page, axe)
    page.get_by_role("button", name="検査して保存する").click()
    assert "パスワードまたはトークンを入力してください" in page.get_by_role("alert").inner_text()
    page.locator("[name=secret]").fill(SHOP_PASSWORD)
    page.get_by_role("button", name="検査して保存する").click()
    assert "API認証設定（ショップ）を保存しました" in said(page)
    assert SHOP_PASSWORD not in page.content() and f"{midori.url}/api" not in page.content(), "one normal form"
    page.get_by_role("status").get_by_role("link", name="接続テスト").click()
    page.get_by_role("button", name="接続テストを実行する").click()
    assert "誤りは見つかりませんでした" in said(page)
    opened(page, f"{console}/t/midori/easy")
    assert page.get_by_role("checkbox", name="ステータス変更（出荷済み）").is_checked()
    page.get_by_role("checkbox", name="在庫連携").check()
    page.get_by_role("combobox", name="変換ロボット").select_option(label=f"{STANDARD} - 独自")
    # S3d: what that spends, before it is saved.
    page.get_by_role("combobox", name="定期トリガー").select_option(label="24時間ごと")
    page.locator("#plan").get_by_text("上限内です").wait_for()
    page.get_by_role("button", name="この内容で設定する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    text = page.locator("main").inner_text()
    for action in ["fetch-orders", "state-working", "state-shipped", "status-sync", "inventory"]:
        assert f"midori-shop/{action}" in text, action
    # S3a: with the automation option “shipped” would run twice; it is refused with that reason.
    menu(page, "設定")
    page.get_by_role("link", name="midori-shop", exact=True).click()
    assert page.locator("[name=id]").is_editable() is False, "others name it"
    page.get_by_role("checkbox", name="自動化オプションあり").check()
    page.get_by_role("button", name="検査して保存する").click()
    assert "保存しました" in said(page), "the password stays the one that is stored"
    opened(page, f"{console}/t/midori/easy")
    assert not page.get_by_role("checkbox", name="ステータス変更（出荷済み）").is_checked()
    page.get_by_role("checkbox", name="ステータス変更（出荷済み）").check()
    page.get_by_role("button", name="この内容で設定する").click()
    assert "二重に実行されます" in page.get_by_role("alert").inner_text(), page.locator("main").inner_text()
    page.go_back()
    menu(page, "設定")
    page.get_by_role("link", name="midori-shop", exact=True).click()
    page.get_by_role("checkbox", name="自動化オプションあり").uncheck()
    page.get_by_role("button", name="検査して保存する").click()
    assert "保存しました" in said(page)

    # S4: 処理ロボット, on and tied to the conversion robot.
    menu(page, "ロボット")
    on = lambda robot: page.locator("tr", has=page.locator(f"#robot-{robot}")).get_by_role("button", name=re.compile("を有効にする"))
    for robot in ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"]:
        on(robot).click()
        page.wait_for_url(re.compile(r"/robots\?done"))
    on("release").click()
    assert "併用できません" in page.get_by_role("alert").inner_text(), "its generic form is excluded"
    page.go_back()
    page.locator("#robot-payment-check").click()
    page.get_by_role("checkbox", name=f"{STANDARD} - 独自").check()
    is_good(page, axe)
    page.get_by_role("button", name="紐付けを保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    assert f"対象: {STANDARD} - 独自" in page.locator("tr", has=page.locator("#robot-payment-check")).inner_text()
    assert re.search(r"id: payment-check,? *\n? *conversion_robots: \[ecforce-own\]", exported()), exported()

    # S5: after each status sync, apply “error gone → ready” to what waits for its payment.
    page.get_by_role("link", name="連携ロボットを作る").click()
    page.get_by_label("ロボットID").fill("release-when-paid")
    page.get_by_label("名前", exact=True).fill("入金済みになったら出荷待ちへ")
    page.get_by_role("radio", name="連携後").check()
    page.get_by_label("このロボットの終了後").select_option("status-sync")
    page.get_by_role("combobox", name="アクション", exact=True).select_option("apply-processing")
    page.get_by_label("適用する処理ロボット").select_option("ecforce-release")
    page.get_by_label("対象のステータス").select_option("awaiting-payment")
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))

    # S6: 配送方法: keywords, what the warehouse calls it, and the carrier's id at the shop.
    for id, name, code, keyword, carrier, default in [("yamato", "ヤマト宅急便", "YAMATO", "ヤマト運輸", "1", False),
                                                      ("nekopos", "ネコポス", "NEKOPOS", "ネコポス", "6", True)]:
        menu(page, "設定")
        page.get_by_role("link", name="配送方法を登録する").click()
        page.get_by_label("ID", exact=False).first.fill(id)
        page.get_by_label("配送方法名").fill(name)
        page.get_by_label("WMS配送方法").fill(code)
        page.get_by_role("textbox", name="キーワード").fill(keyword)
        page.get_by_label("外部連携配送方法").fill(carrier)
        page.get_by_role("checkbox", name="既定").set_checked(default or id == "yamato")
        page.get_by_role("button", name="検査して保存する").click()
        assert "配送方法を保存しました" in said(page)
    assert exported().count("default: true") == 1, "the new default takes it from the former"
    # What is there is opened, changed, and taken away in two steps.
    page.get_by_role("link", name="yamato", exact=True).click()
    page.get_by_role("checkbox", name="既定").check()
    page.get_by_role("button", name="検査して保存する").click()
    page.get_by_role("link", name="nekopos", exact=True).click()
    page.get_by_role("button", name="削除の確認へ").click()
    assert "nekopos" in page.get_by_role("alert").inner_text() and "nekopos" in exported()
    is_good(page, axe)
    page.get_by_role("button", name="削除する").click()
    assert "配送方法を削除しました" in said(page) and "nekopos" not in exported()
    # What others need stays.
    page.get_by_role("link", name="tokyo-dc", exact=True).click()
    page.get_by_role("button", name="削除の確認へ").click()
    against = page.get_by_role("alert").inner_text()
    assert "ショップ midori-shop がこの発送元を使っています" in against and "行目" not in against, against

    # Products, then S7: a dry run, which writes nothing and says what it spends.
    menu(page, "設定")
    page.get_by_role("link", name="CSVで取り込む").click()
    rows = [f"{sku},見本" for sku in ("SERUM-30", "MASK-5", "SOAP-80")]
    page.locator("input[type=file]").set_input_files({"name": "products.csv", "mimeType": "text/csv", "buffer": ("sku,name\n" + "\n".join(rows)).encode()})
    page.get_by_role("button", name="取り込む", exact=True).click()
    page.get_by_role("status").wait_for()
    menu(page, "ロボット")
    page.get_by_role("link", name="出荷指示取得 を試し実行する").click()
    page.get_by_role("button", name="呼び出しを使って確認する").click()
    assert re.search(r"取込\s+13\b", said(page)), said(page)
    assert lines(on_stack("shipments", "--tenant", "midori", "--json")) == []
    # And the day begins.
    on_stack("run", "midori-shop/fetch-orders", "--tenant", "midori", "--wait", "--timeout", "300")
    menu(page, "今日")
    page.locator("a[href*='status=ready']").click()
    expect(page.locator("tbody tr")).to_have_count(12)
    page.get_by_role("link", name=re.compile("^保留")).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "入金確認" in page.locator("tbody").inner_text()
