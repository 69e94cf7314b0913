package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// The attacks are numbered as in SECURITY.md and the contract.

// attack is one way to break a line; it begins at a stage of the plan.
type attack struct {
	name string
	from stage
	try  func(w *site)
}

func TestTrust(t *testing.T) {
	for name, value := range map[string]string{
		"GITHUB_TOKEN": "ghs_secret", "VAULT_ADDR": "https://vault", "OTHER": "secret", "HARMLESS": "ghs_0123456789abcdefghijklmnopqrstuvwxyz",
	} {
		t.Setenv(name, value) // of the process, from which plugins inherit
	}
	x := prepared(t)
	t.Run("attacks", func(t *testing.T) {
		for _, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				a.try(x.at(t, a.from))
			})
		}
	})
}

var attacks = slices.Concat(runAttacks, momentAttacks, commandAttacks, reviewAttacks, editAttacks, replanAttacks, learnAttacks, timeAttacks, nameAttacks, silenceAttacks, tampering, exporting)

// plugin is a fleet that tells its environment and answers nothing.
const plugin = "#!/bin/sh\nenv > ../environment\n"

const execFleet = "fleet \"exec\" {\n  command = [\"./fleet.sh\"]\n  env = [%s]\n}\n"

// 2. Only the protected branch commands.
var commandAttacks = []attack{
	{"2 a plugin sees what is declared and no token", merged, func(w *site) {
		w.fleet(`"VAULT_ADDR"`)
		w.says(1, []string{`greeting fleet "exec"`}, "execute")
		got, err := os.ReadFile(filepath.Join(w.dir, "..", "environment"))
		if err != nil {
			w.t.Fatal(err)
		}
		if s := string(got); strings.Contains(s, "secret") || !strings.Contains(s, "VAULT_ADDR=https://vault\n") || !strings.Contains(s, "PATH=") {
			w.t.Errorf("the plugin's environment is\n%s", s)
		}
	}},
	{"2 a plugin is to inherit the token", merged, func(w *site) {
		w.fleet(`"GITHUB_TOKEN"`)
		w.says(2, []string{`rings/zz.hcl:3:10: fleet "exec": attribute "env": "GITHUB_TOKEN" is a forge's token, which no plugin inherits`}, "execute")
		w.unstarted()
	}},
	{"2 a plugin is to inherit the token under another name", merged, func(w *site) {
		w.fleet(`"HARMLESS"`)
		w.want(1, "execute")
		w.unstarted()
	}},
	{"2 a plugin is edited in the folder", merged, func(w *site) {
		w.fleet("")
		w.write("fleet.sh", plugin+"rm -rf /\n", 0o755)
		w.says(1, []string{`ringmaster: opening fleet "exec": fleet.sh was edited here and differs from main; commit it by a pull request, or undo the edit`}, "execute")
		w.unstarted()
	}},
	{"2 a plugin is edited on a branch that is checked out", merged, func(w *site) {
		w.fleet("")
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"fleet.sh": []byte(plugin + "rm -rf /\n")}, Message: "evil", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.repo.CompareAndSwap("refs/heads/evil", "", h); err != nil {
			w.t.Fatal(err)
		}
		w.write(".git/HEAD", "ref: refs/heads/evil\n", 0o644)
		w.write("fleet.sh", plugin+"rm -rf /\n", 0o755)
		w.says(1, []string{`ringmaster: opening fleet "exec": fleet.sh is not here as it is on main; check out main`}, "execute")
		w.unstarted()
	}},
	{"2 a module beside a plugin is edited in the folder", merged, func(w *site) {
		w.fleet("")
		w.reviewed("module", map[string][]byte{"helper.py": []byte("x = 1\n"), "lib/more.py": []byte("y = 1\n")})
		w.write("lib/more.py", "import os\n", 0o644)
		w.says(1, []string{`ringmaster: opening fleet "exec": lib/more.py was edited here and differs from main`}, "execute")
		w.write("lib/more.py", "y = 1\n", 0o644)
		w.unstarted()
		w.says(1, []string{`greeting fleet "exec"`}, "execute") // it is started now
	}},
	{"2 a module beside a plugin is edited on a branch that is checked out", merged, func(w *site) {
		w.fleet("")
		w.reviewed("module", map[string][]byte{"helper.py": []byte("x = 1\n")})
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"helper.py": []byte("import os\n")}, Message: "evil", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.repo.CompareAndSwap("refs/heads/evil", "", h); err != nil {
			w.t.Fatal(err)
		}
		w.write(".git/HEAD", "ref: refs/heads/evil\n", 0o644)
		w.write("helper.py", "import os\n", 0o644)
		w.says(1, []string{`ringmaster: opening fleet "exec": helper.py is not here as it is on main; check out main`}, "execute")
		w.unstarted()
	}},
	{"2 a plugin lies in the folder alone", merged, func(w *site) {
		w.reviewed("plugin", map[string][]byte{"rings/zz.hcl": fmt.Appendf(nil, execFleet, "")})
		w.write("fleet.sh", plugin, 0o755)
		w.says(1, []string{`ringmaster: opening fleet "exec": fleet.sh is not on main: a plugin in the estate is reviewed as the rest of it is`}, "execute")
		w.unstarted()
	}},
	{"2 Ansible's inventory is edited in the folder, or a hook's tasks, and what lies beside them", merged, func(w *site) {
		w.reviewed("ansible", map[string][]byte{"ansible/prod/hosts": []byte("web-01\n"), "ansible/prod/group_vars/all.yml": []byte("x: 1\n"), "ansible.cfg": []byte("[defaults]\n"),
			"ansible/drain.yml": []byte("[]\n"), "ansible/balancer.j2": []byte("off\n"),
			"rings/zz.hcl": []byte("fleet \"ansible\" {\n  command = [\"ansible-playbook\", \"--inventory=ansible/prod\"]\n  hook \"drain\" {\n    tasks = \"ansible/drain.yml\"\n  }\n}\n")})
		for file, was := range map[string]string{"ansible/prod/hosts": "web-01\n", "ansible/prod/group_vars/all.yml": "x: 1\n", "ansible.cfg": "[defaults]\n", "ansible/drain.yml": "[]\n", "ansible/balancer.j2": "off\n"} {
			w.write(file, "evil\n", 0o644)
			w.says(1, []string{"ringmaster: opening fleet \"ansible\": " + file + " was edited here and differs from main"}, "execute")
			w.write(file, was, 0o644)
		}
	}},
	{"2 what measures health is edited in the folder", merged, func(w *site) {
		w.reviewed("health", map[string][]byte{"check.sh": []byte("#!/bin/sh\nexit 2\n"), "rings/zz.hcl": []byte("health \"command\" {\n  command = [\"./check.sh\", \"{{host}}\"]\n}\n")})
		w.want(0, "execute")
		w.at = w.at.Add(20 * time.Minute)
		w.write("check.sh", "#!/bin/sh\nexit 0\n", 0o755)
		w.says(1, []string{`ringmaster: opening health "command": check.sh was edited here and differs from main`}, "execute")
	}},
	{"2 a fleet is declared in the folder alone", merged, func(w *site) {
		w.write("rings/zz.hcl", fmt.Sprintf(execFleet, ""), 0o644)
		w.write("fleet.sh", plugin, 0o755)
		w.says(0, []string{"applied"}, "execute")
		w.unstarted()
	}},
	{"2 a feed is declared in the folder alone", settled, func(w *site) {
		called := false
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
		defer server.Close()
		w.write("inventory/feeds.hcl", fmt.Sprintf("feed \"kev\" {\n  from = [%q]\n}\n", server.URL), 0o644)
		w.says(1, []string{"no feed is declared"}, "feeds", "sync")
		if called {
			w.t.Error("the address was contacted")
		}
	}},
}

