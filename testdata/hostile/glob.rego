deny contains {"msg": "m"} if glob.match(concat("", ["{a,b}*" | some x in numbers.range(1, 1000)]), [], input.estate.name)
