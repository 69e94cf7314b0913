//go:build !linux

package discover

// disk is not known on systems other than Linux.
func disk(string) (size, free *int64) { return nil, nil }
