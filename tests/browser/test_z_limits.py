"""What is done too often is refused, and for a while only. Last of all: this machine's address counts for everybody."""

import re
import urllib.error
import urllib.request


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def statuses(address: str, times: int, cookie: str = "") -> list:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
    found = []
    for _ in range(times):
        try:
            with opener.open(urllib.request.Request(address, headers={"Cookie": cookie})) as answer:
                found.append(answer.status)
        except urllib.error.HTTPError as error:
            found.append(error.code)
    return found


def test_searches_are_limited_by_person(people, console, hanako):
    page = people.signed_in("viewer")
    cookie = "; ".join(f"{it['name']}={it['value']}" for it in page.context.cookies())
    found = statuses(f"{console}/t/hanako/shipments?q=no-such-number", 90, cookie)
    # A minute's end may lie within: then two of them are begun.
    assert found[0] == 200 and 429 in found and set(found) == {200, 429}, found
    page.goto(f"{console}/t/hanako/shipments?q=no-such-number")
    assert "回数が多すぎます" in page.get_by_role("alert").inner_text()
    # Lists go on.
    assert page.goto(f"{console}/t/hanako/shipments").status == 200


def test_sign_ins_are_limited_by_address(people, console, hanako):
    found = statuses(f"{console}/auth/sign-in", 140)
    assert found[-1] == 429 and set(found) == {303, 429}, found
    page = people.signed_in("owner")
    assert page.goto(f"{console}/t/hanako").status == 200, "whoever is in stays in"
    assert re.search("/t/hanako", page.url)
