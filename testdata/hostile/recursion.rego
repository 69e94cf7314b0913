f(x) := f(x - 1)

deny contains {"msg": "m"} if f(10) == 1
