"""Compares the policies of template.yaml with the AWS calls that its functions really made on local stacks.

    python3 infra/tools/policies.py [CALLS.json …]      fails on what is missing, and on what is granted and unused
    … --report-unused                                   fails on what is missing only
    python3 infra/tools/policies.py --fresh             forgets what was recorded, before tests begin

Without files it reads all of `.renkei/local/*.calls.json`, which local_aws.py writes (see recorded_calls.py). A call that no
policy grants would be refused in the cloud. A grant that nothing uses has to go, or to stand in infra/unused_grants.yaml
with its reason. The answer is as good as the tests: run it after all of them, as `.ci/test` does.
"""

import argparse
import fnmatch
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# This runs with any Python; PyYAML is in the environment of the build tools.
sys.path[:0] = [str(path) for path in (PROJECT / ".renkei/tools/build/lib").glob("python*/site-packages")]
import yaml

import recorded_calls

# Stands in a name for what AWS adds to it, which no template says.
ADDED = "\N{HORIZONTAL ELLIPSIS}"
REGION, ACCOUNT = "ap-northeast-1", "000000000000"

# What is granted although a run of the tests may make no such call, and why.
UNUSED = PROJECT / "infra/unused_grants.yaml"

# What Lambda itself does in a function's name, which a local stack does without asking itself.
OF_A_QUEUE_THAT_IS_READ = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
OF_A_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fresh", action="store_true", help="forget what was recorded")
    parser.add_argument("--report-unused", action="store_true", help="list what is unused without failing for it")
    parser.add_argument("calls", nargs="*", type=Path)
    options = parser.parse_args()
    files = options.calls or sorted((PROJECT / ".renkei/local").glob("*.calls.json"))
    if options.fresh:
        for file in files:
            file.unlink(missing_ok=True)
        return
    recorded = set().union(*(recorded_calls.read(file) for file in files))
    if not recorded:
        sys.exit("No calls are recorded. Run the tests on the deployed stack first: `cargo test -p renkei-e2e`.")
    template = yaml.load((PROJECT / "template.yaml").read_text(), Loader=Template)
    missing, unused, used = compare(template, recorded)
    for who, action, resource in missing:
        print(f"MISSING  {who}: {action} on {resource}: it was called, and no policy grants it")
    reasons = with_reason(yaml.safe_load(UNUSED.read_text()))
    unexplained = [grant for grant in unused if grant not in reasons]
    for who, action, resource in unexplained:
        print(f"UNUSED   {who}: {action} on {resource}: it is granted, and no test calls it")
    stale = sorted(reasons - {as_key(grant) for grant in grants(template)})
    for who, action, resource in stale:
        print(f"STALE    {who}: {action} on {resource}: it has a reason for being unused, and is not granted at all")
    print(f"policies: {used} grants used, {len(reasons & set(unused))} unused with a reason, {len(unexplained)} unused, "
          f"{len(missing)} missing, from {len(recorded)} kinds of calls")
    if missing or ((unexplained or stale) and not options.report_unused):
        sys.exit("Mend template.yaml, or say in infra/unused_grants.yaml why a grant is kept that no test uses.")


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's own tags, as the long forms that they stand for."""


def tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {suffix: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


Template.add_multi_constructor("!", tag)


class Stack:
    """What the template's parts are called in a stack of this name; `ADDED` stands for what AWS adds."""

    def __init__(self, template: dict, name: str):
        self.resources, self.name = template["Resources"], name

    def text(self, value) -> str:
        match value:
            case str():
                return value
            case {"Ref": part}:
                return self.ref(part)
            case {"GetAtt": [part, "Arn"]}:
                return self.arn(part)
            case {"Sub": str() as text}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self.ref(found[1]) if not found[1].endswith(".Arn")
                              else self.arn(found[1].removesuffix(".Arn")), text)
        return "*"

    def ref(self, part: str) -> str:
        pseudo = {"AWS::StackName": self.name, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
        if part in pseudo:
            return pseudo[part]
        given = self.resources.get(part, {}).get("Properties", {})
        for name in ("Name", "QueueName", "FunctionName", "LogGroupName"):
            if name in given:
                return self.text(given[name])
        return f"{self.name}-{part}-{ADDED}"

    def arn(self, part: str) -> str:
        form = {"AWS::DynamoDB::Table": f"dynamodb:{REGION}:{ACCOUNT}:table/", "AWS::SQS::Queue": f"sqs:{REGION}:{ACCOUNT}:",
                "AWS::SNS::Topic": f"sns:{REGION}:{ACCOUNT}:", "AWS::IAM::Role": f"iam::{ACCOUNT}:role/"}
        return f"arn:aws:{form[self.resources[part]['Type']]}{self.ref(part)}"


def grants(template: dict):
    """(role, action, resource as written) of every policy of the template."""
    for name, part in template["Resources"].items():
        given = part.get("Properties", {})
        if part["Type"] == "AWS::IAM::Role":
            holders, documents = [name], [policy["PolicyDocument"] for policy in given.get("Policies", [])]
        elif part["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            holders, documents = [role["Ref"] for role in given["Roles"]], [given["PolicyDocument"]]
        else:
            continue
        for role in holders:
            for document in documents:
                for statement in document["Statement"]:
                    assert statement["Effect"] == "Allow", f"{name}: this tool knows policies that allow, only"
                    for action in as_list(statement["Action"]):
                        for resource in as_list(statement["Resource"]):
                            yield role, action, resource


def functions(template: dict) -> dict[str, dict]:
    """Functions by their role."""
    found = {}
    for name, part in template["Resources"].items():
        if part["Type"] == "AWS::Serverless::Function":
            role = part["Properties"].get("Role", {}).get("GetAtt", [None])[0]
            assert role, f"{name} has no role of its own in the template"
            assert role not in found, f"{role} is the role of two functions: neither is least privilege"
            found[role] = part["Properties"]
    return found


def compare(template: dict, recorded: set) -> tuple[list, list, int]:
    held, by_role = list(grants(template)), functions(template)
    stacks = {stack_of(who, template, by_role) for who, _, _ in recorded} - {None}
    used, missing = set(), set()
    for stack in (Stack(template, name) for name in stacks):
        calls = set()
        for who, action, resource in recorded:
            for role, function in by_role.items():
                if who == stack.text(function["FunctionName"]):
                    calls.add((role, action, resource))
            for role in {role for role, _, _ in held} - set(by_role):
                if covers(stack.ref(role), who):
                    calls.add((role, action, resource))
        for role, function in by_role.items():
            calls |= {(role, action, f"{stack.text(log)}:stream") for action in OF_A_LOG
                      for log in [{"Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
                                          + stack.text(function["LoggingConfig"]["LogGroup"])}]}
            calls |= {(role, action, stack.text(event["Properties"]["Queue"])) for action in OF_A_QUEUE_THAT_IS_READ
                      for event in function.get("Events", {}).values() if event["Type"] == "SQS"}
        for role, action, resource in calls:
            granting = [grant for grant in held if grant[0] == role and fnmatch.fnmatchcase(action, grant[1])
                        and covers(stack.text(grant[2]), resource)]
            used |= {as_key(grant) for grant in granting}
            if not granting:
                missing.add((role, action, resource))
    unused = [as_key(grant) for grant in held if as_key(grant) not in used]
    return sorted(missing), sorted(set(unused)), len(used)


def with_reason(entries: list[dict]) -> set[tuple[str, str, str]]:
    """(role, action, resource as written) of everything that has a reason."""
    found = set()
    for entry in entries:
        assert entry.keys() == {"who", "may", "of", "why"} and entry["why"].strip(), f"who, may, of, why: {entry}"
        found |= {(who, action, resource) for who in as_list(entry["who"]) for action in as_list(entry["may"])
                  for resource in as_list(entry["of"])}
    return found


def covers(granted: str, called: str) -> bool:
    """Is what was called what is granted? A `*` of the template stands for anything, as IAM takes it. What AWS adds to a name
    ends at a `/` or a `:`, or a right to a table would pass for one to its indexes, and the other way round."""
    parts = {"*": ".*", ADDED: "[^/:]*"}
    return re.fullmatch("".join(parts.get(c) or re.escape(c) for c in granted), called, re.DOTALL) is not None


def stack_of(who: str, template: dict, by_role: dict) -> str | None:
    for function in by_role.values():
        ending = function["FunctionName"]["Sub"].removeprefix("${AWS::StackName}")
        if who.endswith(ending):
            return who.removesuffix(ending)
    return None


def as_key(grant) -> tuple[str, str, str]:
    role, action, resource = grant
    match resource:
        case {"GetAtt": parts}:
            written = ".".join(parts)
        case {"Sub": written}:
            written = written.removeprefix("arn:${AWS::Partition}:")
        case _:
            written = str(resource)
    return role, action, written


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    main()
