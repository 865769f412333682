# fish completion of muster; made by: muster completion fish

# The words before the cursor, without the program, -C DIR and options.
function __muster_words
	set -l tokens (commandline -opc)
	set -e tokens[1]
	while set -q tokens[1]
		switch $tokens[1]
			case -C
				set -e tokens[1]
				set -e tokens[1]
			case '-*'
				set -e tokens[1]
			case '*'
				echo $tokens[1]
				set -e tokens[1]
		end
	end
end

function __muster_directory
	set -l tokens (commandline -opc)
	set -l at (contains -i -- -C $tokens)
	and set at (math $at + 1)
	and set -q tokens[$at]
	and echo $tokens[$at]
	or echo .
end

# __muster_needs [GROUP]: a command, or the second word of one, is to come.
function __muster_needs
	set -l words (__muster_words)
	test (count $words) -eq (count $argv); and test "$words" = "$argv"
end

# __muster_using WORD...: the command is this one.
function __muster_using
	set -l words (__muster_words)
	set -l count (count $argv)
	test (count $words) -ge $count; and test "$words[1..$count]" = "$argv"
end

function __muster_names
	set -l tokens (commandline -opc)
	set -l word (commandline -ct)
	string match -q -- '--*=*' $word; and set word (string replace -r -- '^--[^=]*=' '' $word)
	command $tokens[1] -C (__muster_directory) completion $argv[1] "$word" 2>/dev/null
end

function __muster_revisions
	git -C (__muster_directory) for-each-ref --format='%(refname:short)' 2>/dev/null
end

complete -c muster -f
complete -c muster -n '__muster_needs' -s C -x -a '(__fish_complete_directories (commandline -ct))' -d 'work on the specs in this directory'
complete -c muster -n '__muster_needs' -l version -d 'show the version'
complete -c muster -l help -d 'show what there is'
#{tables}
