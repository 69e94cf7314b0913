//go:build !unix

package reference

import "os"

// Without flock two plugins must not share a state folder.
func lock(*os.File) error { return nil }

func unlock(*os.File) {}
