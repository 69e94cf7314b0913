deny contains {"msg": "m"} if count(numbers.range_step(0, 1000000000000, 2)) > 0
