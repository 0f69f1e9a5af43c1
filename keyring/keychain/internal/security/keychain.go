//go:build darwin || linux

package security

// unlocked is kSecUnlockStateStatus of SecKeychainStatus (SecKeychain.h).
const unlocked = 1

// Unlocked reports whether the default keychain is open. It asks nobody.
func (l *Library) Unlocked() (bool, int32) {
	var state uint32
	status := l.keychainStatus(0, &state)
	return state&unlocked != 0, status
}

// Unlock has macOS ask its user for the password of the default keychain. It
// returns once that is answered.
func (l *Library) Unlock() int32 { return l.keychainUnlock(0, 0, 0, false) }

// Interaction reports whether this process lets keychains ask their user.
func (l *Library) Interaction() (bool, int32) {
	var allowed uint8
	status := l.interactionAllowed(&allowed)
	return allowed != 0, status
}

// SetInteraction says whether keychains may ask, for all of this process.
func (l *Library) SetInteraction(allowed bool) int32 { return l.setInteraction(allowed) }
