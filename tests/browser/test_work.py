"""A day's work in the console, and what goes wrong in one: sessions that end, forms sent twice, the back button, other
merchants' addresses, and what each role is refused."""

import json
import re

from conftest import OWN, ROLES, SHOP_PASSWORD, assert_fits, findings, lines, on_stack
from playwright.sync_api import expect
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
    assert SHOP_PASSWORD not in page.content() and "renkei@service.example" not in page.content()
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


def test_robots_are_copied_tried_ordered_and_switched_off(people, console, hanako):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/robots")
    # S2: the standard is copied, renamed, changed and tried on a real order before it is saved.
    page.get_by_role("row", name=re.compile("標準・API用.*14448 · 標準")).get_by_role("link", name="コピーを作る").click()
    page.get_by_role("button", name="YAMLで編集する").click()
    text = page.locator("textarea[name=text]")
    assert "copy_of: 14448" in text.input_value()
    text.fill(text.input_value().rstrip() + "\nfields:\n  delivery_note: 'お届け先：{{ ship_to.name'\n")
    page.get_by_role("alert").wait_for()  # Wrong, said while it is written.
    text.fill(text.input_value().replace("'お届け先：{{ ship_to.name'", "お取扱注意"))
    page.locator("#preview").get_by_role("cell", name="お取扱注意").wait_for()
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    document = on_stack("export", "--tenant", "hanako")
    assert document.count("copy_of: 14448") == 2 and "お取扱注意" in document
    # S4: order and switches; without script as well.
    page = people.signed_in("admin", script=False)
    opened(page, f"{console}/t/hanako/robots")
    page.get_by_role("button", name=re.compile("^未入金.*を上へ|hold-unpaid.*を上へ")).or_(
        page.locator("tr", has_text="hold-unpaid").get_by_role("button", name=re.compile("を上へ"))).first.click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    assert "enable: [hold-unpaid, payment-check" in on_stack("export", "--tenant", "hanako")
    page.locator("tr", has_text="reject-duplicate").get_by_role("button", name=re.compile("を無効にする")).click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    assert "reject-duplicate" not in on_stack("export", "--tenant", "hanako")
    # S5: the merchant's own robot on a trigger.
    page.locator("tr", has_text="release-when-paid").get_by_role("button", name=re.compile("を無効にする")).click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    assert "有効にする" in page.locator("tr", has_text="release-when-paid").inner_text()
    # A page that is older than the settings changes nothing.
    stale = people.signed_in("admin")
    opened(stale, f"{console}/t/hanako/robots")
    page.locator("tr", has_text="release-when-paid").get_by_role("button", name=re.compile("を有効にする")).click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    stale.locator("tr", has_text="first-leaflet").get_by_role("button", name=re.compile("を無効にする")).click()
    assert "別の人が設定を変えました" in stale.get_by_role("alert").inner_text()
    hanako.apply()


def order_of(page) -> list:
    """Ids of the processing robots that stand in the order, from the top."""
    return [it.removeprefix("robot-") for it in page.locator("tr[data-list] th a").evaluate_all("all => all.map(it => it.id)")]


def wait_for_focus(page, wanted: str):
    """Waits until this element has the page's focus. Whether the window has the machine's is not the page's affair."""
    has = "[document.activeElement?.id, document.hasFocus()]"
    for _ in range(50):
        found = page.evaluate(has)
        if found[0] == wanted:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{wanted} has not the focus: {found}")


