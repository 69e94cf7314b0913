package version

// Check reports what is wrong with s as a version of type t: nil when it
// follows the type's grammar. Versions that are accepted hold no white space,
// control characters, quotes, "`", "$", ";", "|", "&", "<", ">", "(", ")", "\".
func Check(t Type, s string) error { panic("version.Check") }

// Compare orders two versions of type t: negative when a is older than b, 0
// when they are equal, positive when a is newer. It allocates nothing and is
// total: what does not follow the grammar is still ordered.
func Compare(t Type, a, b string) int { panic("version.Compare") }
