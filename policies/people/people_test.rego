package ringmaster.people_test

import data.ringmaster.people

test_estate_owners_are_the_first_declared if {
	people.estate_owners == "platform" with input as {"estate": {"owners": ["platform", "security"]}}
}

test_estate_without_owners_has_a_team_all_the_same if {
	people.estate_owners == "owners" with input as {"estate": {"owners": []}}
}

test_owner_of_a_service if {
	people.owner({"owner": "team-shop"}) == "team-shop" with input as {"estate": {"owners": ["platform"]}}
	people.owner({}) == "platform" with input as {"estate": {"owners": ["platform"]}}
}
