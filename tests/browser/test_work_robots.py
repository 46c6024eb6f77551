"""Robots in the console: copied, ordered, switched off, written in forms, and set up easily. What goes wrong on the way is
said in its place."""

import json
import re

from conftest import OWN, assert_fits, findings, on_stack
from playwright.sync_api import expect
from test_pages import opened


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
    # What can be written stands beside it.
    page.get_by_text("テンプレートの書き方", exact=True).click()
    expect(page.get_by_text("half_kana", exact=True)).to_be_visible()
    assert findings(page, axe) == []
    for width in (320, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)
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


def test_the_easy_set_up_shows_its_plan_while_it_is_chosen(people, console, hanako, axe):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/easy")
    assert page.get_by_role("checkbox").count() == 6
    assert "出荷指示取得" in page.locator("#plan").inner_text(), "robots by what they do"
    calls = page.locator("#plan tbody tr").last.inner_text()
    page.get_by_role("combobox", name="定期トリガー").select_option(label="5分ごと")
    page.locator("#plan .alert, #plan .good").wait_for()
    expect(page.locator("#plan tbody tr").last).not_to_have_text(calls, use_inner_text=True)
    # S3d: allowed, with a warning that has the numbers.
    expect(page.locator("#plan .warn")).to_contain_text("5分ごとの実行は、できるだけ避けてください")
    expect(page.locator("#plan .warn")).to_contain_text("上限は10,000回です")
    page.get_by_role("checkbox", name="在庫連携").uncheck()
    page.get_by_role("button", name="この内容で設定する").click()
    page.wait_for_url(re.compile(r"/robots\?done"))
    document = on_stack("export", "--tenant", "hanako")
    assert "every: 5 minutes" in document and "inventory: true" not in document
    # Its robots lead back there. They stay while another waits for one of them; without that they go, once somebody is sure.
    page.locator("th").get_by_role("link", name="出荷指示取得", exact=True).click()
    page.get_by_role("button", name="連携ロボットをすべて外す").click()
    assert "この変更はできません" in page.get_by_role("alert").inner_text()
    alone = hanako.document()
    alone["integration_robots"].pop("custom")
    path = hanako.path.with_name("browser-hanako-alone.yaml")
    path.write_text(json.dumps(alone, ensure_ascii=False))
    on_stack("apply", str(path))
    try:
        opened(page, f"{console}/t/hanako/easy")
        page.get_by_role("button", name="連携ロボットをすべて外す").click()
        assert "まだ何も変えていません" in page.get_by_role("alert").inner_text()
        assert findings(page, axe) == []
        assert "easy_setup" in on_stack("export", "--tenant", "hanako")
        page.get_by_role("button", name="連携ロボットをすべて外す").click()
        page.wait_for_url(re.compile(r"/robots\?done"))
        assert "easy_setup" not in on_stack("export", "--tenant", "hanako")
    finally:
        hanako.apply()
