# fish completion for fairlead
function __fairlead_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c fairlead -a '(__fairlead_complete)'
