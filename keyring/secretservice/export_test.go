package secretservice

// Disconnect ends the kept connection, as the end of the program does.
func (k *Keyring) Disconnect() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.link != nil {
		_ = k.link.conn.Close()
	}
}
