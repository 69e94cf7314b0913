ring "canary" {
  order = 1
  share = "5%"
  after = "1d"
  soak  = "24h"
}

ring "broad" {
  order        = 2
  after        = "9d"
  soak         = "24h"
  max_failures = 1
}

fleet "sim" {
  parallel = 10
}

health "sim" {}
