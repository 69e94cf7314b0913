# Where advisories come from. `ringmaster feeds sync` brings snapshots into
# inventory/advisories, in their original formats; nothing else contacts these
# addresses.

# What is known to be exploited, and how likely the rest is to be.
feed "kev" {
  from = ["https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"]
}

feed "epss" {
  from = ["https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"]
}

# What your distributions have fixed. One archive for each that you run:
# Debian, Ubuntu, AlmaLinux, Rocky Linux, Alpine, SUSE, …
feed "osv" {
  from = ["https://osv-vulnerabilities.storage.googleapis.com/Debian/all.zip"]
}
