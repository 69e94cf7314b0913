package outcome

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// ImportedEvents are the events that a row of history may have.
var ImportedEvents = []Event{Healthy, Failed, RolledBack, Degraded}

// ParseOutcomesCSV reads history from before (or beside) ringmaster. The first
// line names the columns, in any order; at, host, patch and event are needed,
// columns nobody knows are passed over, and empty cells are absent. Rows come
// back in the file's order, without those that have a problem; every problem of
// every row is reported.
//
// The file is CSV as in RFC 4180, with or without a byte order mark; semicolons
// or tabs instead of commas are recognised by the first line.
func ParseOutcomesCSV(name string, data []byte) ([]Imported, []inventory.Problem) {
	return readCSV(name, data, []string{"at", "host", "patch", "event"}, outcomeColumns, (*row).imported)
}

// ParseIncidentsCSV reads incidents from before (or beside) ringmaster; opened,
// host and service are needed. Otherwise it is as ParseOutcomesCSV.
func ParseIncidentsCSV(name string, data []byte) ([]Incident, []inventory.Problem) {
	return readCSV(name, data, []string{"opened", "host", "service"}, incidentColumns, (*row).incident)
}

var (
	outcomeColumns = strings.Split("at,host,patch,service,advisory,type,package,vendor,from,to,event,kind,size_bytes,reboot,components,modules,"+
		"role,env,tier,exposed,uptime_s,mem_free_mb,disk_free_mb,drift,reports,predicted,detail", ",")
	incidentColumns = strings.Split("opened,host,service,closed,patch,advisory,minutes,action", ",")
)

func (r *row) imported() Imported {
	o := Imported{
		At: r.time("at"), Host: r.host("host"), Patch: r.text("patch"), Service: r.text("service"), Advisory: r.text("advisory"),
		Type: r.text("type"), Package: r.text("package"), Vendor: r.text("vendor"), From: r.text("from"), To: r.text("to"),
		Event: r.event(), Kind: r.text("kind"), SizeBytes: r.whole("size_bytes"), Reboot: r.truth("reboot"),
		Components: r.list("components"), Modules: r.list("modules"), Role: r.text("role"), Env: r.text("env"), Tier: r.text("tier"),
		Exposed: r.truth("exposed"), UptimeS: r.whole("uptime_s"), MemFreeMB: r.whole("mem_free_mb"), DiskFreeMB: r.whole("disk_free_mb"),
		Drift: r.truth("drift"), Predicted: r.share("predicted"), Detail: r.text("detail"),
	}
	if n := r.whole("reports"); n != nil {
		reports := int(*n)
		o.Reports = &reports
	}
	return o
}

func (r *row) incident() Incident {
	i := Incident{
		Opened: r.time("opened"), Host: r.host("host"), Service: r.text("service"), Closed: r.time("closed"),
		Patch: r.text("patch"), Advisory: r.text("advisory"), Minutes: r.number("minutes", math.Inf(1)), Action: r.text("action"),
	}
	if !i.Closed.IsZero() && i.Closed.Before(i.Opened) {
		r.fault("closed %s is before opened %s", r.cells["closed"], r.cells["opened"])
	}
	return i
}

// row is one row being read: its cells by column, and what is wrong with them.
type row struct {
	cells  map[string]string
	needed []string
	faults []string
}

func (r *row) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *row) text(column string) string {
	s := r.cells[column]
	if s == "" && slices.Contains(r.needed, column) {
		r.fault("%s is empty; every row needs it", column)
	}
	if column != "detail" && strings.ContainsFunc(s, unicode.IsControl) {
		r.fault("%s %q has control characters", column, s)
	}
	return s
}

func (r *row) time(column string) time.Time {
	s := r.text(column)
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.IsZero() {
		r.fault("%s %q is not an RFC 3339 time, as in 2026-03-02T08:00:00Z", column, s)
		return time.Time{}
	}
	return at.UTC()
}

func (r *row) host(column string) inventory.HostID {
	id := inventory.HostID(r.text(column))
	if id != "" && !id.Valid() {
		r.fault("%s %q is not a host name; %s", column, string(id), inventory.HostGrammar)
	}
	return id
}

func (r *row) event() Event {
	e := Event(r.text("event"))
	if e != "" && !slices.Contains(ImportedEvents, e) {
		r.fault("unknown event %q; expected one of %q, %q, %q, %q", e, Healthy, Failed, RolledBack, Degraded)
	}
	return e
}

func (r *row) list(column string) []string {
	var list []string
	for s := range strings.SplitSeq(r.text(column), ";") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

func (r *row) truth(column string) *bool {
	var b bool
	switch s := r.text(column); strings.ToLower(s) {
	case "":
		return nil
	case "true", "yes", "1":
		b = true
	case "false", "no", "0":
	default:
		r.fault("%s %q is neither true nor false", column, s)
		return nil
	}
	return &b
}

// whole is a whole number of at least 0. "1024.0" is one: that is how tables
// with gaps are often exported.
func (r *row) whole(column string) *int64 {
	s := r.text(column)
	if s == "" {
		return nil
	}
	digits, zeros, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > 1<<53 || strings.Trim(zeros, "0") != "" {
		r.fault("%s %q is not a whole number of at least 0", column, s)
		return nil
	}
	return &n
}

func (r *row) share(column string) *float64 { return r.number(column, 1) }

func (r *row) number(column string, most float64) *float64 {
	s := r.text(column)
	if s == "" {
		return nil
	}
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(x) || math.IsInf(x, 0):
		r.fault("%s %q is not a number", column, s)
	case x < 0:
		r.fault("%s %q is below 0", column, s)
	case x > most:
		r.fault("%s %q is above %v", column, s, most)
	default:
		return &x
	}
	return nil
}
