"""One display per question: data computed once, drawn as often as wanted."""
