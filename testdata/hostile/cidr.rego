deny contains {"msg": "m"} if count(net.cidr_expand("10.0.0.0/8")) > 0
