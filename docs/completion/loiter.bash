# Completion of loiter for bash. Asks the command itself for its options, so that there is no
# second list of them.

_loiter_options() {
    loiter "$1" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*=?|^ +-[a-z],' | tr -d ' ,' | sort -u
}

_loiter_values() { # option
    case $1 in
    --format) if [[ ${COMP_WORDS[1]} == compare ]]; then echo text json markdown; else echo text json junit sarif; fi ;;
    --color) echo auto always never ;;
    --fail-on) [[ ${COMP_WORDS[1]} == compare ]] || echo error warning note ;;
    --heap) echo off sampled full ;;
    --allocator) echo program jemalloc ;;
    --fail-on) echo error warning note ;;
    --only | --disable) loiter explain 2>/dev/null | awk '{print $1}' ;;
    --set) loiter explain 2>/dev/null | awk '{print $1 "."}' ;;
    esac
}

_loiter() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} i
    # "=" is a word of its own there: --format = json
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD-2]}
    [[ $current == = ]] && previous=${COMP_WORDS[COMP_CWORD-1]} current=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(loiter help --list 2>/dev/null) --help --version" -- "$current")
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- && ( $command == run || $command == record ) ]]; then
            mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
            return
        fi
    done
    local values
    values=$(_loiter_values "$previous")
    if [[ -n $values ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_loiter_options "$command")" -- "$current")
        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    elif [[ $command == explain ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_loiter_values --only)" -- "$current")
    elif [[ $command == baseline && $COMP_CWORD == 2 ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'write check prune' -- "$current")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _loiter loiter
