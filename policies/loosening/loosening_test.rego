package ringmaster.loosening_test

import data.ringmaster.loosening

edit(change) := {"point": "edit", "estate": {"owners": ["platform"]}, "edit": object.union(
	{"kinds": ["policy"], "author_teams": [], "exceptions": []},
	change,
)}

asked(change) := {[object.get(d.facts, "from", "owners"), d.facts.count] | some d in loosening.require with input as edit(change)}

legacy := {"name": "legacy", "owner": "team-db"}

test_one_owner_is_asked_in_any_case if asked({}) == set()

test_what_takes_two_people if {
	asked({"kinds": ["inventory", "workflow"]}) == {["owners", 2]} with data.loosening.people as {"inventory": 1, "workflow": 2}
}

test_what_takes_a_team if {
	asked({"kinds": ["model", "policy"]}) == {["security", 1]} with data.loosening.teams as {"policy": "security"}
}

test_the_owner_of_an_exception_is_asked if {
	asked({"kinds": ["exception"], "exceptions": [legacy]}) == {["team-db", 1]}
}

test_an_owner_who_proposes_an_exception_knows_of_it if {
	asked({"kinds": ["exception"], "exceptions": [legacy], "author_teams": ["team-db"]}) == set()
}
