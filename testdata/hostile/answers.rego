deny contains {"msg": concat("", [text, x])} if {
	some x in [sprintf("%d", [n]) | some n in numbers.range(1, 1000)]
}

text := concat("", ["0123456789abcdef" | some x in numbers.range(1, 1000)])
