"""What needs a person, from today's page to its list; robots dry-run over all open shipments; what is wrong with a robot, in
the page's language; the way from a shipment to its order's dead letters."""

import re

from conftest import assert_fits, dead_letter, findings
from playwright.sync_api import expect
from test_pages import opened


def is_clean(people, page, axe, address: str) -> None:
    """In both languages, on a telephone and on a desk."""
    for lang in ("en", "ja"):
        people.switch(page, lang)
        opened(page, address)
        assert findings(page, axe) == [], lang
        for width in (320, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)


def test_what_needs_a_person_is_one_click_from_its_list(people, console, hanako, axe):
    hanako.order(payment_state="brand_new_state")
    hanako.run("fetch-orders", code=None)  # Others may wait for a person.
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako")
    page.get_by_role("link", name="hanako-ecforce: 決済状況の意味が未設定 1").click()
    page.wait_for_url(re.compile("needs=payment"))
    assert page.locator("tbody tr").count() == 1
    assert "brand_new_state" in page.locator("tbody").inner_text()
    tabs = page.get_by_role("list", name="対応が必要なもの")
    assert [re.sub(r"\s+", " ", it) for it in tabs.get_by_role("listitem").all_inner_texts()] == \
        ["キャンセルの対応待ち 0", "キャンセル依頼の回答待ち 0", "倉庫から戻った出荷 0", "取込後にショップで変わった出荷 0",
         "ショップへの書き戻しエラー 0", "決済状況の意味が未設定 1"]
    assert tabs.locator("[aria-current=page]").inner_text().startswith("決済状況の意味が未設定")
    # By keyboard to another list and back.
    tabs.get_by_role("link", name=re.compile("書き戻しエラー")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("needs=writeback"))
    assert "いまはありません" in page.locator("main").inner_text()
    page.go_back()
    page.wait_for_url(re.compile("needs=payment"))
    is_clean(people, page, axe, f"{console}/t/hanako/shipments?needs=payment")
    is_clean(people, page, axe, f"{console}/t/hanako")
    # What is on the list is worked from it, with the way back to it.
    opened(page, f"{console}/t/hanako/shipments?connection=hanako-ecforce&needs=payment")
    page.locator("tbody input[type=checkbox]").check()
    page.locator("select[name=action]").select_option("cancel")
    page.get_by_role("button", name="選んだ出荷を確認へ").click()
    page.get_by_role("button", name="実行する").click()
    page.wait_for_url(re.compile("needs=payment"))
    assert "いまはありません" in page.locator("main").inner_text()
    opened(page, f"{console}/t/hanako")
    assert page.get_by_role("link", name=re.compile("決済状況の意味")).count() == 0


def test_todays_numbers_lead_to_lists_of_the_same_length(people, console, hanako, axe):
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako")
    cells = page.locator("#today tbody tr").first.locator("td")
    taken = int(cells.nth(0).inner_text())
    assert taken > 50, "more than a page"
    cells.nth(0).get_by_role("link").click()
    page.wait_for_url(re.compile("taken=today"))
    assert page.get_by_role("heading", name="本日取込（未出荷）").count() == 1
    ids = []
    while True:
        ids += page.locator("tbody input[name=id]").evaluate_all("all => all.map(it => it.value)")
        further = page.locator("a[rel=next]")
        if further.count() == 0:
            break
        to = further.get_attribute("href")
        further.click()
        page.wait_for_url(lambda url: url.endswith(to))
    assert (len(ids), len(set(ids))) == (taken, taken)
    page.get_by_role("link", name="最初へ").click()
    page.wait_for_url(re.compile("taken=today$"))
    is_clean(people, page, axe, page.url)
    # Worked from, with the way back to it.
    page.locator("tbody input[name=id]").first.check()
    page.get_by_role("button", name="選んだ出荷を確認へ").click()
    page.wait_for_url(re.compile("preview"))
    page.go_back()
    page.wait_for_url(re.compile("taken=today"))
    page.get_by_role("link", name="状況別の一覧へ").click()
    page.wait_for_url(re.compile(r"shipments\?connection=hanako-ecforce$"))
    for cell, where in ((6, r"orders\?"), (5, "shipped=today"), (1, r"charts\?connection=hanako-ecforce")):
        opened(page, f"{console}/t/hanako")
        link = page.locator("#today tbody tr").first.locator("td").nth(cell).get_by_role("link")
        link.click()
        page.wait_for_url(re.compile(where))
    is_clean(people, page, axe, f"{console}/t/hanako/shipments?shipped=today")


