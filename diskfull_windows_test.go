package authring_test

import "testing"

func diskFull(t *testing.T) (restore func()) {
	t.Skip("Windows has no limit of this kind for one process")
	return nil
}

func alone(*testing.T) (done bool) { return false }
