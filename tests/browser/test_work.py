"""A day's work in the console, and what goes wrong in one: sessions that end, forms sent twice, the back button, other
merchants' addresses, and what each role is refused."""

import json
import re

from conftest import OWN, ROLES, SHOP_PASSWORD, assert_fits, findings, on_stack
from test_pages import opened


def test_people_sign_in_through_the_provider_and_out(people, console, hanako):
    page = people.context().new_page()
    # To the page that was wanted, not merely in.
    people.sign_in(page, "operator", "/t/hanako/shipments?status=ready")
    page.wait_for_url(re.compile(r"/t/hanako/shipments\?status=ready"))
    assert page.get_by_role("heading", level=1).inner_text() == "出荷管理"
    page.get_by_role("button", name="サインアウト").click()
    page.wait_for_url(re.compile("signed-out"))
    opened_again = page.goto(f"{console}/t/hanako")
    assert "/auth/" in page.url or "/login" in page.url or "/oauth2" in page.url, (opened_again.status, page.url)


def test_the_articles_settings_are_found_by_their_names(people, console, hanako):
    page = people.signed_in("admin")
    opened(page, console + "/")
    page.wait_for_url(re.compile("/t/hanako$"))  # One company: straight to it.
    menu = page.get_by_role("navigation", name="メニュー")
    # S1: the ship-from; S3: the credential; S6: shipping methods.
    menu.get_by_role("link", name="設定").click()
    for heading, cell in [("発送元", "東京第一倉庫"), ("API認証設定（ショップ）", hanako.connection), ("配送方法", "ネコポス")]:
        assert page.get_by_role("heading", name=heading, exact=True).is_visible()
        assert page.get_by_role("cell", name=cell, exact=True).or_(page.get_by_role("rowheader", name=cell, exact=True)).first.is_visible()
    assert "only-for-tests" not in page.content()
    # S2: the copy of 14448; S3: the easy set-up's robots; S4: processing robots.
    menu.get_by_role("link", name="ロボット").click()
    text = page.locator("main").inner_text()
    for name in [OWN, "EC Force 出荷指示登録(標準・API用)", "連携ロボット", "処理ロボット", "変換ロボット"]:
        assert name in text, name
    # In people's words: when they start, what they do, and under which condition.
    applies = "処理ロボット「【コマースロボ】EC Force エラーがなくなったら出荷待ちへ移動」を適用（対象: 保留（入金確認））"
    for words in ["24時間ごと", f"ステータス同期の後 → {applies}", "ステータスが「保留」と等しい"]:
        assert words in text, words


def test_a_days_shipments_are_worked(people, console, hanako):
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako")
    # Every number leads to its list.
    page.locator("a[href*='status=ready']").click()
    page.wait_for_url(re.compile("status=ready"))
    assert page.get_by_role("link", name=re.compile("^出荷待ち")).get_attribute("aria-current") == "page"
    rows = page.locator("tbody tr")
    assert rows.count() == 50
    ids = [rows.nth(place).locator("input[type=checkbox]").get_attribute("value") for place in range(2)]
    for place in range(2):
        rows.nth(place).locator("input[type=checkbox]").check()
    page.get_by_role("combobox", name="操作").select_option(label="保留にする")
    page.get_by_role("combobox", name="保留の理由").select_option(label="要確認")
    page.get_by_role("button", name="選んだ出荷を確認へ").click()
    # The preview says what will become of each, and has changed nothing.
    assert page.get_by_role("heading", level=1).inner_text().startswith("確認")
    assert page.locator("tbody tr").count() == 2
    assert all(hanako.shipment(it)["status"] == "ready" for it in ids)
    page.get_by_role("button", name="実行する").click()
    assert "2件を変更しました" in page.get_by_role("status").inner_text()
    assert page.url.count("status=ready") == 1, "back on the list that one came from"
    assert [hanako.shipment(it)["hold_reasons"] for it in ids] == [["needs-review"]] * 2
    # One shipment, released on its own page.
    opened(page, f"{console}/t/hanako/shipment/{ids[0]}")
    page.get_by_role("button", name="保留を解除").click()
    page.get_by_role("button", name="実行する").click()
    assert "1件を変更しました" in page.get_by_role("status").inner_text()
    assert hanako.shipment(ids[0])["status"] == "ready"
    assert "operator@renkei.example" in page.locator("main").inner_text(), "the time line says who"
    # Found by number, whatever list it is in.
    number = hanako.shipment(ids[1])["order_number"]
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="出荷管理").click()
    page.get_by_role("searchbox").fill(number)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(ids[1])))


