"""Tests of policies.py: what it takes for granted, and what not.

    python3 -m unittest discover -s infra/tools
"""

import unittest

import policies

TABLE = "arn:aws:dynamodb:ap-northeast-1:000000000000:table/renkei-Shipments-" + policies.ADDED
LOG = "arn:aws:logs:ap-northeast-1:000000000000:log-group:/aws/lambda/renkei-watch"


class Covers(unittest.TestCase):
    def test_a_table_is_not_its_index_nor_an_index_its_table(self):
        table, index = TABLE.replace(policies.ADDED, "1A2B"), TABLE.replace(policies.ADDED, "1A2B/index/work")
        self.assertTrue(policies.covers(TABLE, table))
        self.assertFalse(policies.covers(TABLE, index))
        self.assertTrue(policies.covers(f"{TABLE}/index/work", index))
        self.assertFalse(policies.covers(f"{TABLE}/index/work", table))
        self.assertFalse(policies.covers(f"{TABLE}/index/work", TABLE.replace(policies.ADDED, "1A2B/index/by_status")))

    def test_a_star_stands_for_anything_as_iam_takes_it(self):
        self.assertTrue(policies.covers(f"{LOG}:*", f"{LOG}:stream"))
        self.assertFalse(policies.covers(f"{LOG}:*", LOG))
        secrets = "arn:aws:secretsmanager:x:0:secret:renkei/stack/*"
        self.assertTrue(policies.covers(secrets, "arn:aws:secretsmanager:x:0:secret:renkei/stack/hanako/shop-AbCdEf"))
        self.assertFalse(policies.covers(secrets, "arn:aws:secretsmanager:x:0:secret:renkei/other/hanako/shop-AbCdEf"))
        self.assertTrue(policies.covers(f"{TABLE}/index/*", TABLE.replace(policies.ADDED, "1A2B/index/work")))

    def test_nothing_else_is_a_pattern(self):
        self.assertFalse(policies.covers("arn:aws:sqs:x:0:a.c", "arn:aws:sqs:x:0:abc"))
        self.assertFalse(policies.covers("arn:aws:sqs:x:0:[ab]", "arn:aws:sqs:x:0:a"))


class Reasons(unittest.TestCase):
    def test_an_entry_stands_for_each_of_its_roles_actions_and_resources(self):
        entry = {"who": ["A", "B"], "may": "x:Y", "of": ["P", "Q"], "why": "because"}
        self.assertEqual(policies.with_reason([entry]), {(who, "x:Y", of) for who in "AB" for of in "PQ"})

    def test_an_entry_without_a_reason_is_none(self):
        for entry in ({"who": "A", "may": "x:Y", "of": "P", "why": " "}, {"who": "A", "may": "x:Y", "of": "P"}):
            with self.assertRaises(AssertionError):
                policies.with_reason([entry])

    def test_what_has_a_reason_is_granted(self):
        template = policies.yaml.load((policies.PROJECT / "template.yaml").read_text(), Loader=policies.Template)
        granted = {policies.as_key(grant) for grant in policies.grants(template)}
        reasons = policies.with_reason(policies.yaml.safe_load(policies.UNUSED.read_text()))
        self.assertFalse(reasons - granted)


if __name__ == "__main__":
    unittest.main()
