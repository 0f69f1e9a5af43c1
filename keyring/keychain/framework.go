package keychain

import "sync"

// framework is what is asked of macOS: package security, or a fake of it. A
// status is an OSStatus, of which zero is success.
type framework interface {
	// Find returns the data of the generic password; Add, Update and Remove
	// change it. They block while macOS asks its user.
	Find(service, account string) (value []byte, status int32)
	Add(service, account string, value []byte) (status int32)
	Update(service, account string, value []byte) (status int32)
	Remove(service, account string) (status int32)

	// Unlocked looks at the default keychain, and Unlock has its user asked
	// for the password.
	Unlocked() (open bool, status int32)
	Unlock() (status int32)

	// Interaction and SetInteraction are about all of this process: whether
	// a keychain may ask, or answers with a status instead.
	Interaction() (allowed bool, status int32)
	SetInteraction(allowed bool) (status int32)

	// Message is macOS' own text for a status.
	Message(status int32) string
}

// systemProcess is this process before the keychains of macOS. There is one for
// all keyrings of the program: what [framework.SetInteraction] sets is one for
// the whole process, whoever sets it.
var systemProcess = sync.OnceValues(func() (*process, error) {
	f, err := loadFramework()
	if err != nil {
		return nil, err
	}
	return newProcess(f), nil
})
