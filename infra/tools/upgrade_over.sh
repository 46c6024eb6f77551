#!/usr/bin/env bash
# Deploys this commit over the stack of another one, with orders at every stage of their way, and brings all of it to its end:
#
#     infra/tools/upgrade_over.sh COMMIT
#
# COMMIT is a tag or any commit of this repository since 65e5b2b. Both are built in a clone below .renkei/, with what is
# committed; it takes a quarter of an hour and the port 4597 (RENKEI_TEST_PORT names another).
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# -ne 1 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
before=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "There is no commit $1 here." >&2; exit 2; }
after=$(git rev-parse HEAD)
own=$PWD/.renkei/upgrade
export RENKEI_TEST_PORT=${RENKEI_TEST_PORT:-4597} RENKEI_UPGRADE=$own/left.json
step() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }
renkei() { cargo run --quiet --bin renkei -- local "$@" --port "$RENKEI_TEST_PORT"; }
by_hand() { cargo test --workspace --test upgrade -- --ignored --nocapture --exact "$1"; }

mkdir -p "$own"
[ -d "$own/clone" ] || git clone --quiet --no-checkout . "$own/clone"
cd "$own/clone"
git fetch --quiet origin "$before" "$after"
trap 'status=$?; renkei down >/dev/null 2>&1 || true; [ $status -eq 0 ] || echo "FAILED. The step above says why; logs of the stack are below $PWD/.renkei/local/$RENKEI_TEST_PORT/." >&2' EXIT

step "The release before, ${before:0:7}: built, deployed, filled"
git checkout --quiet --force "$before"
cargo build --workspace --bins
by_hand this_release_leaves_its_state

step "This one, ${after:0:7}: built, deployed over it"
git checkout --quiet --force "$after"
cargo build --workspace --bins
renkei up

step "Everything in flight comes to its end"
by_hand everything_in_flight_on_an_earlier_releases_stack_comes_to_its_end
printf '\n%s over %s: everything that was in flight has come to its end.\n' "${after:0:7}" "${before:0:7}"
