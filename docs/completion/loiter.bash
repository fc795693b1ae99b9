# Completion of loiter for bash, and for zsh by way of _loiter. Asks the command itself for its
# options, so that there is no second list of them.

_loiter_options() { # command
    loiter "$1" --help 2>/dev/null | grep -oE -- '^ +(-[a-z?], )?--[a-z-]+=?|^ +-[a-z],' |
        tr -d ' ,' | sed 's/^-[a-z?]--/--/'
}

_loiter_rules() {
    loiter explain 2>/dev/null | sed 's/ .*//'
}

_loiter_values() { # command option
    case $1:$2 in
    compare:--format) echo text json markdown ;;
    export:--format) echo chrome ;;
    *:--format) echo text json junit sarif ;;
    *:--color) echo auto always never ;;
    compare:--fail-on) ;;
    *:--fail-on) echo error warning note ;;
    *:--heap) echo off sampled full ;;
    *:--allocator) echo program jemalloc ;;
    *:--only | *:--disable) _loiter_rules ;;
    *:--set) _loiter_rules | sed 's/$/./' ;;
    esac
}

# What may stand in that place of the command's own words.
_loiter_words() { # command place
    case $1:$2 in
    help:2) loiter help --list 2>/dev/null ;;
    explain:2) _loiter_rules ;;
    baseline:2) echo write check prune ;;
    ctl:3) echo start stop auto mark snapshot ;;
    esac
}

# Names may have blanks and stars in them; zsh has no mapfile.
_loiter_take() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done
}

_loiter_offer() { # current, words to choose from
    _loiter_take < <(compgen -W "$2" -- "$1")
}

_loiter() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]} option= values i
    # bash makes "=" a word of its own, --format = json; zsh leaves --format=json whole.
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD-2]}
    [[ $current == = ]] && previous=${COMP_WORDS[COMP_CWORD-1]} current=
    [[ $current == --*=* ]] && option=${current%%=*}= previous=${current%%=*} current=${current#*=}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _loiter_offer "$current" "$(loiter help --list 2>/dev/null) help --help --version"
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- ]] && [[ $command == run || $command == record ]]; then
            _loiter_take < <(compgen -c -f -- "$current")
            return
        fi
    done
    values=$(_loiter_values "$command" "$previous")
    [[ -z $values && -z $option && $current != -* ]] &&
        values=$(_loiter_words "$command" "$COMP_CWORD")
    if [[ -n $values ]]; then
        _loiter_offer "$current" "$values"
    elif [[ $current == -* ]]; then
        _loiter_offer "$current" "$(_loiter_options "$command")"
        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    else
        compopt -o filenames 2>/dev/null
        _loiter_take < <(compgen -f -- "$current")
    fi
    [[ -n $option ]] && COMPREPLY=("${COMPREPLY[@]/#/$option}")
    return 0
}
complete -F _loiter loiter
