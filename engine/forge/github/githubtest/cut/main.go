// Command cut makes the descriptions of GitHub that the package above is held
// to: of GitHub's OpenAPI description the operations that are answered, without
// prose and examples, and of its GraphQL schema the fields that are asked for.
//
// Both come from npm packages of GitHub's own (MIT), fetched by `npm pack`:
//
//	go generate ./engine/forge/github/githubtest
//
// To take a newer one, change its version here and generate again.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	openAPI = "@octokit/openapi@23.0.2"
	graphQL = "@octokit/graphql-schema@15.26.1"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("cut: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	data, err := packed(openAPI, "package/generated/api.github.com.json")
	if err != nil {
		return err
	}
	api, err := cutAPI(data)
	if err != nil {
		return fmt.Errorf("cutting %s: %w", openAPI, err)
	}
	if data, err = packed(graphQL, "package/schema.graphql"); err != nil {
		return err
	}
	schema, err := cutSchema(data)
	if err != nil {
		return fmt.Errorf("cutting %s: %w", graphQL, err)
	}
	return errors.Join(os.WriteFile("api.json", api, 0o644), os.WriteFile("schema.graphql", schema, 0o644))
}

// packed is one file of an npm package.
func packed(pkg, name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "cut")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	npm := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, pkg)
	npm.Stderr = os.Stderr
	out, err := npm.Output()
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", pkg, err)
	}
	file, err := os.Open(filepath.Join(dir, string(bytes.TrimSpace(out))))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			return nil, fmt.Errorf("looking for %s in %s: %w", name, pkg, err)
		}
		if h.Name == name {
			return io.ReadAll(r)
		}
	}
}
