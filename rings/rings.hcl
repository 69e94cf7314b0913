# A host is in the lowest-ordered ring that takes it. A share is of the hosts
# that match; `after` counts from publication, and urgent plans compress the
# same order.

ring "lab" {
  order    = 1
  services = ["lab"]
  soak     = "4h"
}

ring "canary" {
  order        = 2
  share        = "5%"
  tiers        = ["production", "development"]
  after        = "1d"
  soak         = "24h"
  max_failures = 0
}

ring "early" {
  order        = 3
  share        = "10%"
  tiers        = ["production", "development"]
  after        = "5d"
  soak         = "24h"
  max_failures = 0
}

ring "broad" {
  order        = 4
  tiers        = ["production", "development"]
  after        = "9d"
  soak         = "24h"
  max_failures = 1
}

ring "business-critical" {
  order        = 5
  after        = "11d"
  soak         = "24h"
  max_failures = 0
}
