"""Files through the browser: products in, shipments out, results in; charts; searches by what parcels hold."""

import re
from datetime import UTC, datetime

from conftest import assert_fits, findings, lines, on_stack
from test_pages import opened


def test_products_come_by_csv_and_orders_that_waited_go_on(people, console, hanako):
    page = people.signed_in("admin")
    opened(page, f"{console}/t/hanako/products")
    table = "商品コード,商品名,安全在庫\r\nNEW-1,新商品 <b>,5\r\n".encode("shift_jis")
    upload = {"name": "products.csv", "mimeType": "text/csv", "buffer": table}
    page.locator("input[type=file]").set_input_files(upload)
    page.get_by_role("button", name="確認のみ").click()
    assert "まだ取り込んでいません" in page.get_by_role("status").inner_text()
    skus = [it["sku"] for it in lines(on_stack("products", "list", "--tenant", "hanako", "--json"))]
    assert "NEW-1" not in skus
    page.locator("input[type=file]").set_input_files(upload)
    page.get_by_role("button", name="取り込む", exact=True).click()
    assert "取り込みました" in page.get_by_role("status").inner_text()
    found = [it for it in lines(on_stack("products", "list", "--tenant", "hanako", "--json")) if it["sku"] == "NEW-1"]
    assert [(it["name"], it["stock_buffer"]) for it in found] == [("新商品 <b>", 5)]
    # A wrong table is refused whole, each line said.
    page.locator("input[type=file]").set_input_files({"name": "p.csv", "mimeType": "text/csv", "buffer": "sku,name\n,x\nB,\n".encode()})
    page.get_by_role("button", name="取り込む", exact=True).click()
    assert page.get_by_role("alert").get_by_role("listitem").count() >= 2
    assert "3行目: 商品名は1〜200文字、1行で入力してください。" in page.get_by_role("alert").inner_text()
    # So is one of more rows than are done while a page waits.
    many = "sku,name\n" + "".join(f"MANY-{n},x\n" for n in range(10_001))
    page.locator("input[type=file]").set_input_files({"name": "many.csv", "mimeType": "text/csv", "buffer": many.encode()})
    page.get_by_role("button", name="取り込む", exact=True).click()
    page.get_by_text("10,000行を超えています。ファイルを分けてください。").wait_for()


