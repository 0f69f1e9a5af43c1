package main

import (
	"context"
	"time"

	"github.com/authring/authring/internal/agentclient"
)

// patience is how long the agent may take for what it has at hand. Authring
// tells its user what is awaited if it takes longer.
const patience = 250 * time.Millisecond

func ask(path string, request agentclient.Request) (agentclient.Reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return agentclient.Token(ctx, path, request)
}
