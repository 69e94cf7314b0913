package discover

import "syscall"

// disk is the size of a file system and what of it is free for packages, in MiB.
func disk(root string) (size, free *int64) {
	var s syscall.Statfs_t
	if syscall.Statfs(root, &s) != nil || s.Bsize <= 0 {
		return nil, nil
	}
	all, left := int64(s.Blocks)*int64(s.Bsize)>>20, int64(s.Bavail)*int64(s.Bsize)>>20
	return &all, &left
}