// 5. Models learn from what is verified.
var learnAttacks = []attack{
	{"5 what was merged and carried out is learnt from", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.says(3, []string{"nothing to learn from yet: 4 finished changes known, and a model takes 20"}, "learn")
	}},
	{"5 a plan that nobody merged is not learnt from", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.relax()
		w.forget()
		w.says(1, []string{"learning: nothing is learnt", "it changes plans/standard-main-1/plan.json, and no merged pull request brought it"}, "learn")
	}},
	{"5 history that the protected branch does not have is not learnt from", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		ledger := outcome.Path(trusted)
		forged := append(bytes.Clone(w.file(ledger)), bytes.SplitAfter(w.file(ledger), []byte("\n"))[0]...)
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{ledger: forged}, Message: "evil", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.repo.CompareAndSwap("refs/heads/evil", "", h); err != nil {
			w.t.Fatal(err)
		}
		w.write(".git/HEAD", "ref: refs/heads/evil\n", 0o644)
		w.says(1, []string{"ringmaster: learning: outcomes/standard-main-1.jsonl is not here as it is on main; check out main"}, "learn")
	}},
	{"5 a branch with a breach is not learnt from", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.push("looser", map[string][]byte{"policies/risk/risk.rego": []byte("package ringmaster.risk\n")})
		w.says(1, []string{"ringmaster: learning: nothing is learnt: the base branch holds what nobody reviewed"}, "learn")
	}},
	{"5 a simulation teaches nothing where the clock is the wall's", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.reviewed("wall", map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `"given"`, `"wall"`)})
		w.says(3, []string{"nothing to learn from yet: 0 finished changes known, and a model takes 20"}, "learn")
	}},
}

