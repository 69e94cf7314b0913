# Services take hosts by pattern. Replace these with your own.

service "shop" {
  tier          = "production"
  owner         = "team-payments"
  hosts         = ["web-*"]
  labels        = { role = "web" }
  depends_on    = ["orders"]
  exposure      = "internet"
  compliance    = ["pci-dss"]
  min_available = "60%"
  window        = "nights"
  users         = 5000
}

service "orders" {
  tier          = "production"
  owner         = "team-payments"
  hosts         = ["api-*"]
  labels        = { role = "api" }
  depends_on    = ["orders-db"]
  exposure      = "internal"
  min_available = "50%"
  window        = "nights"
}

service "orders-db" {
  tier          = "business-critical"
  owner         = "team-data"
  hosts         = ["db-*"]
  labels        = { role = "db" }
  exposure      = "internal"
  min_available = "1"
  window        = "sundays"
}

service "intranet" {
  tier     = "development"
  owner    = "team-office"
  hosts    = ["office-*"]
  labels   = { role = "office" }
  exposure = "internal"
}

service "lab" {
  tier     = "development"
  owner    = "team-office"
  hosts    = ["lab-*"]
  labels   = { role = "web" }
  exposure = "isolated"
}
