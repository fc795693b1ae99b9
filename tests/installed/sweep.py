#!/usr/bin/env python3
"""sweep.py LOITER [--all | NAME...] - installed programs, asked for their version and their help.

Without names it takes the sample below, which is what the tests run; --all takes every program of
/usr/bin and /usr/sbin. Those that a sweep must not start are left out by name.
"""

import argparse
import os
import shutil
import sys

import outcome

SAMPLE = """[ ar arch awk b2sum base32 base64 basename bash cat chmod chown cksum cmp comm cp csplit cut
date dd deb-systemd-helper df diff diff3 dir dircolors dirname dpkg dpkg-deb dpkg-query du echo env
expand expr factor false find flock fmt fold free gcc getconf getent getopt git grep gzip head
hostname iconv id install ionice join ld link ln locale logger ls lscpu lsns make mawk md5sum mkdir
mkfifo mktemp more mount mv namei nice nl nm nohup nproc numfmt objcopy objdump od openssl paste patch
pathchk perl pgrep pinky pr printenv printf prlimit ps ptx python3 ranlib readelf readlink realpath
redis-benchmark redis-cli redis-server rev rm rmdir run-parts script sdiff sed seq setarch setsid sh
sha1sum sha256sum shred shuf size sleep sort split sqlite3 stat stdbuf stress-ng strings strip stty
sum sync tac tail tar taskset tee test timeout touch tr true truncate tsort tty uname unexpand uniq
unlink unshare uptime vdir wc whereis which who whoami xargs xz yes memcached nginx babeltrace2
""".split()

# They end or change the machine, take over a terminal, wait for someone, or need the network.
LEFT_OUT = set("""init telinit halt poweroff reboot shutdown killall5 ctrlaltdel systemd pivot_root
switch_root sulogin agetty getty rtcwake e2scrub_all e2scrub fsfreeze wish wish8.6 pkttyagent kill
skill snice pkill shadowconfig pwconv pwunconv grpconv grpunconv update-passwd ldconfig mandb catman
pam-auth-update update-ca-certificates update-catalog update-xmlcatalog update-shells iconvconfig
locale-gen instmodsh debconf-apt-progress add-shell remove-shell gcloud gsutil docker-credential-gcloud dev_appserver.py bq anthoscli kubectl kpt terraform
loiter xdg-user-dirs-update systemd-tmpfiles systemd-sysusers systemd-firstboot
systemd-machine-id-setup dmesg systemd-tty-ask-password-agent update-icon-caches upgradecluster
pg_createcluster pg_upgradecluster pg_dropcluster pg_updatedicts install-sgmlcatalog
update-java-alternatives installkernel kernel-install""".split())



def all_programs():
    found = {}
    for folder in ("/usr/bin", "/usr/sbin"):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name in LEFT_OUT or not os.access(path, os.X_OK) or os.path.isdir(path):
                continue
            found.setdefault(os.path.realpath(path), path)
    return sorted(found.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loiter")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if args.all:
        paths = all_programs()
    else:
        paths = [p for p in map(shutil.which, args.names or SAMPLE) if p]
    cases = [outcome.Case(f"{os.path.basename(path)} {option}", [path, option])
             for path in paths for option in ("--version", "--help")]
    print(f"{len(paths)} programs")
    return outcome.judge_all(cases, os.path.abspath(args.loiter), args.jobs, args.verbose)


if __name__ == "__main__":
    sys.exit(main())
