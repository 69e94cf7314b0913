edges := {sprintf("%d", [a]): [sprintf("%d", [b]) | some b in numbers.range(1, 40)] | some a in numbers.range(1, 40)}

deny contains {"msg": "m"} if count(graph.reachable_paths(edges, ["1"])) > 0
