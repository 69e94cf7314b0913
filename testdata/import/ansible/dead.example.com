{
 "changed": false,
 "msg": "Failed to connect to the host via ssh: ",
 "unreachable": true
}
