big := [{"op": "add", "path": sprintf("/a%d", [x]), "value": text} | some x in numbers.range(1, 5000)]

text := concat("", ["0123456789abcdef" | some x in numbers.range(1, 1000)])

deny contains {"msg": "m"} if count(json.patch({}, big)) > 0
