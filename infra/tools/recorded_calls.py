"""Which AWS calls the functions of a local stack make: what `policies.py` compares the template's policies with.

The local AWS enforces no policy, so a permission that is missing would be found in the cloud only. local_aws.py therefore
notes each kind of call once, as IAM would name it: who, which action, on what. It is kept beside the stack's directory,
in `<port>.calls.json`, so that it outlives a stack that is begun afresh; calls of many stacks add up.
"""

import json
import os
import re
import tempfile
from pathlib import Path

# By this name in its user agent an AWS SDK says on whose behalf it calls.
APP_ID = "AWS_SDK_UA_APP_ID"
CALLER = re.compile(r"\bapp/([A-Za-z0-9_.-]+)")
STATEMENT = re.compile(rb'"Statement"\s*:\s*"\s*(\w+)(?:\s+INTO|[^"\\]*?\sFROM|)\s+\\"([^"\\]+)\\"(?:\.\\"([^"\\]+)\\")?', re.IGNORECASE)
PARTIQL = {"INSERT": "PartiQLInsert", "UPDATE": "PartiQLUpdate", "DELETE": "PartiQLDelete", "SELECT": "PartiQLSelect"}
# Operations that IAM knows under the name of another.
UNDER_ANOTHER_NAME = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


class Recorder:
    """What was called so far: (who, action, resource), each once."""

    def __init__(self, file: Path):
        self.file = file
        self.calls: set[tuple[str, str, str]] = read(file)

    def note(self, who: str, calls: list[tuple[str, str]]) -> None:
        new = {(who, action, resource) for action, resource in calls} - self.calls
        if new:
            # What another process noted meanwhile stays. Rare: there are some two hundred kinds of calls in all.
            self.calls |= new | read(self.file)
            write(self.file, self.calls)


def read(file: Path) -> set[tuple[str, str, str]]:
    try:
        return {tuple(call) for call in json.loads(file.read_text())}
    except (FileNotFoundError, ValueError):
        return set()


def write(file: Path, calls: set[tuple[str, str, str]]) -> None:
    # Whole or not at all: AWS may be killed at any moment.
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        new.write("[" + ",\n ".join(json.dumps(call) for call in sorted(calls)) + "]\n")
    os.replace(new.name, file)


def install(file: Path) -> None:
    """Has this process' ministack note what is called. After ministack's settings are made, before it runs."""
    from ministack import app
    from ministack.services import lambda_svc

    environment_of, dispatch, recorder = lambda_svc._provided_worker_env, app._dispatch_service_request, Recorder(file)

    def named(config, *rest):
        # Functions tell who they are, as their role's name does in the cloud.
        return environment_of(config, *rest) | {APP_ID: config.get("FunctionName", "unknown")}

    async def noted(method, path, headers, body, query_params, request_id):
        caller = CALLER.search(headers.get("user-agent", "") + " " + headers.get("x-amz-user-agent", ""))
        if caller:
            recorder.note(caller[1], actions(method, path, headers, body, query_params))
        if path.startswith("/schedules/") and method in ("POST", "PUT"):
            recorder.note(*sends(body))
        return await dispatch(method, path, headers, body, query_params, request_id)

    lambda_svc._provided_worker_env = named
    app._dispatch_service_request = noted


def actions(method, path, headers, body, query_params) -> list[tuple[str, str]]:
    """What IAM would be asked: actions, each on a resource."""
    from ministack import app
    from ministack.core import iam_actions
    from ministack.core.responses import get_account_id

    params = app._routing_params(method, path, headers, body, query_params)
    service = app.detect_service(method, path, headers, params)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, params)
    if action is None:
        return []
    action, region, account = UNDER_ANOTHER_NAME.get(action, action), app.extract_region(headers), get_account_id()
    if service == "dynamodb":
        def table(name, index=None):
            return f"{iam_actions._dynamodb_table_arn(name, region, account)}{f'/index/{index}' if index else ''}"

        if action in ("dynamodb:BatchExecuteStatement", "dynamodb:ExecuteTransaction", "dynamodb:ExecuteStatement"):
            return [(f"dynamodb:{PARTIQL.get(verb.decode().upper(), verb.decode())}",
                     table(name.decode(), index.decode() if index else None))
                    for verb, name, index in set(STATEMENT.findall(body))]
        each = iam_actions.dynamodb_transaction_checks(action, body, region, account)
        return each or [(action, resource) for resource in iam_actions.dynamodb_resource_arns(body, region, account)]
    called = [(action, iam_actions.extract_resource_arn(service, method, path, headers, body, params, region, account))]
    if service == "scheduler" and path.startswith("/schedules/"):
        # Which group: in the body of what is written, in the address of what is read or removed.
        group = group_of(body) or query_text(params, "groupName") or query_text(query_params, "groupName") or "default"
        called = [(action, resource.replace(":schedule/default/", f":schedule/{group}/")) for action, resource in called]
    if action in ("scheduler:CreateSchedule", "scheduler:UpdateSchedule"):
        # Who makes a schedule hands a role to it, which asks for a right of its own.
        called.append(("iam:PassRole", target_of(body).get("RoleArn", "*")))
    return called


def sends(body) -> tuple[str, list[tuple[str, str]]]:
    """What a schedule will do, whoever made it: its role sends to its queue."""
    target = target_of(body)
    return target.get("RoleArn", "").rpartition("/")[2], [("sqs:SendMessage", target.get("Arn", "*"))]


def group_of(body) -> str:
    try:
        return json.loads(body or b"{}").get("GroupName") or ""
    except ValueError:
        return ""


def query_text(params, name) -> str:
    value = (params or {}).get(name) or ""
    return value[0] if isinstance(value, list) else value


def target_of(body) -> dict:
    try:
        return json.loads(body or b"{}").get("Target") or {}
    except ValueError:
        return {}
