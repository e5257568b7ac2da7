# Holdfast's offline verbs: chunks of 1 MiB, zstd 1, AES-256-GCM, each chunk opened again before it is sent.
# A tool of ../shared/bench/peers.sh: each function is timed as a whole, the start of the process included.
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export HOLDFAST_HOME=$STATE HOLDFAST_REPOSITORY=$REPO
holdfast() { "$project/node_modules/.bin/node" --disable-warning=ExperimentalWarning "$project/cli/main.ts" "$@"; }
secret() { echo "--passphrase-file=$STATE/passphrase"; }

version() { (cd "$project" && holdfast --version); }
init() {
  (umask 077 && printf %s "$PASSWORD" >"$STATE/passphrase")
  holdfast repo init "$REPO" "$(secret)"
}
backup() { holdfast repo import "$(secret)" --vm disk "$IMAGE"; }
restore() { holdfast repo export "$(secret)" latest disk0 "$RESTORED/disk.raw"; }
verify() { holdfast repo verify --level "${HOLDFAST_LEVEL:-data}" "$(secret)"; }
prune() { holdfast repo prune "$(secret)" --keep-last 1 --keep-manual 1 --max-share 100 --apply --gc; }
