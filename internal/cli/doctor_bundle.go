package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/doctor"
)

// bundleObject is what goes with a report of a fault.
type bundleObject struct {
	Doctor      doctorObject               `json:"doctor"`
	History     map[string][]historyObject `json:"history"`
	Environment map[string]string          `json:"environment"`
}

// shownVariables are told with their values, setVariables only whether they
// are set.
var (
	shownVariables = []string{"XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"}
	setVariables   = []string{"DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "CREDENTIALS_DIRECTORY", "SNAP", "FLATPAK_ID"}
)

// writeBundle writes a new file; one that exists is never replaced.
func writeBundle(path string, object doctorObject, report doctor.Report) (err error) {
	hide := hider(report.Private)
	bundle := bundleObject{Doctor: object, History: map[string][]historyObject{}, Environment: map[string]string{}}
	bundle.Doctor.Config = hide(object.Config)
	bundle.Doctor.Findings = nil
	for _, f := range object.Findings {
		for _, text := range []*string{&f.Config, &f.Title, &f.Detail, &f.Cure} {
			*text = hide(*text)
		}
		bundle.Doctor.Findings = append(bundle.Doctor.Findings, f)
	}
	for config, events := range report.History {
		objects := historyObjects(events)
		for i := range objects {
			objects[i].Detail, objects[i].Process = hide(objects[i].Detail), hide(objects[i].Process)
		}
		bundle.History[hide(config)] = objects
	}
	for _, name := range shownVariables {
		bundle.Environment[name] = hide(os.Getenv(name))
	}
	for _, name := range setVariables {
		if os.Getenv(name) != "" {
			bundle.Environment[name] = "(set)"
		}
	}
	text, err := json.MarshalIndent(bundle, "", "  ")
	if err != nil {
		return err
	}
	// O_EXCL follows no symbolic link either.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return bundleExists(path)
	}
	if err != nil {
		return fmt.Errorf("could not write the report: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		_ = os.Remove(path) // ours, and not whole
		return fmt.Errorf("could not write the report: %w", err)
	}
	return atomicfile.SyncFolder(filepath.Dir(path))
}

func bundleExists(path string) error {
	return &failure{
		err:     &usageError{verb: "doctor"},
		message: fmt.Sprintf("%s exists, and was left as it is", path),
		hint:    "Name a file that does not exist yet.",
	}
}

// hider replaces the words that say who the user is.
func hider(private []doctor.Replacement) func(string) string {
	var pairs []string
	for _, one := range private {
		pairs = append(pairs, one.Word, one.By)
	}
	return strings.NewReplacer(pairs...).Replace
}
