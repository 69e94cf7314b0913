deny contains {"msg": "m"} if units.parse("1e999999999K") > 1
