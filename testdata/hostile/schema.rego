deny contains {"msg": "m"} if json.match_schema(input, {"$ref": "file:///etc/passwd"})[0]
