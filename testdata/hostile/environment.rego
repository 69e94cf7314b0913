deny contains {"msg": opa.runtime().env.HOME} if input.estate.name
