package githubtest

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// GraphQL is the path of the GraphQL API, as on an Enterprise server.
const GraphQL = "/api/graphql"

// deny is GraphQL's no, which comes with status 200.
type deny struct {
	kind    string // as UNPROCESSABLE
	message string
}

// fields are the fields of Query and Mutation that are answered: each from its
// arguments, variables filled in.
var fields = map[string]func(c *call, args map[string]any) (any, *deny){
	"viewer":                      viewer,
	"enablePullRequestAutoMerge":  enableAutoMerge,
	"disablePullRequestAutoMerge": disableAutoMerge,
	"createCommitOnBranch":        createCommit,
}

//go:embed schema.graphql
var schemaText string

// schema is GitHub's own of what is answered here.
var schema = sync.OnceValue(func() *ast.Schema {
	return gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: schemaText})
})

// graphql answers one operation, which is held to the schema with its
// variables, and so is the answer.
func graphql(c *call) reply {
	query, _ := c.body["query"].(string)
	variables, _ := c.body["variables"].(map[string]any)
	doc, bad := gqlparser.LoadQueryWithRules(schema(), query, nil)
	if len(bad) > 0 || len(doc.Operations) != 1 {
		return c.notGraphQL(fmt.Errorf("%w in %s", bad, query))
	}
	op := doc.Operations[0]
	variables, err := validator.VariableValues(schema(), op, variables)
	if err != nil {
		return c.notGraphQL(err)
	}
	data := map[string]any{}
	for _, s := range op.SelectionSet {
		f := s.(*ast.Field)
		v, no := fields[f.Name](c, f.ArgumentMap(variables))
		if no != nil {
			return graphed(map[string]any{f.Alias: nil}, no)
		}
		if data[f.Alias], err = chosen(v, f); err != nil {
			return c.notGraphQL(err)
		}
	}
	return graphed(data, nil)
}

// notGraphQL is told to who reads Strange too.
func (c *call) notGraphQL(err error) reply {
	c.strange = append(c.strange, "GraphQL: "+err.Error())
	return graphed(nil, &deny{"", err.Error()})
}

func graphed(data any, no *deny) reply {
	v := map[string]any{"data": data}
	if no != nil {
		v["errors"] = []any{map[string]any{"type": no.kind, "message": no.message}}
	}
	return ok(v)
}

// chosen is what a field asks for of a value.
func chosen(v any, f *ast.Field) (any, error) {
	m, is := v.(map[string]any)
	if is != (len(f.SelectionSet) > 0) || v == nil && f.Definition.Type.NonNull {
		return nil, fmt.Errorf("%s is no %s: %v", f.Name, f.Definition.Type, v)
	}
	if !is {
		return v, nil
	}
	out := map[string]any{}
	for _, s := range f.SelectionSet {
		sub := s.(*ast.Field)
		var err error
		if out[sub.Alias], err = chosen(m[sub.Name], sub); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// viewer is whoever asks: of an App's token its bot, by its whole name.
func viewer(c *call, _ map[string]any) (any, *deny) {
	return map[string]any{"login": c.user, "databaseId": userID(c.user)}, nil
}

// input finds the pull request that a mutation is about; who may not see it is
// told that it is not there.
func (c *call) input(args map[string]any) (map[string]any, *Pull, *deny) {
	in, _ := args["input"].(map[string]any)
	id, _ := in["pullRequestId"].(string)
	for _, r := range c.repos {
		i := slices.IndexFunc(r.pulls, func(p *Pull) bool { return nodeID("PR", p.id) == id })
		if i < 0 || r.may(c.user) == "none" {
			continue
		}
		c.repo = r
		r.follow()
		if !r.writer(c.user) || c.token.lack("pull_requests=write") {
			return nil, nil, &deny{"FORBIDDEN", "Resource not accessible by integration"}
		}
		return in, r.pulls[i], nil
	}
	return nil, nil, &deny{"NOT_FOUND", "Could not resolve to a node with the global id of '" + id + "'"}
}

func enableAutoMerge(c *call, args map[string]any) (any, *deny) {
	in, p, no := c.input(args)
	head, _ := in["expectedHeadOid"].(string)
	method, _ := in["mergeMethod"].(string)
	switch {
	case no != nil:
		return nil, no
	case c.repo.NoAutoMerge:
		return nil, &deny{"UNPROCESSABLE", "Pull request Auto merge is not allowed for this repository"}
	case p.State != "open":
		return nil, &deny{"UNPROCESSABLE", "Pull request is closed"}
	case head != "" && head != p.Head:
		return nil, &deny{"UNPROCESSABLE", "Head sha didn't match expected " + head}
	case method != "MERGE":
		return nil, &deny{"UNPROCESSABLE", "Merge method " + strings.ToLower(method) + " merging is not allowed on this repository"}
	case !c.repo.protected():
		return nil, &deny{"UNPROCESSABLE", "Pull request Protected branch rules not configured for this branch"}
	case len(c.repo.unmet(p)) == 0 && c.repo.unstable(p):
		return nil, &deny{"UNPROCESSABLE", "Pull request Pull request is in unstable status"}
	case len(c.repo.unmet(p)) == 0:
		return nil, &deny{"UNPROCESSABLE", "Pull request Pull request is in clean status"}
	}
	p.AutoMerge = c.user
	return pullNode(p), nil
}

func disableAutoMerge(c *call, args map[string]any) (any, *deny) {
	_, p, no := c.input(args)
	switch {
	case no != nil:
		return nil, no
	case p.AutoMerge == "":
		return nil, &deny{"UNPROCESSABLE", "Can't disable auto-merge for this pull request."}
	}
	p.AutoMerge = ""
	return pullNode(p), nil
}

func pullNode(p *Pull) any {
	return map[string]any{"pullRequest": map[string]any{"number": p.Number}}
}

// serveGraphQL is a route whose permission each field asks for by itself.
func (s *Server) serveGraphQL(w http.ResponseWriter, req *http.Request) {
	s.serve(w, req, "", route{"metadata=read", false, graphql})
}
