# Completion for bash of vaetl and vaetl-TASK: tasks, commands, options and the zoo's names, as the programs themselves tell
# them. Installed where bash-completion finds it; otherwise: source completion.bash
_vaetl_options() {  # of a program, perhaps of a command
  "$@" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

_vaetl_commands() {  # of vaetl itself, or of a program that has some
  "$1" --help 2>/dev/null | sed -n -e '/^Tasks:\|^The commands/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' \
    -e 's/^\(Usage:\|      \) vaetl-[a-z]* \([a-z][a-z]*\)\( .*\)\?$/\2/p'
}

_vaetl() {
  local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} first=1 words
  COMPREPLY=()
  if [ "${program##*/}" = vaetl ]; then
    if [ "$COMP_CWORD" -eq 1 ]; then
      COMPREPLY=($(compgen -W "$(_vaetl_commands "$program")" -- "$current"))
      return
    fi
    program=$program-${COMP_WORDS[1]}
    first=2
  fi
  words=$(_vaetl_commands "$program")
  if [ -n "$words" ] && [ "$COMP_CWORD" -eq "$first" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ $current == -* ]]; then
    [ -z "$words" ] || words=$(_vaetl_options "$program" "${COMP_WORDS[first]}")
    COMPREPLY=($(compgen -W "${words:-$(_vaetl_options "$program")}" -- "$current"))
  else
    compopt -o default 2>/dev/null
    words=$("${program%-*}-zoo" list --quiet 2>/dev/null | awk 'NR > 1 { print $1 }')
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}

_vaetl_programs=(vaetl)
for _vaetl_task in $(_vaetl_commands vaetl); do _vaetl_programs+=("vaetl-$_vaetl_task"); done
complete -F _vaetl "${_vaetl_programs[@]}"
unset _vaetl_programs _vaetl_task
