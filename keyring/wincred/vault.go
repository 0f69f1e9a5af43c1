package wincred

import "context"

// blobLimit is CRED_MAX_CREDENTIAL_BLOB_SIZE of wincred.h, 5*512 bytes.
const blobLimit = 2560

// item is a generic credential.
type item struct {
	target  string
	user    string
	comment string
	blob    []byte
}

// vault is what is asked of Windows. read and remove answer [errNoItem] where
// there is none; list, with nothing.
type vault interface {
	read(target string) (item, error)
	write(item) error
	remove(target string) error
	list(prefix string) (targets []string, err error)
}

// operation is one call of the keyring: it does nothing further once its
// context has ended.
type operation struct {
	ctx   context.Context
	vault vault
}

func (o *operation) read(target string) (item, error) {
	if err := o.ctx.Err(); err != nil {
		return item{}, err
	}
	return o.vault.read(target)
}

func (o *operation) write(i item) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	return o.vault.write(i)
}

func (o *operation) erase(target string) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	return o.vault.remove(target)
}

func (o *operation) list(prefix string) ([]string, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	return o.vault.list(prefix)
}
