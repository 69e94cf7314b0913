deny contains {"msg": "m"} if CHAIN == 0
