package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const epochVariable = "SOURCE_DATE_EPOCH"

// sourceDate is the one date that occurs in a release, as
// reproducible-builds.org specifies SOURCE_DATE_EPOCH: that variable, or the
// date of the last commit, which then must be what is built.
func sourceDate(ctx context.Context) (time.Time, error) {
	text, given := os.LookupEnv(epochVariable)
	if !given {
		var err error
		if text, err = lastCommit(ctx); err != nil {
			return time.Time{}, err
		}
	}
	seconds, err := strconv.ParseUint(text, 10, 32) // archives have no room for more
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is %q, which is no number of seconds since 1970", epochVariable, text)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

func lastCommit(ctx context.Context) (string, error) {
	// An unpacked archive can be in somebody else's repository, whose last
	// commit tells nothing.
	if _, err := output(exec.CommandContext(ctx, "git", "ls-files", "--error-unmatch", "go.mod")); err != nil {
		return "", fmt.Errorf("could not learn the date of the last commit; set %s: %w", epochVariable, err)
	}
	// Neither command must be swayed by what its user has configured.
	changed, err := output(exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=normal"))
	if err != nil {
		return "", fmt.Errorf("could not learn what is not committed; set %s: %w", epochVariable, err)
	}
	if changed != "" {
		return "", fmt.Errorf("these files are not committed; commit them, or set %s:\n%s", epochVariable, changed)
	}
	return output(exec.CommandContext(ctx, "git", "log", "-1", "--no-show-signature", "--format=%ct"))
}

// output runs a command and returns what it prints, without the last line end;
// what it says on standard error becomes part of the error.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("%s failed: %w: %s", cmd.Args[0], err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("could not run %s: %w", cmd.Args[0], err)
	}
	return strings.TrimRight(string(out), "\n"), nil
}
