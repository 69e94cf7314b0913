# When work may happen: RFC 5545 recurrences in wall time. The duration is
# elapsed time, so a night on which clocks change is as long as any other.

window "nights" {
  recur    = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;BYHOUR=22;BYMINUTE=0"
  duration = "6h"
}

window "sundays" {
  recur    = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=0"
  duration = "4h"
}

# When nothing may: shown here for a year that is over. One that comes again says
# recur and duration, as a window does: recur = "FREQ=MONTHLY;BYMONTHDAY=-1" …

freeze "year-end" {
  from     = "2025-12-20T00:00:00Z"
  to       = "2026-01-03T00:00:00Z"
  services = ["*"]
  reason   = "the busiest days of the shop"
}
