deny contains {"msg": sprintf("%999999d%999999d", [1, 2])} if input.estate.name
