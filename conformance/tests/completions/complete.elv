use str
# Prints what the completions in the file _heapmin offer for a line. elvish itself then takes the
# names that begin with the last word. It has the variable `edit:` only at a terminal.
var edit: = (ns [
  &complex-candidate~={|name &display='' @rest| put $name }
  &completion:=(ns [&arg-completer=[&]])
])
eval &ns=(ns [&edit:=$edit:]) (slurp < _heapmin)
echo BEGIN
$edit:completion:arg-completer[heapmin] (str:split ' ' $args[0]) | each {|name| echo $name }
echo END
