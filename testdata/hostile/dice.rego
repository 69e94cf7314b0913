deny contains {"msg": uuid.rfc4122("x")} if rand.intn("x", 6) == 1
