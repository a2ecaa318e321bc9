package document

import (
	"strconv"
	"strings"
	"time"
)

// MaxDuration bounds every duration that a sender may name.
const MaxDuration = 10 * 365 * 24 * time.Hour

// ParseDuration reads a duration as the configuration writes it: whole numbers
// of weeks, days (of 24 hours), hours, minutes and seconds, the greater unit
// first: "90s", "1h30m", "28d".
func ParseDuration(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	const units = "wdhms"
	length := [...]time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}
	var total time.Duration
	for next := 0; s != ""; {
		digits := 0
		for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
			digits++
		}
		if digits == len(s) {
			return 0, false
		}
		n, err := strconv.ParseInt(s[:digits], 10, 32)
		unit := strings.IndexByte(units, s[digits])
		if err != nil || unit < next {
			return 0, false
		}
		if time.Duration(n) > MaxDuration/length[unit] {
			return 0, false
		}
		total += time.Duration(n) * length[unit]
		next = unit + 1
		s = s[digits+1:]
	}
	return total, total <= MaxDuration
}
