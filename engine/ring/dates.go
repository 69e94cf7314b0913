package ring

import "time"

// Wall times are counted in seconds, and days in days, since 1970-01-01 of the
// proleptic Gregorian calendar, as if every day had 24 hours.

const secondsPerDay = 24 * 60 * 60

// date is a day with what the parts of a rule ask of it.
type date struct {
	year    int
	month   int // 1..12
	day     int // 1..31
	yearDay int // 1..366
	weekday time.Weekday
	inMonth int // days the month has
	inYear  int
}

// dateOf returns the date of a day number.
func dateOf(n int) date {
	// The year begins in March, so that the leap day is its last one.
	// (Howard Hinnant, chrono-compatible low-level date algorithms.)
	z := n + 719468
	era := floorDiv(z, 146097)
	inEra := z - era*146097
	yearOfEra := (inEra - inEra/1460 + inEra/36524 - inEra/146096) / 365
	fromMarch := inEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*fromMarch + 2) / 153
	d := date{year: yearOfEra + era*400, month: m + 3, day: fromMarch - (153*m+2)/5 + 1}
	if d.month > 12 {
		d.month -= 12
		d.year++
	}
	d.yearDay = n - dayNumber(d.year, 1, 1) + 1
	d.weekday = weekdayOf(n)
	d.inMonth = daysIn(d.year, d.month)
	d.inYear = daysInYear(d.year)
	return d
}

// dayNumber returns the number of a day; month may be any, day too.
func dayNumber(year, month, day int) int {
	year += floorDiv(month-1, 12)
	month = floorMod(month-1, 12) + 1
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	yearOfEra := year - era*400
	fromMarch := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + fromMarch - 719468
}

func weekdayOf(n int) time.Weekday { return time.Weekday(floorMod(n+4, 7)) }

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysInYear(year int) int {
	if leap(year) {
		return 366
	}
	return 365
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		return daysInYear(year) - 337
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// weekStart returns the first day of a day's week.
func weekStart(n int, first time.Weekday) int {
	return n - floorMod(int(weekdayOf(n))-int(first), 7)
}

// weekNumber returns the number of a day's week counted from the beginning and
// from the end (-1 is the last) of the year that has most of its days, as in
// ISO 8601 but for weeks that may begin on any day.
func weekNumber(n int, first time.Weekday) (number, fromEnd int) {
	middle := dateOf(weekStart(n, first) + 3)
	number = (middle.yearDay-1)/7 + 1
	// 28 December is always in a year's last week.
	last := dateOf(weekStart(dayNumber(middle.year, 12, 28), first) + 3)
	return number, number - ((last.yearDay-1)/7 + 1) - 1
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int) int { return a - b*floorDiv(a, b) }
