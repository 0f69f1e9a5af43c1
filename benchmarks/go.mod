module github.com/authring/authring/benchmarks

go 1.26.0

replace github.com/authring/authring => ../

require (
	github.com/authring/authring v0.0.0
	github.com/godbus/dbus/v5 v5.2.4
	github.com/keybase/go-keychain v0.0.1
	github.com/zalando/go-keyring v0.2.8
	golang.org/x/sys v0.49.0
)

require (
	github.com/danieljoos/wincred v1.2.3 // indirect
	github.com/keybase/dbus v0.0.0-20220506165403-5aa21ea2c23a // indirect
	golang.org/x/crypto v0.55.0 // indirect
)