def test_robots_are_ordered_by_keys_and_by_drag(people, console, hanako, axe):
    second = hanako.document()
    second["processing_robots"]["custom"].append({"id": "gift", "name": "贈り物のラベル", "do": [{"tag": "贈り物"}]})
    path = hanako.path.with_name("browser-hanako-second.yaml")
    path.write_text(json.dumps(second, ensure_ascii=False))
    on_stack("apply", str(path))
    try:
        page = people.signed_in("admin")
        # The whole list is in sight: what is dragged is not scrolled under the pointer.
        page.set_viewport_size({"width": 1440, "height": 2400})
        opened(page, f"{console}/t/hanako/robots")
        before = order_of(page)
        assert before[:2] == ["payment-check", "hold-unpaid"] and before[-2:] == ["first-leaflet", "gift"], before
        # By keys: the row that has the focus moves, is announced, and keeps the focus.
        while page.evaluate("document.activeElement.id") != "robot-payment-check":
            page.keyboard.press("j")
        said = page.get_by_role("status")
        for name, place in [("ArrowDown", 2), ("ArrowDown", 3), ("ArrowUp", 2)]:
            page.keyboard.press(f"Alt+{name}")
            said.get_by_text(f"は上から{place}番目です").wait_for()
            assert order_of(page).index("payment-check") == place - 1
            wait_for_focus(page, "robot-payment-check")
        assert "enable: [hold-unpaid, payment-check," in on_stack("export", "--tenant", "hanako")
        # By its button, which keeps the focus as well.
        page.locator("#up-payment-check").focus()
        page.keyboard.press("Enter")
        said.get_by_text("は上から1番目です").wait_for()
        wait_for_focus(page, "up-payment-check")
        assert order_of(page) == before
        # By drag: to the end of its list, back to its head, and never into the other list.
        last = before[-3]
        row = lambda robot: page.locator("tr[data-list]").filter(has=page.locator(f"#robot-{robot}"))
        below = lambda robot: {"x": 40, "y": row(robot).bounding_box()["height"] - 2}
        row("payment-check").locator(".handle").drag_to(row(last), target_position=below(last))
        said.get_by_text(f"は上から{len(before) - 2}番目です").wait_for()
        assert order_of(page) == [*before[1:-2], "payment-check", *before[-2:]]
        row("payment-check").locator(".handle").drag_to(row("hold-unpaid"), target_position={"x": 40, "y": 2})
        said.get_by_text("は上から1番目です").wait_for()
        row("gift").locator(".handle").drag_to(row("first-leaflet"), target_position={"x": 40, "y": 2})
        said.get_by_text(f"は上から{len(before) - 1}番目です").wait_for()
        now = order_of(page)
        assert now == [*before[:-2], "gift", "first-leaflet"]
        row("gift").locator(".handle").drag_to(row("hold-unpaid"), target_position={"x": 40, "y": 2})
        assert page.locator("tr.above, tr.below").count() == 0 and order_of(page) == now
        assert on_stack("export", "--tenant", "hanako").index("id: gift") < on_stack("export", "--tenant", "hanako").index("id: first-leaflet")
        assert findings(page, axe) == []
        for width in (320, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
        # Somebody else was faster: said in place, and nothing moves.
        on_stack("apply", str(path))
        row("payment-check").get_by_role("button", name="を下へ").click()
        page.get_by_role("alert").wait_for()
        assert "別の人が設定を変えました" in page.get_by_role("alert").inner_text()
        assert "enable: [payment-check," in on_stack("export", "--tenant", "hanako")
        # The browser's log has the refusal, and nothing else.
        assert all("Error Code 409" in it for it in people.complaints), people.complaints
        people.complaints.clear()
    finally:
        hanako.apply()


def test_a_robot_is_written_in_a_form(people, console, hanako, axe):
    # Without script: every button sends the form, and what was typed stays.
    page = people.signed_in("admin", script=False)
    opened(page, f"{console}/t/hanako/robots")
    page.get_by_role("link", name="処理ロボットを作る").click()
    page.get_by_label("ロボットID").fill("big-orders")
    page.get_by_label("名前", exact=True).fill("高額の注文")
    page.get_by_role("button", name=re.compile("^条件を追加")).first.click()
    page.locator("[name='c.0.field']").fill("order.total")
    page.locator("[name='c.0.operator']").select_option("greater")
    page.locator("[name='c.0.value']").fill("たくさん")
    page.get_by_role("button", name=re.compile("^グループを追加")).first.click()
    typed = lambda name: page.locator(f"[name='{name}']").input_value()
    assert (typed("id"), typed("name"), typed("c.0.value"), typed("c.0.operator")) == ("big-orders", "高額の注文", "たくさん", "greater")
    page.locator("[name='c.1.0.field']").fill("items.sku")
    page.locator("[name='c.1.0.operator']").select_option("in")
    page.locator("[name='c.1.0.value']").fill("SERUM-30\nMASK-5\n\nSOAP-80")
    page.locator("select[name=new]").select_option("notify")
    page.get_by_role("button", name="処理を追加").click()
    page.locator("[name='a.0.text']").fill("一行目\n二行目")
    page.locator("select[name=new]").select_option("tag")
    page.get_by_role("button", name="処理を追加").click()
    page.locator("[name='a.1.text']").fill("高額")
    page.get_by_role("button", name=re.compile("^上へ 2")).click()
    assert (typed("a.0.text"), typed("a.1.text")) == ("高額", "一行目\n二行目")
    # Wrong: said on its row, and nothing is saved.
    page.get_by_role("button", name="検査して保存する").click()
    alert = page.get_by_role("alert")
    assert "条件 1: 「たくさん」は数でも日付でもありません" in alert.inner_text(), alert.inner_text()
    assert alert.get_by_role("link", name="条件 1").get_attribute("href") == "#c.0"
    assert "big-orders" not in on_stack("export", "--tenant", "hanako")
    page.locator("[name='c.0.value']").fill("1")
    # Enter in a field tries; it takes nothing away.
    page.locator("[name='name']").press("Enter")
    page.get_by_text("書き込みはしていません").wait_for()
    assert typed("c.1.0.value") == "SERUM-30\nMASK-5\n\nSOAP-80"
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    saved = on_stack("export", "--tenant", "hanako")
    for part in ["id: big-orders", "field: order.total, greater: 1", "in: [SERUM-30, MASK-5, SOAP-80]", "tag: 高額"]:
        assert part in saved, saved
    # With script: tried while it is written.
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/robots")
    page.get_by_role("link", name="高額の注文", exact=True).click()
    page.wait_for_url(re.compile("/robot/processing/big-orders/form"))
    page.locator("[name='a.0.text']").fill("とても高額")
    page.locator("#preview").get_by_role("cell", name=re.compile("とても高額")).wait_for()
    page.locator("[name='c.0.value']").fill("9999999")
    page.get_by_text("条件に当てはまりません").wait_for()
    for lang in ("ja", "en"):
        assert findings(page, axe) == [], lang
        for width in (320, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
        people.switch(page, "en")
        opened(page, f"{console}/t/hanako/robot/processing/big-orders/form")
    people.switch(page, "ja")
    opened(page, f"{console}/t/hanako/robot/processing/big-orders/form")
    # Over to the text and back, with what is not saved yet.
    page.locator("[name='a.0.text']").fill("とても高額")
    page.get_by_role("button", name="YAMLで編集する").click()
    text = page.locator("textarea[name=text]")
    assert "とても高額" in text.input_value() and "big-orders" in text.input_value(), text.input_value()
    text.fill(text.input_value().replace("とても高額", "最高額"))
    page.get_by_role("button", name="フォームで編集する").click()
    page.locator("[name='a.0.text']").wait_for()
    assert page.locator("[name='a.0.text']").input_value() == "最高額"
    page.get_by_role("button", name=re.compile("^処理を削除 2")).click()
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    saved = on_stack("export", "--tenant", "hanako")
    assert "tag: 最高額" in saved and "二行目" not in saved
    hanako.apply()


def test_conversion_and_integration_robots_have_forms(people, console, hanako, axe):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/robots")
    page.get_by_role("link", name=OWN).click()
    page.wait_for_url(re.compile("/robot/conversion/ecforce-own/form"))
    page.locator("select[name=new]").select_option("delivery_note")
    page.get_by_role("button", name="項目を追加").click()
    template = page.locator("[name='f.0.template']")
    expect(template).to_be_focused()  # Goes on where the row is.
    template.fill("{{ order.remark")
    page.get_by_role("alert").wait_for()
    assert "備考 (delivery_note)" in page.get_by_role("alert").inner_text()
    template.fill("取扱注意 {{ order.number }}")
    page.locator("#preview").get_by_role("cell", name=re.compile("取扱注意")).wait_for()
    assert findings(page, axe) == []
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    assert "取扱注意 {{ order.number }}" in on_stack("export", "--tenant", "hanako")
    # An integration robot, without script.
    page = people.signed_in("admin", script=False)
    opened(page, f"{console}/t/hanako/robots")
    page.get_by_role("link", name="連携ロボットを作る").click()
    page.get_by_label("ロボットID").fill("nightly")
    page.get_by_label("名前", exact=True).fill("毎朝の照合")
    page.get_by_role("radio", name="毎日").check()
    page.locator("[name=daily_at]").fill("25:00")
    page.locator("[name=does]").select_option("reconcile")
    page.get_by_role("button", name="検査する").click()
    assert "トリガー: " in page.get_by_role("alert").inner_text() and page.locator("[name=daily_at]").input_value() == "25:00"
    page.locator("[name=daily_at]").fill("08:30")
    page.get_by_role("button", name="検査して保存する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    saved = on_stack("export", "--tenant", "hanako")
    assert "id: nightly" in saved and "08:30" in saved and "do: reconcile" in saved, saved
    page.get_by_role("link", name="毎朝の照合", exact=True).click()
    assert page.get_by_role("radio", name="毎日").is_checked() and page.locator("[name=daily_at]").input_value() == "08:30"
    # Who only works shipments reads it, and is offered no form.
    page = people.signed_in("operator")
    assert page.goto(f"{console}/t/hanako/robot/integration/nightly").status == 200
    assert page.locator("textarea").is_editable() is False
    assert page.goto(f"{console}/t/hanako/robot/integration/nightly/form").status == 403
    hanako.apply()


def test_the_easy_set_up_shows_its_plan_while_it_is_chosen(people, console, hanako):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/easy")
    assert page.get_by_role("checkbox").count() == 5
    assert "出荷指示取得" in page.locator("#plan").inner_text(), "robots by what they do"
    calls = page.locator("#plan tbody tr").last.inner_text()
    page.get_by_role("combobox", name="定期トリガー").select_option(label="5分ごと")
    page.locator("#plan .alert, #plan .good").wait_for()
    expect(page.locator("#plan tbody tr").last).not_to_have_text(calls, use_inner_text=True)
    page.get_by_role("checkbox", name="在庫連携").uncheck()
    page.get_by_role("button", name="この内容で設定する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    document = on_stack("export", "--tenant", "hanako")
    assert "every: 5 minutes" in document and "inventory: true" not in document
    hanako.apply()


def test_keys_are_shown_once_and_work_until_they_are_taken_back(people, console, hanako, axe):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/access")
    page.get_by_role("button", name="作る").first.click()
    key = page.get_by_role("textbox", name="キー").input_value()
    assert key.startswith("rkw_")
    listed = lines(on_stack("warehouse-key", "list", "--tenant", "hanako", "--json"))
    assert [it["state"] for it in listed] == ["valid"]
    opened(page, f"{console}/t/hanako/access")
    assert key not in page.content()
    page.get_by_role("button", name="新しいものに替える").first.click()
    assert page.get_by_role("textbox", name="キー").input_value() not in ("", key)
    assert sorted(it["state"] for it in lines(on_stack("warehouse-key", "list", "--tenant", "hanako", "--json"))) == ["ending", "valid"]
    page.get_by_role("button", name=re.compile("をいますぐ失効させる")).first.click()
    # It is asked once more; who goes back has changed nothing.
    assert "元に戻せません" in page.get_by_role("alert").inner_text()
    assert findings(page, axe) == []
    page.get_by_role("link", name="戻る", exact=True).click()
    page.wait_for_url(re.compile("/access$"))
    assert "revoked" not in [it["state"] for it in lines(on_stack("warehouse-key", "list", "--tenant", "hanako", "--json"))]
    page.get_by_role("button", name=re.compile("をいますぐ失効させる")).first.click()
    page.get_by_role("button", name="いますぐ失効させる", exact=True).click()
    page.wait_for_url(re.compile(r"/access\?done=revoked$"))
    assert page.get_by_role("status").inner_text() == "失効させました。"
    assert "revoked" in [it["state"] for it in lines(on_stack("warehouse-key", "list", "--tenant", "hanako", "--json"))]
    # The address of webhooks.
    page.get_by_role("button", name="作る").last.click()
    assert "/hooks/ecforce/rkh_" in page.get_by_role("textbox", name="アドレス").input_value()
