{
 "ansible_facts": {
  "ansible_fqdn": "web-01.example.com",
  "ansible_hostname": "web-01",
  "ansible_distribution": "Ubuntu",
  "ansible_distribution_version": "22.04",
  "ansible_architecture": "x86_64",
  "ansible_kernel": "5.15.0-69-generic",
  "ansible_lsb": {
   "description": "Ubuntu 22.04.2 LTS"
  },
  "ansible_default_ipv4": {
   "address": "10.0.4.7"
  },
  "ansible_memtotal_mb": 7954,
  "ansible_memfree_mb": "512",
  "ansible_uptime_seconds": 86400,
  "ansible_date_time": {
   "iso8601": "2026-03-01T08:00:00Z"
  },
  "ansible_mounts": [
   {
    "mount": "/boot",
    "size_total": 1
   },
   {
    "mount": "/",
    "size_total": 42949672960,
    "size_available": 9663676416
   }
  ],
  "packages": {
   "openssl": [
    {
     "name": "openssl",
     "version": "3.0.2-0ubuntu1.8",
     "arch": "amd64",
     "source": "apt"
    }
   ],
   "linux-image-generic": [
    {
     "name": "linux-image-generic",
     "version": "5.15.0.69.67",
     "arch": "amd64",
     "source": "apt"
    },
    {
     "name": "linux-image-generic",
     "version": "5.15.0.70.68",
     "arch": "amd64",
     "source": "apt"
    }
   ],
   "snapped": [
    {
     "name": "snapped",
     "version": "1",
     "source": "snap"
    }
   ]
  }
 },
 "changed": false
}
