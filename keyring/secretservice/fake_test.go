package secretservice_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
)

// fake is a Secret Service that can do what real ones cannot be made to do.
// It speaks plain sessions only.
type fake struct {
	conn *dbus.Conn

	mu      sync.Mutex
	items   map[dbus.ObjectPath]*fakeItem
	created int
	deleted int
	locked  bool
	// deaf lets writes of secrets be answered and forgotten.
	deaf     bool
	sessions []string
}

type fakeItem struct {
	attributes map[string]string
	value      []byte
	modified   uint64
}

type fakeSecret struct {
	Session           dbus.ObjectPath
	Parameters, Value []byte
	ContentType       string
}

const (
	fakeCollection = dbus.ObjectPath("/org/freedesktop/secrets/aliases/default")
	fakeSession    = dbus.ObjectPath("/org/freedesktop/secrets/session/s1")
	noObject       = dbus.ObjectPath("/")
)

func newFake(t *testing.T, desk *daemontest.Desk) *fake {
	t.Helper()
	return &fake{conn: desk.Connect(t), items: map[dbus.ObjectPath]*fakeItem{}}
}

// startFake serves the desk with a provider whose methods behave, but for
// those that are replaced.
func startFake(t *testing.T, desk *daemontest.Desk, replaced map[string]any) *fake {
	t.Helper()
	f := newFake(t, desk)
	f.serve(t, replaced)
	return f
}

func (f *fake) serve(t *testing.T, replaced map[string]any) {
	t.Helper()
	methods := map[string]map[string]any{
		"Service": {
			"OpenSession": f.openSession,
			"ReadAlias":   func(string) (dbus.ObjectPath, *dbus.Error) { return fakeCollection, nil },
			"Unlock": func([]dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
				return []dbus.ObjectPath{}, "/org/freedesktop/secrets/prompt/x", nil
			},
		},
		"Collection": {"SearchItems": f.search, "CreateItem": f.create},
		"Item":       {"GetSecret": f.get, "SetSecret": f.set, "Delete": f.delete},
		"Prompt": {
			"Prompt":  func(string) *dbus.Error { return nil },
			"Dismiss": func() *dbus.Error { return nil },
		},
		"Properties": {"Get": f.property, "GetAll": f.properties},
	}
	for name, method := range replaced {
		for iface, table := range methods {
			if _, ok := table[name]; ok {
				methods[iface][name] = method
			}
		}
	}
	for iface, table := range methods {
		name := "org.freedesktop.Secret." + iface
		if iface == "Properties" {
			name = "org.freedesktop.DBus.Properties"
		}
		if err := f.conn.ExportSubtreeMethodTable(table, "/org/freedesktop/secrets", name); err != nil {
			t.Fatal(err)
		}
	}
	reply, err := f.conn.RequestName(daemontest.SecretsName, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("RequestName: %v, %v", reply, err)
	}
}

// add puts an item into the collection as if another program had.
func (f *fake) add(value string, modified uint64, attributes map[string]string) dbus.ObjectPath {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.created++
	path := dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/secrets/collection/x/%d", f.created))
	f.items[path] = &fakeItem{attributes: attributes, value: []byte(value), modified: modified}
	return path
}

// values returns what is stored, sorted.
func (f *fake) values() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var values []string
	for _, it := range f.items {
		values = append(values, string(it.value))
	}
	slices.Sort(values)
	return values
}

func (f *fake) paths() []dbus.ObjectPath {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.items))
}

// algorithms returns those that sessions were asked for with, in turn.
func (f *fake) algorithms() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sessions)
}

// deletions returns how many items were deleted.
func (f *fake) deletions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deleted
}

func (f *fake) openSession(algorithm string, _ dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions = append(f.sessions, algorithm)
	if algorithm != "plain" {
		return dbus.MakeVariant(""), noObject, dbus.NewError("org.freedesktop.DBus.Error.NotSupported", nil)
	}
	return dbus.MakeVariant(""), fakeSession, nil
}

func (f *fake) search(attributes map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	paths := []dbus.ObjectPath{}
	for path, it := range f.items {
		same := true
		for name, value := range attributes {
			same = same && it.attributes[name] == value
		}
		if same {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

func (f *fake) create(properties map[string]dbus.Variant, in fakeSecret, _ bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	attributes, _ := properties["org.freedesktop.Secret.Item.Attributes"].Value().(map[string]string)
	if f.deaf {
		in.Value = []byte("something else")
	}
	return f.add(string(in.Value), 1000, attributes), noObject, nil
}

func (f *fake) item(message dbus.Message) (*fakeItem, dbus.ObjectPath, *dbus.Error) {
	path, _ := message.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	it := f.items[path]
	if it == nil {
		return nil, "", dbus.NewError("org.freedesktop.Secret.Error.NoSuchObject", nil)
	}
	return it, path, nil
}

func (f *fake) get(message dbus.Message, _ dbus.ObjectPath) (fakeSecret, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it, _, err := f.item(message)
	if err != nil {
		return fakeSecret{Session: noObject}, err
	}
	return fakeSecret{fakeSession, []byte{}, it.value, "text/plain"}, nil
}

func (f *fake) set(message dbus.Message, in fakeSecret) *dbus.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	it, _, err := f.item(message)
	if err == nil && !f.deaf {
		it.value = in.Value
	}
	return err
}

func (f *fake) delete(message dbus.Message) (dbus.ObjectPath, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, path, err := f.item(message)
	if err != nil {
		return noObject, err
	}
	f.deleted++
	delete(f.items, path)
	return noObject, nil
}

func (f *fake) property(string, string) (dbus.Variant, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return dbus.MakeVariant(f.locked), nil
}

func (f *fake) properties(message dbus.Message, _ string) (map[string]dbus.Variant, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it, _, err := f.item(message)
	if err != nil {
		return map[string]dbus.Variant{}, err
	}
	return map[string]dbus.Variant{
		"Attributes": dbus.MakeVariant(maps.Clone(it.attributes)), "Modified": dbus.MakeVariant(it.modified),
	}, nil
}
