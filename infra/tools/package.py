"""Builds the functions for the cloud and puts them where `sam deploy` takes them from: target/lambda/<function>/bootstrap.

    python3 infra/tools/package.py               for arm64, as the template's Architecture says unless it is changed
    python3 infra/tools/package.py --x86-64      for x86-64; Architecture has to be x86_64 then

`sam deploy` packs whatever lies there. Local stacks, the demo and the tests put debug programs for this machine there, and
with one of the two builds forgotten those would be deployed: successfully, and nothing of it would run. So this takes away
what is there before anything else, makes both builds, and puts programs there only when each function has one that this
run made for the machine of the cloud. When it fails, nothing is there, and `sam deploy` fails too.

cargo-lambda hands over every program of the workspace that it finds beside those it was asked for, however old. Each build
therefore has an empty folder of its own, of which only what was asked for is taken.

Needs Python 3.11 or later, Rust, and the tools of `python3 infra/tools/install.py build`.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}. "
             "Install one and run this script with it, as in `python3.12 infra/tools/package.py`.")

import argparse
import os
import shutil
import subprocess
import tempfile
import tomllib
import zlib
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
# The console's two end at a panic instead of unwinding, which makes them smaller (`profile.pages` in Cargo.toml): one request
# at a time comes to each. All others must unwind, and are built with `release`: one poison record must not take its batch along.
END_AT_A_PANIC = ("console", "console-settings")
# What a function should weigh at most, packed; see docs/benchmarks.md.
WANTED_MB = 4


class Machine(NamedTuple):
    """What functions are built for."""

    # The template's parameter Architecture.
    architecture: str
    # cargo-lambda's option.
    option: str
    # Rust's name of it.
    target: str
    # `e_machine` of its programs.
    elf: int


ARM64 = Machine("arm64", "--arm64", "aarch64-unknown-linux-gnu", 0xB7)
X86_64 = Machine("x86_64", "--x86-64", "x86_64-unknown-linux-gnu", 0x3E)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--x86-64", action="store_true", help="for x86-64 in place of arm64")
    package(PROJECT, X86_64 if parser.parse_args().x86_64 else ARM64)


def package(root: Path, machine: Machine) -> None:
    remove(root)
    names = functions(root)
    environment = with_tools(root)
    with tempfile.TemporaryDirectory(prefix="package-", dir=root / "target") as folder:
        programs = {}
        for profile in ("release", "pages"):
            wanted = [name for name in names if (name in END_AT_A_PANIC) == (profile == "pages")]
            made = Path(folder) / profile
            build(root, wanted, profile, machine, made, environment)
            programs |= {name: made / name / "bootstrap" for name in wanted}
        check(programs, machine)
        say("\nfunction            program     packed")
        for name in names:
            say(weighed(name, programs[name].read_bytes()))
        for name in names:
            place(programs[name], root / "target" / "lambda" / name)
    say(f"\n{len(names)} functions for {machine.architecture} are in target/lambda. Next, before a local stack, the demo or the "
        "tests put theirs there:\n\n    sam deploy\n")
    if machine != ARM64:
        say(f"The template's Architecture has to be {machine.architecture}: set it in `parameter_overrides` in samconfig.toml.")


def remove(root: Path) -> None:
    say("Removing target/lambda")
    try:
        (root / "target").mkdir(exist_ok=True)
        shutil.rmtree(root / "target" / "lambda")
    except FileNotFoundError:
        pass
    except OSError as error:
        sys.exit(f"target/lambda could not be removed: {error}. Remove it by hand, then run this again.")


def functions(root: Path) -> list[str]:
    """The functions of the stack: a folder each, as `renkei local up` takes them."""
    names = sorted(path.parent.name for path in root.glob("functions/*/Cargo.toml"))
    if not names:
        sys.exit(f"There is no function in {root / 'functions'}. Run this script in a whole checkout of Renkei.")
    if gone := [name for name in END_AT_A_PANIC if name not in names]:
        sys.exit(f"There is no functions/{gone[0]} any more: mend END_AT_A_PANIC in infra/tools/package.py.")
    return names


def with_tools(root: Path) -> dict[str, str]:
    """The environment of the builds: the pinned tools come first."""
    tools = root / ".renkei" / "tools" / "build" / "bin"
    if not os.access(tools / "cargo-lambda", os.X_OK):
        sys.exit(f"cargo-lambda is not in {tools}. Run `python3 infra/tools/install.py build`, then this again.")
    path = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
    if shutil.which("cargo", path=path) is None:
        sys.exit("cargo is not on the PATH: install Rust from https://rustup.rs, then run this again.")
    return {**os.environ, "PATH": path}


def build(root: Path, names: list[str], profile: str, machine: Machine, into: Path, environment: dict[str, str]) -> None:
    say(f"\nBuilding for {machine.architecture} with profile {profile}: {', '.join(names)}")
    # cargo-lambda looks for `--release` by its name to choose the cloud's processor.
    command = ["cargo", "lambda", "build", *(["--release"] if profile == "release" else ["--profile", profile]),
               machine.option, "--lambda-dir", str(into)]
    for name in names:
        command += ["--package", specification(root, name)]
    # Nothing to ask: what it would offer to install is among the pinned tools.
    if subprocess.run(command, cwd=root, env=environment, stdin=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"\nThe build with profile {profile} failed; what cargo says is above, and target/lambda is empty. If `core` or "
                 f"`std` is missing there: `rustup target add {machine.target}`. If zig is: `python3 infra/tools/install.py "
                 "build`. Then run this again.")


def specification(root: Path, name: str) -> str:
    """The package with its version, for a dependency may have the same name, as `console` has."""
    own = tomllib.loads((root / "functions" / name / "Cargo.toml").read_text())["package"]
    version = own["version"]
    if isinstance(version, dict):
        version = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    return f"{own['name']}@{version}"


def check(programs: dict[str, Path], machine: Machine) -> None:
    """Whether each function has a program for this machine. That this run made it is sure: its folder was empty."""
    wrong = []
    for name, program in programs.items():
        if not program.is_file():
            wrong.append(f"{name}: this run made no program of this name. Its package needs a binary "
                         "that is named as its folder is.")
        elif not is_for(program, machine):
            wrong.append(f"{name}: what was made is no program for {machine.architecture}. Remove target/{machine.target}; "
                         "if that does not help, see whether CARGO_… variables or a .cargo/config.toml change the build.")
    if wrong:
        wrong.append("Nothing was put into target/lambda. Mend this, then run this again before `sam deploy`.")
        sys.exit("\n" + "\n".join(wrong))


def is_for(program: Path, machine: Machine) -> bool:
    """By the head of an ELF file: 64 bits, little-endian, and the machine."""
    with program.open("rb") as file:
        head = file.read(20)
    return len(head) == 20 and head[:6] == b"\x7fELF\x02\x01" and int.from_bytes(head[18:20], "little") == machine.elf


def weighed(name: str, program: bytes) -> str:
    """Its size as it is and as it is packed, in MB of 1,000,000 bytes."""
    packed = len(zlib.compress(program, 6)) / 1e6
    line = f"{name:<17}{len(program) / 1e6:>7.2f} MB {packed:>7.2f} MB"
    return f"{line}   over {WANTED_MB} MB" if packed > WANTED_MB else line


def place(program: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program.replace(folder / "bootstrap")


def say(line: str) -> None:
    # At once: cargo writes to the same place.
    print(line, flush=True)


if __name__ == "__main__":
    main()
