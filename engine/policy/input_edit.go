package policy

import "time"

// EditInput is a pull request that changes what may loosen: anything of the estate
// but plans, ledgers and what machines write.
type EditInput struct {
	Branch string `json:"branch,omitempty"` // that it brings
	Author string `json:"author,omitempty"` // who proposes it; absent where the forge does not say
	// AuthorTeams are those of the estate's teams, its owners and the owners of
	// exceptions in it that the author is in, sorted.
	AuthorTeams []string        `json:"author_teams"`
	Kinds       []string        `json:"kinds" enum:"break-glass exception inventory lift model other override policy release ring risk workflow"` // of all its paths, sorted
	Paths       []EditPath      `json:"paths"`                                                                                                    // sorted; those that cannot loosen are left out
	Approvals   []EditApproval  `json:"approvals"`                                                                                                // of exactly what it says now, the author's own left out, sorted by person
	Exceptions  []EditException `json:"exceptions"`                                                                                               // that it declares, or declares otherwise, sorted by name
	Overrides   []EditOverride  `json:"overrides"`                                                                                                // that it adds and that take caution away, in the order of their lines
}

// EditPath is a file that it changes.
type EditPath struct {
	Path  string   `json:"path"`                                                                                                     // from the root of the estate
	Kinds []string `json:"kinds" enum:"break-glass exception inventory lift model other override policy release ring risk workflow"` // what is changed in it, sorted
}

// EditApproval is one person's approval.
type EditApproval struct {
	By    string   `json:"by"`    // the person
	Teams []string `json:"teams"` // that person's, as in author_teams
}

// EditException is an exception as the pull request has it.
type EditException struct {
	Name                string    `json:"name"`                           // as declared
	Patch               string    `json:"patch"`                          // id or pattern, such as deb:openssl@*
	Services            []string  `json:"services"`                       // names or patterns of services
	Rules               []string  `json:"rules"`                          // rules it loosens; empty: all that yield
	Owner               string    `json:"owner"`                          // who answers for it
	Reason              string    `json:"reason"`                         // why it is needed
	Until               time.Time `json:"until,omitzero"`                 // when it ends
	UntilFix            bool      `json:"until_fix"`                      // it stands for one version, until another is published
	CompensatingControl string    `json:"compensating_control,omitempty"` // what is done instead, in words
	Days                *int64    `json:"days,omitempty"`                 // whole days from now until it ends, rounded up; absent where it does not say
}

// EditOverride is a line of overrides/ that takes caution away.
type EditOverride struct {
	Kind    string    `json:"kind"`              // such as hold or risk
	By      string    `json:"by"`                // whose it is, as it says
	Patch   string    `json:"patch,omitempty"`   // id or pattern; absent: any
	Host    string    `json:"host,omitempty"`    // absent: any
	Service string    `json:"service,omitempty"` // absent: any
	Plan    string    `json:"plan,omitempty"`    // absent: any
	Value   string    `json:"value,omitempty"`   // of a score: low; of an exception: the rule that yields; of a release: the sha256 of the line that it ends
	Reason  string    `json:"reason"`            // as that person said
	Until   time.Time `json:"until,omitzero"`    // when it ends; absent where it does not
}
