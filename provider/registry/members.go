package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// checkMembers refuses what encoding/json lets through: a member twice, of which
// the last would count while a reader may see the first, and one in capitals,
// which is another name. The data is JSON.
func checkMembers(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var open []map[string]bool // of each value that is open its members; nil for an array
	name := false              // whether a string would be a member's name
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil // the end
		}
		switch text, isText := token.(string); {
		case token == json.Delim('{'):
			open, name = append(open, map[string]bool{}), true
			continue
		case token == json.Delim('['):
			open, name = append(open, nil), false
			continue
		case token == json.Delim('}'), token == json.Delim(']'):
			open = open[:len(open)-1]
		case isText && name:
			members := open[len(open)-1]
			switch {
			case members[text]:
				return fmt.Errorf("it has the member %.40q twice", text)
			case len(open) == 1 && text != strings.ToLower(text):
				return fmt.Errorf("it has the member %.40q, and members are lower case", text)
			}
			members[text], name = true, false
			continue
		}
		// A value has ended, and the next string is a name if it was a member.
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
