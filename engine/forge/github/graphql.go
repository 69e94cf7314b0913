package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// graphAnswer is what GraphQL answers: with status 200 also where it refuses.
type graphAnswer struct {
	Data   json.RawMessage `json:"data"`
	Errors []graphError    `json:"errors"`
}

type graphError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// graphStatus are the REST API's words for GraphQL's refusals.
var graphStatus = map[string]int{"FORBIDDEN": http.StatusForbidden, "INSUFFICIENT_SCOPES": http.StatusForbidden, "NOT_FOUND": http.StatusNotFound, "STALE_DATA": http.StatusConflict, "INTERNAL": http.StatusInternalServerError, "SERVICE_UNAVAILABLE": http.StatusBadGateway}

// graph asks GraphQL and reads the answer's data into a value.
func (f *Forge) graph(ctx context.Context, query string, variables map[string]any, into any) error {
	req, err := f.api.NewRequest(http.MethodPost, f.graphql, map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	var a graphAnswer
	if _, err := f.api.Do(ctx, req, &a); err != nil {
		return wrong(err)
	}
	if len(a.Errors) > 0 {
		no := &answer{status: http.StatusUnprocessableEntity, message: a.Errors[0].Message}
		if s := graphStatus[a.Errors[0].Type]; s != 0 {
			no.status = s
		}
		for _, e := range a.Errors[1:] {
			no.details = append(no.details, e.Message)
		}
		return no
	}
	if len(a.Data) == 0 {
		return errors.New("GitHub's answer holds no data")
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		return fmt.Errorf("reading GitHub's answer: %w", err)
	}
	return nil
}

// account is whose token it is: a person, or an App's bot.
type account struct {
	Login string `json:"login"`
	ID    int64  `json:"databaseId"`
}

const viewerQuery = `query { viewer { login databaseId } }`

// whoami is asked once in a run. GET /user would not do: it refuses the tokens
// of Apps.
func (f *Forge) whoami(ctx context.Context) (account, error) {
	f.mu.Lock()
	me := f.me
	f.mu.Unlock()
	if me != nil {
		return *me, nil
	}
	var a struct {
		Viewer account `json:"viewer"`
	}
	err := f.once(ctx, func() error { return f.graph(ctx, viewerQuery, nil, &a) }, again)
	if err == nil && a.Viewer.ID == 0 {
		err = errors.New("GitHub names no account")
	}
	if err != nil {
		return account{}, fmt.Errorf("asking whose token it is: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.me = &a.Viewer
	return a.Viewer, nil
}
