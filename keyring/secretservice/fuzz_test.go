package secretservice

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// answerOf encodes an answer as it comes over the bus.
func answerOf(values ...any) []byte {
	var out bytes.Buffer
	message := dbus.Message{
		Type: dbus.TypeMethodReply,
		Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(values...)),
		},
		Body: values,
	}
	if err := message.EncodeTo(&out, binary.LittleEndian); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// FuzzAnswers reads any message as each of the answers that a Secret Service
// gives. None may panic, and what is taken must keep what it promises.
func FuzzAnswers(f *testing.F) {
	key := keyring.Key{Service: "Maestral", User: "config:maestral:dbid:AAAA"}
	attributes := map[string]string{"service": key.Service, "username": key.User, "application": application}
	paths := []dbus.ObjectPath{"/org/freedesktop/secrets/collection/login/1", "/org/freedesktop/secrets/collection/login/2"}
	sealed, err := testSession().seal([]byte("token"))
	if err != nil {
		f.Fatal(err)
	}
	for _, values := range [][]any{
		{sealed},
		{dbus.MakeVariant(bytes.Repeat([]byte{7}, groupSize)), dbus.ObjectPath("/org/freedesktop/secrets/session/s1")},
		{dbus.MakeVariant(""), dbus.ObjectPath("/")},
		{paths}, {[]dbus.ObjectPath{}}, {paths, dbus.ObjectPath("/org/freedesktop/secrets/prompt/u1")},
		{map[string]dbus.Variant{
			"Attributes": dbus.MakeVariant(attributes), "Modified": dbus.MakeVariant(uint64(1 << 40)),
			"Locked": dbus.MakeVariant(false), "Label": dbus.MakeVariant("x"),
		}},
		{map[string]dbus.Variant{"Attributes": dbus.MakeVariant(attributes), "Modified": dbus.MakeVariant("now")}},
		{map[string]dbus.Variant{"Attributes": dbus.MakeVariant(paths)}},
		{dbus.MakeVariant(true)}, {dbus.MakeVariant(dbus.MakeVariant(true))},
		{true, dbus.MakeVariant(paths)}, {false, dbus.MakeVariant(paths[0])},
		{uint32(4711)}, {":1.42"}, {"org.freedesktop.secrets", ":1.1", ""},
		{paths[0], dbus.ObjectPath("/")},
	} {
		f.Add(answerOf(values...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := dbus.DecodeMessage(bytes.NewReader(data))
		if err != nil {
			return
		}
		body := message.Body
		if in, err := decodeSecret(body); err == nil {
			if _, err := testSession().open(in); err == nil && in.Session != testSession().path {
				t.Error("a secret of another session was opened")
			}
			if _, err := (&session{path: in.Session}).open(in); err != nil {
				t.Errorf("a secret of a plain session: %v", err)
			}
		}
		if found, err := decodeItems(body); err == nil {
			for _, path := range found {
				if !path.IsValid() {
					t.Errorf("took %q for a path", path)
				}
			}
		}
		if it, ok, err := decodeItem(body, key); ok && err == nil {
			order([]item{it, {modified: 1}, {ours: true}})
		}
		_, _, _ = decodeCompleted(body)
		_, _ = decodeProperty[bool](body)
		if peer, err := decodeProperty[[]byte](body); err == nil {
			pair := &keyPair{prime: groupPrime(), private: groupPrime()}
			if key, err := pair.agree(peer); err == nil && len(key) != keySize {
				t.Errorf("a key of %d bytes", len(key))
			}
		}
		for i := range 3 {
			_, _ = decodePath(body, i)
			_, _ = decodeAt[string](body, i)
			_, _ = decodeAt[uint32](body, i)
		}
		l := &link{owner: ":1.1"}
		signal := &dbus.Signal{Sender: busIface, Name: busIface + ".NameOwnerChanged", Body: body}
		_ = l.isFarewell(signal)
	})
}

func TestOrder(t *testing.T) {
	items := []item{
		{path: "/old/ours", modified: 5, ours: true}, {path: "/same", modified: 7},
		{path: "/same/ours", modified: 7, ours: true}, {path: "/older", modified: 3},
	}
	order(items)
	for i, want := range []dbus.ObjectPath{"/same/ours", "/same", "/old/ours", "/older"} {
		if items[i].path != want {
			t.Errorf("place %d: %s, want %s", i, items[i].path, want)
		}
	}
}

func TestMustStand(t *testing.T) {
	for path, want := range map[dbus.ObjectPath]bool{
		"/org/freedesktop/secrets/prompt/u1": true, "/org/freedesktop/secrets/prompt/u4711": true,
		"/org/freedesktop/secrets/prompt/p1": false, "/org/freedesktop/secrets/prompt/u": false,
		"/org/freedesktop/secrets/prompt/u1a": false, "/org/freedesktop/secrets/prompt/8c652d089f7f47ffb728f8eb26f81b59": false,
		"/": false,
	} {
		if got := mustStand(path); got != want {
			t.Errorf("mustStand(%s) = %v", path, got)
		}
	}
}

func TestProviderOf(t *testing.T) {
	for program, want := range map[string]string{
		"gnome-keyring-d": "GNOME Keyring", "keepassxc": "KeePassXC", "kwalletd5": "KWallet (Secret Service)",
		"kwalletd6": "KWallet (Secret Service)", "ksecretd": "KDE Wallet", "oo7-daemon": "Secret Service (oo7-daemon)", "": "Secret Service",
	} {
		if got := providerOf(program); got != want {
			t.Errorf("providerOf(%q) = %q, want %q", program, got, want)
		}
	}
}
