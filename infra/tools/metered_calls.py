"""What AWS would charge for, counted while the functions of a local stack work: `renkei bench cost` reads it.

Only what functions do is counted, each function's by itself. DynamoDB's units are reckoned from the items, as its pricing
says (a write: the larger of before and after, by started KB, doubled in a transaction, and each index that it touches; a
read: by started 4 KB, half unless consistent), because the local AWS does not tell them of batches. What an operation
costs that nobody has taught this to count shows as `unmetered`.

    GET /_renkei/meter    →    [{"function": …, "measure": …, "operation": …, "amount": …}, …], since AWS started
"""

import contextvars
import functools
import json
import threading
import time

from recorded_calls import CALLER

PATH = "/_renkei/meter"
# SQS and HTTP APIs charge a request once for each started piece of so many bytes.
SQS_BYTES, HTTP_BYTES = 64 * 1024, 512 * 1024
# Lambda's pollers, like anybody, take and remove at most ten messages in one request.
MESSAGES_A_REQUEST = 10
# CloudWatch adds so many bytes to each line; Lambda writes START, END and REPORT around each invocation.
BYTES_A_LINE, PLATFORM_BYTES = 26, 350 + 3 * 26

# Who calls, and by which operation, while a request is answered. Nobody: not a function's request.
current: contextvars.ContextVar = contextvars.ContextVar("current", default=None)
# Bytes that a query has read.
queried: contextvars.ContextVar = contextvars.ContextVar("queried", default=None)


class Meter:
    """Amounts by (function, measure, operation)."""

    def __init__(self):
        self.lock = threading.Lock()
        self.amounts: dict[tuple[str, str, str], float] = {}

    def add(self, who: str, measure: str, operation: str, amount: float) -> None:
        with self.lock:
            key = (who, measure, operation)
            self.amounts[key] = self.amounts.get(key, 0) + amount

    def here(self, measure: str, amount: float) -> None:
        if (of := current.get()) is not None:
            self.add(of[0], measure, of[1], amount)

    def told(self) -> bytes:
        names = ("function", "measure", "operation", "amount")
        with self.lock:
            return json.dumps([dict(zip(names, (*key, amount))) for key, amount in sorted(self.amounts.items())]).encode()


