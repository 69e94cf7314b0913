deny contains {"msg": "m"} if x == REPEATED
