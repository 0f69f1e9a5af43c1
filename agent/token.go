package agent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/record"
)

// tokenReply is an access token. Its members are those that the command line
// tool prints, and promises, and the provider, whose hosts alone may get it.
type tokenReply struct {
	AccessToken string  `json:"access_token"`
	TokenType   string  `json:"token_type"`
	ExpiresAt   *string `json:"expires_at"`
	Scope       string  `json:"scope,omitempty"`
	Config      string  `json:"config"`
	AccountID   string  `json:"account_id"`
	Provider    string  `json:"provider"`
}

// readAsk reads the query of a request for a token.
func (a *Agent) readAsk(query url.Values) (Ask, error) {
	link, err := a.readLink(query, "min_valid", "fresh", "scope")
	if err != nil {
		return Ask{}, err
	}
	ask := Ask{Link: link}
	if query.Has("min_valid") {
		ask.MinValid, err = time.ParseDuration(query.Get("min_valid"))
		if err != nil || ask.MinValid < 0 {
			return Ask{}, badRequest("min_valid is not a length of time such as 5m or 1h30m")
		}
	}
	if query.Has("fresh") {
		switch query.Get("fresh") {
		case "false":
		case "true":
			ask.Fresh = true
		default:
			return Ask{}, badRequest("fresh is not true or false")
		}
	}
	if query.Has("scope") {
		// An empty one must not be taken for the whole scope.
		ask.Scope = strings.Fields(query.Get("scope"))
		if len(ask.Scope) == 0 {
			return Ask{}, badRequest("scope names none")
		}
	}
	return ask, nil
}

// readLink reads which link a query is about, and refuses members that have no
// meaning, so that none is thought to have had one.
func (a *Agent) readLink(query url.Values, others ...string) (Link, error) {
	for name, values := range query {
		if name != "config" && name != "app" && !slices.Contains(others, name) {
			return Link{}, badRequest("there is no such parameter; there are config, app, min_valid, fresh and scope")
		}
		if len(values) != 1 {
			return Link{}, badRequest(name + " is given more than once")
		}
	}
	link := Link{App: record.DefaultApp, Config: defaultConfig}
	if a.config.Only != nil {
		link = *a.config.Only
	}
	asked := link
	if query.Has("app") {
		asked.App = query.Get("app")
	}
	if query.Has("config") {
		asked.Config = query.Get("config")
	}
	if a.config.Only != nil && asked != link {
		return Link{}, &RefusedError{
			Message: fmt.Sprintf("this socket gives access tokens of the link %q only", link.Config),
			Hint:    "Ask for that one, or name none.",
		}
	}
	if err := record.CheckConfigName(asked.Config); err != nil {
		return Link{}, err
	}
	if asked.App != record.DefaultApp {
		if _, err := record.NewLayout(asked.App); err != nil {
			return Link{}, err
		}
	}
	return asked, nil
}

// defaultConfig is the link of a request that names none, as of the tool.
const defaultConfig = "default"

// answer does what a request for a token asks for.
func (a *Agent) answer(ctx context.Context, ask Ask) (*tokenReply, error) {
	entry := Entry{Ask: ask, Outcome: "ok"}
	reply, err := a.tokenFor(ctx, ask, &entry)
	if err != nil {
		entry.Outcome, _ = faultOf(err)
		entry.Scope = nil
		var refused *RefusedError
		if errors.As(err, &refused) {
			entry.Rule, entry.Note = refused.Rule, refused.Note
		}
	}
	if a.config.Audit != nil {
		entry.Time = time.Now()
		a.config.Audit(entry)
	}
	return reply, err
}

func (a *Agent) tokenFor(ctx context.Context, ask Ask, entry *Entry) (*tokenReply, error) {
	scope := ask.Scope
	if a.config.Authorize != nil {
		answer, err := a.config.Authorize(ctx, ask)
		if err != nil {
			return nil, err
		}
		entry.Rule, entry.Note = answer.Rule, answer.Note
		if answer.Scope != nil {
			scope = answer.Scope
		}
	}
	entry.Scope = scope
	var opts []authring.TokenOption
	if ask.MinValid > 0 {
		opts = append(opts, authring.MinValid(ask.MinValid))
	}
	if ask.Fresh {
		opts = append(opts, authring.Fresh())
	}
	key := ""
	if scope != nil {
		opts = append(opts, authring.Scope(scope...))
		key = strings.Join(slices.Sorted(slices.Values(scope)), " ")
	}
	// The link may be changed while a refresh is under way. Nothing that was
	// had before is handed out afterwards.
	for range 3 {
		token, reply, err := a.tokenOf(ctx, ask, key, opts)
		if errors.Is(err, errChanged) {
			continue
		}
		if err == nil {
			entry.Expires = token.Expires
		}
		return reply, err
	}
	return nil, errChanged
}

// errChanged: the link is not the one that it was as the request came.
var errChanged = errors.New("the link was changed while its token was asked for, again and again")

func (a *Agent) tokenOf(ctx context.Context, ask Ask, key string, opts []authring.TokenOption) (authring.Token, *tokenReply, error) {
	h, err := a.acquire(ask, key)
	if err != nil {
		return authring.Token{}, nil, err
	}
	defer a.release(h)
	leave, err := a.enter(h, ask, key)
	if err != nil {
		return authring.Token{}, nil, err
	}
	defer leave()
	token, err := h.session.Token(ctx, opts...)
	switch {
	case errors.Is(err, authring.ErrNotLinked):
		a.mu.Lock()
		a.drop(h) // there is nothing to hold
		a.mu.Unlock()
		return token, nil, err
	case err != nil:
		return token, nil, err
	}
	reply := &tokenReply{
		AccessToken: token.AccessToken.Reveal(), TokenType: token.TokenType, Scope: token.Scope,
		Config: ask.Config, AccountID: h.session.AccountID(), Provider: h.session.Provider().Name,
	}
	if !token.Expires.IsZero() {
		at := token.Expires.UTC().Format(time.RFC3339)
		reply.ExpiresAt = &at
	}
	if !a.current(h) {
		return token, nil, errChanged
	}
	a.learn(h, key, token)
	return token, reply, nil
}
