"""AWS on this machine, for one local stack: runs ministack and corrects it where it differs from AWS in ways that matter.

`renkei local up` starts it with the Python of the virtual environment `.renkei/tools/local`:

    python infra/tools/local_aws.py --port 4566 --directory .renkei/local

It stays in the foreground, writes its log to standard output, listens on the loopback only, and ends on SIGTERM or
SIGINT, when it writes all state to the directory; the next start reads it back. Killed outright, it forgets what
happened since its start. Functions run as child processes and end with it.
"""

import argparse
import collections
import importlib.metadata
import json
import os
import sys
from pathlib import Path

# The corrections below reach into this release. Another one needs them looked at again, not skipped.
RELEASE = "1.5.33"

# Lambda's own limit on what one invocation is given is 6 MB; what surrounds a message's body takes its part of it.
BATCH_BYTES = 5_500_000
BYTES_AROUND_A_BODY = 1_000


def main() -> None:
    options = arguments()
    release = importlib.metadata.version("ministack")
    if release != RELEASE:
        sys.exit(f"ministack {release} is installed, but this is made for {RELEASE}. "
                 "Run `python3 infra/tools/install.py local`.")
    configure(options.port, options.directory.resolve(), options.log_level)
    endpoint = options.functions_endpoint
    # Only now: ministack reads its settings when it is imported.
    answer_functions_at_once()
    end_without_a_word()
    honour_batch_sizes()
    lose_no_message()
    look_at_schedules_every_second()
    list_all_schedules()
    if options.no_time_of_day:
        let_no_time_of_day_come()
    take_from_queues_at_once()
    read_a_statement_once()
    read_a_condition_once()
    if endpoint:
        send_functions_to(endpoint)
    note_what_functions_call(options.directory.resolve())
    if options.metered:
        count_what_is_charged_for()

    from ministack import app
    from ministack.core import lambda_runtime

    sys.argv = ["ministack"]
    try:
        app.main()
    finally:
        # A function in the middle of its work would go on calling shops, up to its timeout, with no AWS to record it.
        lambda_runtime.reset()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="where AWS answers, on 127.0.0.1")
    parser.add_argument("--directory", type=Path, required=True, help="where state is kept; one directory, one stack")
    parser.add_argument("--functions-endpoint", metavar="URL",
                        help="where functions find AWS instead: a proxy in front of it that fails, for tests")
    parser.add_argument("--metered", action="store_true",
                        help="count what AWS would charge for, and tell it at /_renkei/meter; takes time with each request")
    parser.add_argument("--no-time-of-day", action="store_true",
                        help="start nothing that a schedule starts at a certain hour, such as a shop's nightly comparison: "
                             "what a test counts does not depend on when it runs")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return parser.parse_args()


def configure(port: int, directory: Path, log_level: str) -> None:
    # Functions inherit this process's environment. Nothing of the operator's own AWS account may reach them.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for part in ("state", "s3", "tmp"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    endpoint = f"http://127.0.0.1:{port}"
    os.environ.update({
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # Where functions find AWS.
        "AWS_ENDPOINT_URL": endpoint,
        "MINISTACK_REGION": "ap-northeast-1",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(directory / "tmp"),
        # Other services' ports, which two stacks would quarrel over.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # It must not look for containers, even on a machine that has Docker.
        "DOCKER_HOST": f"unix://{directory}/no-docker",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": log_level,
    })


def answer_functions_at_once() -> None:
    """The Runtime API answers in two writes, and without this the second waits 40 ms for the function to acknowledge
    the first: more than most invocations take."""
    import socketserver

    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def end_without_a_word() -> None:
    """An environment that is over hears nothing any more, as on AWS, where it is frozen and taken away. Left alone, one that
    began while its function's configuration changed is answered with an error instead of its next event; what runs in it
    panics over that, and the log blames the function."""
    from ministack.core.lambda_runtime import ProvidedWorker

    build = ProvidedWorker._build_handler_class

    def build_handler(worker, *given):
        class Handler(build(worker, *given)):
            def _stopped(self):
                self.close_connection = True

        return Handler

    ProvidedWorker._build_handler_class = build_handler


