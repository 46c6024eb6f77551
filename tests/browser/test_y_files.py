"""Files through the browser: products in, shipments out, results in; charts; searches by what parcels hold."""

import re
from datetime import UTC, datetime

from conftest import lines, on_stack
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


def test_shipments_go_out_as_a_file_and_results_come_in(people, console, hanako, tmp_path):
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
    with page.expect_download() as download:
        page.get_by_role("button", name="出力する").click()
    claimed = download.value.path().read_bytes()
    taken = [it for it in hanako.shipments() if it["status"] == "picking"]
    assert len(taken) >= 40, len(taken)
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
    form = page.locator("form[enctype]")

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
    page.get_by_role("button", name="倉庫が断った").click()
    page.get_by_role("button", name="対応済みにする").click()
    assert page.get_by_role("button", name="対応済みにする").count() == 0
    assert "キャンセルを対応済みに" in page.locator("main").inner_text()
    assert hanako.shipment(picking)["status"] == "picking"

