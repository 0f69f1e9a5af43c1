package agentclient

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

var (
	errTooLong   = errors.New("its answer is too long")
	errMalformed = errors.New("its answer is malformed")
)

// mostLines is how many lines an answer's header may have, with those of the
// interim answers before it.
const mostLines = 1024

// readReply reads the answer to a request that ended with "Connection: close"
// (RFC 9112). Interim answers (RFC 9110 section 15.2) are passed over. The body
// has a Content-Length or ends with the connection; what is cut short is an
// error.
func readReply(from io.Reader) (status int, body []byte, err error) {
	r := bufio.NewReaderSize(from, 4<<10)
	lines := 0
	for {
		length := -1
		line, err := readLine(r, &lines)
		if err != nil {
			return 0, nil, err
		}
		// status-line = HTTP-version SP status-code SP [ reason-phrase ]
		version, rest, _ := strings.Cut(line, " ")
		code, _, _ := strings.Cut(rest, " ")
		status, ok := digits(code)
		if version != "HTTP/1.1" || len(code) != 3 || !ok || status < 100 {
			return 0, nil, errMalformed
		}
		for {
			if line, err = readLine(r, &lines); err != nil {
				return 0, nil, err
			}
			if line == "" {
				break
			}
			name, value, found := strings.Cut(line, ":")
			if !found {
				return 0, nil, errMalformed
			}
			value = strings.Trim(value, " \t")
			switch {
			case strings.EqualFold(name, "Content-Length"):
				n, ok := digits(value)
				if !ok || length >= 0 && n != length {
					return 0, nil, errMalformed
				}
				length = n
			case strings.EqualFold(name, "Transfer-Encoding"):
				return 0, nil, errMalformed // the agent never does that
			}
		}
		if status < 200 {
			continue
		}
		if length > longestReply {
			return 0, nil, errTooLong
		}
		if length >= 0 {
			// That the agent closes the connection then is not waited for.
			body = make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				return 0, nil, io.ErrUnexpectedEOF
			}
			return status, body, nil
		}
		body, err := io.ReadAll(io.LimitReader(r, longestReply+1))
		switch {
		case len(body) > longestReply:
			return 0, nil, errTooLong
		case err != nil:
			return 0, nil, err
		}
		return status, body, nil
	}
}

func readLine(r *bufio.Reader, lines *int) (string, error) {
	if *lines++; *lines > mostLines {
		return "", errTooLong
	}
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errTooLong
	case errors.Is(err, io.EOF):
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

// digits reads a number of at most nine digits, and nothing else.
func digits(text string) (int, bool) {
	if text == "" || len(text) > 9 {
		return 0, false
	}
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = 10*n + int(text[i]-'0')
	}
	return n, true
}

// parseToken reads the members of a token.
func parseToken(body []byte) (Reply, error) {
	var reply Reply
	expires := ""
	err := parseObject(body, func(name, value string) {
		switch name {
		case "access_token":
			reply.AccessToken = value
		case "token_type":
			reply.TokenType = value
		case "expires_at":
			expires = value
		case "scope":
			reply.Scope = value
		case "config":
			reply.Config = value
		case "account_id":
			reply.AccountID = value
		case "provider":
			reply.Provider = value
		}
	}, nil)
	if err == nil && expires != "" {
		reply.ExpiresAt, err = time.Parse(time.RFC3339, expires)
	}
	if err == nil && !fits(reply.AccessToken) {
		err = errMalformed
	}
	if err != nil {
		return Reply{}, errors.Join(ErrFailed, errMalformed)
	}
	return reply, nil
}

// fits reports whether a token can be sent in a header (RFC 6750 section 2.1),
// so that none can end the line that it is printed on.
func fits(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return token != ""
}

// parseError reads the members of an error.
func parseError(status int, body []byte) error {
	e := &AgentError{Status: status}
	err := parseObject(body, func(name, value string) {
		switch name {
		case "error":
			e.Code = value
		case "message":
			e.Message = value
		case "hint":
			e.Hint = value
		}
	}, func(name, number string) {
		if n, ok := digits(number); ok && name == "exit_code" {
			e.ExitCode = n
		}
	})
	if err != nil || e.Code == "" || e.Message == "" || e.ExitCode <= 0 || e.ExitCode > 255 {
		return errors.Join(ErrFailed, errors.New("status "+strconv.Itoa(status)))
	}
	return e
}