def test_a_processing_robot_is_dry_run_over_the_open_shipments(people, console, hanako, axe):
    before = [(it["id"], it["status"]) for it in hanako.shipments()]
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/robots")
    page.get_by_role("link", name="定期初回に冊子を同梱 を試し実行する").click()
    page.wait_for_url(re.compile("dry-run"))
    assert "書き込みはしていません" in page.locator("main").inner_text()
    shown = page.get_by_role("status").inner_text()
    open_ones = sum(status in ("hold", "ready") for _, status in before)
    assert re.search(rf"確認した未出荷の出荷指示\s+{open_ones}\b", shown), shown
    assert "適用したときだけ動きます" in shown, shown
    is_clean(people, page, axe, page.url)
    # As it is being written, in its form and in its text; without script.
    page = people.signed_in("admin", script=False)
    opened(page, f"{console}/t/hanako/robot/processing/new/form?new")
    page.locator("[name=id]").fill("tag-all")
    page.locator("[name=name]").fill("すべてにラベル")
    page.locator("select[name=new]").select_option("tag")
    page.get_by_role("button", name="処理を追加").click()
    page.locator("[name='a.0.text']").fill("試しのラベル")
    page.get_by_role("button", name="未出荷の出荷指示すべてで試す").click()
    preview = page.locator("#preview")
    assert re.search(rf"変更\s+{open_ones}\b", preview.inner_text()), preview.inner_text()
    assert preview.get_by_role("listitem").first.inner_text().count("試しのラベル") == 1
    assert page.locator("[name='a.0.text']").input_value() == "試しのラベル", "what was typed stays"
    page.get_by_role("button", name="YAMLで編集する").click()
    page.get_by_role("button", name="未出荷の出荷指示すべてで試す").click()
    assert "試しのラベル" in page.locator("#preview").inner_text()
    # Nothing was written, and it is not among the robots.
    assert [(it["id"], it["status"]) for it in hanako.shipments()] == before
    opened(page, f"{console}/t/hanako/robots")
    assert "tag-all" not in page.content()


def test_what_is_wrong_with_a_robot_is_said_in_the_pages_language(people, console, hanako, axe):
    page = people.signed_in("admin")
    said = {"ja": ["項目「itmes.sku」はありません", "「items.sku」のことですか"],
            "en": ["there is no field `itmes.sku`", "did you mean `items.sku`?"]}
    for lang, words in said.items():
        people.switch(page, lang)
        opened(page, f"{console}/t/hanako/robot/processing/first-leaflet/form")
        page.locator("[name='c.0.field']").fill("itmes.sku")
        alert = page.get_by_role("alert")
        alert.wait_for()
        for word in words:
            assert word in alert.inner_text(), alert.inner_text()
        assert findings(page, axe) == [], lang
        # The same in its text.
        opened(page, f"{console}/t/hanako/robot/processing/first-leaflet")
        text = page.locator("textarea[name=text]")
        text.fill(text.input_value().replace("order.kind", "itmes.sku"))
        alert.wait_for()
        for word in words:
            assert word in alert.inner_text(), alert.inner_text()
    people.switch(page, "ja")


def test_today_says_how_many_dead_letters_are_ones_own(people, console, hanako, theirs, axe):
    # Somebody else's is not counted.
    dead_letter({"v": 1, "tenant": "theirs", "connection": "theirs-ecforce", "robot": "theirs-ecforce/fetch-orders",
                 "action": "fetch-orders", "cause": "schedule"})
    page = people.signed_in("operator")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "dead-letters/count" in request.url else None)
    page.clock.install()
    for lang, words in (("en", "yours: 1"), ("ja", "自社のもの: 1件")):
        people.switch(page, lang)
        asked.clear()
        opened(page, f"{console}/t/hanako")
        said = page.locator("#own-dead-letters")
        expect(said).to_have_text(words)
        assert findings(page, axe) == [], lang
        # The page renews itself, and what was counted stays.
        with page.expect_response(lambda answer: answer.url.endswith("/t/hanako")):
            page.clock.run_for(61_000)
        expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        expect(said).to_have_text(words)
        page.clock.run_for(1_000)
        assert len(asked) == 1, asked
        for width in (320, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
    # Without script, and for those who may not put them back, it is said as before or not at all.
    page = people.signed_in("operator", script=False)
    opened(page, f"{console}/t/hanako")
    assert page.get_by_role("link", name=re.compile("処理できなかったメッセージがあります")).count() == 1
    assert page.locator("#own-dead-letters").inner_text() == ""
    page = people.signed_in("viewer")
    opened(page, f"{console}/t/hanako")
    assert page.locator("#own-dead-letters").count() == 0


def test_a_shipment_leads_to_the_dead_letters_of_its_order(people, console, hanako, axe):
    page = people.signed_in("operator")
    shipment = hanako.shipments()[0]
    address = f"{console}/t/hanako/shipment/{shipment['id']}"
    opened(page, address)
    assert page.get_by_role("link", name=re.compile("処理できなかった注文")).count() == 0
    dead_letter({"v": 1, "tenant": "hanako", "connection": hanako.connection, "run": "by-hand",
                 "place": {"page": 1, "row": 0}, "fetched_at": "2026-11-24T00:00:00Z",
                 "order": {"unreadable": {"id": shipment["order_id"], "number": None, "reason": "for the test"}}},
                queue="import-orders")
    opened(page, address)
    assert findings(page, axe) == []
    page.get_by_role("link", name=re.compile("処理できなかった注文")).click()
    page.wait_for_url(re.compile("dead-letters"))
    assert page.locator("tbody tr").count() == 1, "not the one of a shop that is gone"
    assert str(shipment["order_id"]) in page.locator("tbody").inner_text()
    is_clean(people, page, axe, page.url)
    page.get_by_role("link", name="すべて表示する").click()
    page.get_by_role("cell", name=re.compile("fetch-orders|受注取得")).first.wait_for()
