// Command plugin is ringmaster's reference fleet plugin: imagined hosts in a
// folder of their own, held to every promise of the exec protocol.
//
//	plugin -state DIR -hosts web-1,web-2 -package heron-web=4.2.1
//
// See package reference for how it keeps its promises, and how it can be asked
// to break them.
package main

import (
	"os"

	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

func main() { os.Exit(reference.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
