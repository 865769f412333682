# bash completion of muster; made by: muster completion bash
# shellcheck shell=bash disable=SC2207

# What can come: "commands [GROUP]", "options COMMAND", "words COMMAND", "value COMMAND OPTION".
_muster_table() {
	case "$*" in
#{tables}
	esac
}

# _muster_offer KIND [CHOICE...]
_muster_offer() {
	local kind=$1 line
	shift
	case $kind in
	choice) COMPREPLY+=($(compgen -W "$*" -- "$word")) ;;
	file)
		compopt -o filenames 2>/dev/null
		while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word")
		;;
	revision)
		COMPREPLY+=($(compgen -W "$(git -C "$directory" for-each-ref --format='%(refname:short)' 2>/dev/null)" -- "$word"))
		;;
	address | type | region | shell)
		while IFS= read -r line; do COMPREPLY+=("$line"); done \
			< <("${COMP_WORDS[0]}" -C "$directory" completion "$kind" "$word" 2>/dev/null)
		[[ ${COMPREPLY[0]-} == */ ]] && compopt -o nospace 2>/dev/null
		;;
	esac
}

# Finds the command before the cursor: sets directory, group, command, and option where a value of it is due.
_muster_look() {
	local i word
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ -z "$command" ]; then
			case $word in
			-C) directory=${COMP_WORDS[++i]} ;;
			-C*) directory=${word#-C} ;;
			-*) ;;
			*)
				if [ -n "$group" ]; then
					command="$group $word"
				elif [ -n "$(_muster_table commands "$word")" ]; then
					group=$word
				else
					command=$word
				fi
				;;
			esac
		elif [ "$word" = = ]; then
			:
		elif [ -n "$(_muster_table value "$command" "$word")" ]; then
			option=$word
		else
			option=
		fi
	done
}

_muster() {
	local directory=. group='' command='' option='' word before kind i
	COMPREPLY=()
	_muster_look
	# The shell breaks words at = and : too; here they are whole.
	word=${COMP_LINE:0:COMP_POINT}
	word=${word##*[[:space:]]}
	[[ $word == --*=* ]] && option=${word%%=*} && word=${word#*=}
	if [ "${COMP_WORDS[COMP_CWORD - 1]}" = -C ] && [ -z "$command$group" ]; then
		compopt -o filenames 2>/dev/null
		while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -d -- "$word")
	elif [ -z "$command" ] && [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W '-C --version --help' -- "$word"))
	elif [ -z "$command" ]; then
		# shellcheck disable=SC2086 # without a group there is one word less
		COMPREPLY=($(compgen -W "$(_muster_table commands $group)" -- "$word"))
	elif [ -n "$option" ]; then
		read -r -a kind <<<"$(_muster_table value "$command" "$option")"
		_muster_offer "${kind[@]}"
	elif [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_muster_table options "$command")" -- "$word"))
	else
		for kind in $(_muster_table words "$command"); do _muster_offer "$kind"; done
	fi
	# Of what stands before the last colon, the shell thinks that it is there already.
	if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
		before=${word%"${word##*:}"}
		for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$before"}; done
	fi
}

complete -F _muster muster
