#compdef muster
# zsh completion of muster; made by: muster completion zsh

# _muster_names KIND: what muster itself knows.
_muster_names() {
	local -a names whole parts
	names=(${(f)"$(command ${(Q)_muster_program} -C ${(Q)_muster_directory} completion $1 ${(Q)PREFIX} 2>/dev/null)"})
	whole=(${names:#*/})
	parts=(${(M)names:#*/})
	(( $#whole )) && compadd -Q -- $whole
	(( $#parts )) && compadd -Q -S '' -- $parts
}
_muster_address() { _muster_names address }
_muster_type() { _muster_names type }
_muster_region() { _muster_names region }
_muster_shell() { _muster_names shell }
_muster_revision() {
	local -a names
	names=(${(f)"$(git -C ${(Q)_muster_directory} for-each-ref --format='%(refname:short)' 2>/dev/null)"})
	compadd -- $names
}

#{tables}
_muster() {
	local _muster_program=$words[1] _muster_directory=. context state line
	typeset -A opt_args
	local i
	for (( i = 2; i < CURRENT; i++ )); do
		case $words[i] in
		(-C) _muster_directory=$words[i+1]; (( i++ )) ;;
		(-C?*) _muster_directory=${words[i]#-C} ;;
		(-*) ;;
		(*) break ;;
		esac
	done
	_arguments -C \
		'-C+[work on the specs in DIR]:DIR:_files -/' \
		'--version[show the version]' \
		'--help[show the commands]' \
		'1: :_muster_commands' \
		'*:: :->command'
	[[ $state == command ]] && _muster_command
}

if [[ $funcstack[1] == _muster ]]; then
	_muster "$@"
else
	compdef _muster muster
fi
