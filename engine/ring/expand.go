package ring

import (
	"math"
	"slices"
)

// A rule goes by periods: days, weeks, months or years, every interval-th one
// from that of DTSTART. Period k stands alone, so a question about this week
// does not go through all weeks since 1970. The Gregorian calendar repeats after
// 400 years of 146,097 days, which are whole weeks; a rule that has not occurred
// in as many periods never does.

// cycle returns after how many periods a rule repeats itself.
func (r *rule) cycle() int {
	switch r.freq {
	case daily:
		return 146097
	case weekly:
		return 146097 / 7
	case monthly:
		return 4800
	}
	return 400
}

// horizon is the last day that is looked at, in the year 9999.
var horizon = dayNumber(9999, 12, 31)

// period returns the first and the last day of period k.
func (r *rule) period(k int) (first, last int) {
	day := floorDiv(int(r.start), secondsPerDay)
	k *= r.interval
	switch r.freq {
	case daily:
		return day + k, day + k
	case weekly:
		first = weekStart(day, r.first) + 7*k
		return first, first + 6
	case monthly:
		d := dateOf(day)
		return dayNumber(d.year, d.month+k, 1), dayNumber(d.year, d.month+k+1, 1) - 1
	}
	year := dateOf(day).year + k
	return dayNumber(year, 1, 1), dayNumber(year, 12, 31)
}

// periodAt returns the last period that does not begin after a day, at least 0.
func (r *rule) periodAt(day int) int {
	start := floorDiv(int(r.start), secondsPerDay)
	n := 0
	switch r.freq {
	case daily:
		n = day - start
	case weekly:
		n = floorDiv(day-weekStart(start, r.first), 7)
	default:
		a, b := dateOf(start), dateOf(day)
		n = b.year - a.year
		if r.freq == monthly {
			n = n*12 + b.month - a.month
		}
	}
	return max(0, floorDiv(n, r.interval))
}

// takes reports whether the rule has occurrences on a day of its periods, of a
// month that it takes.
func (r *rule) takes(n int, d date) bool {
	if len(r.monthDays) > 0 && !slices.Contains(r.monthDays, d.day) && !slices.Contains(r.monthDays, d.day-d.inMonth-1) {
		return false
	}
	if len(r.yearDays) > 0 && !slices.Contains(r.yearDays, d.yearDay) && !slices.Contains(r.yearDays, d.yearDay-d.inYear-1) {
		return false
	}
	if len(r.days) > 0 && !r.takesWeekday(d) {
		return false
	}
	if len(r.weeks) > 0 {
		number, fromEnd := weekNumber(n, r.first)
		return slices.Contains(r.weeks, number) || slices.Contains(r.weeks, fromEnd)
	}
	return true
}

// takesWeekday says whether BYDAY takes a date. Ordinals count within the month,
// or within the year where a yearly rule names no months.
func (r *rule) takesWeekday(d date) bool {
	place, of := d.day, d.inMonth
	if r.freq == yearly && len(r.months) == 0 {
		place, of = d.yearDay, d.inYear
	}
	for _, w := range r.days {
		if w.day == d.weekday && (w.nth == 0 || w.nth == (place-1)/7+1 || w.nth == -((of-place)/7+1)) {
			return true
		}
	}
	return false
}

// occurrences appends the wall times of period k that are not before DTSTART,
// sorted. They are not yet cut by COUNT and UNTIL.
func (r *rule) occurrences(to []int64, k int) []int64 {
	from := len(to)
	first, last := r.period(k)
	for n := first; n <= last; n++ {
		if !r.everyDay {
			d := dateOf(n)
			if len(r.months) > 0 && !slices.Contains(r.months, d.month) {
				n += d.inMonth - d.day // to the end of the month
				continue
			}
			if !r.takes(n, d) {
				continue
			}
		}
		for _, t := range r.times {
			to = append(to, int64(n)*secondsPerDay+t)
		}
	}
	if len(r.positions) > 0 {
		to = append(to[:from], pick(to[from:], r.positions)...)
	}
	early, _ := slices.BinarySearch(to[from:], r.start)
	return slices.Delete(to, from, from+early)
}

// pick returns the members at BYSETPOS's positions, in their order.
func pick(list []int64, positions []int) []int64 {
	var picked []int64
	for _, p := range positions {
		i := p - 1
		if p < 0 {
			i = len(list) + p
		}
		if i >= 0 && i < len(list) {
			picked = append(picked, list[i])
		}
	}
	slices.Sort(picked)
	return slices.Compact(picked)
}

// bound works out the last wall time that COUNT and UNTIL leave. Where UNTIL is
// an instant it is a bound that no zone's wall time exceeds.
func (r *rule) bound() {
	r.last = math.MaxInt64
	switch {
	case r.until.set && r.until.utc:
		r.last = r.until.at + farthest
	case r.until.set:
		r.last = r.until.at
	case r.count > 0:
		r.last = r.counted()
	}
}

// counted returns the wall time of the occurrence number COUNT, the last one
// where there are fewer.
func (r *rule) counted() int64 {
	var list []int64
	n, last, idle := 0, r.start-1, 0
	for k := 0; idle <= r.cycle(); k++ {
		if first, _ := r.period(k); first > horizon {
			break
		}
		list = r.occurrences(list[:0], k)
		if n+len(list) >= r.count {
			return list[r.count-n-1]
		}
		if idle++; len(list) > 0 {
			n, last, idle = n+len(list), list[len(list)-1], 0
		}
	}
	return last
}

// between appends the wall times in [from, to], sorted.
func (r *rule) between(list []int64, from, to int64) []int64 {
	to = min(to, r.last)
	begin := len(list)
	for k := r.periodAt(floorDiv(int(from), secondsPerDay)); ; k++ {
		first, _ := r.period(k)
		if int64(first)*secondsPerDay > to || first > horizon {
			break
		}
		list = r.occurrences(list, k)
	}
	a, _ := slices.BinarySearch(list[begin:], from)
	list = slices.Delete(list, begin, begin+a)
	b, _ := slices.BinarySearch(list[begin:], to+1)
	return list[:begin+b]
}

// next returns the first wall time that is not before from.
func (r *rule) next(from int64) (int64, bool) {
	var list []int64
	k := r.periodAt(floorDiv(int(from), secondsPerDay))
	for end := k + r.cycle() + 1; k <= end; k++ {
		first, _ := r.period(k)
		if int64(first)*secondsPerDay > r.last || first > horizon {
			break
		}
		list = r.occurrences(list[:0], k)
		i, _ := slices.BinarySearch(list, from)
		if i < len(list) {
			return list[i], list[i] <= r.last
		}
	}
	return 0, false
}
