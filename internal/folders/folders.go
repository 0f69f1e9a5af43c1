// Package folders knows where a user's files belong on each platform. It
// imports next to nothing, so that a program that only asks the agent starts
// fast.
package folders

// Getenv is os.Getenv, or a test's own.
type Getenv func(string) string

// Config is the folder that holds the settings of programs.
func Config(getenv Getenv) (string, error) { return config(getenv) }

// State is the folder for what programs remember between runs.
func State(getenv Getenv) (string, error) { return state(getenv) }

// Data is the folder for the data of programs.
func Data(getenv Getenv) (string, error) { return data(getenv) }

// Runtime is the folder for the sockets of programs, which others must not
// get at: it is to be checked by whoever uses it. It may not be there yet,
// but on Linux, where the session makes it.
func Runtime(getenv Getenv) (string, error) { return runtime(getenv) }
