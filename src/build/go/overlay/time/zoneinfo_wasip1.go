// The local time zone: that of TZ, or UTC. The zones themselves are in time/tzdata, which is linked.

package time

import "syscall"

var platformZoneSources = []string{}

func initLocal() {
	zone, _ := syscall.Getenv("TZ")
	if zone != "" && zone[0] == ':' {
		zone = zone[1:]
	}
	if zone != "" && zone != "UTC" {
		if found, err := loadLocation(zone, platformZoneSources); err == nil {
			localLoc = *found
			return
		}
	}
	localLoc.name = "UTC"
}
