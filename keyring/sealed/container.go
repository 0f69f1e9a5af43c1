package sealed

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// The file, in version 1:
//
//	magic    16 bytes
//	version  1 byte
//	length   4 bytes, big endian: of the lock
//	lock     an age file; what it encrypts is the key of the body
//	nonce    24 bytes
//	body     XChaCha20-Poly1305 under that key, with all before the nonce as
//	         additional data
//	sum      SHA-256 of all before it
//
// The sum has no part in the protection. It tells a file that was damaged from
// one for which the key is wrong, before anybody is asked for a key.
const (
	magic   = "authring sealed\n"
	version = 1

	keySize   = chacha20poly1305.KeySize
	nonceSize = chacha20poly1305.NonceSizeX
	headSize  = len(magic) + 1 + 4
	sumSize   = sha256.Size

	// maxLock bounds the lock, in bytes: some recipients take a few hundred.
	maxLock = 64 << 10
	// maxSize bounds the file, in bytes, when it is read and when written.
	maxSize = 1 << 20
)

var (
	// ErrDamaged: the file is not what was written, whatever the key. It is
	// left as it is. The error's text says whether the generation before it
	// is intact.
	ErrDamaged = errors.New("the file is damaged")
	// ErrNewer: the file is of a version that this program does not know. It
	// is left as it is.
	ErrNewer = errors.New("the file was written by a newer version of this program, and is left as it is: update this one")
)

// container is a file, taken apart.
type container struct {
	lock  []byte
	nonce []byte
	body  []byte // encrypted
}

// parse takes a file apart. It needs no key, and trusts nothing of what it
// finds. The error is [ErrDamaged] or [ErrNewer].
func parse(data []byte) (container, error) {
	if len(data) < headSize || string(data[:len(magic)]) != magic {
		return container{}, fmt.Errorf("%w: it does not begin as a sealed file", ErrDamaged)
	}
	if found := data[len(magic)]; found != version {
		if found == 0 {
			return container{}, fmt.Errorf("%w: it has no version", ErrDamaged)
		}
		return container{}, fmt.Errorf("%w (version %d)", ErrNewer, found)
	}
	whole := len(data) - sumSize
	if whole < headSize+nonceSize+chacha20poly1305.Overhead {
		return container{}, fmt.Errorf("%w: it is cut off", ErrDamaged)
	}
	if sum := sha256.Sum256(data[:whole]); !bytes.Equal(sum[:], data[whole:]) {
		return container{}, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	length := binary.BigEndian.Uint32(data[len(magic)+1:])
	rest := data[headSize:whole]
	if length > maxLock || int(length) > len(rest)-nonceSize-chacha20poly1305.Overhead {
		return container{}, fmt.Errorf("%w: its lock has an impossible length", ErrDamaged)
	}
	return container{
		lock:  rest[:length],
		nonce: rest[length:][:nonceSize],
		body:  rest[int(length)+nonceSize:],
	}, nil
}

// head is what comes before the nonce.
func head(lock []byte) []byte {
	data := make([]byte, 0, headSize+len(lock))
	data = append(data, magic...)
	data = append(data, version)
	data = binary.BigEndian.AppendUint32(data, uint32(len(lock)))
	return append(data, lock...)
}

// open decrypts the body. A key that opened the lock and does not open the
// body means that the file was put together from parts.
func (c container) open(key []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, c.nonce, c.body, head(c.lock))
	if err != nil {
		return nil, fmt.Errorf("%w: its contents are not what was sealed", ErrDamaged)
	}
	return plain, nil
}

// seal makes a file.
func seal(lock, key, plain []byte) ([]byte, error) {
	if len(lock) > maxLock {
		return nil, fmt.Errorf("the lock would be larger than %d bytes", maxLock)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	header := head(lock)
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails
	data := append(bytes.Clone(header), nonce...)
	data = aead.Seal(data, nonce, plain, header)
	sum := sha256.Sum256(data)
	if data = append(data, sum[:]...); len(data) > maxSize {
		return nil, fmt.Errorf("the file would be larger than %d bytes", maxSize)
	}
	return data, nil
}
