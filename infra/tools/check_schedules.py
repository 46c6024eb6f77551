"""Whether the local AWS lists all schedules, however many there are: page by page, by their names, as AWS does.

    .renkei/tools/local/bin/python infra/tools/check_schedules.py
"""

import asyncio
import json
import os
import sys

os.environ["MINISTACK_REGION"] = "ap-northeast-1"

import local_aws  # noqa: E402
from ministack.services import scheduler  # noqa: E402

GROUP = "renkei"
# The last of three pages is not full.
NAMES = [f"wake-{number:03}" for number in range(230)]


def ask(method: str, path: str, body: dict | None = None, **query: str) -> dict:
    """One request, as it comes in over HTTP: a query's values are lists."""
    asked = {name: [value] for name, value in query.items()}
    status, _, answer = asyncio.run(
        scheduler.handle_request(method, path, {}, json.dumps(body).encode() if body else b"", asked))
    assert status == 200, (method, path, answer)
    return json.loads(answer)


def pages(**query: str) -> list[list[str]]:
    found, token = [], {}
    # One that stands still ends as well.
    while len(found) <= len(NAMES):
        answer = ask("GET", "/schedules", **query, **token)
        found.append([schedule["Name"] for schedule in answer["Schedules"]])
        if not answer.get("NextToken"):
            break
        token = {"NextToken": answer["NextToken"]}
    return found


def main() -> None:
    local_aws.list_all_schedules()
    ask("POST", f"/schedule-groups/{GROUP}", {})
    schedule = {
        "ScheduleExpression": "at(2100-01-01T00:00:00)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:ap-northeast-1:000000000000:renkei-fetch-orders", "RoleArn": "arn:aws:iam::0:role/x"},
    }
    # Made in another order than they are listed in, and beside another group's.
    for name in reversed(NAMES):
        ask("POST", f"/schedules/{name}", {**schedule, "GroupName": GROUP})
    ask("POST", "/schedules/wake-015-of-others", {**schedule, "GroupName": "default"})
    wrong = []
    for what, query, size in [
        ("as many as AWS gives unasked", {}, 100),
        ("forty at a time", {"MaxResults": "40"}, 40),
        ("exactly all of them", {"MaxResults": "230"}, 230),
    ]:
        wanted = [NAMES[first:first + size] for first in range(0, len(NAMES), size)]
        found = pages(ScheduleGroup=GROUP, **query)
        if found != wanted:
            wrong.append(f"{what}: pages of {[len(page) for page in found]}, where {[len(page) for page in wanted]} are meant")
    if wrong:
        sys.exit("\n".join([*wrong, "not all schedules are listed: see infra/tools/local_aws.py"]))
    print(f"{len(NAMES)} schedules are all listed")


if __name__ == "__main__":
    main()