def test_shipments_go_out_as_a_file_and_results_come_in(people, console, hanako, tmp_path, axe):
    page = people.signed_in("operator")
    ready = [it for it in hanako.shipments() if it["status"] == "ready"]
    opened(page, f"{console}/t/hanako/files")
    page.locator("select[name=layout]").first.select_option("standard")
    page.get_by_role("combobox", name="対象").select_option("ready")
    page.get_by_label("出荷予定日").fill("")
    page.get_by_role("checkbox", name="出力できない出荷は除く").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="出力する").click()
    text = download.value.path().read_bytes()
    assert len(text.splitlines()) >= min(len(ready), 40), text[:300]
    assert [it["status"] for it in hanako.shipments() if it["id"] == ready[0]["id"]] == ["ready"], "left as they are"
    # Some go into a file of the command line, and all others into one of the console.
    one = ready[0]["shipping_method"]
    first = tmp_path / "first.csv"
    export = ["files", "export", "--tenant", "hanako", "--connection", "hanako-ecforce", "--layout", "standard", "--skip", "--ship-until", "all"]
    on_stack(*export, "--method", one, "--claim", "--out", str(first), code=None)
    before = [row.split(b",")[0] for row in first.read_bytes().splitlines()[1:]]
    assert before and any(it["shipping_method"] != one for it in ready)
    moment = datetime.now(UTC).isoformat()
    # Taken, and a tracking number for one of them comes back.
    page.get_by_role("combobox", name="対象").select_option("claim")
    page.get_by_role("button", name="出力する").click()
    # It says first how many, and takes none yet.
    asked = page.get_by_role("alert").inner_text()
    count = int(re.search(r"([\d,]+)件の出荷を出荷準備中に", asked).group(1).replace(",", ""))
    assert "一括では戻せません" in asked and findings(page, axe) == []
    were = sum(it["status"] == "picking" for it in hanako.shipments())
    with page.expect_download() as download:
        page.get_by_role("button", name="出荷準備中にして出力する").click()
    claimed = download.value.path().read_bytes()
    taken = [it for it in hanako.shipments() if it["status"] == "picking"]
    assert len(taken) >= 40 and len(taken) == were + count, (len(taken), were, count)
    # The file is lost: the very same is made again, and nothing besides.
    opened(page, f"{console}/t/hanako/files")
    which = page.get_by_role("combobox", name="対象")
    again = which.locator("option", has_text="のファイルを再出力").first
    assert "件 hanako-ecforce standard" in again.inner_text() and "operator@renkei.example" in again.inner_text()
    # It is of its own layout and of all methods, whatever else is chosen.
    page.locator("select[name=layout]").first.select_option("yamato-b2")
    page.get_by_role("combobox", name="配送方法").select_option(one)
    which.select_option(again.get_attribute("value"))
    with page.expect_download() as download:
        page.get_by_role("button", name="出力する").click()
    assert download.value.path().read_bytes() == claimed
    assert not any(id in claimed for id in before), "what another file took is not in it"
    second = tmp_path / "second.csv"
    on_stack(*export, "--status", "picking", "--claimed-since", moment, "--out", str(second))
    assert second.read_bytes() == claimed
    results = f"出荷指示ID,お問い合わせ番号,出荷日\r\n{taken[0]['id']},4000-0000-0001,\r\nhanako-ecforce.999999.1,4000-0000-0002,\r\n"
    # A row that names another order is refused.
    other = f"出荷指示ID,お問い合わせ番号,受注番号\r\n{taken[0]['id']},4000-0000-0009,NO-SUCH\r\n"
    form = page.locator("form[action$='/files/results']")

    def send(text):
        form.get_by_role("combobox", name="形式").select_option("standard")
        shop = form.get_by_role("combobox", name="ショップ")
        if shop.count():
            assert shop.input_value() == "", "nobody's shop is taken for granted"
            shop.select_option("hanako-ecforce")
        form.locator("input[type=file]").set_input_files({"name": "r.csv", "mimeType": "text/csv", "buffer": text.encode()})
        form.get_by_role("button", name="取り込む").click()

    send(other)
    assert page.get_by_role("cell", name="受注番号がこの出荷のものと違います").is_visible()
    send(results)
    assert "出荷済みにしました: 1" in page.get_by_role("status").inner_text()
    assert page.get_by_role("cell", name="この出荷指示IDの出荷はありません").is_visible()
    assert hanako.shipment(taken[0]["id"])["tracking_number"] == "4000-0000-0001"
    # Found by its number, and others by name and by product.
    opened(page, f"{console}/t/hanako/shipments?q=400000000001")
    assert re.search(re.escape(taken[0]["id"]), page.url)
    name = taken[1]["ship_to"]["name"]
    opened(page, f"{console}/t/hanako/shipments?q={name}")
    assert name in page.locator("main").inner_text()
    opened(page, f"{console}/t/hanako/shipments?q={taken[1]['items'][0]['sku']}")
    assert page.locator("tbody tr").count() > 1


def test_counts_come_in_and_are_seen_with_what_is_reserved(people, console, hanako, axe):
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako/files")
    form = page.locator("form[action$='/files/counts']")

    def send(text):
        form.get_by_role("combobox", name="発送元").select_option("tokyo-dc")
        form.locator("input[type=file]").set_input_files({"name": "c.csv", "mimeType": "text/csv", "buffer": text.encode()})
        form.get_by_role("button", name="在庫数を取り込む").click()

    # No file of counts: it says so, takes nothing, and offers the form again.
    send("a,b\nSERUM-30,500\n")
    said = page.get_by_role("alert").inner_text()
    assert "何も取り込んでいません" in said and "1行目に見出しが必要です" in said
    assert page.get_by_role("status").count() == 0
    send("商品コード,数量\nSERUM-30,500\nMASK-5,many\n")
    assert "取り込みました: 1" in page.get_by_role("status").inner_text()
    assert "3行目 数量: 0以上の整数にしてください。" in page.get_by_role("alert").inner_text()
    assert findings(page, axe) == []
    page.get_by_role("link", name="在庫を見る").click()
    page.wait_for_url(re.compile(r"/stock\?connection=hanako-ecforce$"))
    waiting = [it for it in hanako.shipments() if it["status"] in ("hold", "ready")]
    reserved = sum(item["quantity"] for it in waiting for item in it["items"] if item["sku"] == "SERUM-30")
    rows = page.locator("tbody tr")
    assert rows.get_by_role("rowheader").all_inner_texts() == ["SERUM-30"]
    name, count, _, buffer, is_reserved, sellable, told = rows.locator("td").all_inner_texts()
    assert (name, count, told) == ("美容液 30ml", "500", "—")
    assert (int(is_reserved), int(sellable)) == (reserved, 500 - reserved - int(buffer))
    assert findings(page, axe) == []
    for width in (320, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)
    page.get_by_role("searchbox", name="商品コード・商品名").fill("ｍａｓｋ")
    page.get_by_role("button", name="表示").click()
    assert page.get_by_role("status").inner_text() == "この条件の商品はありません。"
    # A viewer comes by the menu, sees the same, and takes nothing in.
    viewer = people.signed_in("viewer")
    opened(viewer, f"{console}/t/hanako")
    menu = viewer.get_by_role("navigation", name="メニュー")
    menu.get_by_role("link", name="在庫", exact=True).click()
    viewer.wait_for_url(re.compile(r"/stock$"))
    assert menu.locator("[aria-current=page]").inner_text() == "在庫"
    assert viewer.get_by_role("rowheader", name="SERUM-30", exact=True).is_visible()
    assert viewer.get_by_role("link", name="在庫数を取り込む").count() == 0


