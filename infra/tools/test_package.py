"""Tests of package.py, with a cargo that builds nothing: what comes into target/lambda, and what keeps everything out of it.

    python3 -m unittest discover -s infra/tools
"""

import contextlib
import io
import json
import os
import re
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import package

FUNCTIONS = ("console", "console-settings", "fetch-orders", "watch")

# As cargo-lambda: hands over every program that there is, those that nobody asked for as an earlier build left them.
CARGO = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
arguments = sys.argv[1:]
after = lambda option: [arguments[at + 1] for at, argument in enumerate(arguments) if argument == option]
with open("calls", "a") as calls:
    calls.write(json.dumps({{"arguments": arguments, "path": os.environ["PATH"]}}) + "\\n")
plan = json.loads(Path("plan.json").read_text())
profile = "release" if "--release" in arguments else after("--profile")[0]
if profile == plan["fails"]:
    sys.exit(101)
asked = [specification.partition("@")[0] for specification in after("--package")]
for name in {FUNCTIONS!r}:
    if name in asked and name == plan["leaves_out"]:
        continue
    machine = plan["of_another"].get(name, plan["machine"])
    folder = Path(after("--lambda-dir")[0]) / name
    folder.mkdir(parents=True)
    head = b"\\x7fELF\\x02\\x01\\x01".ljust(16, b"\\0") + (3).to_bytes(2, "little") + machine.to_bytes(2, "little")
    made = folder / "bootstrap"
    says = f"{{'made' if name in asked else 'left'}} with {{profile}}".encode()
    made.write_bytes(head + says + os.urandom(plan["weight"].get(name, 0)))
    made.chmod(0o755)
