//go:build !windows

package wincred

// systemVault is that of a system which has none.
type systemVault struct{}

func (systemVault) read(string) (item, error)     { return item{}, errNoVault }
func (systemVault) write(item) error              { return errNoVault }
func (systemVault) remove(string) error           { return errNoVault }
func (systemVault) list(string) ([]string, error) { return nil, errNoVault }

func lockPath() (string, error) { return "", errNoVault }
