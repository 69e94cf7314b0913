package outcome

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Path is where a plan's ledger lies in an estate.
func Path(id string) string { return "outcomes/" + id + ".jsonl" }

// ApprovalsPath is where the approvals of a plan lie.
func ApprovalsPath(id string) string { return "approvals/" + id + ".jsonl" }

// Append chains lines to a ledger and returns the new one: the first line's
// prev is the plan's digest, each other's the sha256 of the line before. The
// ledger given is kept byte for byte; Schema and Prev are set here.
func Append(ledger []byte, digest string, lines []Line) ([]byte, error) {
	out := bytes.Clone(ledger)
	prev := Head(ledger, digest)
	for _, l := range lines {
		l.Schema, l.Prev = Schema, prev
		data, err := plan.Canonical(l)
		if err != nil {
			return nil, fmt.Errorf("ledger of %s: %w", l.Plan, err)
		}
		prev = hash(data)
		out = append(append(out, data...), '\n')
	}
	return out, nil
}

// Head is what the next line's prev will be.
func Head(ledger []byte, digest string) string {
	ledger = bytes.TrimSuffix(ledger, []byte("\n"))
	if len(ledger) == 0 {
		return digest
	}
	return hash(ledger[bytes.LastIndexByte(ledger, '\n')+1:])
}

func hash(line []byte) string {
	sum := sha256.Sum256(line)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ChainError says where a ledger stops being what was written.
type ChainError struct {
	Line int // from 1
	Why  string
}

func (e *ChainError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// Parse reads a ledger and checks its chain from the plan's digest on. The
// error is a *ChainError that names the first line that is not as it was
// written; the lines before it are returned with it.
func Parse(ledger []byte, digest string) ([]Line, error) {
	return chained[Line](ledger, digest, func(l Line) string { return l.Prev })
}

func chained[T any](data []byte, digest string, prevOf func(T) string) ([]T, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if data[len(data)-1] != '\n' {
		return nil, &ChainError{bytes.Count(data, []byte("\n")) + 1, "the last line is cut"}
	}
	raw := bytes.Split(data[:len(data)-1], []byte("\n"))
	list := make([]T, 0, len(raw))
	prev := digest
	for i, line := range raw {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return list, &ChainError{i + 1, err.Error()}
		}
		if got := prevOf(v); got != prev {
			return list, &ChainError{i + 1, fmt.Sprintf("prev is %q, the line before has %q", got, prev)}
		}
		prev = hash(line)
		list = append(list, v)
	}
	return list, nil
}

// ApprovalSchema is the value of Approval.Schema.
const ApprovalSchema = "ringmaster/approval/v1"

// Approval is one line of approvals/<id>.jsonl: who approved which digest,
// chained like outcomes.
type Approval struct {
	Schema  string    `json:"schema"`
	Prev    string    `json:"prev"`
	At      time.Time `json:"at"`
	Plan    string    `json:"plan"`
	Digest  string    `json:"digest"`            // of the plan that was approved, which is an earlier version where Carried is not empty
	Carried string    `json:"carried,omitempty"` // digest of the plan that it stands for: one that is provably no worse than what was approved
	By      string    `json:"by"`
	For     string    `json:"for"`     // the team or person the approval counts for
	Commit  string    `json:"commit"`  // the head that was reviewed
	Merge   string    `json:"merge"`   // the commit by which it came to the base branch
	Claimed bool      `json:"claimed"` // nobody verified who By is (local forge)
	Forge   string    `json:"forge"`
}

// AppendApprovals chains approvals as Append chains outcomes.
func AppendApprovals(ledger []byte, digest string, list []Approval) ([]byte, error) {
	out := bytes.Clone(ledger)
	prev := Head(ledger, digest)
	for _, a := range list {
		a.Schema, a.Prev = ApprovalSchema, prev
		data, err := plan.Canonical(a)
		if err != nil {
			return nil, fmt.Errorf("approvals of %s: %w", a.Plan, err)
		}
		prev = hash(data)
		out = append(append(out, data...), '\n')
	}
	return out, nil
}

// ParseApprovals reads approvals and checks their chain.
func ParseApprovals(ledger []byte, digest string) ([]Approval, error) {
	return chained[Approval](ledger, digest, func(a Approval) string { return a.Prev })
}
