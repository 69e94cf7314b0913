deny contains {"msg": "m"} if regex.match("((((a{1,100}){1,100}){1,100}){1,100})", input.estate.name)
