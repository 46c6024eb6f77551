"""いま実行する: a robot is started by its button, and its run's page is followed to the end."""

import re

from conftest import assert_fits, findings
from playwright.sync_api import expect
from test_pages import opened


def test_an_operator_runs_a_robot_now_and_sees_its_end(people, console, hanako, axe):
    # It calls no shop, and finds nothing to do.
    name, robot = "入金済みになったら出荷待ちへ", "release-when-paid"
    for script in (True, False):
        page = people.signed_in("operator", script=script)
        opened(page, f"{console}/t/hanako/robots")
        assert page.get_by_role("button", name=re.compile("を無効にする")).count() == 0, "starting is all that is offered"
        page.get_by_role("button", name=f"{name} {robot} をいま実行する").click()
        page.wait_for_url(re.compile(rf"/run\?id=\w+&robot={robot}"))
        heading = page.get_by_role("heading", level=1)
        if script:
            # The page renews itself until then.
            expect(heading).to_contain_text("完了", timeout=120_000)
        else:
            for _ in range(120):
                if "完了" in heading.inner_text():
                    break
                page.get_by_role("link", name="表示し直す").click()
                page.wait_for_timeout(1_000)
            assert "完了" in heading.inner_text()
        run = re.search(r"id=(\w+)", page.url)[1]
        ended = next(it for it in hanako.runs() if it["run"] == run)
        assert (ended["robot"], ended["cause"], ended["state"]) == (robot, "hand", "done"), ended
    # A run that has not begun has a page too.
    awaited = run[:-1] + ("1" if run[-1] == "0" else "0")
    page = people.signed_in("operator")
    for lang, words in [("ja", f"ロボット「{name}」を開始しました"), ("en", f"The robot “{name}” is started")]:
        people.switch(page, lang)
        opened(page, f"{console}/t/hanako/run?id={awaited}&robot={robot}")
        assert words in page.get_by_role("status").inner_text()
        assert findings(page, axe) == [], lang
        for width in (320, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
    # Who only looks is offered nothing.
    page = people.signed_in("viewer")
    opened(page, f"{console}/t/hanako/robots")
    assert page.get_by_role("button", name=re.compile("いま実行する")).count() == 0
