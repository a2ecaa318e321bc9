package page

import (
	"slices"
	"time"
)

// maxVersions bounds how many earlier versions are shown.
const maxVersions = 5

// InForce is when the version in force took effect, and when earlier ones did,
// newest first. since is in the order of time; its zero times are of versions whose
// start is not known.
func InForce(since []time.Time, now time.Time) (effective time.Time, earlier []time.Time) {
	for _, from := range slices.Backward(since) {
		switch {
		case from.After(now) || from.IsZero():
		case effective.IsZero():
			effective = from
		case len(earlier) < maxVersions:
			earlier = append(earlier, from)
		}
	}
	return effective, earlier
}
