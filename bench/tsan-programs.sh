#!/bin/bash
# tsan-programs.sh DIR - puts redis-server and sqlite3 into DIR, built from Debian's sources with
# -fsanitize=thread: for `cost.py --programs tsan=DIR`. Takes some minutes, and needs the network and
# tclsh. The lists of sources are DIR's own: apt's are left as they are.
set -euo pipefail
mkdir -p "$1/apt/partial" && cd "$1"

. /etc/os-release
echo "deb-src http://deb.debian.org/debian ${VERSION_CODENAME:-bookworm} main" >sources.list
apt=(apt-get -q -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$PWD/apt" -o APT::Sandbox::User=root)
[[ -d redis && -d sqlite3 ]] || "${apt[@]}" update
fetch() {
    [[ -d $1 ]] && return
    "${apt[@]}" source "$1"
    mv "$1"-*/ "$1"
}
fetch redis
fetch sqlite3
make -C redis/src -j2 SANITIZER=thread MALLOC=libc redis-server
[[ -f sqlite3/Makefile ]] || (cd sqlite3 && CFLAGS='-O2 -fsanitize=thread' ./configure --disable-shared \
    --disable-readline --disable-tcl)
make -C sqlite3 -j2 sqlite3
mkdir -p bin && cp redis/src/redis-server sqlite3/sqlite3 bin
