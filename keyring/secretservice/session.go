package secretservice

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/godbus/dbus/v5"
)

const algorithmPlain = "plain"

// session carries secrets between one provider and us (Secret Service
// specification, section "Sessions"). It ends with the connection.
type session struct {
	opened chan struct{} // closed once path and err are known
	path   dbus.ObjectPath
	err    error
	// key is computed while the provider works on the next call. It is nil
	// in a plain session.
	key func() ([]byte, error)
}

// wireSecret is the Secret structure of the specification, (oayays).
type wireSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// openSession returns the session of the connection, and starts to open it
// the first time. It does not wait: the caller has other things to ask.
func (l *link) openSession() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session == nil {
		l.session = &session{opened: make(chan struct{})}
		// In the name of all who will use it, not of the one who came first.
		go func(s *session) {
			if s.err = l.negotiate(context.Background(), s); s.err != nil && !isStale(s.err) {
				s.err = fmt.Errorf("%w: %w", errSession, s.err)
			}
			close(s.opened)
			if s.key != nil {
				_, _ = s.key()
			}
		}(l.session)
	}
	return l.session
}

func (l *link) negotiate(ctx context.Context, s *session) error {
	pair, err := l.keys()
	if err != nil {
		return err
	}
	body, err := l.ask(ctx, l.request(servicePath, serviceIface, "OpenSession", algorithmDH, dbus.MakeVariant(pair.public)))
	encrypted := true
	if isError(err, errNotSupported) {
		// Only then, and only by its own word, does it get secrets in clear.
		encrypted = false
		body, err = l.ask(ctx, l.request(servicePath, serviceIface, "OpenSession", algorithmPlain, dbus.MakeVariant("")))
	}
	if err != nil {
		return err
	}
	path, err := decodePath(body, 1)
	if err != nil {
		return err
	}
	if path == noPath {
		return errAnswer
	}
	s.path = path
	if !encrypted {
		return nil
	}
	peer, err := decodeProperty[[]byte](body)
	if err != nil {
		return err
	}
	s.key = sync.OnceValues(func() ([]byte, error) { return pair.agree(peer) })
	return nil
}

// settle waits for a session that is being opened. A connection that ends
// while calls are under way makes gnome-keyring 50 abort, and a program may
// end as soon as it has its answer.
func (l *link) settle(ctx context.Context) {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s != nil {
		_ = s.wait(ctx)
	}
}

// wait returns once the session is open.
func (s *session) wait(ctx context.Context) error {
	select {
	case <-s.opened:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// seal prepares a secret for its way to the provider, in an open session.
func (s *session) seal(value []byte) (wireSecret, error) {
	// Python's keyring writes this content type.
	out := wireSecret{Session: s.path, Parameters: []byte{}, Value: value, ContentType: "text/plain"}
	if s.key == nil {
		return out, nil
	}
	key, err := s.key()
	if err != nil {
		return wireSecret{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return wireSecret{}, err
	}
	out.Parameters = make([]byte, aes.BlockSize)
	if _, err := rand.Read(out.Parameters); err != nil {
		return wireSecret{}, err
	}
	out.Value = pad(value)
	cipher.NewCBCEncrypter(block, out.Parameters).CryptBlocks(out.Value, out.Value)
	return out, nil
}

// open returns the secret in an answer of the provider, in an open session.
func (s *session) open(in wireSecret) ([]byte, error) {
	if in.Session != s.path {
		return nil, fmt.Errorf("%w: a secret of another session", errAnswer)
	}
	if s.key == nil {
		return in.Value, nil
	}
	key, err := s.key()
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(in.Parameters) != aes.BlockSize || len(in.Value) == 0 || len(in.Value)%aes.BlockSize != 0 {
		return nil, errDecrypt
	}
	text := make([]byte, len(in.Value))
	cipher.NewCBCDecrypter(block, in.Parameters).CryptBlocks(text, in.Value)
	return unpad(text)
}

// pad appends the padding of PKCS #7 (RFC 5652, section 6.3) to a copy.
func pad(value []byte) []byte {
	n := aes.BlockSize - len(value)%aes.BlockSize
	text := make([]byte, len(value)+n)
	copy(text, value)
	for i := len(value); i < len(text); i++ {
		text[i] = byte(n)
	}
	return text
}

func unpad(text []byte) ([]byte, error) {
	n := int(text[len(text)-1])
	if n == 0 || n > aes.BlockSize {
		return nil, errDecrypt
	}
	for _, b := range text[len(text)-n:] {
		if int(b) != n {
			return nil, errDecrypt
		}
	}
	return text[:len(text)-n], nil
}

// decodeSecret returns the Secret structure that an answer holds.
func decodeSecret(body []any) (wireSecret, error) {
	fields, err := decodeAt[[]any](body, 0)
	if err != nil {
		return wireSecret{}, err
	}
	path, err1 := decodePath(fields, 0)
	parameters, err2 := decodeAt[[]byte](fields, 1)
	value, err3 := decodeAt[[]byte](fields, 2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return wireSecret{}, err
	}
	// The content type is of no use; some put a charset into it.
	return wireSecret{Session: path, Parameters: parameters, Value: value}, nil
}
