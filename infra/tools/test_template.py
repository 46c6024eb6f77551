"""Tests of template.yaml: what its parts have to be to each other, which no lint knows.

    python3 -m unittest discover -s infra/tools
"""

import unittest

import policies

RESOURCES = policies.yaml.load((policies.PROJECT / "template.yaml").read_text(), Loader=policies.Template)["Resources"]


def mappings():
    """(function, its properties, the queue that it takes from) of every event source mapping of a queue."""
    for name, part in RESOURCES.items():
        if part["Type"] == "AWS::Serverless::Function":
            for event in part["Properties"].get("Events", {}).values():
                if event["Type"] == "SQS":
                    yield name, part["Properties"], event["Properties"]["Queue"]["GetAtt"][0]


class Queues(unittest.TestCase):
    def test_what_a_function_takes_stays_its_own_for_six_times_as_long_as_it_may_take(self):
        taken_from = set()
        for name, function, queue in mappings():
            with self.subTest(function=name, queue=queue):
                hidden = RESOURCES[queue]["Properties"]["VisibilityTimeout"]
                self.assertGreaterEqual(hidden, 6 * function["Timeout"])
            taken_from.add(queue)
        # No mapping is passed over: nothing takes from dead letters, and something from each of the others.
        queues = {name for name, part in RESOURCES.items() if part["Type"] == "AWS::SQS::Queue"}
        self.assertEqual(taken_from, {name for name in queues if not name.endswith("DeadLetters")})
        self.assertNotIn("AWS::Lambda::EventSourceMapping", {part["Type"] for part in RESOURCES.values()})


if __name__ == "__main__":
    unittest.main()