// 6. Time is what it is.
var timeAttacks = []attack{
	{"6 --at is an hour late", merged, func(w *site) {
		w.wall()
		w.at = trustAt.Add(time.Hour)
		w.says(1, []string{"--at 2026-03-02T10:00:00Z is 1h0m0s away from this machine's clock; an estate with clock = \"wall\" executes only at the present time, within 5m0s"}, "execute")
	}},
	{"6 --at is an hour early", merged, func(w *site) {
		w.wall()
		w.at = trustAt.Add(-time.Hour)
		w.says(1, []string{"--at 2026-03-02T08:00:00Z is 1h0m0s away from this machine's clock"}, "execute", "--phase", "intend")
	}},
	{"6 --at is just right", merged, func(w *site) {
		w.wall()
		w.at = trustAt.Add(5 * time.Minute)
		w.says(0, []string{"applied"}, "execute")
	}},
	{"6 --at is before the last outcome", begun, func(w *site) {
		w.at = trustAt.Add(-time.Second)
		w.says(1, []string{"--at 2026-03-02T08:59:59Z is before the last outcome of plan standard-main-1 (2026-03-02T09:00:00Z); time does not run backwards"}, "execute")
	}},
}

// hostile is text from outside that would be more than text to a terminal, to
// Markdown or to a shell.
const hostile = "\\u001b[2J\\u202e@everyone <img src=x onerror=alert(1)> [here](javascript:alert) `$(reboot)` | x\\n# Approved\\n"

// pack is a host's only package.
func pack(kind, name, version string) string {
	return fmt.Sprintf(`"packages":[{"type":"%s","name":"%s","version":"%s"}]`, kind, name, version)
}

