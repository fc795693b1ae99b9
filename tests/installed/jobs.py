"""jobs.py LOITER [--only TEXT] - small jobs of installed programs: what they print, how they end, the
files they make, what they say of errors. Each line is a shell's, so several programs run in one."""

import argparse
import os
import shutil
import sys

import outcome

JOBS = r"""
tar -cf a.tar data && tar -tvf a.tar | wc -l && mkdir x && tar -xf a.tar -C x && diff -r data x/data
tar -czf a.tgz data && tar -tzf a.tgz | sort | head -3
tar -cJf a.txz data; tar -tJf a.txz | wc -l; rm a.txz
gzip -k9 words && gzip -t words.gz && zcat words.gz | cmp - words
xz -k -T2 words && xz -dc words.xz | sha256sum && rm words.xz
bzip2 -k words && bzip2 -tv words.bz2
zstd -q -T2 words && zstd -dc words.zst | md5sum
sort words | uniq -c | sort -rn -S 1M --parallel=2 | head -20
sort -u --buffer-size=100K -T . words | wc
split -l 500 words part. && cat part.* | cmp - words && ls
csplit -s words /ab/ '{3}' && wc -c xx*
find data -type f -print0 | xargs -0 -n2 -P2 cat | sort | md5sum
find data -name '*.txt' -exec wc -l {} + | tail -1
find . -perm -u+x -newer words | sort; find absent
grep -rn ab data | sort | head; grep -c zz words absent
awk '{ n[length($0)]++ } END { for (i in n) print i, n[i] }' words | sort -n
sed -n 's/a\(.\)/\1a/gp' words | head -20; sed -i s/a/b/ data/1.txt; cat data/1.txt
perl -e 'for (1..3) { my $p = fork; if (!$p) { print "child $_\n"; exit $_ } waitpid $p, 0; print $? >> 8, "\n" }'
perl -e 'open my $f, "-|", "echo from a pipe" or die; print <$f>; close $f; $! = 0; open $f, "<", "absent" or print "$!\n"'
perl -e '$SIG{ALRM} = sub { print "alarm\n" }; alarm 1; select undef, undef, undef, 5; print "over\n"'
perl -MSocket -e 'socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; syswrite $a, "hello"; sysread $b, my $x, 9; print "$x\n"'
python3 -c 'import threading as t; x=[t.Thread(target=print,args=(i,)) for i in range(9)]; [(a.start(), a.join()) for a in x]'
python3 -c 'import subprocess as s; print(s.run(["sh","-c","echo out; exit 7"], capture_output=True))'
python3 -c 'import os,signal; os.kill(os.getpid(), signal.SIGTERM)'
python3 -c 'import os; os.abort()' 2>&1
python3 -c 'import multiprocessing as m; print(sum(m.Pool(3).map(abs, range(-50, 50))))'
python3 -c 'import asyncio; asyncio.run(asyncio.wait_for(asyncio.sleep(9), 0.05))' 2>&1 | tail -1
python3 -c 'import socket as s; a=s.socket(); a.settimeout(0.05); a.bind(("127.0.0.1",0)); a.listen(); a.accept()' 2>&1 | tail -1
python3 -c 'import sqlite3 as s; d=s.connect("d.db"); d.execute("create table t(x)"); d.executemany("insert into t values(?)", [(i,) for i in range(1000)]); d.commit(); print(d.execute("select sum(x) from t").fetchone())'
python3 -c 'import resource as r; r.setrlimit(r.RLIMIT_NOFILE,(4,4)); open("words"); open("words")' 2>&1 | tail -1
python3 -c 'import mmap; f=open("words","r+b"); m=mmap.mmap(f.fileno(),0); m[0:1]=b"Z"; m.flush(); m.close()'; head -c 4 words
python3 -c 'import fcntl; f=open("lock","w"); fcntl.flock(f,fcntl.LOCK_EX); print(fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB))'
sqlite3 s.db 'create table t(a,b); insert into t values(1,2),(3,4); select sum(a*b) from t; select * from absent;'; echo $?
sqlite3 w.db 'pragma journal_mode=wal; create table t(a); with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t select x from c; pragma wal_checkpoint; select count(*), sum(a) from t;'; ls w.db*
sqlite3 b.db 'create table t(a,b); create index i on t(b);' '.mode csv' '.import words t' 'select count(*) from t'; sqlite3 b.db 'insert into t values(1,2);' .dump | sqlite3 c.db; sqlite3 c.db 'pragma integrity_check; vacuum into "v.db";' '.tables'; sqlite3 v.db '.backup u.db'; cmp u.db v.db
sqlite3 l.db 'create table t(a)'; for i in 1 2 3; do sqlite3 -cmd '.timeout 20000' l.db "begin immediate; insert into t select value from json_each('[1,2,3]'); commit;" & done; wait; sqlite3 l.db 'select count(*), sum(a) from t'
sqlite3 :memory: 'pragma threads=4; pragma cache_size=10; create table t(a); with recursive c(x) as (select 1 union all select x+1 from c where x<30000) insert into t select x*7919%30011 from c; create index i on t(a); select a from t order by a limit 3;'
head -c 3000 /dev/zero > bad.db; sqlite3 bad.db 'select 1 from t'; echo $?; sqlite3 /absent/d.db 'create table t(a)'; echo $?; sqlite3 r.db 'create table t(a)' && chmod 400 r.db && sqlite3 'file:r.db?mode=ro' 'insert into t values(1)'; echo $?
ruby -e 'q = Queue.new; t = 4.times.map { |i| Thread.new { 50.times { |n| q << n * i } } }; t.each(&:join); s = 0; s += q.pop until q.empty?; p s; p Process.wait2(fork { exit 9 })[1].exitstatus; p `echo hi`'
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'; git init -q -b main r && cd r && cp ../words . && git add . && git -c user.name=a -c user.email=a@b commit -qm m && git log --format=%s && git fsck && git gc -q && git status -s
echo 'int main(void){return 3;}' > p.c; gcc -c p.c && gcc p.o -o p; ./p; echo $?; gcc absent.c
printf 'all: a b\na b:\n\t@echo $@; touch $@\n' > Makefile; make -j2 | sort; make; make absent
openssl dgst -sha256 words; openssl enc -aes-256-ctr -K 00 -iv 00 -in words 2>/dev/null | md5sum; openssl prime 97
openssl genrsa 1024 2>/dev/null | grep -c KEY; openssl x509 -in absent
bc <<< '2^200' 2>/dev/null || echo '2 200 ^ p' | dc 2>/dev/null; expr 6 '*' 7; factor 1234567890123; seq -s, 5
dd if=/dev/zero of=z bs=4k count=20 status=none && stat -c '%s %b' z && truncate -s 3 z && od -c z; dd if=absent
cp -a data copy && diff -r data copy && mv copy moved && ln -s moved l && readlink l && rm -r moved l; rm absent
cat words > /dev/full; echo $?; echo x > /dev/full; ls / > /dev/full; python3 -c 'print("x", flush=True)' > /dev/full
head -c 100000 /dev/zero | tr '\0' a | fold -w 100 | wc; yes | head -3; yes 2>/dev/null | head -c 1 > /dev/null; echo $?
(exit 5) & wait $!; echo $?; sh -c 'kill -9 $$'; echo $?; sh -c 'kill -SEGV $$'; echo $?; sh -c 'trap "echo t; exit 4" TERM; kill $$'; echo $?
timeout 0.1 sleep 5; echo $?; timeout -s KILL 0.1 sleep 5; echo $?; timeout 5 true; echo $?
nohup sh -c 'echo in nohup' 2>&1; setsid -w sh -c 'exit 6'; echo $?; nice -n 5 nice; stdbuf -o0 echo unbuffered
env -i /bin/echo bare; env -u HOME sh -c 'echo ${HOME-none}'; chroot / /bin/echo rooted; flock lock echo locked
script -qec 'echo in a terminal; tty >/dev/null && echo yes' typescript </dev/null | tr -d '\r'; rm -f typescript
ulimit -n 5; cat words | wc -l; ulimit -f 1; cat words words words > big; echo $?; stat -c %s big
ulimit -v 200000; sort words | tail -1; ulimit -s 256; awk 'BEGIN { print 1 }'
mkfifo p; cat p & echo through > p; wait; exec 3<words; read line <&3; echo "$line"; exec 3<&-; cat <&3
redis-server --port 0 --unixsocket s --save '' --daemonize no & for i in 1 2 3 4 5 6 7 8 9; do redis-cli -s s ping 2>/dev/null && break; sleep 0.2; done; redis-cli -s s set a b; redis-cli -s s shutdown; wait $!; echo $?
dpkg --print-architecture; dpkg-query -W -f '${Package}\n' base-files; dpkg -L absent-package; dpkg-deb --help | wc -l
objdump -d /bin/true | wc -l; readelf -h /bin/true | head -5; nm -D /bin/true | wc -l; ar q a.a words && ar t a.a; strip words
getent passwd root; getent hosts localhost; id absent-user; su -s /bin/sh root -c 'echo as root'; locale | head -1; iconv -f utf8 -t utf16 words | md5sum
unshare -m true; echo $?; setpriv --reuid 65534 --clear-groups id -u; setarch -R echo fixed; taskset -c 0 echo pinned; prlimit --nofile=99 sh -c 'ulimit -n'
patch -s -p0 < change.diff && cat data/2.txt; diff data/1.txt data/2.txt; cmp words data/1.txt; comm -3 data/1.txt data/3.txt
valgrind -q true 2>&1 | head -2; gdb -batch -ex 'p 6*7' 2>&1 | tail -1; strace -f -qqq -e trace=none true; echo $?
node -e 'const {Worker}=require("worker_threads"); const w=new Worker("console.log(1)",{eval:true}); w.on("exit",c=>console.log("over",c))'
tclsh words; wget -qO- http://127.0.0.1:1/; echo $?; curl -s http://127.0.0.1:1/; echo $?
rsync -a data/ copied/ && diff -r data copied; ssh-keygen -q -t ed25519 -N '' -f k && ls k k.pub; rm -f k k.pub; gpg --version | head -1
vim -u NONE -es -c 'normal ggdG' -c wq words; wc words; ed -s data/2.txt <<< '1p'; less words < /dev/null | md5sum; man -w absent
jq -c '.a[1]' <<< '{"a":[1,2]}' 2>/dev/null; xmllint --version 2>&1 | head -1; m4 --version 2>/dev/null | head -1; shellcheck --version | head -2
tmux -V; ninja --version; cmake -E echo made; cmake -E sha256sum words; ccache --version | head -1; ctest --version | head -1
"""



def prepare(work):
    os.mkdir(os.path.join(work, "data"))
    words = [f"{chr(97 + i * 7 % 26)}{chr(97 + i * 11 % 26)}{i % 977}" for i in range(5000)]
    with open(os.path.join(work, "words"), "w", encoding="ascii") as f:
        f.write("\n".join(words) + "\n")
    for i in range(1, 6):
        with open(os.path.join(work, "data", f"{i}.txt"), "w", encoding="ascii") as f:
            f.write("\n".join(words[i * 10:i * 20]) + "\n")
    with open(os.path.join(work, "change.diff"), "w", encoding="ascii") as f:
        f.write("--- data/2.txt\n+++ data/2.txt\n@@ -1,1 +1,1 @@\n-" + words[20] + "\n+changed\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loiter")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    shell = shutil.which("bash")
    cases = [outcome.Case(line[:50], [shell, "-c", line], prepare)
             for line in JOBS.strip().splitlines() if args.only in line]
    print(f"{len(cases)} jobs")
    return outcome.judge_all(cases, os.path.abspath(args.loiter), args.jobs, args.verbose)


if __name__ == "__main__":
    sys.exit(main())
