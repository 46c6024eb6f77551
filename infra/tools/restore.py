"""Brings items of a restored table back into the stack's own: what is missing, or all as it was.

    python3 infra/tools/restore.py --from RESTORED --to TABLE                 items that TABLE does not have any more
    python3 infra/tools/restore.py --from RESTORED --to TABLE --overwrite     and those that it has otherwise
    … --tenant NAME                                                           only this merchant's
    … --without NAME                                                          all but this merchant's, who was erased
    … --access                                                                keys, webhooks and memberships too
    … --dry-run                                                               only count

The runbook (docs/operations.md, "Data is lost or spoilt") says when. AWS is found as `aws` and `renkei` find it:
credentials, AWS_ENDPOINT_URL and the region (AWS_REGION, else AWS_DEFAULT_REGION, else the profile's) from the environment.
Safe to repeat. Each 1,000 items that were read it says so, on standard error.

Keys of warehouses, addresses of webhooks and memberships that are missing are left out unless they are asked for: most were
taken away on purpose, and a key that was revoked would open again. A merchant who was erased since comes back unless they
are left out by name.
"""

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# This runs with any Python; boto3 is in the environment of the build tools.
sys.path[:0] = [str(path) for path in (PROJECT / ".renkei/tools/build/lib").glob("python*/site-packages")]
import boto3
from botocore.exceptions import ClientError

# What BatchGetItem takes.
READ_AT_ONCE = 100
# So often a hundred are asked for, with a pause twice as long each time: about two minutes in all.
ATTEMPTS = 14
LONGEST_PAUSE = 20.0
TELL_EACH = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--from", dest="source", required=True, help="the restored table")
    parser.add_argument("--to", dest="target", required=True, help="the stack's table")
    parser.add_argument("--tenant", help="only this merchant's items")
    parser.add_argument("--access", action="store_true", help="also keys, webhooks and memberships that are missing")
    parser.add_argument("--without", action="append", default=[], metavar="TENANT", help="all but this merchant's items")
    parser.add_argument("--overwrite", action="store_true", help="also items that differ: changes since then are lost")
    parser.add_argument("--dry-run", action="store_true", help="only count")
    options = parser.parse_args()
    # boto3 itself reads the second of these only; None leaves it to the profile.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    client = boto3.client("dynamodb", region_name=region)
    missing = otherwise = same = left_out = 0
    wanted = (item for item in items_of(client, options.source) if is_wanted(options, item))
    while some := list(itertools.islice(wanted, READ_AT_ONCE)):
        now = read(client, options.target, some)
        for item in some:
            there = now.get(place_of(item))
            if there == item:
                same += 1
            elif there is None and is_access(item) and not options.access:
                left_out += 1
            elif there is None:
                missing += put(client, options, item, "attribute_not_exists(pk)")
            else:
                otherwise += 1
                if options.overwrite:
                    put(client, options, item, None)
    did = "would be " if options.dry_run else ""
    print(f"{missing} missing items {did}put back, {otherwise} that differ {did + 'overwritten' if options.overwrite else 'left'}, {same} the same")
    if left_out:
        print(f"{left_out} missing keys, webhooks or memberships left out: with --access they would open again")


def items_of(client, table: str) -> Iterator[dict]:
    """All of a table, with a word on the way for who waits."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for count, item in enumerate((item for page in pages for item in page["Items"]), start=1):
        yield item
        if count % TELL_EACH == 0:
            print(f"{count} items read", file=sys.stderr, flush=True)


def read(client, table: str, items: list[dict]) -> dict[tuple[str, str], dict]:
    """These items as the table has them now, by their keys; without those that it does not have."""
    found = {}
    keys = [{name: item[name] for name in ("pk", "sk")} for item in items]
    for attempt in range(ATTEMPTS):
        answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        found |= {place_of(item): item for item in answer["Responses"].get(table, [])}
        keys = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if not keys:
            return found
        time.sleep(min(0.05 * 2**attempt, LONGEST_PAUSE))
    raise SystemExit(f"{table} does not give all items now; what was put back stays, so run this again later")


def put(client, options, item: dict, condition: str | None) -> int:
    if options.dry_run:
        return 1
    try:
        client.put_item(TableName=options.target, Item=item, **({"ConditionExpression": condition} if condition else {}))
    except ClientError as error:
        # Made anew meanwhile: the newer one stays.
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return 0
        raise
    return 1


def place_of(item: dict) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def is_wanted(options, item: dict) -> bool:
    if options.tenant and not is_of(options.tenant, item):
        return False
    return not any(is_of(name, item) for name in options.without)


def is_access(item: dict) -> bool:
    """Does it let somebody in: a warehouse's key, a webhook's secret, a membership?"""
    return item["pk"]["S"].partition("#")[0] in ("K", "U", "W")


def is_of(tenant: str, item: dict) -> bool:
    """By the keys of shared/store/src/keys.rs: `LETTER#tenant…`, `tenant#…`, or a list in which the tenant is an entry."""
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    kind, _, rest = pk.partition("#")
    if pk == "TENANTS" or kind == "U":
        return sk == tenant
    if kind == "K":
        return item.get("tenant", {}).get("S") == tenant
    return (rest if len(kind) == 1 and kind.isupper() else pk).split("#")[0] == tenant


if __name__ == "__main__":
    main()
