"""Every page, in both languages, on a telephone and on a desk: what axe finds, what overflows, what a keyboard reaches."""

import io
import re

import pytest
from conftest import FOR_DOCS, LONG, NASTY, PICTURES, assert_fits, findings
from PIL import Image
from playwright.sync_api import expect

# Every page of a merchant: how it is called on a picture, and its address.
PAGES = {
    "today": "", "shipments": "/shipments", "shipments-ready": "/shipments?status=ready", "needs": "/shipments?needs=writeback", "orders": "/orders",
    "robots": "/robots", "document": "/document", "history": "/history", "settings": "/settings", "ship-from": "/setting/ship-from/tokyo-dc",
    "connection-form": "/setting/connection/hanako-ecforce", "connection-new": "/setting/connection/new?new", "method-form": "/setting/shipping-method/yamato", "access": "/access", "notices": "/notices", "connection": "/connection/hanako-ecforce", "easy": "/easy", "products": "/products",
    "files": "/files", "charts": "/charts", "robot": "/robot/processing/first-leaflet",
    "robot-copy": "/robot/conversion/14448?copy", "robot-form": "/robot/processing/first-leaflet/form",
    "robot-new": "/robot/processing/new/form?new", "conversion-form": "/robot/conversion/14448/form?copy",
    "integration-form": "/robot/integration/release-when-paid/form", "integration-new": "/robot/integration/new/form?new",
    "dry-run": "/dry-run?robot=hanako-ecforce/state-working", "dry-run-fetch": "/dry-run?robot=hanako-ecforce/fetch-orders",
    "dry-run-rule": "/dry-run?processing=first-leaflet",
    "taken": "/shipments?taken=today", "shipped": "/shipments?shipped=today",
    "stock": "/stock", "runs": "/runs", "dead-letters": "/dead-letters", "audit": "/audit",
}
# The pictures that the documentation shows.
SHOWN = {"today", "needs", "shipments-ready", "shipment", "orders", "order", "robots", "robot", "robot-form", "conversion-form",
         "integration-form", "dry-run-rule", "easy", "document", "history", "settings", "ship-from", "connection-form", "method-form", "connection", "products", "notices",
         "access", "files", "charts", "runs", "run", "dead-letters", "audit"}
# So many bytes a picture at most: they are kept with the documentation.
MOST_BYTES = 150_000


def addresses(merchant) -> dict:
    pages = {name: f"/t/{merchant.name}{path}" for name, path in PAGES.items()}
    # One of the plain ones: whoever looks at the pictures should see a day's work.
    plain = next(it for it in merchant.shipments() if it["status"] == "ready" and len(it["ship_to"]["name"]) < 20)
    waits = next(it for it in merchant.orders() if it["outcome"] == "quarantined")
    order = f"/t/{merchant.name}/order/{merchant.connection}/{waits['order_id']}"
    run = next(it["run"] for it in merchant.runs() if it["calls"] > 0)
    return pages | {"order": order, "run": f"/t/{merchant.name}/run?id={run}", "shipment": f"/t/{merchant.name}/shipment/{plain['id']}", "home": "/?choose", "not-found": "/t/nobody"}


def opened(page, address: str):
    answer = page.goto(address)
    assert answer.status == (404 if address.endswith("/nobody") else 200), f"{address}: {answer.status}"
    page.wait_for_load_state()


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_axe_finds_nothing_and_nothing_overflows(people, console, hanako, axe, lang):
    page = people.signed_in("owner")
    people.switch(page, lang)
    found = []
    for name, address in addresses(hanako).items():
        opened(page, console + address)
        assert page.locator("html").get_attribute("lang") == lang, address
        found += [f"{name}: {it}" for it in findings(page, axe)]
        for width in (1440, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
        page.set_viewport_size({"width": 1440, "height": 900})
    page.context.clear_cookies()
    people.switch(page, lang)
    opened(page, f"{console}/auth/signed-out")
    found += [f"signed-out: {it}" for it in findings(page, axe)]
    assert found == [], "\n".join(found)


def test_pictures_are_taken_of_every_page(people, console, hanako):
    page = people.signed_in("owner")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, address in addresses(hanako).items():
        opened(page, console + address)
        page.wait_for_load_state("networkidle")
        path = PICTURES / f"{name}.png"
        if FOR_DOCS and name not in SHOWN:
            continue
        # Few colours are enough for pages, and make them small.
        Image.open(io.BytesIO(page.screenshot())).quantize(48).save(path, optimize=True)
        assert path.stat().st_size < MOST_BYTES, f"{path}: {path.stat().st_size} bytes"


def test_what_customers_write_is_shown_and_breaks_nothing(people, console, hanako):
    page = people.signed_in("operator")
    nasty = next(it["id"] for it in hanako.shipments() if it["ship_to"]["name"].startswith("髙橋 <script>"))
    long = next(it["id"] for it in hanako.shipments() if it["ship_to"]["name"].startswith(LONG[:40]))
    page.on("dialog", lambda dialog: pytest.fail(f"a customer's script ran: {dialog.message}"))
    for address in [f"/t/hanako/shipment/{nasty}", f"/t/hanako/shipment/{long}", "/t/hanako/shipments?status=hold",
                    "/t/hanako/shipments?status=ready", "/t/hanako/orders"]:
        opened(page, console + address)
        assert page.locator("script:not([src])").count() == 0 and page.locator("img").count() == 0, address
        assert page.locator("[onmouseover]").count() == 0, address
        for width in (1440, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
    opened(page, f"{console}/t/hanako/shipment/{nasty}")
    # Isolated: a right-to-left mark in a name turns nothing around outside of it.
    assert any(NASTY in it for it in page.locator("bdi").all_text_contents())


def test_everything_is_reached_by_keyboard_and_seen(people, console, hanako):
    page = people.signed_in("owner")
    for address in ["/t/hanako", "/t/hanako/shipments?status=hold", "/t/hanako/document", "/t/hanako/settings"]:
        opened(page, console + address)
        wanted = page.evaluate("""() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
            .map((it, place) => (it.dataset.place = place)).length""")
        reached, unseen = set(), []
        for _ in range(wanted + 40):
            page.keyboard.press("Tab")
            at = page.evaluate("""() => {
                const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
                return {place: it.dataset.place, html: it.outerHTML.slice(0, 100),
                        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0
                            && box.bottom > 0 && box.top < innerHeight};
            }""")
            if at["place"] is not None:
                reached.add(int(at["place"]))
                if not at["seen"]:
                    unseen.append(at["html"])
            if len(reached) == wanted:
                break
        missed = [page.locator(f"[data-place='{place}']").evaluate("it => it.outerHTML.slice(0, 100)")
                  for place in set(range(wanted)) - reached]
        assert (missed, unseen) == ([], []), address


def test_shortcuts_lead_from_page_to_page_and_row_to_row(people, console, hanako):
    page = people.signed_in("operator")
    opened(page, f"{console}/t/hanako")
    page.keyboard.press("2")
    page.wait_for_url(re.compile(r"/shipments$"))
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.type("j1")  # Typed, not obeyed.
    assert page.locator("input[name=q]").input_value() == "j1"
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    rows = page.locator("tbody tr")
    assert rows.nth(0).locator("input[type=checkbox]").is_checked()
    assert not rows.nth(1).locator("input[type=checkbox]").is_checked()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/shipment/"))
