package hclfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units of a duration, largest first; each may stand once, in this order.
var units = []struct {
	letter byte
	is     time.Duration
}{
	{'w', 7 * 24 * time.Hour},
	{'d', 24 * time.Hour},
	{'h', time.Hour},
	{'m', time.Minute},
	{'s', time.Second},
}

// ParseDuration reads "90m", "4h", "7d", "2w" or "1d12h": whole numbers of
// weeks, days, hours, minutes and seconds, largest unit first. A day is 24 hours
// of elapsed time. Zero is written "0s" or "0d".
func ParseDuration(s string) (time.Duration, error) {
	errWant := fmt.Errorf(`%q is not a duration; expected one such as "90m", "4h", "7d"`, s)
	var total time.Duration
	rest, next := s, 0
	for rest != "" {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 || n == len(rest) {
			return 0, errWant
		}
		unit := next
		for unit < len(units) && units[unit].letter != rest[n] {
			unit++
		}
		if unit == len(units) {
			return 0, errWant
		}
		count, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil || count > int64(math.MaxInt64-total)/int64(units[unit].is) {
			return 0, fmt.Errorf("duration %q is too long", s)
		}
		total += time.Duration(count) * units[unit].is
		rest, next = rest[n+1:], unit+1
	}
	if next == 0 {
		return 0, errWant
	}
	return total, nil
}

// FormatDuration writes a duration of whole seconds so that ParseDuration reads
// it back: days only where they are whole ("7d"), else hours ("36h"), minutes
// and seconds.
func FormatDuration(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	for _, u := range units[1:] {
		if d%u.is == 0 {
			return strconv.FormatInt(int64(d/u.is), 10) + string(u.letter)
		}
	}
	return FormatDuration(d.Truncate(time.Second))
}

// ParseShare reads "5%" or "2.5%" as a number from 0 to 1. Signs, exponents and
// shares above 100% are refused.
func ParseShare(s string) (float64, error) {
	errWant := fmt.Errorf(`%q is not a share; expected one such as "5%%"`, s)
	digits, ok := strings.CutSuffix(s, "%")
	if !ok || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return 0, errWant
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0, errWant
	}
	if n > 100 {
		return 0, fmt.Errorf("share %q is more than 100%%", s)
	}
	return n / 100, nil
}

// ParseTime reads an RFC 3339 time and returns it in UTC, whole seconds.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf(`%q is not an RFC 3339 time; expected one such as "2026-03-05T00:00:00Z"`, s)
	}
	if t.Nanosecond() != 0 {
		return time.Time{}, errors.New("a time has whole seconds; leave out the fraction of " + strconv.Quote(s))
	}
	return t.UTC(), nil
}
