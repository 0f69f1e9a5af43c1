package keychain

// Framework is what stands for macOS.
type Framework = framework

// Open returns how to open handles on the keychains of a macOS that f is, in
// one process.
func Open(f Framework) func() *Keyring {
	p := newProcess(f)
	return func() *Keyring { return open(func() (*process, error) { return p, nil }) }
}