def started(size: float, piece: int) -> int:
    """Started pieces of a size; one at least."""
    return max(1, -(-int(size) // piece))


def install() -> Meter:
    """Has this process' ministack count. After `recorded_calls.install`, before it runs."""
    from ministack import app

    meter = Meter()
    count_items(meter)
    count_queues(meter)
    count_functions(meter)
    dispatch = app._dispatch_service_request

    async def counted(method, path, headers, body, query_params, request_id):
        if path == PATH:
            return 200, {"Content-Type": "application/json"}, meter.told()
        caller = CALLER.search(headers.get("user-agent", "") + " " + headers.get("x-amz-user-agent", ""))
        if not caller:
            return await dispatch(method, path, headers, body, query_params, request_id)
        operation = headers.get("x-amz-target", "").rpartition(".")[2] or f"{method} {path.split('/')[1]}"
        service = app.detect_service(method, path, headers, app._routing_params(method, path, headers, body, query_params))
        token = current.set((caller[1], operation))
        try:
            answer = await dispatch(method, path, headers, body, query_params, request_id)
        finally:
            current.reset(token)
        size = max(len(body or b""), len(answer[2] or b"") if isinstance(answer[2], (bytes, str)) else 0)
        if service == "dynamodb":
            meter.add(caller[1], "dynamodb-requests", operation, 1)
        elif service == "sqs":
            meter.add(caller[1], "sqs-requests", operation, started(size, SQS_BYTES))
        elif service == "secretsmanager":
            meter.add(caller[1], "secrets-requests", operation, 1)
        elif service != "scheduler":
            # Schedules are charged for when they fire, not when they are made.
            meter.add(caller[1], "unmetered", f"{service} {operation}", 1)
        return answer

    app._dispatch_service_request = counted
    return meter


def count_items(meter: Meter) -> None:
    """DynamoDB: every item that is written or read, by whatever operation."""
    from ministack.services import dynamodb

    size, kb = dynamodb._item_size_bytes, dynamodb._capacity_kb

    def in_transaction() -> bool:
        of = current.get()
        return of is not None and of[1] in ("TransactWriteItems", "ExecuteTransaction", "TransactGetItems")

    def wrote(table, old, new) -> None:
        units = kb(max(size(old) if old else 0, size(new) if new else 0)) * (2 if in_transaction() else 1)
        for index in (table.get("GlobalSecondaryIndexes") or []) + (table.get("LocalSecondaryIndexes") or []):
            units += dynamodb._index_write_units(table, index, old, new)
        meter.here("write-units", units)

    def read(item, consistent) -> None:
        meter.here("read-units", started(size(item) if item else 0, 4096) * (1 if consistent else 0.5))

    def item_before(table, pk, sk):
        return table["items"].get(pk, {}).get(sk)

    def after(name, then):
        """Lets a function of the local AWS do its work, then has `then` look at its answer and what it was given."""
        work = getattr(dynamodb, name)

        @functools.wraps(work)
        def looked_at(*given, **named):
            answer = work(*given, **named)
            if current.get() is not None:
                then(answer, *given, **named)
            return answer

        setattr(dynamodb, name, looked_at)

    set_item, remove_item = dynamodb._set_item, dynamodb._remove_item

    def set_and_count(table, pk, sk, item):
        wrote(table, item_before(table, pk, sk), item)
        return set_item(table, pk, sk, item)

    def remove_and_count(table, pk, sk):
        wrote(table, item_before(table, pk, sk), None)
        return remove_item(table, pk, sk)

    dynamodb._set_item, dynamodb._remove_item = set_and_count, remove_and_count
    # A write whose condition does not hold costs what the item that was there is large.
    after("_conditional_check_failed", lambda _, data, old, *__, **___: meter.here("write-units", kb(size(old) if old else 0)))

    def inserted(answer, table, parsed):
        if answer[0] != 200:
            pk, sk = (dynamodb._extract_key_val(parsed["item"].get(table[name])) for name in ("pk_name", "sk_name"))
            meter.here("write-units", kb(size(item_before(table, pk, sk) or {})))

    after("_partiql_insert", inserted)

    def transacted(answer, data):
        for member in data.get("TransactItems", []):
            (kind, op), = member.items()
            table = dynamodb._tables.get(op.get("TableName", ""))
            # What was written is counted where it is written; checks, and all of one that was cancelled, are not.
            if table and (kind == "ConditionCheck" or answer[0] != 200):
                key = dynamodb._extract_key_from_item(table, op["Item"]) if kind == "Put" else op["Key"]
                there = dynamodb._get_item_by_key(table, key)
                meter.here("write-units", 2 * kb(max(size(there) if there else 0, size(op.get("Item") or {}))))

    after("_transact_write_items", transacted)

    def got(_, data):
        table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
        if table:
            read(dynamodb._get_item_by_key(table, data.get("Key", {})), data.get("ConsistentRead"))

    def got_many(_, data):
        for name, wanted in data.get("RequestItems", {}).items():
            table = dynamodb._tables.get(dynamodb._normalize_table_name(name))
            for key in wanted.get("Keys", []) if table else []:
                read(dynamodb._get_item_by_key(table, key), wanted.get("ConsistentRead"))

    after("_get_item", got)
    after("_batch_get_item", got_many)
    paginate, query = dynamodb._paginate_evaluated_items, dynamodb._query

    def paginate_and_count(items, limit, table, index_name=None):
        page, stopped = paginate(items, limit, table, index_name)
        if queried.get() is not None:
            entries = (dynamodb._apply_index_projection(it, table, index_name) if index_name else it for it in page)
            queried.get().append(sum(size(entry) for entry in entries))
        return page, stopped

    def query_and_count(data):
        token = queried.set([])
        try:
            answer = query(data)
            # The items of a page together, not one by one.
            units = started(sum(queried.get()), 4096) * (1 if data.get("ConsistentRead") else 0.5)
            meter.here("read-units", units)
            return answer
        finally:
            queried.reset(token)

    dynamodb._paginate_evaluated_items, dynamodb._query = paginate_and_count, query_and_count
    for name in ("_scan", "_partiql_select", "_partiql_select_index", "_transact_get_items"):
        after(name, lambda *_, name=name, **__: meter.here("unmetered", 1))


def count_queues(meter: Meter) -> None:
    """SQS: what Lambda's pollers take and remove. A queue is called as the function that it feeds."""
    from ministack.services import sqs

    take, remove = sqs._receive_messages_for_esm, sqs._delete_messages_for_esm

    def function_of(queue_url: str) -> str:
        return queue_url.rpartition("/")[2]

    def take_and_count(queue_url, wanted):
        messages = take(queue_url, wanted)
        for first in range(0, len(messages), MESSAGES_A_REQUEST):
            size = sum(len(message["body"].encode()) for message in messages[first:first + MESSAGES_A_REQUEST])
            meter.add(function_of(queue_url), "sqs-requests", "ReceiveMessage", started(size, SQS_BYTES))
        return messages

    def remove_and_count(queue_url, handles):
        meter.add(function_of(queue_url), "sqs-requests", "DeleteMessageBatch", started(len(handles), MESSAGES_A_REQUEST))
        return remove(queue_url, handles)

    sqs._receive_messages_for_esm, sqs._delete_messages_for_esm = take_and_count, remove_and_count


def count_functions(meter: Meter) -> None:
    """Lambda: invocations, their time by the memory that the template gives, what they log, and the HTTP API before them."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    dispatch, emit = lambda_svc._execute_function_dispatch, lambda_svc._emit_lambda_logs
    worker = lambda_runtime.ProvidedWorker
    invoke, record = worker.invoke, worker._record_result
    ended: dict[str, float] = {}

    def record_and_note(self, generation, request_id, kind, payload):
        ended[request_id] = time.monotonic()
        return record(self, generation, request_id, kind, payload)

    def invoke_and_count(self, event, request_id, **named):
        began = time.monotonic()
        try:
            return invoke(self, event, request_id, **named)
        finally:
            # Until the function has answered: what the local AWS does after that is its own affair.
            seconds = ended.pop(request_id, time.monotonic()) - began
            memory = self.config.get("MemorySize", 128) / 1024
            # By started milliseconds.
            meter.add(self.func_name, "gb-seconds", "Invoke", started(seconds * 1_000_000, 1000) / 1000 * memory)

    def dispatch_and_count(func, config, event, request_id, started_at):
        who = config.get("FunctionName", "unknown")
        meter.add(who, "lambda-requests", "Invoke", 1)
        if isinstance(event, dict) and "http" in (event.get("requestContext") or {}):
            answer = dispatch(func, config, event, request_id, started_at)
            size = max(len(event.get("body") or ""), len(json.dumps(answer.get("body") or "")))
            meter.add(who, "http-requests", "Invoke", started(size, HTTP_BYTES))
            return answer
        return dispatch(func, config, event, request_id, started_at)

    def emit_and_count(func, request_id, log_text, *rest, **named):
        who = (func.get("config") or func).get("FunctionName", "unknown")
        lines = len((log_text or "").splitlines())
        size = len((log_text or "").encode()) + lines * BYTES_A_LINE + PLATFORM_BYTES
        meter.add(who, "log-bytes", "PutLogEvents", size)
        return emit(func, request_id, log_text, *rest, **named)

    worker.invoke, worker._record_result = invoke_and_count, record_and_note
    lambda_svc._execute_function_dispatch, lambda_svc._emit_lambda_logs = dispatch_and_count, emit_and_count
