package sealed

// WithCheapPassphrase makes passphrases cost next to nothing.
func WithCheapPassphrase() Option { return func(k *Keyring) { k.work = 2 } }

// WithWork makes passphrases cost 2^work.
func WithWork(work int) Option { return func(k *Keyring) { k.work = work } }

// ParseAll takes a file apart as far as it goes, with the key given.
func ParseAll(data, key []byte) error {
	c, err := parse(data)
	if err != nil {
		return err
	}
	if _, err := lockedByPassphrase(c.lock); err != nil {
		return err
	}
	plain, err := c.open(key)
	if err != nil {
		return err
	}
	_, err = decode(plain)
	return err
}

// KeyOf returns the key of a file's body.
func KeyOf(data, keyFile []byte) ([]byte, error) {
	c, err := parse(data)
	if err != nil {
		return nil, err
	}
	m, err := newKey(keyFile, nil)
	if err != nil {
		return nil, err
	}
	return openLock(c.lock, m)
}

// Decode reads a body and writes it again.
func Decode(plain []byte) ([]byte, error) {
	c, err := decode(plain)
	if err != nil {
		return nil, err
	}
	return c.encode()
}
