package registry_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
)

func entry(name string) *registry.Entry {
	return &registry.Entry{
		Provider: &provider.Provider{
			Name: name, Title: "Work", AuthURL: "https://login.example.org/a", TokenURL: "https://login.example.org/t",
		},
	}
}

// full has every field set, so that none is forgotten in the form.
func full() *registry.Entry {
	return &registry.Entry{
		Sources: []string{"https://login.example.org"}, SecretKeyring: "sealed",
		Provider: &provider.Provider{
			Name: "full", Title: "Full", Issuer: "https://login.example.org", AuthURL: "https://login.example.org/a", TokenURL: "https://login.example.org/t",
			DeviceURL: "https://login.example.org/d", PARURL: "https://login.example.org/p", RequirePAR: true, RevokeURL: "https://login.example.org/r",
			UserinfoURL: "https://login.example.org/u", AccountFields: provider.AccountFields{ID: "id", Email: "mail", Name: "who"}, JWKSURL: "https://login.example.org/k",
			ClientID: "client", ClientAuth: provider.AuthPost, AuthParams: url.Values{"prompt": {"consent"}}, DefaultScope: []string{"openid"},
			ScopeSeparator: ",", GrantedSeparator: ";", ScopeIncludes: map[string][]string{"all": {"some"}}, NarrowsScope: true, DPoPAlgs: []string{"ES256"}, IssParameter: true,
			RedirectURI: "http://127.0.0.1/back", RedirectPorts: []int{8080}, ExactRedirect: true, NoRedirectCode: true, RedirectNeedsSecret: true,
			Replay: provider.ReplayGrace, Rotates: true, GraceWindow: 30 * time.Second, IdleLifetime: 90 * 24 * time.Hour, AbsoluteLifetime: 365 * 24 * time.Hour,
			AccessLifetime: time.Hour, Refusals: []provider.Refusal{{Code: "bad", Contains: "code", Kind: provider.ErrCodeRejected}}, RefusesWithOK: true,
			AccountIDField: "account", TeamIDField: "team", Hosts: []string{"api.example.org"}, TokenVariable: "WORK_TOKEN", TokenRoutes: []string{"/oauth"},
			RequestIDHeader: "X-Request-Id", ManageURL: "https://login.example.org/apps",
		},
	}
}

