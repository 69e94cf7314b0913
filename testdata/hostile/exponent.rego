deny contains {"msg": "m"} if to_number("1e1000000000") % 7 == 1
