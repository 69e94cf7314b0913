deny contains {"msg": "m"} if count(numbers.range(0, 1000000000000)) > 0
