package ringmaster.loosening_test

import data.ringmaster.loosening

# The tests bring their own numbers and teams, so that a site sets those in its data.json as it likes.
one_each := {"people": {"exception": 1, "policy": 1}, "teams": {}}

edit(change) := {"point": "edit", "estate": {"owners": ["platform"]}, "edit": object.union(
	{"kinds": ["policy"], "author_teams": [], "exceptions": []},
	change,
)}

asked(change, site) := {[object.get(d.facts, "from", "owners"), d.facts.count] | some d in loosening.require with input as edit(change) with data.loosening as site}

legacy := {"name": "legacy", "owner": "team-db"}

test_one_owner_is_asked_in_any_case if asked({}, one_each) == set()

test_what_takes_two_people if {
	asked({"kinds": ["inventory", "workflow"]}, {"people": {"inventory": 1, "workflow": 2}}) == {["owners", 2]}
}

test_what_takes_a_team if {
	asked({"kinds": ["model", "policy"]}, {"teams": {"policy": "security"}}) == {["security", 1]}
}

test_the_owner_of_an_exception_is_asked if {
	asked({"kinds": ["exception"], "exceptions": [legacy]}, one_each) == {["team-db", 1]}
}

test_an_owner_who_proposes_an_exception_knows_of_it if {
	asked({"kinds": ["exception"], "exceptions": [legacy], "author_teams": ["team-db"]}, one_each) == set()
}
