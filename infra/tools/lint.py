"""Checks template.yaml with the pinned `cfn-lint`, `sam validate --lint` and `checkov`. Fails on errors and on warnings.

    python3 infra/tools/lint.py

Needs no AWS account: nothing is sent anywhere.
"""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROGRAMS = PROJECT / ".renkei" / "tools" / "build" / "bin"
CHECKOV = PROJECT / ".renkei" / "tools" / "check" / "bin" / "checkov"
REGION = "ap-northeast-1"


def main() -> None:
    if not (PROGRAMS / "sam").exists():
        sys.exit("The tools are not installed. Run `python3 infra/tools/install.py build check` first.")
    if not CHECKOV.exists():
        sys.exit("checkov is not installed. Run `python3 infra/tools/install.py check` first.")
    # `sam validate` wants credentials to be there and a region, and does not use them.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0",
    }
    checks = [
        [PROGRAMS / "cfn-lint", "--regions", REGION, "--", "template.yaml"],
        [PROGRAMS / "sam", "validate", "--lint", "--template-file", "template.yaml"],
        [CHECKOV, "--file", "template.yaml", "--config-file", "infra/tools/checkov.yaml"],
    ]
    # All, even if the first fails: each says what the others do not.
    failed = [check[0].name for check in checks
              if subprocess.run([str(part) for part in check], cwd=PROJECT, env=environment).returncode != 0]
    if failed:
        sys.exit(f"template.yaml does not pass: {', '.join(failed)}")


if __name__ == "__main__":
    main()
