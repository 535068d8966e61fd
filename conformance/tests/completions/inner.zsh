# The zsh in which a line is typed: it prints the names that its completions add.
PROMPT=
fpath=($PWD $fpath)
autoload -U compinit
compinit -u -D
bindkey '^I' complete-word
begin-of-names() { print; print BEGIN }
end-of-names() { print; print END; exit }
compprefuncs=(begin-of-names)
comppostfuncs=(end-of-names)
compadd() {
    # With one of these, it adds no names.
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return
    fi
    local -a names
    builtin compadd -A names "$@"
    print -l -- $names
    builtin compadd "$@"
}
print READY
