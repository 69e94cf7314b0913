package githubtest

import (
	"strings"
	"testing"
)

// TestAnswersAreHeldToTheDescription: this server's own mistakes are told.
func TestAnswersAreHeldToTheDescription(t *testing.T) {
	o := described("GET /repos/{owner}/{repo}/issues/{issue_number}/comments")
	for _, test := range []struct {
		status int
		value  any
		want   string
	}{
		{200, []any{map[string]any{"id": 7, "body": "x"}}, ""},
		{200, []any{}, ""},
		{200, []any{map[string]any{"id": "7"}}, `Error at "/0/id": value must be an integer`},
		{200, []any{map[string]any{"id": 7, "created_at": "yesterday"}}, `Error at "/0/created_at"`},
		{200, []any{map[string]any{"id": 7, "author": "bob"}}, `GitHub's answer has no "author"`},
		{200, []any{map[string]any{"id": 7, "user": map[string]any{"login": "bob", "nick": "b"}}}, `GitHub's answer has no "user.nick"`},
		{200, map[string]any{}, "value must be an array"},
		{201, []any{}, "GitHub does not answer 201"},
		{404, map[string]any{"message": "Not Found"}, ""},
		{500, map[string]any{"message": "Server Error"}, "GitHub does not answer 500"},
	} {
		_, err := o.response(test.status, test.value)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("response(%d, %v) = %v, want %q", test.status, test.value, err, test.want)
		}
	}
}

// TestMissingIsCompleted: what is required and not modelled is there, empty.
func TestMissingIsCompleted(t *testing.T) {
	v, err := described("GET /repos/{owner}/{repo}/issues/{issue_number}/comments").response(200, []any{map[string]any{"id": 7}})
	if err != nil {
		t.Fatal(err)
	}
	c := v.([]any)[0].(map[string]any)
	if _, given := c["user"]; c["id"] != 7.0 || !given || c["user"] != nil || c["node_id"] != "" {
		t.Errorf("it is %v", c)
	}
}
