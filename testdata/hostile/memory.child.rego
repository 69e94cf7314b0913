big := [[a, b] | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000)]

deny contains {"msg": "m"} if count(big) > 0
