deny contains {"msg": "m"} if bits.lsh(1, 100000000000) > 0
