deny contains {"msg": "m"} if {
	big := [concat("", [t, sprintf("%d", [a])]) | some a in numbers.range(1, 100000)]
	count(big) > 0
}

t := concat("", ["0123456789abcdef" | some a in numbers.range(1, 20000)])
