package kwallet

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// settings are those of the user's kwalletrc that tell what the daemon will
// do, which it does not say itself.
type settings struct {
	enabled      bool
	leaveOpen    bool                // a wallet stays open when nobody uses it
	promptOnOpen bool                // programs have to be allowed by the user
	allowed      map[string][]string // wallet to programs
}

// maxSettings bounds a settings file, in bytes.
const maxSettings = 1 << 20

// readSettings reads the files of the user and of the machine, of which the
// former goes first. What cannot be read has its default.
func readSettings() settings {
	s := settings{enabled: true, leaveOpen: true, allowed: map[string][]string{}}
	dirs := filepath.SplitList(os.Getenv("XDG_CONFIG_DIRS"))
	if len(dirs) == 0 {
		dirs = []string{"/etc/xdg"}
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		s.add(filepath.Join(dirs[i], "kwalletrc"))
	}
	if dir, err := os.UserConfigDir(); err == nil {
		s.add(filepath.Join(dir, "kwalletrc"))
	}
	return s
}

func (s *settings) add(path string) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	s.parse(io.LimitReader(f, maxSettings))
}

// parse reads KDE's dialect of INI: [Group], key=value, and marks such as
// [$i] behind either.
func (s *settings) parse(r io.Reader) {
	group := ""
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			group, _, _ = strings.Cut(line[1:], "]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		key, _, _ = strings.Cut(key, "[$")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch group + "/" + key {
		case "Wallet/Enabled":
			s.enabled = isTrue(value)
		case "Wallet/Leave Open":
			s.leaveOpen = isTrue(value)
		case "Wallet/Prompt on Open":
			s.promptOnOpen = isTrue(value)
		default:
			if group == "Auto Allow" {
				for program := range strings.SplitSeq(value, ",") {
					s.allowed[key] = append(s.allowed[key], strings.TrimSpace(program))
				}
			}
		}
	}
}

// isTrue reads a truth as KConfig does.
func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "false", "off", "no", "0":
		return false
	}
	return true
}

// hasIndex reports whether the daemon can tell that an entry is missing from
// the closed wallet: its file has an index of hashes that is not encrypted.
// For a wallet that GnuPG encrypts, asking would bring up GnuPG's question.
func (settings) hasIndex(wallet string) bool {
	dir := os.Getenv("XDG_DATA_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return false
		}
		dir = filepath.Join(home, ".local", "share")
	}
	path := filepath.Join(dir, "kwalletd", wallet+".kwl")
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	// kwalletbackend: a mark of 12 bytes, two of the version, the cipher.
	const mark, gpg = "KWALLET\n\r\x00\r\n", 2
	header := make([]byte, len(mark)+3)
	_, err = io.ReadFull(f, header)
	return err == nil && string(header[:len(mark)]) == mark && header[len(mark)+2] != gpg
}
