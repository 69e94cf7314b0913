// Package ansible reads what Ansible's setup and package_facts modules say of
// hosts into facts.
//
// It takes the forms in which people have it: one file a host, as `ansible -m
// setup --tree DIR` and the jsonfile cache write it; what `ansible -m setup`
// prints ("web-01 | SUCCESS => {…}"); what the json callback prints; and an
// object of facts by host.
//
// A host is called what Ansible's inventory calls it, for that is unique: in a
// file a host that is the file's name, whatever the machine calls itself
// ("localhost", on many).
package ansible

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Source is the value of Facts.Source.
const Source = "ansible"

// Options says what a file does not. The zero value works.
type Options struct {
	Host inventory.HostID // the host of a file that is about one and does not name it, "" the file's name
	At   time.Time        // the time of facts that have none
}

// answer is what was said of one host, by every task.
type answer struct {
	host  string
	facts facts
	fault string // why there are none, in Ansible's words
	dead  bool   // the host did not answer
}

// Parse reads one file, without options.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	return Options{}.Parse(name, data)
}

// Parse reads one file. It gives the facts of every host that has some, sorted
// by host, and a problem for every one that has none.
func (o Options) Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	answers, ok := printed(string(data), p)
	if !ok {
		answers = o.document(data, p)
	}
	answers = joined(answers)
	var list []inventory.Facts
	for _, a := range answers {
		if f, ok := o.host(a, p); ok {
			list = append(list, f)
		}
	}
	return list, p.List
}

// printed reads the output of the ansible command; false where it is none.
func printed(text string, p *inventory.Problems) ([]answer, bool) {
	var list []answer
	found := false
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		host, state, ok := heading(line)
		if !ok {
			text = rest
			continue
		}
		found = true
		a := answer{host: host}
		_, body, bodied := strings.Cut(text, "=>")
		if !bodied || !strings.Contains(line, "=>") {
			said, _, _ := strings.Cut(rest, "\n") // the command's own words
			if _, _, next := heading(said); next {
				said = ""
			}
			a.fault, text = strings.Join(strings.Fields(strings.TrimSuffix(state, ">>")+" "+said), " "), rest
			list = append(list, a)
			continue
		}
		var object map[string]json.RawMessage
		d := json.NewDecoder(strings.NewReader(body))
		if err := d.Decode(&object); err != nil {
			p.Lost(fmt.Sprintf("host %q", host), "what follows %q is not JSON: %v", state+" =>", err)
			text = rest
			continue
		}
		a.take(object)
		list = append(list, a)
		text = body[d.InputOffset():]
	}
	return list, found
}

// heading reads a line like `web-01 | SUCCESS => {`.
func heading(line string) (host, state string, ok bool) {
	host, state, ok = strings.Cut(strings.TrimSpace(line), " | ")
	if !ok || host == "" || strings.ContainsAny(host, "{}\" \t") {
		return "", "", false
	}
	state, _, _ = strings.Cut(state, "=>")
	state = strings.TrimSpace(state)
	word, _, _ := strings.Cut(state, " ")
	switch strings.TrimRight(word, "!") {
	case "SUCCESS", "CHANGED", "UNREACHABLE", "FAILED":
		return host, state, true
	}
	return "", "", false
}

// document reads a JSON document of any of the forms.
func (o Options) document(data []byte, p *inventory.Problems) []answer {
	var top map[string]json.RawMessage
	if err := inventory.Decode(data, &top); err != nil {
		p.Lost("", "%v; expected what Ansible's setup module says of a host", err)
		return nil
	}
	if plays, ok := top["plays"]; ok {
		return callback(plays, p)
	}
	if one := (answer{}); one.take(top) {
		if one.host = o.name(p.File, one, p); one.host == "" {
			return nil
		}
		return []answer{one}
	}
	if list := byHost(top); list != nil {
		return list
	}
	p.Lost("", "not facts of Ansible: neither \"ansible_facts\" nor the module's failure is in it%s", inventory.Recognise(data))
	return nil
}

// byHost reads an object of facts by host, nil where it is none.
func byHost(top map[string]json.RawMessage) []answer {
	var list []answer
	for _, host := range slices.Sorted(maps.Keys(top)) {
		a := answer{host: host}
		var object map[string]json.RawMessage
		if json.Unmarshal(top[host], &object) != nil || !a.take(object) {
			return nil
		}
		list = append(list, a)
	}
	return list
}

// callback reads the plays that the json callback printed.
func callback(data []byte, p *inventory.Problems) []answer {
	var plays []struct {
		Tasks []struct {
			Hosts map[string]map[string]json.RawMessage `json:"hosts"`
		} `json:"tasks"`
	}
	if err := json.Unmarshal(data, &plays); err != nil {
		p.Lost("plays", "not the plays of Ansible's json callback: %v", err)
		return nil
	}
	var list []answer
	for _, play := range plays {
		for _, task := range play.Tasks {
			for _, host := range slices.Sorted(maps.Keys(task.Hosts)) {
				if a := (answer{host: host}); a.take(task.Hosts[host]) {
					list = append(list, a)
				}
			}
		}
	}
	if len(list) == 0 {
		p.Lost("plays", "no task of these plays gathered facts; run the setup module")
	}
	return list
}

