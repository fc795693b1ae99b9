#!/bin/sh
# check-babeltrace.sh DIR [EL-COUNT]
#
# Opens every record below DIR with babeltrace2 and with the project's own reader: both must succeed,
# and count the same number of events and cells. DIR is what `loiter record -o` wrote, or one record.
# EL-COUNT is the path of el-count; the environment's EL_COUNT, or what PATH has, serves as well.
# Exits with 0 when all is well, 1 when a record differs, 2 when it could not be tried.
set -u

dir=${1:?usage: check-babeltrace.sh DIR [EL-COUNT]}
here=$(cd "$(dirname "$0")" && pwd)
count=${2:-${EL_COUNT:-}}
for place in "$here/../build/bin/el-count" "$(command -v el-count)"; do
    [ -n "$count" ] || { [ -x "$place" ] && count=$place; }
done
[ -n "$count" ] || { echo "check-babeltrace: no el-count: give its path" >&2; exit 2; }
command -v babeltrace2 > /dev/null || { echo "check-babeltrace: no babeltrace2" >&2; exit 2; }

said=$(mktemp)
trap 'rm -f "$said"' EXIT
bad=0
records=0
for metadata in "$dir"/metadata "$dir"/*/metadata; do
    [ -e "$metadata" ] || continue
    record=${metadata%/metadata}
    records=$((records + 1))
    ours=$("$count" "$record") || {
        echo "$record: the reader finds damage: $ours"
        bad=1
        continue
    }
    # A record that says it lost events makes babeltrace2 say so too; that is no fault of the record.
    theirs=$(babeltrace2 "$record" -c sink.utils.counter -p step=+0 2> "$said") || {
        echo "$record: babeltrace2 cannot read it:"
        sed 5q "$said"
        bad=1
        continue
    }
    noise=$(grep -v -e 'Tracer discarded' -e '^$' "$said")
    [ -z "$noise" ] || { echo "$record: babeltrace2 warns: $noise" | sed 5q; bad=1; }
    theirs=$(echo "$theirs" | awk '/ Event message/ { n = $1 } END { print n + 0 }')
    ours=$(echo "$ours" | sed -n 's/.* events=\([0-9]*\) cells=\([0-9]*\) .*/\1 + \2/p')
    ours=$((${ours:-0}))
    if [ "$ours" != "$theirs" ]; then
        echo "$record: the reader counts $ours events and cells, babeltrace2 $theirs"
        bad=1
    fi
done
# A process that ended, or had no room, while its record began leaves a directory and no metadata.
unborn=0
for record in "$dir"/[0-9]*.[0-9]*; do
    [ ! -d "$record" ] || [ -e "$record/metadata" ] || unborn=$((unborn + 1))
done
[ $((records + unborn)) -gt 0 ] || { echo "$dir: no record"; exit 1; }
[ "$bad" -ne 0 ] || echo "$records records, both readers agree; $unborn without metadata"
exit "$bad"