"""


class Packaging(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "project"
        self.write("Cargo.toml", '[workspace.package]\nversion = "0.7.0"\n')
        for name in FUNCTIONS:
            self.write(f"functions/{name}/Cargo.toml", f'[package]\nname = "{name}"\nversion.workspace = true\n')
        (self.root / "functions" / "no-package").mkdir()
        self.tools = self.root / ".renkei" / "tools" / "build" / "bin"
        self.program(self.tools / "cargo-lambda", "#!/bin/sh\n")
        self.cargo = Path(folder.name) / "bin" / "cargo"
        self.program(self.cargo, CARGO)
        environment = mock.patch.dict(os.environ, {"PATH": str(self.cargo.parent)})
        environment.start()
        self.addCleanup(environment.stop)
        self.plan = {"machine": 0xB7, "of_another": {}, "leaves_out": None, "fails": None, "weight": {}}

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def program(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def packaged(self, machine=package.ARM64):
        """What it says when it succeeds."""
        self.write("plan.json", json.dumps(self.plan))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            package.package(self.root, machine)
        return said.getvalue()

    def failure(self, machine=package.ARM64):
        """What it ends with when it fails: a text, which Python writes to standard error and turns into exit code 1."""
        with self.assertRaises(SystemExit) as ended:
            self.packaged(machine)
        self.assertIsInstance(ended.exception.code, str)
        self.assertFalse((self.root / "target" / "lambda").exists())
        self.assertEqual(list((self.root / "target").iterdir()), [])
        return ended.exception.code

    def calls(self):
        return [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]

    def placed(self):
        return {path.parent.name: path for path in (self.root / "target" / "lambda").glob("*/bootstrap")}

    def test_each_function_is_placed_from_the_build_that_was_asked_for_it(self):
        said = self.packaged()
        placed = self.placed()
        self.assertEqual(set(placed), set(FUNCTIONS))
        for name, program in placed.items():
            with self.subTest(function=name):
                made = b"made with pages" if name.startswith("console") else b"made with release"
                self.assertTrue(program.read_bytes().endswith(made))
                self.assertTrue(program.stat().st_mode & stat.S_IXUSR)
        self.assertIn("sam deploy", said)
        self.assertNotIn("x86", said)
        # Nothing else is left beside it.
        self.assertEqual([path.name for path in (self.root / "target").iterdir()], ["lambda"])

    def test_cargo_is_asked_for_packages_with_their_version_and_finds_the_pinned_tools_first(self):
        self.packaged()
        release, pages = self.calls()
        for call in release, pages:
            self.assertEqual(call["arguments"][:2], ["lambda", "build"])
            self.assertIn("--arm64", call["arguments"])
            self.assertTrue(call["path"].startswith(f"{self.tools}{os.pathsep}"))
        asked = lambda call: [argument for argument in call["arguments"] if "@" in argument]
        self.assertEqual(asked(release), ["fetch-orders@0.7.0", "watch@0.7.0"])
        self.assertEqual(asked(pages), ["console@0.7.0", "console-settings@0.7.0"])

    def test_what_is_over_the_wanted_weight_is_said_and_is_no_failure(self):
        self.plan["weight"] = {"console": 4_100_000, "watch": 3_000_000}
        lines = {line.split()[0]: line for line in self.packaged().splitlines() if " MB" in line}
        self.assertRegex(lines["console"], r"4\.10 MB +4\.10 MB +over 4 MB$")
        self.assertRegex(lines["watch"], r"3\.00 MB +3\.00 MB$")

    def test_for_another_machine_the_parameter_is_named(self):
        self.plan["machine"] = 0x3E
        said = self.packaged(package.X86_64)
        self.assertIn("Architecture has to be x86_64", said)
        self.assertTrue(all("--x86-64" in call["arguments"] for call in self.calls()))

    def test_a_missing_program_fails_though_the_other_build_hands_over_an_old_one(self):
        for name in ("watch", "console"):
            with self.subTest(function=name):
                self.plan["leaves_out"] = name
                said = self.failure()
                self.assertIn(f"{name}: this run made no program", said)
                self.assertIn("run this again before `sam deploy`", said)

    def test_one_left_from_before_does_not_count(self):
        self.packaged()
        self.assertIn("watch", self.placed())
        self.plan["leaves_out"] = "watch"
        self.assertIn("watch: this run made no program", self.failure())

    def test_a_program_of_another_machine_fails(self):
        self.plan["of_another"] = {"fetch-orders": 0x3E}
        said = self.failure()
        self.assertIn("fetch-orders: what was made is no program for arm64. Remove target/aarch64-unknown-linux-gnu", said)
        self.assertNotIn("watch", said)
        self.plan = {**self.plan, "machine": 0x3E, "of_another": {"watch": 0xB7}}
        self.assertIn("watch: what was made is no program for x86_64", self.failure(package.X86_64))

    def test_a_program_is_known_by_its_head(self):
        file = self.root / "file"
        for head in (b"", b"\x7fELF", b"#!/bin/sh\necho this is no program\n", b"\x7fELF\x01\x01" + bytes(12) + b"\xb7\0"):
            file.write_bytes(head)
            self.assertFalse(package.is_for(file, package.ARM64))
        file.write_bytes(b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\0")
        self.assertTrue(package.is_for(file, package.ARM64))
        self.assertFalse(package.is_for(file, package.X86_64))

    def test_a_build_that_fails_says_what_may_be_missing(self):
        for profile in ("release", "pages"):
            with self.subTest(profile=profile):
                # What was there is away also when nothing could be built.
                self.write("target/lambda/watch/bootstrap", "a local stack's")
                self.plan["fails"] = profile
                said = self.failure()
                self.assertIn(f"profile {profile} failed", said)
                self.assertIn("rustup target add aarch64-unknown-linux-gnu", said)
        self.plan["fails"] = "release"
        self.assertIn("rustup target add x86_64-unknown-linux-gnu", self.failure(package.X86_64))

    def test_without_its_tools_it_says_how_to_get_them(self):
        self.write("target/lambda/watch/bootstrap", "a local stack's")
        self.cargo.unlink()
        self.assertIn("https://rustup.rs", self.failure())
        (self.tools / "cargo-lambda").unlink()
        self.assertIn("Run `python3 infra/tools/install.py build`", self.failure())

    def test_without_the_consoles_functions_it_says_what_to_mend(self):
        (self.root / "functions/console-settings/Cargo.toml").unlink()
        self.assertIn("no functions/console-settings any more: mend END_AT_A_PANIC", self.failure())
        for name in FUNCTIONS:
            (self.root / f"functions/{name}/Cargo.toml").unlink(missing_ok=True)
        self.assertIn("in a whole checkout", self.failure())


class Project(unittest.TestCase):
    def test_what_the_template_takes_is_what_is_packaged(self):
        taken = re.findall(r"CodeUri: target/lambda/(\S+)", (package.PROJECT / "template.yaml").read_text())
        self.assertEqual(sorted(taken), package.functions(package.PROJECT))

    def test_every_function_has_a_specification(self):
        for name in package.functions(package.PROJECT):
            self.assertRegex(package.specification(package.PROJECT, name), rf"^{name}@\d+\.\d+\.\d+")


if __name__ == "__main__":
    unittest.main()
