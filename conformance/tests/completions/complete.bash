# Prints what the completions in the file _heapmin offer for the last word of a line.
# bash calls such a function with the command, the word and the word before it.
read -ra COMP_WORDS <<<"$1"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1
compopt() { :; } # works only while bash completes
source ./_heapmin
_heapmin "${COMP_WORDS[0]}" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
echo BEGIN
printf '%s\n' "${COMPREPLY[@]}"
echo END