def test_double_clicks_and_the_back_button_change_nothing_twice(people, console, hanako):
    for script in (True, False):
        page = people.signed_in("operator", script=script)
        shipment = [it["id"] for it in hanako.shipments() if it["status"] == "ready"][-3 if script else -4]
        opened(page, f"{console}/t/hanako/shipment/{shipment}")
        page.get_by_role("button", name="保留（要確認）にする").click()
        page.get_by_role("button", name="実行する").dblclick()
        page.wait_for_url(re.compile(r"done=hold\."))
        # Back to the preview, and again: nothing is left to do, and that is said.
        page.go_back()
        assert "変わりません（既にその状態）" in page.locator("main").inner_text()
        assert page.get_by_role("button", name="実行する").count() == 0
        page.go_back()
        assert page.locator("td", has_text=re.compile("^保留（要確認）へ")).count() == 1, "in the time line once"
        assert hanako.shipment(shipment)["hold_reasons"] == ["needs-review"]


def test_each_role_is_offered_and_refused_what_it_should_be(people, console, hanako):
    shipment = hanako.shipments()[0]["id"]
    for rank, role in enumerate(ROLES):
        page = people.signed_in(role)
        opened(page, f"{console}/t/hanako/shipment/{shipment}")
        assert (page.get_by_role("button", name="キャンセル").count() > 0) == (rank >= 1), role
        opened(page, f"{console}/t/hanako/document")
        assert (page.get_by_role("button", name="検査して変更を確認").count() > 0) == (rank >= 2), role
        assert page.locator("textarea").is_editable() == (rank >= 2), role
        opened(page, f"{console}/t/hanako/settings")
        assert (page.get_by_role("heading", name="担当者").count() > 0) == (rank >= 2), role
        assert (page.get_by_role("button", name="登録・役割を変更").count() > 0) == (rank >= 3), role
        log = page.goto(f"{console}/t/hanako/audit")
        assert log.status == (200 if rank >= 2 else 403), role
        if rank < 2:
            assert "以上の役割が必要です" in page.get_by_role("alert").inner_text()
    text = page.locator("main").inner_text()
    assert "viewer@renkei.example" in text and "拒否" in text, "who was refused is written down"
    assert "画面・操作（権限不足）" in text and "管理者以上の役割が必要（役割は閲覧者）" in text, "and for what"


def test_another_merchants_addresses_lead_nowhere(people, console, hanako, theirs):
    page = people.signed_in("owner")
    shipment = theirs.shipments()[0]["id"]
    for path in ["/t/theirs", "/t/theirs/shipments", f"/t/theirs/shipment/{shipment}", "/t/theirs/settings", "/t/theirs/audit",
                 f"/t/hanako/shipment/{shipment}", f"/t/hanako/shipments?connection={theirs.connection}",
                 f"/t/hanako/orders?connection={theirs.connection}", f"/t/hanako/connection/{theirs.connection}",
                 f"/t/theirs/connection/{theirs.connection}"]:
        assert page.goto(console + path).status == 404, path
        assert "theirs-ecforce" not in page.locator("main").inner_text(), path


def test_a_session_that_ended_elsewhere_changes_nothing(people, console, hanako):
    here, there = people.context().new_page(), people.context().new_page()
    for page in (here, there):
        people.sign_in(page, "operator")
    shipment = [it["id"] for it in hanako.shipments() if it["status"] == "ready"][-1]
    opened(here, f"{console}/t/hanako/shipment/{shipment}")
    here.get_by_role("button", name="キャンセル").click()
    here.wait_for_url(re.compile("preview"))
    there.get_by_role("link", name="hanako", exact=True).click()
    there.get_by_role("button", name="すべての端末からサインアウト").click()
    there.wait_for_url(re.compile("signed-out"))
    people.sessions.pop("operator", None)
    here.get_by_role("button", name="実行する").click()
    assert "サインインの有効期限が切れました" in here.get_by_role("alert").inner_text()
    assert hanako.shipment(shipment)["status"] == "ready"
    # Signed in again, the form is there as it was left; its token is of the old session, so it is opened anew.
    people.sign_in(here, "operator", f"/t/hanako/shipment/{shipment}")
    assert here.get_by_role("button", name="キャンセル").is_visible()


def test_the_document_is_changed_and_brought_back(people, console, hanako):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/document")
    text = page.locator("textarea")
    before = text.input_value()
    # Wrong: said, in place, and what was typed is still there.
    text.fill(before.replace("ネコポス", "ネコポス便", 1) + "\nnonsense: 1\n")
    page.get_by_role("button", name="検査して変更を確認").click()
    page.get_by_role("alert").wait_for()
    assert 'キー "nonsense" はここでは使えません' in page.get_by_role("alert").inner_text() and "nonsense" in text.input_value()
    # A robot's schedule and a shipping method, and a second shop with a password of its own.
    changed = before.replace("name: ネコポス", "name: ネコポス便", 1).replace("24 hours", "12 hours", 1)
    assert changed.count("12 hours") == 1, before
    text.fill(changed)
    page.get_by_role("button", name="検査して変更を確認").click()
    page.locator("[role=status]").wait_for()
    said = page.get_by_role("status").inner_text()
    assert "の配送方法名 を変更: ネコポス → ネコポス便" in said and "定期実行の間隔 を変更: 24 hours → 12 hours" in said, said
    page.get_by_role("button", name="この内容を適用する").click()
    page.wait_for_url(re.compile(r"/history\?done"))
    assert "適用しました" in page.get_by_role("status").inner_text()
    assert "12 hours" in on_stack("export", "--tenant", "hanako")
    # Back, by the history: nothing is asked for again, and the schedule is as it was.
    page.go_back()
    assert "12 hours" in page.locator("textarea").input_value(), "the document in force, not an error"
    page.get_by_role("link", name="変更履歴").click()
    page.wait_for_url(re.compile("/history"))
    assert "定期実行の間隔 を変更: 24 hours → 12 hours" in page.get_by_role("main").inner_text()
    page.get_by_role("link", name="この版に戻す").first.click()
    assert "24 hours" in page.locator("textarea").input_value()
    page.get_by_role("button", name="検査して変更を確認").click()
    page.get_by_role("button", name="この内容を適用する").click()
    page.wait_for_url(re.compile(r"/history\?done"))
    assert "24 hours" in on_stack("export", "--tenant", "hanako")
    assert "nothing to change" in on_stack("apply", str(hanako.path), "--dry-run"), "schedules and secrets as the document says"


