package githubtest

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Deployment is a deployment with its statuses, oldest first.
type Deployment struct {
	ID                             int64
	Commit, Task, Environment      string
	Description, Creator, Original string // Original is the ref as it was given
	Payload                        any
	At                             time.Time
	Statuses                       []DeploymentStatus
}

// DeploymentStatus is one status of a deployment.
type DeploymentStatus struct {
	ID                     int64
	State, Description, By string
	AutoInactive           bool
	At                     time.Time
}

// Deployments returns the deployments as they are now, oldest first.
func (r *Repository) Deployments() []Deployment {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []Deployment
	for _, d := range r.deployments {
		copied := *d
		copied.Statuses = slices.Clone(d.Statuses)
		out = append(out, copied)
	}
	return out
}

// Deploy adds a deployment of whoever.
func (r *Repository) Deploy(d Deployment) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	d.ID, d.At = r.s.id(), r.s.clock()
	r.deployments = append(r.deployments, &d)
}

// createDeployment merges the default branch into the ref and asks for green
// statuses, unless it is told not to: here, both are refused.
func createDeployment(c *call) reply {
	sha := repo.Hash(c.text("ref"))
	if _, err := c.repo.git.Commit(sha); err != nil {
		if sha, err = c.repo.git.Ref("refs/heads/" + c.text("ref")); err != nil || sha == "" {
			return refuse(422, "No ref found for: "+c.text("ref"))
		}
	}
	contexts, given := c.body["required_contexts"].([]any)
	switch {
	case c.body["auto_merge"] != false:
		return refuse(409, "Conflict merging main into "+c.text("ref")+".")
	case !given || len(contexts) > 0:
		return refuse(409, "Conflict: Commit status checks failed for "+c.text("ref")+".")
	case utf8.RuneCountInString(c.text("description")) > 140:
		return failed("Deployment", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	d := &Deployment{ID: c.id(), Commit: string(sha), Task: "deploy", Environment: "production", Description: c.text("description"), Creator: c.user, Original: c.text("ref"), Payload: c.body["payload"], At: c.clock()}
	if s := c.text("task"); s != "" {
		d.Task = s
	}
	if s := c.text("environment"); s != "" {
		d.Environment = s
	}
	c.repo.deployments = append(c.repo.deployments, d)
	return object{201, c.deploymentJSON(d)}
}

// listDeployments lists the newest first.
func listDeployments(c *call) reply {
	q := c.req.URL.Query()
	var list []any
	for _, d := range slices.Backward(c.repo.deployments) {
		if (q.Get("sha") == "" || q.Get("sha") == d.Commit) && (q.Get("task") == "" || q.Get("task") == d.Task) && (q.Get("environment") == "" || q.Get("environment") == d.Environment) {
			list = append(list, c.deploymentJSON(d))
		}
	}
	return listing{list: list}
}

func (c *call) deployment() *Deployment {
	id, _ := strconv.ParseInt(c.req.PathValue("deployment_id"), 10, 64)
	i := slices.IndexFunc(c.repo.deployments, func(d *Deployment) bool { return d.ID == id })
	if i < 0 {
		return nil
	}
	return c.repo.deployments[i]
}

func createStatus(c *call) reply {
	d := c.deployment()
	if d == nil {
		return refuse(404, "Not Found")
	}
	if utf8.RuneCountInString(c.text("description")) > 140 {
		return failed("DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	s := DeploymentStatus{ID: c.id(), State: c.text("state"), Description: c.text("description"), By: c.user, AutoInactive: c.body["auto_inactive"] != false, At: c.clock()}
	d.Statuses = append(d.Statuses, s)
	if s.AutoInactive && s.State == "success" {
		for _, other := range c.repo.deployments {
			if other != d && other.Environment == d.Environment {
				other.Statuses = append(other.Statuses, DeploymentStatus{ID: c.id(), State: "inactive", By: c.user, At: c.clock()})
			}
		}
	}
	return object{201, c.statusJSON(d, s)}
}

// listStatuses lists the newest first.
func listStatuses(c *call) reply {
	d := c.deployment()
	if d == nil {
		return refuse(404, "Not Found")
	}
	var list []any
	for _, s := range slices.Backward(d.Statuses) {
		list = append(list, c.statusJSON(d, s))
	}
	return listing{list: list}
}

func (c *call) deploymentJSON(d *Deployment) any {
	payload := d.Payload
	if payload == nil {
		payload = json.RawMessage("{}")
	}
	return map[string]any{"id": d.ID, "node_id": nodeID("DE", d.ID), "sha": d.Commit, "ref": d.Original, "task": d.Task, "payload": payload, "environment": d.Environment, "original_environment": d.Environment,
		"description": null(d.Description), "creator": userJSON(d.Creator), "created_at": stamp(d.At), "updated_at": stamp(d.At)}
}

func (c *call) statusJSON(d *Deployment, s DeploymentStatus) any {
	return map[string]any{"id": s.ID, "node_id": nodeID("DES", s.ID), "state": s.State, "description": s.Description, "creator": userJSON(s.By), "environment": d.Environment, "created_at": stamp(s.At), "updated_at": stamp(s.At)}
}
