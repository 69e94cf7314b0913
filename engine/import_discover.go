package engine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/discover"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// DiscoverOptions says where Discover looks, and whether it keeps what it finds.
type DiscoverOptions struct {
	Root string           // where another machine's file system is mounted, "": this machine
	Host inventory.HostID // what to call the host, "" as it calls itself
	At   time.Time        // the time of the facts
	Dir  string           // the estate to keep them in, "" none
}

// Discover finds the facts of this machine, as the line that an estate keeps
// them in, without its newline. With a Dir they are merged into that estate's
// inventory/facts as an import is, and the report says what was written.
func Discover(ctx context.Context, o DiscoverOptions) ([]byte, ImportReport, error) {
	report := ImportReport{Format: discover.Source}
	f, problems, err := discover.Options{Root: o.Root, Host: o.Host, At: o.At}.Facts(ctx)
	report.Problems = problems
	if err != nil {
		return nil, report, fmt.Errorf("discovering the facts of this machine: %w", err)
	}
	record, err := importOf(f)
	if err != nil {
		return nil, report, err
	}
	list, err := record.list()
	if err != nil {
		return nil, report, err
	}
	line, err := record.encode("", list)
	if err != nil || o.Dir == "" {
		return line, report, err
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return line, report, fmt.Errorf("opening the estate: %w", err)
	}
	defer root.Close()
	err = importInto(root, []importFound{{"this machine", f}}, &report)
	slices.Sort(report.Written)
	return line, report, err
}
