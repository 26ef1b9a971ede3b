# bash completion for ubtool; the words come from ubtool itself.
_ubtool() {
	local word=${COMP_WORDS[COMP_CWORD]} words=() i
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || words+=("${COMP_WORDS[i]}")
	done
	COMPREPLY=()
	mapfile -t COMPREPLY < <(compgen -W "$(ubtool --complete "${words[@]}" 2> /dev/null)" -- "$word")
	if [[ ${words[0]-} == cgroup && ${#words[@]} -eq 2 ]]; then
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${word:-/sys/fs/cgroup/}")
	fi
}
complete -F _ubtool ubtool
