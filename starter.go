// Package starter holds the estate that `ringmaster init` writes: this
// repository's own inventory, rings and policies, and the workflows that call
// ringmaster. It stands at the top because an embed pattern cannot climb out of
// its own folder.
package starter

import "embed"

// Files is the starter estate. Workflows lie under .github/starter and are
// written to .github/workflows.
//
//go:embed inventory/*.hcl rings/*.hcl policies/*/*.rego policies/*/data.json .github/starter/*
var Files embed.FS
