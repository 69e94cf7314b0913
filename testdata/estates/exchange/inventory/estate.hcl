estate "exchange" {
  timezone = "UTC"
  clock    = "given"
  review   = "none"
  owners   = ["owners"]
  teams = {
    owners    = ["olivia", "omar"]
    team-mail = ["mia", "max"]
  }
  group "mail" {
    services = ["exchange"]
  }
}

tier "business-critical" {
  rank                     = 1
  downtime_cost_per_minute = 5600
  risk_tolerance           = 0.05
  autonomy                 = "recommend"
}

# Executive mail and the compliance archive are on these servers.
service "exchange" {
  tier          = "business-critical"
  owner         = "team-mail"
  hosts         = ["mbx-*"]
  labels        = { role = "mailbox" }
  exposure      = "internet"
  human_impact  = "very high"
  compliance    = ["executive-mail", "archive"]
  min_available = "70%"
  window        = "tuesdays"
  users         = 5000
  install       = "30m"
}

window "tuesdays" {
  recur    = "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0"
  duration = "4h"
}

freeze "board" {
  from     = "2026-03-05T00:00:00Z"
  to       = "2026-03-07T00:00:00Z"
  services = ["*"]
  reason   = "board meeting"
}
