#!/bin/bash
# private.sh LIBLOITER PROGRAM - the record is its owner's alone, whatever the umask; it is written
# into no folder that somebody else has put in its place; and nothing that the program read or sent
# is in it.
set -uo pipefail
library=$1 program=$2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
fail=0
complain() {
    echo "private: $*"
    fail=1
}

secret=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
mkdir "$scratch/private.dir" "$scratch/elsewhere"
printf '%s' "$secret" >"$scratch/private.dir/text"

umask 0
# A link with the name that the process will want for its folder.
TEST_DIR=$scratch/private.dir LOITER_DIR=$scratch/record sh -c '
    mkdir -m 700 "$LOITER_DIR" && ln -s "$2" "$LOITER_DIR/$$.0" && LD_PRELOAD=$1 exec "$3"' \
    sh "$library" "$scratch/elsewhere" "$program" >"$scratch/out" || complain "$program failed"

[[ -z $(ls -A "$scratch/elsewhere") ]] || complain 'it was written where a link led'
files=$(find "$scratch/record" -mindepth 1 -not -type l)
[[ -n $files ]] || complain 'nothing was recorded'
while read -r file; do
    mode=$(stat -c %a "$file")
    [[ $mode == 700 || $mode == 600 ]] || complain "others may use $file: mode=$mode"
done <<<"$files"
find "$scratch/record" -type f -print0 | xargs -0 grep -l "$secret" && complain 'it holds what the program read'
exit $fail
