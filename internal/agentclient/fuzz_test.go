package agentclient_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/authring/authring/internal/agentclient"
)

// FuzzReadReply holds the reader of answers to its bounds.
func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{\"a\":1}",
		"HTTP/1.1 200 OK\nContent-Length: 5\n\nab",
		"HTTP/1.1 503 \r\nContent-Length: 999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.0 200\r\n\r\n", "SSH-2.0-x\r\n", "", "\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		status, body, err := agentclient.ReadReply(bytes.NewReader(data))
		if err == nil && (status < 200 || status > 999 || len(body) > agentclient.LongestReply || len(body) > len(data)) {
			t.Errorf("ReadReply = %d, %d bytes of body", status, len(body))
		}
	})
}

// FuzzParseObject compares the reader of objects with package encoding/json:
// what it takes, that takes, with the same values.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"access_token":"sl.x","expires_at":null,"n":4}`, ` { "a" : "b\n\u00e9\ud83d\ude00" , "c":[1,{"d":[]}] } `,
		`{"a":"\ud83d"}`, `{"a":"\ud83d\u0041"}`, `{"a":-0.5e+7,"b":true,"c":false}`, `{"a":01}`, `{"a":1,}`, `{"a" "b"}`,
		`{"a":"b"} x`, `[]`, `{"a":"` + "\x00" + `"}`, `{"a":"` + "\xff" + `"}`, `{"a":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}`, `{"a":"\x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		texts, numbers := map[string]string{}, map[string]string{}
		err := agentclient.ParseObject(data,
			func(name, value string) { texts[name] = value; delete(numbers, name) },
			func(name, value string) { numbers[name] = value; delete(texts, name) })
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(data, &want)
		if want == nil && wantErr == nil {
			wantErr = errors.New("null is no object")
		}
		if err == nil && wantErr != nil {
			t.Fatalf("took %q, which is no object: %v", data, wantErr)
		}
		if err != nil {
			// It is stricter about what is not UTF-8, and about depth.
			if wantErr == nil && utf8.Valid(data) && bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) < 16 {
				t.Fatalf("refused %q", data)
			}
			return
		}
		for name, value := range texts {
			raw, ok := want[name]
			var meant string
			if !ok || json.Unmarshal(raw, &meant) == nil && raw[0] == '"' && meant != value {
				t.Errorf("%q: member %q is %q, want %q", data, name, value, meant)
			}
		}
		for name, value := range numbers {
			if raw, ok := want[name]; !ok || raw[0] != '"' && raw[0] != '{' && raw[0] != '[' && raw[0] != 't' && raw[0] != 'f' && raw[0] != 'n' && string(raw) != value {
				t.Errorf("%q: member %q is %s, want %s", data, name, value, raw)
			}
		}
	})
}

// FuzzParse feeds the readers of a token and of an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"access_token":"sl.x","token_type":"Bearer","expires_at":"2026-01-02T03:04:05Z","config":"work","account_id":"dbid:x","provider":"dropbox"}`))
	f.Add([]byte(`{"access_token":"a\nb"}`))
	f.Add([]byte(`{"error":"not-linked","message":"no","exit_code":3,"hint":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if reply, err := agentclient.ParseToken(data); err == nil {
			if reply.AccessToken == "" || bytes.ContainsAny([]byte(reply.AccessToken), "\r\n\x00 ") {
				t.Errorf("took the token %q", reply.AccessToken)
			}
		} else if !agentclient.Fallback(err) {
			t.Errorf("%v is no reason to do without the agent", err)
		}
		err := agentclient.ParseError(500, data)
		var answer *agentclient.AgentError
		if !errors.As(err, &answer) && !errors.Is(err, agentclient.ErrFailed) {
			t.Errorf("ParseError = %v", err)
		}
	})
}