// 7. Names stay names.
var nameAttacks = []attack{
	{"7 names that are more than names", settled, func(w *site) {
		const host = `a host's name has labels of up to 63 letters, digits, "-" and "_", joined by "."`
		for name, want := range map[string]string{
			`"host":"web-01; reboot"`:                     `host "web-01; reboot": ` + host,
			`"host":"../../etc/passwd"`:                   `host "../../etc/passwd": ` + host,
			`"host":"-oProxyCommand=reboot"`:              `host "-oProxyCommand=reboot": ` + host,
			`"host":"web\n01"`:                            `host "web\n01": ` + host,
			`"host":"web\u202e01"`:                        `host "web\u202e01": ` + host,
			`"host":"x",` + pack("deb", "$(reboot)", "1"): `host "x": package "$(reboot)" is not the name of a deb package`,
			`"host":"x",` + pack("generic", "../x", "1"):  `host "x": package "../x" is not the name of a generic package`,
			`"host":"x",` + pack("generic", "a b", "1"):   `host "x": package "a b" is not the name of a generic package`,
			`"host":"x",` + pack("generic", "-rf", "1"):   `host "x": package "-rf" is not the name of a generic package`,
			`"host":"x",` + pack("deb", "a", "1|reboot"):  `host "x": package "a": version "1|reboot" is not a dpkg version`,
			`"host":"x",` + pack("generic", "a", `1\n2`):  `host "x": package "a": version "1\n2" is not a generic version`,
		} {
			w.write("inventory/facts/evil.jsonl", "{"+name+"}\n", 0o644)
			w.says(2, []string{"inventory/facts/evil.jsonl:1: " + want}, "validate")
		}
	}},
	{"7 patches that are more than patches", settled, func(w *site) {
		was := string(w.file("inventory/patches/osprey.jsonl"))
		for _, row := range []struct{ old, new, want string }{
			{`"OSP-88"`, `"A\u0007"`, `patch "A\a": "A\a" is not the id of an advisory`},
			{`"OSP-88"`, `"-rf"`, `patch "-rf": "-rf" is not the id of an advisory`},
			{`"OSP-88"`, "\"A @b `x`\"", "patch \"A @b `x`\": \"A @b `x`\" is not the id of an advisory"},
			{`"osprey-agent"`, `"x; reboot"`, `patch "OSP-88": "x; reboot" is not the name of a generic package`},
			{`"2.3.1"`, `"$(reboot)"`, `version "$(reboot)" is not a generic version`},
			{`"2.3.1"`, `"../../x"`, `version "../../x" is not a generic version`},
			{`"2.3.1"`, `"2\u202e1"`, `version "2\u202e1" is not a generic version`},
		} {
			w.write("inventory/patches/osprey.jsonl", strings.Replace(was, row.old, row.new, 1), 0o644)
			w.says(2, []string{"inventory/patches/osprey.jsonl:1: ", row.want}, "validate")
		}
	}},
	{"7 prose from outside", settled, func(w *site) {
		line := string(w.file("inventory/patches/osprey.jsonl"))
		line = strings.Replace(line, `"vendor":"Osprey"`, `"vendor":"Osprey `+hostile+`"`, 1)
		line = strings.Replace(line, `"known_issues":[]`, `"known_issues":[{"at":"2026-02-20T09:00:00Z","text":"`+hostile+`"}]`, 1)
		line = strings.Replace(line, `"bulletin":"`, `"bulletin":"`+hostile, 1)
		w.push("prose", map[string][]byte{"inventory/patches/osprey.jsonl": []byte(line)})
		w.inert(w.want(0, "plan", "--open"))
		w.inert(w.want(0, "pr", "show", trusted))
		md, err := w.repo.ReadFile(w.branch(), "plans/"+trusted+"/plan.md")
		if err != nil {
			w.t.Fatal(err)
		}
		for name, text := range map[string]string{"plan.md": string(md), "the pull request": w.want(0, "pr", "show", trusted)} {
			w.inert(text)
			for _, live := range []string{"@everyone", "<img", "[here](", "`$(reboot)`", "\n# Approved"} {
				if strings.Contains(text, live) {
					w.t.Errorf("%s holds %q:\n%s", name, live, text)
				}
			}
			if !strings.Contains(text, "known issue") {
				w.t.Errorf("%s does not tell the known issue", name)
			}
		}
	}},
	{"7 what a plugin says", merged, func(w *site) {
		reply := `{"id":%s,"ok":false,"error":{"code":"refused","message":"` + hostile + `"}}`
		w.fleetOf("", "#!/bin/sh\nwhile read -r line; do\n  id=$(printf %s \"$line\" | sed 's/.*\"id\":\\([0-9]*\\).*/\\1/')\n  case $line in\n"+
			`  *'"hello"'*) printf '{"v":1,"id":%s,"ok":true,"plugin":"x","caps":{"ops":["apply","status"],"max_batch":1}}\n' "$id";;`+"\n"+
			"  *) printf '"+strings.ReplaceAll(strings.ReplaceAll(reply, `\`, `\\`), "`$(reboot)`", "`$(reboot)`")+"\\n' \"$id\";;\n  esac\ndone\n")
		out := w.want(3, "execute")
		w.inert(out)
		if strings.Contains(out, "\n#") || !strings.Contains(out, "refused: [2J@everyone") {
			w.t.Errorf("execute says\n%s", out)
		}
	}},
}

// 8. Silence is no consent.
var silenceAttacks = []attack{
	{"8 a policy reads what nobody says", settled, func(w *site) {
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"kernel\"} if input.host.reboot_pending_reason == \"x\"\n")})
		w.says(2, []string{`policies/quiet/quiet.rego:3:36: input.host.reboot_pending_reason: there is no "reboot_pending_reason"; did you mean "reboot_pending"?`}, "plan")
	}},
	{"8 a policy reads an absent fact", settled, func(w *site) {
		facts := strings.ReplaceAll(string(w.file("inventory/facts/hosts.jsonl")), `"drift":false,`, "")
		w.push("facts", map[string][]byte{"inventory/facts/hosts.jsonl": []byte(facts)})
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"it has drifted\"} if input.host.drift\n")})
		w.says(3, []string{"engine.missing", "input.host.drift"}, "plan")
	}},
	{"8 a policy fails", settled, func(w *site) {
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"x\"} if to_number(input.host.id) > 1\n")})
		w.says(3, []string{"engine.error"}, "plan")
	}},
	{"8 a policy contradicts itself", settled, func(w *site) {
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\nx := 1\n\nx := 2 if input.host.id\n\ndeny contains {\"msg\": \"x\"} if x > 3\n")})
		w.says(3, []string{"engine.error"}, "plan")
	}},
	{"8 a policy asks the network", settled, func(w *site) {
		w.push("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"x\"} if http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"}).status_code == 200\n")})
		w.says(2, []string{"http.send"}, "plan")
	}},
}
