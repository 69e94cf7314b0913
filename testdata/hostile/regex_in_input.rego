deny contains {"msg": "m"} if regex.match("(a*)*b", concat("", ["a" | some x in numbers.range(1, 10000)]))
