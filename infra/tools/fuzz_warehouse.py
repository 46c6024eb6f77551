"""Asks a deployed warehouse API everything that its OpenAPI document allows and forbids, and fails on any answer that the
document does not promise.

    python3 infra/tools/fuzz_warehouse.py URL KEY [--examples 25] [--seed 1]

URL is `warehouse_url` of `renkei local up --json`, KEY what `renkei warehouse-key create` printed. Two passes with
schemathesis: the document as it is served, with every check; then only well-formed requests by a stricter document, in
which records of writes are always of the described shape, so that odd values inside good records are tried too.
Everything is decided by the seed: no pass is cut short by a clock. Use a stack whose data may be changed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

# A schema cannot say which cursors were given out: any other text is rightly refused.
SETTINGS = """
[[operations]]
include-operation-id = "listShipments"
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "400"]
"""

PROGRAM = Path(__file__).resolve().parents[2] / ".renkei" / "tools" / "fuzz" / "bin" / "schemathesis"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="where warehouses call")
    parser.add_argument("key", help="a key that may be used for this")
    parser.add_argument("--examples", type=int, default=25, help="random requests for each call and pass (25)")
    parser.add_argument("--seed", type=int, default=1, help="decides everything (1)")
    options = parser.parse_args()
    if not PROGRAM.exists():
        sys.exit("The fuzzer is not installed. Run `python3 infra/tools/install.py fuzz` first.")
    # A stack of this machine is not behind a proxy.
    os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]))
    with urllib.request.urlopen(f"{options.url}/v1/openapi.json", timeout=30) as answer:
        document = json.load(answer)
    with tempfile.TemporaryDirectory() as folder:
        passes = [("as served", document, "all"), ("well-formed records", strict(document), "positive")]
        failed = [name for name, document, mode in passes if not fuzz(options, Path(folder), name, document, mode)]
    if failed:
        sys.exit(f"The API did not keep to its document: {', '.join(failed)}")


def strict(document: dict) -> dict:
    """Records of the described shape only: what may also be anything is cut down to its first form."""
    def cut(value):
        if isinstance(value, list):
            return [cut(entry) for entry in value]
        if isinstance(value, dict):
            forms = value.get("anyOf")
            if isinstance(forms, list) and len(forms) == 2 and "$ref" not in forms[1] and "type" not in forms[1]:
                return cut(forms[0])
            return {name: cut(entry) for name, entry in value.items()}
        return value
    return cut(document)


def fuzz(options: argparse.Namespace, folder: Path, name: str, document: dict, mode: str) -> bool:
    print(f"\n-- {name}", flush=True)
    schema = folder / f"{mode}.json"
    schema.write_text(json.dumps(document))
    command = [
        str(PROGRAM), "run", str(schema), "--url", options.url,
        "--header", f"Authorization: Bearer {options.key}",
        "--mode", mode, "--seed", str(options.seed), "--max-examples", str(options.examples),
        "--phases", "examples,coverage,fuzzing",
        "--generation-deterministic", "--request-timeout", "30",
        # One worker: before Python 3.13 `ast.parse` of one thread may fail for what another parses (python/cpython#106905),
        # and the generator parses its own sources as it goes.
        "--workers", "1", "--no-color",
    ]
    (folder / "schemathesis.toml").write_text(SETTINGS)
    # In a folder of its own: no settings of somebody else's lie there.
    finished = subprocess.run(command, cwd=folder)
    return finished.returncode == 0


if __name__ == "__main__":
    main()
