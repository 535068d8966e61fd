# Prints what the completions in the file _heapmin offer for the last word of a line. zsh completes
# only what is typed in a terminal, so another zsh in one does so.
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner 'source ./inner.zsh'
zpty -r inner text '*READY*'
zpty -w -n inner "$1"$'\t'
zpty -r inner text '*END*'
print -r -- $text
