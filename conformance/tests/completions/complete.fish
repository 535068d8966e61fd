# Prints what the completions in the file _heapmin offer for the last word of a line.
source _heapmin
echo BEGIN
complete -C $argv[1]
echo END
