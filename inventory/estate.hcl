# What holds for everything. See the contract's words: an estate is the Git
# repository that declares hosts, services, rings and policies.

estate "acme" {
  timezone   = "Europe/Berlin"
  open_plans = 5

  # Who may approve what loosens: policies, rings, models, exceptions.
  owners = ["owners"]

  # Teams, for the local forge only; GitHub has teams of its own.
  teams = {
    owners        = ["olivia", "omar"]
    team-payments = ["alice", "paul"]
    team-data     = ["dana"]
    team-office   = ["fred"]
  }

  # Services that are planned and reviewed together. The rest is "main".
  group "payments" {
    services = ["shop", "orders", "orders-db", "lab"]
  }

  # The estate's own clocks, by class: the strictest clock binds.
  sla {
    critical = "24h"
    high     = "7d"
    standard = "30d"
    low      = "90d"
  }
}

# Rank 1 is the most critical. Policies go by rank, so names are yours.

tier "business-critical" {
  rank                     = 1
  downtime_cost_per_minute = 5600
  risk_tolerance           = 0.05
  autonomy                 = "recommend"
}

tier "production" {
  rank                     = 2
  downtime_cost_per_minute = 400
  risk_tolerance           = 0.10
  autonomy                 = "semi-autonomous"
}

tier "development" {
  rank                     = 3
  downtime_cost_per_minute = 5
  risk_tolerance           = 0.30
  autonomy                 = "autonomous"
}