def test_a_carriers_file_is_made_for_one_method_with_its_fixed_texts(people, console, hanako):
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako/files")

    def choose():
        page.locator("select[name=layout]").first.select_option("yamato-b2")
        page.get_by_role("combobox", name="対象").select_option("picking")
        page.get_by_role("checkbox", name="出力できない出荷は除く").check()
        methods = page.get_by_role("combobox", name="配送方法")
        chosen = methods.locator("option").nth(1).get_attribute("value")
        methods.select_option(chosen)
        return chosen

    # What the carrier's software asks for is asked for here.
    choose()
    page.get_by_role("checkbox", name="出力できない出荷は除く").uncheck()
    page.get_by_role("button", name="出力する").click()
    assert "送り状種類" in page.get_by_role("alert").inner_text()
    kept = [page.locator("select[name=layout]").first, page.get_by_role("combobox", name="対象")]
    assert [it.input_value() for it in kept] == ["yamato-b2", "picking"], "a page that comes back takes nothing by itself"
    method = choose()
    for label, text in [("送り状種類", "0"), ("請求先顧客コード", "000000000000"), ("運賃管理番号", "01")]:
        page.get_by_label(label).fill(text)
    with page.expect_download() as download:
        page.get_by_role("button", name="出力する").click()
    rows = download.value.path().read_bytes().decode("cp932").splitlines()[1:]
    written = {row.split(",")[0].strip('"') for row in rows}
    theirs = {
        "-".join(it["id"].rsplit(".", 2)[1:])
        for it in hanako.shipments()
        if it["status"] == "picking" and it["shipping_method"] == method
    }
    assert written and written <= theirs, (written, theirs)


def test_charts_have_their_numbers_as_a_table(people, console, hanako):
    page = people.signed_in("viewer")
    opened(page, f"{console}/t/hanako/charts")
    assert page.get_by_role("img").count() == 2
    page.get_by_text("表で見る").first.click()
    today = page.locator("table").first.locator("tbody tr").last
    numbers = [int(it.replace(",", "")) for it in today.locator("td").all_inner_texts()]
    assert numbers[-1] == sum(numbers[:-1]) == len(hanako.shipments())


def test_a_cancellation_in_the_warehouses_hands_is_seen_to(people, console, hanako):
    page = people.signed_in("operator")
    picking = [it["id"] for it in hanako.shipments() if it["status"] == "picking"][-1]
    opened(page, f"{console}/t/hanako/shipment/{picking}")
    page.get_by_role("button", name="キャンセル…").click()
    assert "倉庫へキャンセルを依頼" in page.locator("main").inner_text()
    page.get_by_role("button", name="実行する").click()
    assert "0件を変更しました。1件は倉庫に依頼しました（まだキャンセルされていません" in page.get_by_role("status").inner_text()
    # Consent is asked for once more; going back leaves it open.
    page.get_by_role("button", name="倉庫が承諾した").click()
    assert "元に戻せません" in page.get_by_role("alert").inner_text()
    page.get_by_role("link", name="戻る", exact=True).click()
    assert hanako.shipment(picking)["status"] == "picking"
    page.get_by_role("button", name="倉庫が断った").click()
    assert page.get_by_role("status").inner_text() == "倉庫の回答を登録しました。"
    page.get_by_role("button", name="対応済みにする").click()
    assert page.get_by_role("status").inner_text() == "対応済みにしました。"
    assert page.get_by_role("button", name="対応済みにする").count() == 0
    assert "キャンセルを対応済みに" in page.locator("main").inner_text()
    assert hanako.shipment(picking)["status"] == "picking"

