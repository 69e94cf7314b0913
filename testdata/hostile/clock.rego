deny contains {"msg": "m"} if time.now_ns() > 0
