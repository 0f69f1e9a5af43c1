//go:build !linux

package proof_test

import "errors"

func hang(string) error { return errors.ErrUnsupported }
