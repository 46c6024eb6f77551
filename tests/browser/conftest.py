"""The console in a real browser, on a deployed stack of this machine: the stack, its shops, and people who sign in.

    python3 infra/tools/install.py browser
    cargo build --workspace --bins
    .renkei/tools/browser/bin/python -m pytest tests/browser

The stack is at the port RENKEI_TEST_PORT, or 4598, and begins anew. Pictures of every page go to
`target/screenshots`, or to the folder that RENKEI_SCREENSHOTS names.
"""

import importlib.resources
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PORT = os.environ.get("RENKEI_TEST_PORT", "4598")
PICTURES = ROOT / os.environ.get("RENKEI_SCREENSHOTS", "target/screenshots")
FOR_DOCS = "RENKEI_SCREENSHOTS" in os.environ
# The accounts that a local stack has, and their password: `renkei local up` prints them.
PASSWORD = "Renkei-Local-2026"
ROLES = ("viewer", "operator", "admin", "owner")
SHOP_PASSWORD = "only-for-tests"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
# What customers write, at its worst.
NASTY = "髙橋 <script>alert(\"名前\")</script>' onmouseover='x\u202e\u2066"
LONG = "長" * 5_000
OWN = "EC Force 出荷指示登録(標準・API用) - 独自"


def renkei(*arguments: str, code: int | None = 0) -> str:
    """What the command line answers; whatever its code, if None is expected."""
    environment = {k: v for k, v in os.environ.items() if k != "AWS_ENDPOINT_URL"} | {"SHOP_PASSWORD": SHOP_PASSWORD}
    ended = subprocess.run([ROOT / "target/debug/renkei", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert code is None or ended.returncode == code, f"renkei {' '.join(arguments)}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


def on_stack(*arguments: str, code: int | None = 0) -> str:
    return renkei("--local", PORT, *arguments, code=code)


def lines(text: str) -> list:
    return [json.loads(line) for line in text.splitlines()]


def dead_letter(body: dict, queue: str = "fetch-orders") -> None:
    """Puts a message among those that a function could not work on, as SQS does after five deliveries."""
    account = "000000000000"
    message = {"QueueUrl": f"http://127.0.0.1:{PORT}/{account}/renkei-{queue}-dead-letters",
               "MessageBody": json.dumps(body), "MessageGroupId": "browser"}
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage",
               "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/ap-northeast-1/sqs/aws4_request, "
                                "SignedHeaders=host, Signature=0"}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}", json.dumps(message).encode(), headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        assert answer.status == 200


