package risk

import (
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// released are the days on which releases of operating systems came out, by id and
// the part of the version that names the release; of Windows Server that is the
// build. Sources: distro-info-data of Debian and Ubuntu, and the vendors' own
// release notes and life cycle pages as collected by endoflife.date, read 2026-02.
// A release that is not here has no age.
var released = map[string]map[string]string{
	"debian": {
		"8": "2015-04-26", "9": "2017-06-17", "10": "2019-07-06", "11": "2021-08-14", "12": "2023-06-10", "13": "2025-08-09",
	},
	"ubuntu": {
		"14.04": "2014-04-17", "16.04": "2016-04-21", "18.04": "2018-04-26", "20.04": "2020-04-23", "22.04": "2022-04-21",
		"23.04": "2023-04-20", "23.10": "2023-10-12", "24.04": "2024-04-25", "24.10": "2024-10-10", "25.04": "2025-04-17", "25.10": "2025-10-09",
	},
	"rhel":      {"6": "2010-11-10", "7": "2014-06-10", "8": "2019-05-07", "9": "2022-05-18", "10": "2025-05-20"},
	"almalinux": {"8": "2021-03-30", "9": "2022-05-26", "10": "2025-05-27"},
	"rocky":     {"8": "2021-06-21", "9": "2022-07-14", "10": "2025-06-11"},
	"alpine": {
		"3.10": "2019-06-19", "3.11": "2019-12-19", "3.12": "2020-05-29", "3.13": "2021-01-14", "3.14": "2021-06-15", "3.15": "2021-11-24", "3.16": "2022-05-23",
		"3.17": "2022-11-22", "3.18": "2023-05-09", "3.19": "2023-12-07", "3.20": "2024-05-22", "3.21": "2024-12-05", "3.22": "2025-05-30", "3.23": "2025-12-04",
	},
	"sles": {
		"11": "2009-03-24", "11.1": "2010-06-02", "11.2": "2012-02-29", "11.3": "2013-07-01", "11.4": "2015-07-15",
		"12": "2014-10-27", "12.1": "2015-12-15", "12.2": "2016-11-08", "12.3": "2017-09-07", "12.4": "2018-12-12", "12.5": "2019-12-09",
		"15": "2018-07-16", "15.1": "2019-06-24", "15.2": "2020-07-21", "15.3": "2021-06-22", "15.4": "2022-06-21", "15.5": "2023-06-20", "15.6": "2024-06-26",
	},
	"windows": {
		"6.2.9200": "2012-10-30", "6.3.9600": "2013-11-25", "10.0.14393": "2016-10-15", "10.0.17763": "2018-11-13", "10.0.20348": "2021-08-18", "10.0.26100": "2024-11-01",
	},
}

// osAge is how many whole days ago a host's release of its operating system came
// out, nil where that is not known or was not yet so.
func osAge(os *inventory.OS, at time.Time) *int {
	if os == nil || at.IsZero() {
		return nil
	}
	for version := os.Version; version != ""; version = version[:max(strings.LastIndexByte(version, '.'), 0)] {
		day, ok := released[os.ID][version]
		if !ok {
			continue
		}
		from, err := time.Parse(time.DateOnly, day)
		if err != nil || at.Before(from) {
			return nil
		}
		days := int(at.Sub(from) / (24 * time.Hour))
		return &days
	}
	return nil
}
