#!/bin/bash
# install-packages.sh SECTION... - installs the packages of these sections of packages.txt that are
# not there yet. Services that come with them are not started.
set -euo pipefail
cd "$(dirname "$0")"

list_missing() {
    local section='' line wanted=" $* "
    while read -r line; do
        case $line in
        '' | '#'*) ;;
        '['*']') section=${line:1:-1} ;;
        *) [[ $wanted == *" $section "* ]] && ! is_installed "$line" && echo "$line" ;;
        esac
    done <packages.txt
    return 0
}

is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Without systemd a package may still start its daemon by init.d; policy-rc.d forbids it.
policy=/usr/sbin/policy-rc.d
saved=''
guard_services() {
    if [[ -e $policy ]]; then
        saved=$(mktemp)
        cp -p "$policy" "$saved"
    fi
    trap restore_services EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}
restore_services() {
    if [[ -n $saved ]]; then
        cp -p "$saved" "$policy"
        rm -f "$saved"
    else
        rm -f "$policy"
    fi
}

mapfile -t missing < <(list_missing "$@")
[[ ${#missing[@]} -eq 0 ]] && exit 0
if [[ $(id -u) -ne 0 ]]; then
    echo "install-packages: run this as root, or install first: ${missing[*]}" >&2
    exit 1
fi
guard_services
export DEBIAN_FRONTEND=noninteractive
# A source that cannot be reached matters only if a package is then not found.
apt-get update -q || echo 'install-packages: apt-get update failed, trying the lists at hand' >&2
apt-get install -q -y --no-install-recommends "${missing[@]}"
