package estate

import (
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// nameFirst and nameRest are the characters of package names by type: dpkg's
// pkg_name_is_illegal, what rpm and apk packages are really called (apk's virtual
// packages begin with a dot), and for generic ones what the ecosystems use
// (@scope/name, group:artifact, host/path).
var nameFirst = map[version.Type]string{
	version.Deb: alnum, version.RPM: alnum + "_", version.APK: alnum + "_.", version.Windows: alnum, version.Generic: alnum + "@_",
}

var nameRest = map[version.Type]string{
	version.Deb: "+._-", version.RPM: "+._-~^", version.APK: "+._-", version.Windows: "._-", version.Generic: "+._-~/:@",
}

func validPackage(t version.Type, name string) bool {
	return made(name, nameFirst[t], alnum+nameRest[t], 256)
}

func validVersion(t version.Type, v string) bool {
	return made(v, alnum, alnum+"+._-~:^", 256)
}
