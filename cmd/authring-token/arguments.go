package main

import (
	"strings"
	"time"

	"github.com/authring/authring/internal/agentclient"
)

// parse reads the arguments of "authring token". Those that are not known
// here, or not written like these, are for authring to read.
func parse(args []string) (request agentclient.Request, prefix string, ok bool) {
	for ; len(args) > 0; args = args[1:] {
		name, value, joined := strings.Cut(args[0], "=")
		switch name {
		case "--header":
			if joined {
				return agentclient.Request{}, "", false
			}
			prefix = "Authorization: Bearer "
			continue
		case "--no-input":
			if joined {
				return agentclient.Request{}, "", false
			}
			continue
		case "--config-name", "--min-valid":
		case "-c":
			if joined {
				return agentclient.Request{}, "", false
			}
		default:
			return agentclient.Request{}, "", false
		}
		if !joined {
			if args = args[1:]; len(args) == 0 {
				return agentclient.Request{}, "", false
			}
			value = args[0]
		}
		if name != "--min-valid" {
			if value == "" {
				return agentclient.Request{}, "", false
			}
			request.Config = value
			continue
		}
		valid, err := time.ParseDuration(value)
		if err != nil || valid <= 0 {
			return agentclient.Request{}, "", false
		}
		request.MinValid = valid
	}
	return request, prefix, true
}