def honour_batch_sizes() -> None:
    """An event source mapping hands over as many messages as the template says. Left alone it stops at ten, as
    `ReceiveMessage` does; Lambda's own pollers gather up to 10,000 messages, or 6 MB. And groups are treated fairly."""
    import time

    from ministack.services import sqs

    def receive(queue_url: str, wanted: int) -> list:
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            quiet_groups_first(queue["messages"])
            return sqs._collect_msgs(queue, fitting(queue["messages"], int(wanted or 1)), visibility)

    def quiet_groups_first(messages: list) -> None:
        # Fair queues, as SQS's standard queues are for messages with a group: who has little waiting does not wait
        # behind who has much.
        sizes = collections.Counter(message.get("group_id") for message in messages)
        if len(sizes) > 1:
            messages.sort(key=lambda message: sizes[message.get("group_id")])

    def fitting(messages: list, wanted: int) -> int:
        now, count, size = time.time(), 0, 0
        for message in messages:
            if message.get("visible_at", 0) > now:
                continue
            size += len(message["body"].encode()) + BYTES_AROUND_A_BODY
            if count == wanted or (count > 0 and size > BATCH_BYTES):
                break
            count += 1
        return count

    sqs._receive_messages_for_esm = receive


def lose_no_message() -> None:
    """Pollers look at a queue in threads of their own, sort it and write it anew, while requests append to it without asking
    for the lock that pollers hold: what came in between was gone, and nobody was told. Real queues lose nothing, so here
    whatever touches a queue's messages holds the lock."""
    import functools
    import inspect
    import threading

    from ministack.services import eventbridge, sqs

    # The same thread may come again: a batch is sent message by message.
    lock = sqs._queues_lock = threading.RLock()

    def alone(work):
        @functools.wraps(work)
        def locked(*given, **named):
            with lock:
                return work(*given, **named)

        return locked

    # Receiving waits for messages, and must not keep the lock while it does; what it does to a queue is in these.
    for name in ("_expire_retained", "_dlq_sweep", "_collect_msgs", "_act_send_message"):
        setattr(sqs, name, alone(getattr(sqs, name)))
    # What schedules send.
    eventbridge._dispatch_to_sqs = alone(eventbridge._dispatch_to_sqs)
    for action, work in list(sqs._HANDLERS.items()):
        if not inspect.iscoroutinefunction(work):
            sqs._HANDLERS[action] = alone(work)


def send_functions_to(endpoint: str) -> None:
    """Functions, and nothing else, find AWS at this address: `renkei prove` stands there and lets calls fail."""
    from ministack.services import lambda_svc

    environment = lambda_svc._provided_worker_env

    def elsewhere(*given) -> dict:
        return {**environment(*given), "AWS_ENDPOINT_URL": endpoint}

    lambda_svc._provided_worker_env = elsewhere


def look_at_schedules_every_second() -> None:
    """Ten seconds are a long wait for somebody who watches a robot start."""
    from ministack.services import scheduler

    scheduler._SCHEDULE_TICK_INTERVAL = 1


def list_all_schedules() -> None:
    """Page by page, by their names, as AWS does. Left alone, what is behind the first hundred is in no list: wake-ups that a
    merchant left behind would fire in the middle of what comes after it."""
    from ministack.services import scheduler

    whole = scheduler._list_schedules

    def page(query: dict):
        status, headers, body = whole({**query, "MaxResults": "1000000"})
        found = sorted(json.loads(body)["Schedules"], key=lambda schedule: schedule["Name"])
        behind = [it for it in found if it["Name"] > query.get("NextToken", "")]
        shown = behind[:int(query.get("MaxResults", 100))]
        answer = {"Schedules": shown}
        if len(shown) < len(behind):
            answer["NextToken"] = shown[-1]["Name"]
        return status, headers, json.dumps(answer).encode()

    scheduler._list_schedules = page


