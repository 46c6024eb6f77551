"""Checks what `metered_calls.py` counts against units reckoned by hand, operation by operation.

    .renkei/tools/local/bin/python infra/tools/check_meter.py
"""

import os
import sys

os.environ["MINISTACK_REGION"] = "ap-northeast-1"

import metered_calls  # noqa: E402


def text(value: str) -> dict:
    return {"S": value}


def main() -> None:
    meter = metered_calls.install()
    from ministack.services import dynamodb

    made = dynamodb._create_table({
        "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "list", "since")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "work", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "list", "KeyType": "HASH"}, {"AttributeName": "since", "KeyType": "RANGE"}]}],
    })
    assert made[0] == 200, made
    key = {"pk": text("a"), "sk": text("b")}
    other = {"pk": text("z"), "sk": text("b")}

    def put(**more) -> dict:
        return {"TableName": "items", "Item": {**key, **more}}

    def batch(statement: str, *parameters: str) -> dict:
        return {"Statements": [{"Statement": statement, "Parameters": [text(it) for it in parameters]}]}

    wrong = []

    def costs(what: str, measure: str, wanted: float, handler, data: dict, status: int = 200) -> None:
        operation = handler.__name__.title().replace("_", "")
        token = metered_calls.current.set(("function", operation))
        before = dict(meter.amounts)
        answer = handler(data)
        metered_calls.current.reset(token)
        used = {of[1]: amount - before.get(of, 0) for of, amount in meter.amounts.items() if amount != before.get(of, 0)}
        if answer[0] != status or used != {measure: wanted}:
            wrong.append(f"{what}: {used} instead of {wanted} {measure} (status {answer[0]})")

    writes, reads = "write-units", "read-units"
    costs("two KB and one entry", writes, 2 + 1, dynamodb._put_item, put(list=text("x"), since=text("1"), body=text("x" * 1500)))
    costs("smaller by then, and moved in the list", writes, 2 + 2, dynamodb._put_item, put(list=text("x"), since=text("2")))
    costs("nothing moved", writes, 1, dynamodb._put_item, put(list=text("x"), since=text("2"), more=text("y")))
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    costs("a condition that fails", writes, 1, dynamodb._put_item, {**put(), **condition}, 400)
    costs("out of the list", writes, 1 + 1, dynamodb._batch_execute_statement,
          batch('UPDATE "items" SET more=? REMOVE list REMOVE since WHERE pk=? AND sk=?', "z", "a", "b"))
    costs("there already", writes, 1, dynamodb._batch_execute_statement, batch("INSERT INTO \"items\" VALUE {'pk':?,'sk':?}", "a", "b"))
    check = {"ConditionCheck": {"TableName": "items", "Key": other, "ConditionExpression": "attribute_not_exists(pk)"}}
    members = [{"Put": put(list=text("y"), since=text("1"))}, check]
    costs("a transaction of a put and a check", writes, 2 + 1 + 2, dynamodb._transact_write_items, {"TransactItems": members})
    members = [{"Put": {**put(), **condition}}, check]
    costs("one that is cancelled", writes, 2 + 2, dynamodb._transact_write_items, {"TransactItems": members}, 400)
    costs("a consistent read", reads, 1, dynamodb._get_item, {"TableName": "items", "Key": key, "ConsistentRead": True})
    costs("two of a batch, one not there", reads, 1, dynamodb._batch_get_item, {"RequestItems": {"items": {"Keys": [key, other]}}})
    costs("a query of an index", reads, 0.5, dynamodb._query, {
        "TableName": "items", "IndexName": "work", "KeyConditionExpression": "#list = :list",
        "ExpressionAttributeNames": {"#list": "list"}, "ExpressionAttributeValues": {":list": text("y")}})
    costs("removed", writes, 1 + 1, dynamodb._delete_item, {"TableName": "items", "Key": key})

    if wrong:
        sys.exit("\n".join(wrong))
    print("The meter counts what was reckoned by hand.")


if __name__ == "__main__":
    main()
