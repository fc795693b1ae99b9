#!/bin/bash
# check.sh DIR [PATTERN] - does each test see what it is there for? In DIR, with copies of the source,
# the code is broken in the ways that traps.sh lists, one after the other; each time the tests named
# must fail. Takes a quarter of an hour; a PATTERN chooses mutations by their names.
# check.sh --applies - only whether each mutation still changes its files, which takes a second.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
dir=$1 pattern=${2:-.}
chosen=() tests=()
bad=0

# mutation NAME TESTS FILE EXPRESSION [FILE EXPRESSION]... - EXPRESSION is perl's; TESTS are ctest's
# names with commas between them.
mutation() {
    [[ $1 =~ $pattern ]] || return 0
    chosen+=("$(printf '%q ' "$@")")
    IFS=, read -ra names <<<"$2"
    tests+=("${names[@]}")
}

unused=$(printf '#pragma GCC diagnostic ignored "-Wunused-%s"\n' function variable parameter \
    but-set-variable const-variable value)

complain() {
    echo "$*"
    bad=1
}

# change ROOT FILE EXPRESSION: prints FILE as it would be.
change() {
    perl -0pe "$3" "$1/$2"
}

applies() { # NAME TESTS FILE EXPRESSION...
    local name=$1
    shift 2
    while [[ $# -ge 2 ]]; do
        change "$top" "$1" "$2" | cmp -s - "$top/$1" && complain "$name: does not apply to $1"
        shift 2
    done
}

# A test that hangs has failed as well; whatever it started ends with it.
passes() {
    timeout -k 2 100 ctest --test-dir "$dir/src/build" -R "^$1\$" --no-tests=error >"$dir/test.out" 2>&1
}

build() { # [TARGET]...: all without one
    ninja -C "$dir/src/build" "$@" >"$dir/build.out" 2>&1
}

# What the code that is broken is part of: tests that are linked with it, or else the two products.
targets_of() {
    tr ',' '\n' <<<"$1" | grep -xFf "$dir/targets"
    grep -qE '(^|,)(preload|e2e|fault)-' <<<"$1" && printf '%s\n' loiter loiter_preload
}

mutate() { # NAME TESTS FILE EXPRESSION...
    local name=$1 list=$2 files=() targets test
    shift 2
    while [[ $# -ge 2 ]]; do
        files+=("$1")
        change "$dir/src" "$1" "$2" >"$dir/changed"
        cmp -s "$dir/changed" "$top/$1" && complain "$name: does not apply to $1"
        # What the change leaves without use is no error here.
        [[ $1 != *.[ch] ]] || cat - "$dir/changed" <<<"$unused" >"$dir/src/$1"
        [[ $1 == *.[ch] ]] || cat "$dir/changed" >"$dir/src/$1"
        shift 2
    done
    mapfile -t targets < <(targets_of "$list")
    if build "${targets[@]}"; then
        for test in ${list//,/ }; do
            if passes "$test"; then
                complain "$name: NOT SEEN by $test"
            else
                echo "$name: seen by $test"
            fi
        done
    else
        complain "$name: does not build: $(grep -m1 -E ' error: |undefined reference' "$dir/build.out")"
    fi
    for file in "${files[@]}"; do
        cat "$top/$file" >"$dir/src/$file"
    done
}

copy() {
    local file
    mkdir -p "$dir/src"
    (cd "$top" && git ls-files -co --exclude-standard) | while read -r file; do
        [[ -f $top/$file ]] || continue
        cmp -s "$top/$file" "$dir/src/$file" && continue
        mkdir -p "$dir/src/$(dirname "$file")"
        cp "$top/$file" "$dir/src/$file"
    done
}

# shellcheck source=tests/mutations/traps.sh
[[ $dir != --applies ]] || pattern=.
. "$here/traps.sh"
((${#chosen[@]} > 0)) || { echo "no mutation has such a name: $pattern" && exit 2; }
if [[ $dir == --applies ]]; then
    for line in "${chosen[@]}"; do
        eval "applies $line"
    done
    echo "${#chosen[@]} mutations"
    exit $bad
fi

mkdir -p "$dir" && dir=$(cd "$dir" && pwd) && copy || exit 2
cmake -S "$dir/src" -B "$dir/src/build" -G Ninja >"$dir/build.out" &&
    build || { tail -n 20 "$dir/build.out" && exit 2; }
ninja -C "$dir/src/build" -t targets all | sed -n 's/: phony$//p' >"$dir/targets"
for test in $(printf '%s\n' "${tests[@]}" | sort -u); do
    passes "$test" || { complain "$test fails as the code is:" && tail -n 30 "$dir/test.out"; }
done
((bad == 0)) || exit 1
for line in "${chosen[@]}"; do
    eval "mutate $line"
done
exit $bad