// take reads what a module answered; false where that is neither facts nor a
// failure.
func (a *answer) take(object map[string]json.RawMessage) bool {
	var flags struct{ Unreachable, Failed bool }
	_ = json.Unmarshal(object["unreachable"], &flags.Unreachable)
	_ = json.Unmarshal(object["failed"], &flags.Failed)
	msg := facts(object).text("msg")
	var inner facts
	if json.Unmarshal(object["ansible_facts"], &inner) == nil && len(inner) > 0 {
		a.facts = inner
		if name := facts(object).text("inventory_hostname"); name != "" {
			a.facts["inventory_hostname"] = object["inventory_hostname"]
		}
		return true
	}
	switch {
	case flags.Unreachable, flags.Failed:
		a.dead, a.fault = flags.Unreachable, msg
		if a.fault == "" {
			a.fault = "no reason given"
		}
	case strings.HasPrefix(strings.Join(slices.Sorted(maps.Keys(object)), " "), "ansible_") && len(object) > 3:
		a.facts = object
	case object["ansible_facts"] != nil:
		a.fault = "the facts are empty"
	default:
		return false
	}
	return true
}

// joined is one answer a host: facts of later tasks add to earlier ones, and
// any facts outweigh a failure.
func joined(list []answer) []answer {
	hosts := map[string]answer{}
	for _, a := range list {
		old, there := hosts[a.host]
		switch {
		case !there || old.facts == nil:
			if !there || a.facts != nil {
				hosts[a.host] = a
			}
		case a.facts != nil:
			all := maps.Clone(old.facts)
			maps.Copy(all, a.facts)
			old.facts = all
			hosts[a.host] = old
		}
	}
	var all []answer
	for _, h := range slices.Sorted(maps.Keys(hosts)) {
		all = append(all, hosts[h])
	}
	return all
}

// generic are names of files that say what is in them, not which host.
var generic = []string{"", "-", "stdin", "facts", "ansible", "ansible_facts", "setup", "output", "out", "host", "hosts", "data"}

// name is the host of a file that holds one: what the inventory calls it, else
// the file, else the machine itself. It is "" where none of them is usable.
func (o Options) name(file string, a answer, p *inventory.Problems) string {
	if o.Host != "" {
		return string(o.Host)
	}
	if n := a.facts.text("inventory_hostname"); n != "" {
		return n
	}
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	for _, ext := range []string{".json", ".jsonl", ".txt", ".facts"} {
		base = strings.TrimSuffix(base, ext)
	}
	own := a.facts.names()
	if !slices.Contains(generic, strings.ToLower(base)) && inventory.HostID(base).Valid() {
		if a.fault == "" && len(own) == 0 {
			p.Note(fmt.Sprintf("host %q", base), "named after the file: the facts hold no usable name (fqdn %q, node name %q)", a.facts.text("fqdn"), a.facts.text("nodename"))
		} else if a.fault == "" && !related(base, own) {
			p.Note(fmt.Sprintf("host %q", base), "named after the file, as Ansible names files after hosts; the machine calls itself %q", own[0])
		}
		return base
	}
	if len(own) > 0 {
		p.Note(fmt.Sprintf("host %q", own[0]), "named as the machine calls itself: the file's name %q says no host; --host names another", file)
		return own[0]
	}
	why := "the facts hold no usable name and the file is not named after a host; name the host with --host"
	if a.fault != "" {
		why = fmt.Sprintf("Ansible says %q and the file is not named after a host", inventory.Plain(a.fault))
	}
	p.Lost("", "no usable host: %s", why)
	return ""
}

// related reports whether a host's name and one of the machine's own names are
// the same, or the same with and without the domain.
func related(host string, own []string) bool {
	return slices.ContainsFunc(own, func(n string) bool {
		return strings.EqualFold(host, n) || strings.HasPrefix(strings.ToLower(host), strings.ToLower(n)+".") ||
			strings.HasPrefix(strings.ToLower(n), strings.ToLower(host)+".")
	})
}

// host turns an answer into facts, or says why there are none.
func (o Options) host(a answer, p *inventory.Problems) (inventory.Facts, bool) {
	id := inventory.HostID(a.host)
	where := fmt.Sprintf("host %q", a.host)
	switch {
	case !id.Valid():
		p.Lost("", "no usable host: %q is not a host name; %s", a.host, inventory.HostGrammar)
	case a.dead:
		p.Lost(where, "Ansible could not reach it (%s), so nothing is known of it; run setup again once it answers", reason(a.fault))
	case a.facts == nil:
		p.Lost(where, "setup failed on it (%s), so nothing is known of it; run setup again once that is mended", reason(a.fault))
	default:
		f := a.facts.read(id, p)
		if f.At.IsZero() {
			f.At = o.At.UTC()
		}
		f.Admit(p)
		return f, true
	}
	return inventory.Facts{}, false
}

// reason is Ansible's message as part of a sentence.
func reason(text string) string { return strings.TrimRight(inventory.Plain(text), ": .") }
