package github

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// LimitError says that GitHub takes no more requests until a time that is too
// far away to wait for.
type LimitError struct {
	Kind  string    // primary | secondary
	Until time.Time // UTC; zero where GitHub named none
}

func (e *LimitError) Error() string {
	until := "for a while"
	if !e.Until.IsZero() {
		until = "until " + e.Until.Format(time.RFC3339)
	}
	return fmt.Sprintf("GitHub's %s rate limit is used up %s; run again after that", e.Kind, until)
}

// answer is a no from GitHub, in its own words.
type answer struct {
	status  int
	message string
	details []string
	needs   string // permissions that would have done, as GitHub names them
}

func (a *answer) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "GitHub answers %d", a.status)
	for _, s := range append([]string{a.message}, a.details...) {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	switch {
	case a.status == http.StatusForbidden && a.needs != "":
		fmt.Fprintf(&b, "; it takes a token with %q", a.needs)
	case a.status == http.StatusUnauthorized:
		b.WriteString("; the token is not valid or has expired")
	case a.status == http.StatusNotFound:
		b.WriteString("; it is not there, or the token may not see it")
	case a.status == http.StatusForbidden:
		b.WriteString("; the token may not do this")
	}
	return b.String()
}

// Is says that GitHub is in trouble of its own.
func (a *answer) Is(err error) bool {
	return err == forge.ErrDown && a.status >= http.StatusInternalServerError
}

// wrong puts an error of the API client into words. It never holds a header of
// the request, and so no token.
func wrong(err error) error {
	var limit *LimitError
	if err == nil || errors.As(err, &limit) {
		if limit != nil {
			return limit
		}
		return nil
	}
	var accepted *github.AcceptedError
	if errors.As(err, &accepted) {
		return nil
	}
	var known *answer
	if errors.As(err, &known) {
		return err
	}
	r := &github.ErrorResponse{}
	var otp *github.TwoFactorAuthError
	switch {
	case errors.As(err, &otp):
		r = (*github.ErrorResponse)(otp)
	case !errors.As(err, &r):
		return err
	}
	a := &answer{message: r.Message}
	if r.Response != nil {
		a.status = r.Response.StatusCode
		a.needs = strings.ReplaceAll(r.Response.Header.Get("X-Accepted-GitHub-Permissions"), "=", ": ")
	}
	for _, e := range r.Errors {
		a.details = append(a.details, detail(e))
	}
	return a
}

func detail(e github.Error) string {
	if e.Message != "" {
		return e.Message
	}
	return strings.TrimSpace(strings.Join([]string{e.Resource, e.Field, e.Code}, " "))
}

// said returns the status of GitHub's no, 0 where there was no answer.
func said(err error) int {
	var a *answer
	if errors.As(err, &a) {
		return a.status
	}
	return 0
}

// lost says whether a request may have taken effect although it looks failed:
// the connection broke, or the server gave up.
func lost(err error) bool {
	var limit *LimitError
	if err == nil || errors.As(err, &limit) {
		return false
	}
	status := said(err)
	return status == 0 || status >= 500
}
