package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/rcloneconf"
	"github.com/authring/authring/record"
)

// dropboxType is the type of a remote for Dropbox.
const dropboxType = "dropbox"

// fromRclone finds the remotes for Dropbox.
func (i *importing) fromRclone(names []string) ([]candidate, error) {
	path := i.file
	if path == "" {
		var err error
		if path, err = rcloneconf.Path(i.getenv); err != nil {
			return nil, err
		}
	}
	remotes, err := rcloneconf.Read(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(names) == 0 {
		for _, remote := range remotes {
			if remote.Type() == dropboxType {
				names = append(names, remote.Name)
			}
		}
	}
	var found []candidate
	for n, name := range names {
		name = strings.TrimSuffix(name, ":") // as rclone's commands have it
		if slices.Contains(names[:n], name) {
			continue
		}
		c := candidate{name: name, config: name, where: path}
		if i.configAsked {
			c.config = i.program.config
		}
		at := slices.IndexFunc(remotes, func(r rcloneconf.Remote) bool { return r.Name == name })
		if at < 0 {
			c.err = &failure{
				err:     authring.ErrNotLinked,
				message: fmt.Sprintf("there is no such remote in %s", path),
				hint:    "See which there are: rclone listremotes",
			}
		} else {
			c.err = i.rcloneRemote(&c, remotes[at])
		}
		found = append(found, c)
	}
	return found, nil
}

// unreadable says why a configuration of rclone's is of no use here.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, rcloneconf.ErrEncrypted):
		return &failure{
			err:     err,
			message: fmt.Sprintf("%s is encrypted by rclone, which alone can read it", path),
			hint: "Have rclone write the remote into a file of its own, import that, and delete it:\n" +
				"  (umask 077; rclone config show REMOTE > remote.conf)\n" +
				"  authring import rclone REMOTE --config remote.conf; rm remote.conf",
		}
	case errors.Is(err, fs.ErrNotExist):
		return &failure{
			err:     err,
			message: fmt.Sprintf("there is no rclone configuration at %s", path),
			hint:    "Say where it is with --config FILE; rclone config file tells.",
		}
	default:
		return err
	}
}

// rcloneRemote reads the grant of one remote, and says why it is of no use
// outside of rclone where it is not.
func (i *importing) rcloneRemote(c *candidate, remote rcloneconf.Remote) error {
	unfit := func(why, hint string) error {
		return &failure{err: authring.ErrInvalidToken, message: why, hint: hint}
	}
	anew := "Link anew instead: " + i.named(c.config, "link")
	if err := record.CheckConfigName(c.config); err != nil {
		return &failure{err: err, hint: "Give it another name: " + i.again(c.name, "-c", "NAME")}
	}
	if remote.Type() != dropboxType {
		return unfit(fmt.Sprintf("it is a remote of the type %q, and only those of the type dropbox can be imported", remote.Type()),
			"See which those are: rclone listremotes --long")
	}
	from, err := i.dropbox()
	if err != nil {
		return err
	}
	for key, ours := range map[string]string{"auth_url": from.AuthURL, "token_url": from.TokenURL} {
		if theirs := remote.Get(key); theirs != "" && theirs != ours {
			return unfit("it is with another server than "+from.Title, anew)
		}
	}
	token, err := remote.Token()
	if err != nil {
		return unfit(err.Error(), "Give rclone access first (rclone config reconnect), or link anew: "+i.named(c.config, "link"))
	}
	grant := authring.Grant{AppKey: remote.Get("client_id"), From: "rclone"}
	switch {
	case token.Refresh.IsZero() && !token.Expiry.IsZero():
		return unfit("it has an access token that is good for some hours only, and no refresh token", anew)
	case token.Refresh.IsZero():
		grant.TokenAccessType, grant.Secret = authring.Legacy, token.Access
	case remote.Get("client_secret") != "":
		return unfit("its app has a client_secret: its refresh token can be used only with that, which authring does not keep", anew)
	case grant.AppKey == "":
		return unfit("it uses rclone's own app, whose secret is part of rclone: its refresh token is of no use to other programs", anew)
	default:
		grant.TokenAccessType, grant.Secret = authring.Offline, token.Refresh
	}
	c.rec.TokenAccessType = string(grant.TokenAccessType)
	c.grant = func(context.Context) (authring.Grant, error) { return grant, nil }
	return nil
}
