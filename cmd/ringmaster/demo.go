package main

import (
	"fmt"
	"os"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	starter "github.com/ringmaster-dev/ringmaster"
	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) demo() *cobra.Command {
	return &cobra.Command{
		Use: "demo [DIR]", Short: "the whole loop on a starter estate with simulated hosts and the local forge", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := demoFolder(first(args))
			if err != nil {
				return err
			}
			at := engine.DemoAt
			if a.at != "" {
				if at, err = a.now(); err != nil {
					return err
				}
			}
			if !cmd.Flags().Changed("log-level") {
				a.log.SetLevel(logrus.ErrorLevel) // the story tells it
			}
			return engine.Demo(cmd.Context(), engine.DemoOptions{
				Dir: dir, Starter: starter.Files, At: at, Executor: a.executor, Log: a.log,
				Out: a.out, Color: a.color(a.out), Width: a.width(a.out),
			})
		},
	}
}

// demoFolder is a new folder, or the one named where it is empty.
func demoFolder(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "ringmaster-demo-")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(list) > 0 {
		return "", fmt.Errorf("%s is not empty; name a new folder", dir)
	}
	return dir, nil
}
