{
 "ansible_facts": {
  "ansible_distribution": "Microsoft Windows Server 2019 Standard",
  "ansible_distribution_version": "10.0.17763.0",
  "ansible_os_family": "Windows",
  "ansible_fqdn": "WIN.example.com",
  "ansible_architecture": "64-bit",
  "ansible_reboot_pending": true
 }
}
