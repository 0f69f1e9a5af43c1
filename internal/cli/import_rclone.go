package cli

import (
	"cmp"
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

// shortLived begins every access token of Dropbox that ends after some hours.
const shortLived = "sl."

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
		return nil, i.unreadable(path, names, err)
	}
	if len(names) == 0 {
		for _, remote := range remotes {
			if remote.Type() == dropboxType {
				names = append(names, remote.Name)
			}
		}
	}
	var found []candidate
	for _, name := range names {
		name = strings.TrimSuffix(name, ":") // as rclone's commands have it
		if slices.ContainsFunc(found, func(c candidate) bool { return c.name == name }) {
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
				hint:    "See which there are: rclone listremotes" + i.rcloneFile(),
			}
		} else {
			c.err = i.rcloneRemote(&c, remotes[at])
		}
		found = append(found, c)
	}
	return found, nil
}

// unreadable says why a configuration of rclone's is of no use here.
func (i *importing) unreadable(path string, names []string, err error) error {
	input := fmt.Errorf("%w: %w", errInput, err)
	switch {
	case errors.Is(err, rcloneconf.ErrEncrypted):
		remote := "REMOTE"
		if len(names) == 1 {
			remote = strings.TrimSuffix(names[0], ":")
		}
		return &failure{
			err:     input,
			message: fmt.Sprintf("%s is encrypted by rclone, which alone can read it", path),
			// rclone asks on its standard output, which is the file here.
			hint: "Have rclone write the remote into a file of its own, import that, and delete it.\n" +
				"rclone waits, with no word on the screen, for the password of its configuration:\n" +
				"  (umask 077; rclone config show " + shellQuote(remote) + i.rcloneFile() + " > remote.conf)\n" +
				"  " + i.again(remote, "--config", "remote.conf") + "; rm remote.conf",
		}
	case errors.Is(err, fs.ErrNotExist):
		return &failure{
			err:     input,
			message: fmt.Sprintf("there is no rclone configuration at %s", path),
			hint:    "Say where it is with --config FILE; rclone config file tells.",
		}
	default:
		return &failure{err: input, message: err.Error()}
	}
}

// rcloneFile has rclone's own commands use the file that was given.
func (i *importing) rcloneFile() string {
	if i.file == "" {
		return ""
	}
	return " --config " + shellQuote(i.file)
}

// rcloneRemote reads the grant of one remote, and says why it is of no use
// outside of rclone where it is not.
func (i *importing) rcloneRemote(c *candidate, remote rcloneconf.Remote) error {
	unfit := func(why, hint string) error {
		return &failure{err: authring.ErrInvalidToken, message: why, hint: hint}
	}
	appKey := cmp.Or(remote.Get("client_id"), i.appKey)
	var ownApp []string // of which the user has the app key
	if appKey != "" {
		ownApp = []string{"--app-key", appKey}
	}
	anew := "Link anew instead: " + i.named(c.config, "link", ownApp...)
	if err := record.CheckConfigName(c.config); err != nil {
		return &failure{err: err, hint: "Give it another name: " + i.again(c.name, "-c", "NAME")}
	}
	if remote.Type() != dropboxType {
		return unfit(fmt.Sprintf("it is a remote of the type %q, and only those of the type dropbox can be imported", remote.Type()),
			"See which those are: rclone listremotes --long"+i.rcloneFile())
	}
	from, err := i.inCode(dropboxType)
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
		return unfit(err.Error(), "Give rclone access first (rclone config reconnect "+shellQuote(c.name+":")+"), or link anew: "+i.named(c.config, "link", ownApp...))
	}
	grant := authring.Grant{AppKey: appKey, From: "rclone"}
	switch {
	case token.Refresh.IsZero() && (!token.Expiry.IsZero() || strings.HasPrefix(token.Access.Reveal(), shortLived)):
		return unfit("it has an access token that is good for some hours only, and no refresh token", anew)
	case token.Refresh.IsZero():
		grant.TokenAccessType, grant.Secret = authring.Legacy, token.Access
	case remote.Get("client_secret") != "":
		return unfit("its app has a client_secret: its refresh token can be used only with that, which authring does not keep", anew)
	case grant.AppKey == "":
		return unfit("it uses rclone's own app, whose secret is part of rclone: its refresh token is of no use to other programs",
			anew+"\nIf it was made with an app of yours, which the file does not name: "+i.again(c.name, "--app-key", "KEY"))
	default:
		grant.TokenAccessType, grant.Secret = authring.Offline, token.Refresh
	}
	c.rec.TokenAccessType = string(grant.TokenAccessType)
	c.grant = func(context.Context) (authring.Grant, error) { return grant, nil }
	return nil
}
