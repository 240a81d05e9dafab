# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for virt-tdx(1): commands and options as the program itself lists them.

_virt_tdx_words() {
  virt-tdx "$@" --help 2>/dev/null
}

_virt_tdx() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_virt_tdx_words | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') --help --version" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_virt_tdx_words "$command" | grep -oE -- '(^|[ ,])--[a-z-]+' | tr -d ' ,' | sort -u)" -- "$current")
  elif [ "$previous" = --host ]; then
    mapfile -t COMPREPLY < <(compgen -W "kvm soft sapphire-rapids granite-rapids" -- "$current"; compgen -f -X '!*.json' -- "$current")
  else
    case "$command" in
      check | cpuid | measure) mapfile -t COMPREPLY < <(virsh -c tdx:///system -q list --all --name 2>/dev/null | grep -F -- "$current") ;;
    esac
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -o filenames -F _virt_tdx virt-tdx
