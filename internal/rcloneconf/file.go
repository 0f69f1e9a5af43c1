package rcloneconf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// largest bounds what is read of a file.
const largest = 1 << 20

// Path says where rclone keeps its file: where RCLONE_CONFIG says; else the
// first that exists of rclone/rclone.conf below %APPDATA% (on Windows), below
// $XDG_CONFIG_HOME and below ~/.config, and ~/.rclone.conf. Without any it is
// where rclone would make one. A file beside rclone's program, where that
// looks first of all, has to be named.
func Path(getenv func(string) string) (string, error) {
	if path := getenv("RCLONE_CONFIG"); path != "" {
		return path, nil
	}
	var places []string
	if folder := getenv("APPDATA"); runtime.GOOS == "windows" && folder != "" {
		places = append(places, filepath.Join(folder, "rclone", "rclone.conf"))
	}
	if folder := getenv("XDG_CONFIG_HOME"); folder != "" {
		places = append(places, filepath.Join(folder, "rclone", "rclone.conf"))
	}
	home, err := os.UserHomeDir()
	if err == nil {
		places = append(places, filepath.Join(home, ".config", "rclone", "rclone.conf"), filepath.Join(home, ".rclone.conf"))
	}
	if len(places) == 0 {
		return "", fmt.Errorf("could not find rclone's configuration: %w", err)
	}
	for _, path := range places {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return places[0], nil
}

// Read reads the remotes of a file. The errors are those of [Parse] and of the
// file system.
func Read(path string) ([]Remote, error) {
	remotes, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("could not read %s: %w", path, err)
	}
	return remotes, nil
}

func read(path string) ([]Remote, error) {
	// Opening a pipe, say, would wait for whoever writes to it.
	info, err := os.Stat(path)
	if err != nil {
		return nil, nameless(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, nameless(err)
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, largest+1))
	if err != nil {
		return nil, err
	}
	if len(data) > largest {
		return nil, fmt.Errorf("it is larger than %d bytes", largest)
	}
	return Parse(data)
}

// nameless is an error without its path, which the caller names.
func nameless(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
