//go:build !darwin

package keychain

func loadFramework() (framework, error) { return nil, errNoMac }
