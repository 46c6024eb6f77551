"""What is shown once: a warehouse's keys, and the address of a shop's webhooks. After the robots: the easy set-up plans more
for a shop that has a webhook."""

import re

from conftest import findings, lines, on_stack
from test_pages import opened


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