def test_credentials_are_entered_kept_and_never_shown(people, console, hanako):
    page = people.signed_in("owner")
    second = hanako.shops.post("/shops", {"name": "hanako-second", "email": "renkei@service.example", "password": "second-password"})
    opened(page, f"{console}/t/hanako/document")
    lines = page.locator("textarea").input_value().split("\n")
    start = lines.index("connections:") + 1
    addition = ["  - id: hanako-second", "    api: ecforce", f"    api_url: {second['url']}", "    ship_from: tokyo-dc",
                "    password: { env: SECOND_PASSWORD }", "    daily_call_limit: 1000"]
    page.locator("textarea").fill("\n".join(lines[:start] + addition + lines[start:]))
    page.get_by_role("button", name="検査して変更を確認").click()
    page.locator("[role=alert], [role=status]").first.wait_for()
    assert page.get_by_role("alert").count() == 0, page.get_by_role("alert").inner_text()
    page.get_by_label("hanako-second のパスワード（必須）").wait_for()
    page.get_by_role("button", name="この内容を適用する").click()
    assert "パスワードまたはトークンを入力してください" in page.get_by_role("alert").inner_text()
    page.get_by_label("hanako-second のパスワード（必須）").fill("second-password")
    page.get_by_role("button", name="この内容を適用する").click()
    page.wait_for_url(re.compile(r"/history\?done"))
    # The shop takes what was entered.
    assert "○ sign-in" in on_stack("connection", "test", "hanako-second", "--tenant", "hanako")
    # A stored password goes to no other address than it was entered for.
    opened(page, f"{console}/t/hanako/document")
    page.locator("textarea").fill(page.locator("textarea").input_value().replace(second["url"], "http://127.0.0.1:9"))
    page.get_by_role("button", name="検査して変更を確認").click()
    page.get_by_label("hanako-second のパスワード（必須）").wait_for()
    for path in ["/document", "/settings", "/history", "/audit"]:
        opened(page, f"{console}/t/hanako{path}")
        assert "second-password" not in page.content(), path
    on_stack("apply", str(hanako.path))  # As it was: the second shop goes, and its secret with it.


def test_a_shops_connection_is_tested_and_says_what_is_wrong(people, console, hanako, axe):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/settings")
    page.get_by_role("link", name="hanako-ecforce の接続テスト").click()
    page.get_by_role("button", name="接続テストを実行する").click()
    assert "誤りは見つかりませんでした" in page.get_by_role("status").inner_text()
    for check in ["API URL", "認証", "受注の権限", "対応状況（取得）", "在庫ロケーション"]:
        assert "○" in page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=check, exact=True)).inner_text(), check
    assert SHOP_PASSWORD not in page.content()
    # Which address the shop has to admit, before anything is asked of it.
    assert "renkei@service.example" in page.locator("dl").inner_text()
    wrong = hanako.document()
    wrong["connections"][0]["stock_location_code"] = "defalt"
    path = hanako.path.with_name("browser-hanako-wrong.yaml")
    path.write_text(json.dumps(wrong, ensure_ascii=False))
    on_stack("apply", str(path))
    try:
        for lang, button, words in [("ja", "接続テストを実行する", ["修正が必要な設定があります", "「defalt」が見つかりません"]),
                                    ("en", "Test the connection", ["Something has to be corrected", "no stock in a location"])]:
            people.switch(page, lang)
            opened(page, f"{console}/t/hanako/connection/hanako-ecforce")
            page.get_by_role("button", name=button).click()
            page.get_by_role("status").wait_for()
            text = page.locator("main").inner_text()
            assert all(word in text for word in words), text
            assert findings(page, axe) == []
            for width in (320, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                assert_fits(page)
    finally:
        hanako.apply()
    # Who works shipments is offered no test, and refused one.
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako/settings")
    assert page.get_by_role("link", name=re.compile("接続テスト")).count() == 0
    assert page.goto(f"{console}/t/hanako/connection/hanako-ecforce").status == 403
