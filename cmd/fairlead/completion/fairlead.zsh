#compdef fairlead
# zsh completion for fairlead
_fairlead() {
    local -a found
    found=(${(f)"$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null | sed -e 's/:/\\:/g' -e 's/'$'\t''/:/')"})
    if (( ${#found} )); then
        _describe fairlead found
    else
        _files
    fi
}
compdef _fairlead fairlead
