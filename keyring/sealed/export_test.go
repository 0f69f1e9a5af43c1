package sealed

// WithCheapPassphrase makes passphrases cost next to nothing.
func WithCheapPassphrase() Option { return func(k *Keyring) { k.work = 2 } }

// ReadWork is the most that a file may ask for.
const ReadWork = readWork

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

// Seal makes a file of a body, under a lock for nobody.
func Seal(lock, key, plain []byte) ([]byte, error) { return seal(lock, key, plain) }

// Decode reads a body and writes it again.
func Decode(plain []byte) ([]byte, error) {
	c, err := decode(plain)
	if err != nil {
		return nil, err
	}
	return c.encode()
}
