"""Whether the local AWS means the same by a condition that it reads once as by one that it reads anew each time.

    .renkei/tools/local/bin/python infra/tools/check_conditions.py
"""

import logging
import sys

import local_aws
from ministack.services import dynamodb

# (condition, item, values, names)
CASES = [
    ("#a = :v AND begins_with(sk, :w)", {"a": {"S": "x"}, "sk": {"S": "abc"}}, {":v": {"S": "x"}, ":w": {"S": "ab"}}, {"#a": "a"}),
    ("#a = :v AND begins_with(sk, :w)", {"a": {"S": "x"}, "sk": {"S": "bc"}}, {":v": {"S": "x"}, ":w": {"S": "ab"}}, {"#a": "a"}),
    ("a = :v AND sk BETWEEN :l AND :h", {"a": {"S": "x"}, "sk": {"S": "ab"}}, {":v": {"S": "x"}, ":l": {"S": "a"}, ":h": {"S": "b"}}, {}),
    ("a = :v AND sk BETWEEN :l AND :h", {"a": {"S": "x"}, "sk": {"S": "c"}}, {":v": {"S": "x"}, ":l": {"S": "a"}, ":h": {"S": "b"}}, {}),
    ("a = :v AND sk between :l and :h", {"a": {"S": "x"}, "sk": {"S": "c"}}, {":v": {"S": "x"}, ":l": {"S": "c"}, ":h": {"S": "b"}}, {}),
    ("attribute_not_exists(pk) OR n < :n", {"pk": {"S": "p"}, "n": {"N": "10"}}, {":n": {"N": "9"}}, {}),
    ("attribute_not_exists(pk) OR n < :n", {"n": {"N": "10"}}, {":n": {"N": "9"}}, {}),
    ("size(a) > :n AND NOT contains(a, :v)", {"a": {"S": "xyz"}}, {":n": {"N": "1"}, ":v": {"S": "q"}}, {}),
    ("b.#c[1] IN (:v, :w)", {"b": {"M": {"c": {"L": [{"S": "x"}, {"S": "y"}]}}}}, {":v": {"S": "z"}, ":w": {"S": "y"}}, {"#c": "c"}),
    # What is wrong is told in AWS's words.
    ("status = :v", {}, {":v": {"S": "x"}}, {}),
    ("((a = :v))", {"a": {"S": "x"}}, {":v": {"S": "x"}}, {}),
    ("a = ", {"a": {"S": "x"}}, {}, {}),
    ("a = :unknown", {"a": {"S": "x"}}, {}, {}),
    ("begins_with(a, :v)", {"a": {"S": "x"}}, {":v": {"N": "1"}}, {}),
    ("", {}, {}, {}),
]


def outcome(evaluate, case, slot):
    try:
        return evaluate(*case, slot)
    except Exception as error:
        return repr(error)


def main() -> None:
    logging.disable(logging.CRITICAL)
    anew = dynamodb._evaluate_condition
    local_aws.read_a_condition_once()
    once = dynamodb._evaluate_condition
    wrong = 0
    # Twice: what is kept must mean the same the second time.
    for case in CASES * 2:
        for slot in ("ConditionExpression", "FilterExpression", "KeyConditionExpression"):
            expected, got = outcome(anew, case, slot), outcome(once, case, slot)
            if expected != got:
                wrong += 1
                print(f"{slot} {case[0]!r} on {case[1]}: {got}, where {expected} is meant", file=sys.stderr)
    if wrong:
        sys.exit(f"{wrong} conditions mean something else when they are read once: see infra/tools/local_aws.py")
    print(f"{len(CASES)} conditions mean the same")


if __name__ == "__main__":
    main()
