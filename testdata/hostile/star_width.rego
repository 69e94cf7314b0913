deny contains {"msg": sprintf("%*d", [999999, 2])} if input.estate.name
