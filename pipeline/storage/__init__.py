"""Where bytes lie that are not on this machine's disks: one module for each protocol, behind two small contracts."""
