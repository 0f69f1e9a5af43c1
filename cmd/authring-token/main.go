// Command authring-token is "authring token" for those who ask often: it takes
// the same arguments, prints the token that the agent has at hand, and leaves
// everything else to authring. It starts in about the time of an empty program,
// since it links next to nothing; see docs/performance.md.
package main

import (
	"context"
	"os"
	"time"

	"github.com/authring/authring/internal/agentclient"
)

// patience is how long the agent may take for what it has at hand. Authring
// tells its user what is awaited if it takes longer.
const patience = 250 * time.Millisecond

func main() {
	if line, ok := answer(os.Args[1:], os.Getenv); ok {
		if _, err := os.Stdout.WriteString(line); err == nil {
			return
		}
	}
	os.Exit(handOver(append([]string{"authring", "token"}, os.Args[1:]...)))
}

// answer is what "authring token" prints, if args are in a form that is known
// here and the agent has a token.
func answer(args []string, getenv func(string) string) (line string, ok bool) {
	request, prefix, ok := parse(args)
	if !ok {
		return "", false
	}
	at, err := agentclient.Locate(getenv)
	if err != nil {
		return "", false
	}
	if !at.Named {
		// A socket that was named may be that of one link, which is meant
		// where none is given.
		request.Realm, request.App = at.Realm, "authring"
		if request.Config == "" {
			request.Config = "default"
		}
	}
	request.Patience = patience
	reply, err := agentclient.Token(context.Background(), at.Path, request)
	if err != nil || reply.TokenType != "Bearer" {
		return "", false // another type is for authring to explain
	}
	return prefix + reply.AccessToken + "\n", true
}
