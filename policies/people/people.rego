# METADATA
# title: People
# description: Whom rules ask. Library code, it decides nothing.
package ringmaster.people

# METADATA
# title: The team that answers for the estate as a whole
default estate_owners := "owners"

estate_owners := input.estate.owners[0]

# METADATA
# title: The team that answers for a service of a plan
owner(service) := object.get(service, "owner", estate_owners)