class Shops:
    """Simulated shops, in a process that ends with the tests."""

    def __init__(self):
        self.process = subprocess.Popen([ROOT / "target/debug/renkei-simulator", "serve", "--control-port", "0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["control_url"]
        self.http = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def post(self, path: str, body: dict) -> dict:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with self.http.open(request) as answer:
            return json.load(answer)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


class Merchant:
    """A merchant with a shop, set up as the article sets one up."""

    def __init__(self, shops: Shops, name: str, orders: int):
        self.shops, self.name, self.connection = shops, name, f"{name}-ecforce"
        # Which payments are good is said, so that the counts are known.
        plain = {"payment_states": {"authed": 1.0}, "multi_address_percent": 0.0, "remark_percent": 0.0}
        shop = {"name": self.connection, "email": "renkei@service.example", "password": SHOP_PASSWORD, "orders": orders,
                "order_options": plain, "daily_call_limit": 100_000}
        self.shop = shops.post("/shops", shop)
        self.apply()
        for role in ROLES:
            on_stack("member", "add", f"{role}@renkei.example", "--tenant", name, "--role", role)

    def document(self) -> dict:
        return {
            "tenant": self.name,
            "ship_froms": [{"id": "tokyo-dc", "name": "東京第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                            "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "airlogi-tokyo"}],
            "connections": [{"id": self.connection, "api": "ecforce", "api_url": self.shop["url"], "ship_from": "tokyo-dc",
                             "password": {"env": "SHOP_PASSWORD"}, "stock_location_code": "default",
                             "daily_call_limit": 10_000, "call_interval_ms": 50}],
            "shipping_methods": [
                {"id": "nekopos", "name": "ネコポス", "warehouse_code": "NEKOPOS", "keywords": ["ネコポス"],
                 "carrier_ids": {self.connection: 6}},
                {"id": "yamato", "name": "ヤマト宅急便", "warehouse_code": "YAMATO", "keywords": ["ヤマト運輸"],
                 "carrier_ids": {self.connection: 1}, "default": True}],
            "products": [{"sku": sku, "name": name} for sku, name in
                         [("SERUM-30", "美容液 30ml"), ("MASK-5", "マスク 5枚"), ("SOAP-80", "石鹸 80g"), ("LEAFLET-1", "冊子")]],
            "conversion_robots": [{"id": "ecforce-own", "name": OWN, "copy_of": 14448}],
            "processing_robots": {
                "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"],
                "custom": [{"id": "first-leaflet", "name": "定期初回に冊子を同梱",
                            "when": {"all": [{"field": "order.kind", "equals": "定期受注"}, {"field": "order.times", "equals": 1}]},
                            "do": [{"add_item": {"sku": "LEAFLET-1", "quantity": 1}}]}]},
            "integration_robots": {"easy_setup": {"connection": self.connection, "conversion_robot": "ecforce-own",
                                                  "every": "24 hours", "inventory": True},
                                   "custom": [{"id": "release-when-paid", "name": "入金済みになったら出荷待ちへ",
                                               "on": {"after": "status-sync", "connection": self.connection},
                                               "do": {"apply_processing_robot": "ecforce-release",
                                                      "to_status": "awaiting-payment"}}]},
        }

    def apply(self) -> None:
        self.path = ROOT / "target" / f"browser-{self.name}.yaml"
        self.path.write_text(json.dumps(self.document(), ensure_ascii=False))  # JSON is YAML.
        on_stack("apply", str(self.path))

    def order(self, **attributes) -> None:
        self.shops.post(f"/shops/{self.connection}/orders", {"orders": [attributes]})

    def run(self, robot: str, code: int | None = 0) -> None:
        on_stack("run", f"{self.connection}/{robot}", "--tenant", self.name, "--wait", "--timeout", "300", "--json", code=code)

    def shipments(self) -> list:
        return lines(on_stack("shipments", "--tenant", self.name, "--json", "--limit", "1000"))

    def runs(self) -> list:
        return lines(on_stack("runs", "--tenant", self.name, "--json"))

    def orders(self) -> list:
        return lines(on_stack("orders", "--tenant", self.name, "--json"))

    def shipment(self, shipment: str) -> dict:
        return lines(on_stack("shipment", shipment, "--tenant", self.name, "--json"))[0]


@pytest.fixture(scope="session")
def console() -> str:
    """Where the console of a fresh stack is."""
    up = json.loads(renkei("local", "up", "--port", PORT, "--fresh", "--no-time-of-day", "--json"))
    return up["console_url"]


@pytest.fixture(scope="session")
def shops(console):
    shops = Shops()
    yield shops
    shops.end()


@pytest.fixture(scope="session")
def hanako(shops) -> Merchant:
    """A merchant with a day's work: paid, unpaid, unknown products, and customers who write the worst."""
    merchant = Merchant(shops, "hanako", 56)
    for _ in range(3):
        merchant.order(payment_state="pending")
    merchant.order(payment_state="authed", order_items=[{"variant_sku": "NOT-OURS", "quantity": 1}])
    # Not paid either: so the list of what is ready looks as lists do.
    merchant.order(payment_state="pending", remark=f"</textarea><script>alert('備考')</script>{LONG[:4_900]}",
                   shipping_addresses=[{"name01": NASTY, "name02": "\"><img src=x onerror=alert(1)>", "addr01": "=cmd|'/c calc'!A1"}])
    merchant.order(payment_state="pending", shipping_addresses=[{"name01": LONG, "addr01": LONG}])
    merchant.run("fetch-orders", code=4)
    # A shop that left the document while its robot's message was on its way.
    dead_letter({"v": 1, "tenant": "hanako", "connection": "gone", "robot": "gone/fetch-orders", "action": "fetch-orders",
                 "cause": "schedule"})
    return merchant


@pytest.fixture(scope="session")
def theirs(shops) -> Merchant:
    """Another merchant, whose members are others."""
    merchant = Merchant(shops, "theirs", 2)
    merchant.run("fetch-orders")
    # A merchant keeps an owner.
    on_stack("member", "add", "owner@theirs.example", "--tenant", "theirs", "--role", "owner")
    for role in ROLES:
        on_stack("member", "remove", f"{role}@renkei.example", "--tenant", "theirs")
    return merchant


@pytest.fixture(scope="session")
def chromium():
    program = shutil.which("chromium")
    assert program, "no chromium: run `python3 infra/tools/install.py browser`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class People:
    """Signs people in, each once; their browsers keep apart."""

    def __init__(self, browser: Browser, console: str):
        self.browser, self.console = browser, console
        self.sessions, self.contexts, self.complaints = {}, [], []

    def context(self, state=None, width: int = 1440, script: bool = True) -> BrowserContext:
        context = self.browser.new_context(viewport={"width": width, "height": 900}, locale="ja-JP",
                                           reduced_motion="reduce", storage_state=state,
                                           java_script_enabled=script)
        context.set_default_timeout(15_000)
        # Whatever a page breaks: its own script, or the policy that forbids all other.
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda message: self.heard(message))
        self.contexts.append(context)
        return context

    def heard(self, message) -> None:
        # A request that a newer one took the place of, or whose page was left, says so; one that failed says more.
        is_given_up = message.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
        if message.type == "error" and "Failed to load resource" not in message.text and not is_given_up:
            self.complaints.append(message.text)

    def sign_in(self, page: Page, role: str, to: str = "/", password: str = PASSWORD) -> None:
        """Through the provider's own page, as people do."""
        page.goto(self.console + to)
        page.locator("input[name=username]").fill(f"{role}@renkei.example")
        page.locator("input[name=password]").fill(password)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(f"{self.console}/**")

    def signed_in(self, role: str, width: int = 1440, script: bool = True) -> Page:
        if role not in self.sessions:
            context = self.context()
            self.sign_in(context.new_page(), role)
            self.sessions[role] = context.storage_state()
        return self.context(self.sessions[role], width, script).new_page()

    def switch(self, page: Page, lang: str) -> None:
        page.context.add_cookies([{"name": "renkei-lang", "value": lang, "url": self.console}])


@pytest.fixture(scope="session")
def everybody(chromium, console):
    return People(chromium, console)


@pytest.fixture
def people(everybody):
    everybody.complaints.clear()
    yield everybody
    for context in everybody.contexts:
        context.close()
    everybody.contexts.clear()
    assert everybody.complaints == [], "the browser complained"


@pytest.fixture(scope="session")
def axe() -> str:
    return importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()


def findings(page: Page, axe: str) -> list:
    """What axe finds on a page: each rule, and where."""
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [f"{it['id']}: {node['target']} {node['failureSummary']}" for it in found for node in it["nodes"]]


def assert_fits(page: Page) -> None:
    """No page is wider than its window; tables scroll within their own box."""
    wide = page.evaluate("""() => {
        const most = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= most) return [];
        return [...document.querySelectorAll('body *')].filter(it => it.getBoundingClientRect().right > most + 1
            && !it.parentElement.closest('.wide, pre')).slice(0, 5).map(it => it.outerHTML.slice(0, 120));
    }""")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), \
        f"{page.url} at {page.viewport_size['width']}: {wide}"
