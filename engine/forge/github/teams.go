package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// Member says whether a person is in a team: a team of the organisation that
// owns the repository, by its slug. A name that is no team there, or is asked of
// a person's own repository, stands for the person of that login alone.
//
// Names are plain ASCII at GitHub; one with any other letter is nobody's,
// however much it looks like somebody's.
func (f *Forge) Member(ctx context.Context, team, person string) (bool, error) {
	team = f.slug(team)
	if !isLogin(person) || !isName(team) {
		return false, nil
	}
	org, err := f.isOrg(ctx)
	if err != nil {
		return false, err
	}
	if !org {
		return sameName(team, person), nil
	}
	in, err := f.inTeam(ctx, strings.ToLower(team), person)
	if err != nil || in || !sameName(team, person) {
		return in, err
	}
	is, err := f.isTeam(ctx, strings.ToLower(team))
	return err == nil && !is, err
}

// unseen is forge.ErrUnseen in GitHub's words.
type unseen struct{ error }

func (u unseen) Unwrap() []error { return []error{forge.ErrUnseen, u.error} }

// slug drops what people write before a team's name, as in CODEOWNERS.
func (f *Forge) slug(team string) string {
	team = strings.TrimPrefix(team, "@")
	if owner, slug, ok := strings.Cut(team, "/"); ok && sameName(owner, f.owner) {
		return slug
	}
	return team
}

func (f *Forge) inTeam(ctx context.Context, team, person string) (bool, error) {
	m, _, err := f.api.Teams.GetTeamMembershipBySlug(ctx, f.owner, url.PathEscape(team), url.PathEscape(person))
	switch err = wrong(err); said(err) {
	case http.StatusNotFound:
		return false, nil
	case http.StatusForbidden:
		return false, unseen{fmt.Errorf("asking whether %q is in team %q: the token lacks the organisation permission \"members: read\": %w", person, team, err)}
	}
	if err != nil {
		return false, fmt.Errorf("asking whether %q is in team %q: %w", person, team, err)
	}
	return m.GetState() == "active", nil
}

func (f *Forge) isTeam(ctx context.Context, team string) (bool, error) {
	_, _, err := f.api.Teams.GetTeamBySlug(ctx, f.owner, url.PathEscape(team))
	switch err = wrong(err); said(err) {
	case http.StatusNotFound:
		return false, nil
	case http.StatusForbidden:
		return false, unseen{fmt.Errorf("asking for team %q: the token lacks the organisation permission \"members: read\": %w", team, err)}
	}
	if err != nil {
		return false, fmt.Errorf("asking for team %q: %w", team, err)
	}
	return true, nil
}

// isOrg says whether an organisation owns the repository, asked once in a run.
func (f *Forge) isOrg(ctx context.Context) (bool, error) {
	f.mu.Lock()
	org := f.org
	f.mu.Unlock()
	if org != nil {
		return *org, nil
	}
	r, _, err := f.repository(ctx)
	if err != nil {
		return false, err
	}
	return r.GetOwner().GetType() == "Organization", nil
}

// isLogin holds a person's name to what GitHub allows, apps' names included.
func isLogin(s string) bool { return isName(strings.TrimSuffix(s, "[bot]")) }

// sameName compares names as GitHub does, without case. strings.EqualFold would
// take a Kelvin sign for a k.
func sameName(a, b string) bool {
	for _, s := range []string{a, b} {
		if strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) {
			return false
		}
	}
	return strings.EqualFold(a, b)
}

// Mention is @organisation/team of a team, and @login of a person who may write
// here: anybody at GitHub may be called what an estate calls a team.
func (f *Forge) Mention(ctx context.Context, name string) (string, error) {
	inert := "`" + strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(name) + "`"
	slug := f.slug(name)
	if !isName(slug) {
		return inert, nil
	}
	org, err := f.isOrg(ctx)
	if err != nil {
		return "", err
	}
	if org {
		if team, err := f.isTeam(ctx, strings.ToLower(slug)); err != nil || team {
			return "@" + f.owner + "/" + strings.ToLower(slug), err
		}
	}
	if may, err := f.mayWrite(ctx, slug); err != nil || may {
		return "@" + slug, err
	}
	return inert, nil
}