def let_no_time_of_day_come() -> None:
    """`cron` with certain hours never fires; `cron` of every hour, `rate` and `at` do."""
    from ministack.services import eventbridge

    next_fire = eventbridge._cron_next_fire

    def of_every_hour(fields, after):
        _minutes, hours, *_ = fields
        return next_fire(fields, after) if len(hours) == 24 else None

    eventbridge._cron_next_fire = of_every_hour


def take_from_queues_at_once() -> None:
    """A mapping that is enabled again takes from its queue at once: Lambda's pollers never stop to ask. Left alone it waits
    for a message to come, or a second."""
    from ministack.services import lambda_svc

    update = lambda_svc._update_esm

    def update_and_wake(*arguments):
        answer = update(*arguments)
        lambda_svc._esm_wake.set()
        return answer

    lambda_svc._update_esm = update_and_wake


def read_a_statement_once() -> None:
    """DynamoDB does not spend its time on reading statements. Left alone, two thirds of what an import costs here is the
    parser, which reads the same text anew for each order, twice: what a text means is kept, and only its parameters differ."""
    import functools

    from ministack.services import _dynamodb_keywords, dynamodb

    _dynamodb_keywords._tokenize = functools.lru_cache(maxsize=4096)(_dynamodb_keywords._tokenize)
    parse = dynamodb.parse_partiql_statement
    inserts = {}

    def parse_once(text, parameters):
        names, known = inserts.get(text, ((), None))
        if known and len(parameters or []) == len(names):
            return {**known, "item": dict(zip(names, parameters))}
        parsed = parse(text, parameters)
        item = parsed.get("item")
        # An INSERT of nothing but parameters, each an attribute's whole value, in order.
        if parsed["op"] == "INSERT" and isinstance(item, dict) and len(item) == len(parameters or []):
            if all(value is parameter for value, parameter in zip(item.values(), parameters)):
                inserts[text] = (tuple(item), parsed)
        return parsed

    dynamodb.parse_partiql_statement = parse_once


def read_a_condition_once() -> None:
    """Left alone, a condition's text is read anew for each item that it is held against, and a query holds it against all
    items of its partition: with 100,000 of them a page of a list takes minutes. What a text means is kept."""
    import functools

    from ministack.services import dynamodb

    slowly = dynamodb._evaluate_condition

    @functools.lru_cache(maxsize=4096)
    def read(text, slot):
        """Its tokens, and the bounds in it; or none where the slow way has something to say, which is then asked each time."""
        try:
            tokens = dynamodb._tokenize(text)
            wrong = (dynamodb._check_redundant_parens(tokens, slot) or dynamodb._check_reserved_keyword_usage(tokens)
                     or dynamodb._condition_syntax_error(text, slot))
        except Exception:
            return None
        words = [(kind, word.upper() if kind == "IDENT" else word) for kind, word in tokens]
        bounds = [(words[at + 1][1], words[at + 3][1]) for at, word in enumerate(words[:-3])
                  if word == ("IDENT", "BETWEEN") and words[at + 2] == ("IDENT", "AND")]
        return None if wrong else (tokens, bounds)

    def evaluate(text, item, values, names, slot="ConditionExpression"):
        known = read(text, slot) if text and text.strip() else None
        if known is None or any(dynamodb._between_bounds_error(values.get(low), values.get(high)) for low, high in known[1]):
            return slowly(text, item, values, names, slot)
        try:
            return dynamodb._ExprEval(known[0], item, values, names).evaluate()
        except Exception:
            return slowly(text, item, values, names, slot)  # Which says it in AWS's words.

    dynamodb._evaluate_condition = evaluate


def note_what_functions_call(directory: Path) -> None:
    """For `policies.py`: policies are not enforced here, so what would be refused in the cloud is found by comparing."""
    import recorded_calls

    recorded_calls.install(directory.with_name(f"{directory.name}.calls.json"))


def count_what_is_charged_for() -> None:
    """For `renkei bench cost`."""
    import metered_calls

    metered_calls.install()


if __name__ == "__main__":
    main()
