big := [[x | some x in numbers.range(1, 300)] | some y in numbers.range(1, 300)]

deny contains {"msg": "m"} if {
	walk(big, [_, v])
	walk(big, [_, w])
	v != w
	v == "never"
}