// TestEveryFieldIsKept: what is saved is what is loaded, and no field of data
// is missing from the form.
func TestEveryFieldIsKept(t *testing.T) {
	want := full()
	value := reflect.ValueOf(*want.Provider)
	for i := range value.NumField() {
		if field := value.Type().Field(i); field.Type.Kind() != reflect.Func && value.Field(i).IsZero() {
			t.Errorf("the field %s is not tried", field.Name)
		}
	}
	folder := registry.Folder(filepath.Join(t.TempDir(), "providers"))
	if err := folder.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := folder.Load("full")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Load = %+v, %v\nwant   %+v", got.Provider, err, want.Provider)
	}
	info, err := os.Stat(filepath.Join(string(folder), "full.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestShipped: each has its sources, makes a client, and holds no client id of
// somebody else's.
func TestShipped(t *testing.T) {
	names, err := registry.Folder("").List()
	if err != nil || !slices.Equal(names, []string{"dropbox", "github", "gitlab", "google", "microsoft"}) {
		t.Fatalf("List = %q, %v", names, err)
	}
	for _, name := range names {
		e, err := registry.Folder("").Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !e.Shipped || len(e.Sources) == 0 || name != "dropbox" && e.Provider.ClientID != "" || e.SecretKeyring != "" {
			t.Errorf("%s = %+v", name, e)
		}
		for _, address := range append([]string{e.Provider.AuthURL, e.Provider.TokenURL}, e.Sources...) {
			if !strings.HasPrefix(address, "https://") {
				t.Errorf("%s has %s", name, address)
			}
		}
		if data, err := registry.Format(e); err != nil || len(data) == 0 {
			t.Errorf("%s cannot be shown: %v", name, err)
		}
	}
}

// TestOwnTakesTheShippedPlace, but not that of Dropbox.
func TestOwnTakesTheShippedPlace(t *testing.T) {
	folder := registry.Folder(t.TempDir())
	google, err := folder.Load("google")
	if err != nil {
		t.Fatal(err)
	}
	google.Provider.ClientID, google.SecretKeyring = "mine", "sealed"
	if err := folder.Save(google); err != nil {
		t.Fatal(err)
	}
	got, err := folder.Load("google")
	if err != nil || got.Shipped || got.Provider.ClientID != "mine" {
		t.Errorf("Load = %+v, %v", got, err)
	}
	if err := folder.Remove("google"); err != nil {
		t.Fatal(err)
	}
	if got, err := folder.Load("google"); err != nil || !got.Shipped {
		t.Errorf("Load = %+v, %v", got, err)
	}
	if err := folder.Remove("google"); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("Remove = %v", err)
	}
	if err := os.WriteFile(filepath.Join(string(folder), "dropbox.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := folder.Load("dropbox"); err != nil || !got.Shipped || got.Provider.Revoke == nil {
		t.Errorf("Load = %+v, %v", got, err)
	}
	if folder.Save(entry("dropbox")) == nil || folder.Remove("dropbox") == nil {
		t.Error("Dropbox can be replaced")
	}
	if registry.Folder("").Save(entry("x")) == nil {
		t.Error("saved without a folder")
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "../x", "a/b", "A", "a.b", "-a", "a b", strings.Repeat("a", 65), "ä"} {
		if registry.CheckName(name) == nil {
			t.Errorf("%q is a name", name)
		}
		if _, err := registry.Folder(t.TempDir()).Load(name); !errors.Is(err, registry.ErrUnknown) {
			t.Errorf("%q was loaded: %v", name, err)
		}
	}
	if _, err := registry.Folder(t.TempDir()).Load("nobody"); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("Load = %v", err)
	}
}

// TestFilesThatAreRefused: what is not understood is not used.
func TestFilesThatAreRefused(t *testing.T) {
	good := func() map[string]any {
		return map[string]any{
			"version": 1, "name": "work", "title": "Work", "client_auth": "none", "replay": "single-use",
			"authorization_endpoint": "https://login.example.org/a", "token_endpoint": "https://login.example.org/t",
		}
	}
	folder := registry.Folder(t.TempDir())
	path := filepath.Join(string(folder), "work.json")
	write := func(members any) {
		t.Helper()
		data, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good())
	if _, err := folder.Load("work"); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"of a newer version":      func(m map[string]any) { m["version"] = 2 },
		"without a version":       func(m map[string]any) { delete(m, "version") },
		"with a member more":      func(m map[string]any) { m["require_dpop"] = true },
		"of another name":         func(m map[string]any) { m["name"] = "home" },
		"plain http":              func(m map[string]any) { m["token_endpoint"] = "http://login.example.org/t" },
		"without endpoint":        func(m map[string]any) { delete(m, "authorization_endpoint") },
		"with an odd endpoint":    func(m map[string]any) { m["revocation_endpoint"] = "ftp://x/" },
		"without a title":         func(m map[string]any) { delete(m, "title") },
		"with a title that moves": func(m map[string]any) { m["title"] = "a\x1b[2J" },
		"with an odd rule":        func(m map[string]any) { m["replay"] = "sometimes" },
		"with odd authentication": func(m map[string]any) { m["client_auth"] = "jwt" },
		"with an odd time":        func(m map[string]any) { m["idle_lifetime"] = "90 days" },
		"with a negative time":    func(m map[string]any) { m["idle_lifetime"] = "-1h" },
		"that loads code":         func(m map[string]any) { m["token_variable"] = "LD_PRELOAD" },
		"that says revoked":       func(m map[string]any) { m["refusals"] = []any{map[string]any{"error": "x", "means": "revoked"}} },
		"with an odd redirect":    func(m map[string]any) { m["redirect_uri"] = "https://example.org/" },
		"with an address as host": func(m map[string]any) { m["hosts"] = []string{"https://api.example.org"} },
		"with a host of all":      func(m map[string]any) { m["hosts"] = []string{"*.example.org"} },
		"with a host and a path":  func(m map[string]any) { m["hosts"] = []string{"api.example.org/v1"} },
		"with two scopes in one":  func(m map[string]any) { m["default_scope"] = []string{"a b"} },
	} {
		members := good()
		change(members)
		write(members)
		_, err := folder.Load("work")
		var file *registry.FileError
		if !errors.As(err, &file) || file.Path != path {
			t.Errorf("%s: %v", name, err)
		}
	}
	minimal := `"version":1,"name":"work","client_auth":"none","replay":"grace","authorization_endpoint":"https://a/","token_endpoint":"https://b/"`
	for name, data := range map[string]string{
		"twice": `{"title":"Work","token_endpoint":"https://c/",` + minimal + `}`, "in capitals": `{"Title":"Work",` + minimal + `}`,
		"twice inside": `{"title":"Work","account_fields":{"id":"a","id":"b"},` + minimal + `}`,
		"empty":        "", "no JSON": "x", "cut": `{"version": 1`, "two": `{"version":1}{"version":1}`, "large": `{"version":1,"title":"` + strings.Repeat("x", 70<<10) + `"}`,
	} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		var file *registry.FileError
		if _, err := folder.Load("work"); !errors.As(err, &file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, []byte(`{"title":"Work","authorization_parameters":{"Prompt":["a","b"]},"refusals":[{"error":"a","means":"access-denied"},{"error":"b","means":"access-denied"}],`+minimal+`}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Load("work"); err != nil {
		t.Error(err)
	}
	newer := good()
	newer["version"], newer["must_do"] = 2, true
	write(newer)
	if _, err := folder.Load("work"); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a newer version is told as %v", err)
	}
	if names, err := folder.List(); err != nil || !slices.Contains(names, "work") {
		t.Errorf("a broken file is not listed: %q, %v", names, err)
	}
}

// FuzzParse: what is understood is whole, and is written as it was read.
func FuzzParse(f *testing.F) {
	data, err := registry.Format(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1,"name":"a","title":"A","client_auth":"none","replay":"grace","authorization_endpoint":"https://a/","token_endpoint":"http://[::1]:80/"}`))
	f.Add([]byte(`{"version":1,"account_fields":null,"refusals":[{}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := registry.Parse(data)
		if err != nil {
			return
		}
		if _, err := provider.NewClient(first.Provider, "client", withSecret); err != nil {
			t.Fatalf("a file was let through that no client can use: %v", err)
		}
		again, err := registry.Format(first)
		if err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		second, err := registry.Parse(again)
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		third, err := registry.Format(second)
		if err != nil || string(third) != string(again) {
			t.Errorf("differs when it is read again: %v", err)
		}
	})
}
