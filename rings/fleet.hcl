# How changes are carried out, and how health is measured. The simulated fleet
# is harmless: replace it with "exec" and a plugin of yours when you are ready.

fleet "sim" {
  seed     = 7
  parallel = 4
}

health "sim" {}
