// Command plain looks up a secret as fast as godbus can: an unencrypted
// session, the two calls that do not depend on each other sent together, no
// care for locked collections, several hits or services that do not answer.
// It prints the secret of the service and user name in its arguments.
package main

import (
	"fmt"
	"os"

	"github.com/godbus/dbus/v5"
)

const (
	service    = "org.freedesktop.secrets"
	interfaces = "org.freedesktop.Secret."
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: plain SERVICE USERNAME")
		os.Exit(64)
	}
	secret, err := lookup(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
	fmt.Println(secret)
}

func lookup(name, user string) (string, error) {
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	session := conn.Object(service, "/org/freedesktop/secrets").
		Go(interfaces+"Service.OpenSession", 0, nil, "plain", dbus.MakeVariant(""))
	search := func() *dbus.Call {
		return conn.Object(service, "/org/freedesktop/secrets/aliases/default").
			Go(interfaces+"Collection.SearchItems", 0, nil, map[string]string{"service": name, "username": user})
	}
	items := search()
	var none dbus.Variant
	var path dbus.ObjectPath
	if err := (<-session.Done).Store(&none, &path); err != nil {
		return "", err
	}
	var found []dbus.ObjectPath
	err = (<-items.Done).Store(&found)
	if err != nil {
		// gnome-keyring reads the name behind the alias anew when a client
		// sends its first message, and now and then, less than once in a
		// hundred times, answers the second one by what it has just freed.
		err = (<-search().Done).Store(&found)
	}
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no such item")
	}
	var secret struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}
	err = conn.Object(service, found[0]).Call(interfaces+"Item.GetSecret", 0, path).Store(&secret)
	return string(secret.Value), err
}
