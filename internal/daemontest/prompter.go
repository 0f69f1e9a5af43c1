package daemontest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

const (
	prompterName     = "org.gnome.keyring.SystemPrompter"
	prompterCallback = "org.gnome.keyring.internal.Prompter.Callback"
)

// Answer is what the person before the screen does with one question.
type Answer struct {
	password string
	cancel   bool
	nothing  bool
	gate     <-chan struct{}
}

// Type answers with a password, and agrees to a question for none.
func Type(password string) Answer { return Answer{password: password} }

// Cancel turns the question down.
func Cancel() Answer { return Answer{cancel: true} }

// Ignore lets the question stand.
func Ignore() Answer { return Answer{nothing: true} }

// After answers once gate is closed.
func After(gate <-chan struct{}, answer Answer) Answer {
	answer.gate = gate
	return answer
}

// Prompter asks for the passwords of gnome-keyring in place of the desktop.
type Prompter struct {
	// Asked gets a value for each question, Withdrawn for each conversation
	// that gnome-keyring ended. Both have room for many.
	Asked, Withdrawn <-chan struct{}

	bus       *dbus.Conn
	asked     chan struct{}
	withdrawn chan struct{}
	answers   []Answer
	exchange  exchange
}

// StartPrompter answers the questions in turn; those that come later are left
// standing.
func StartPrompter(tb testing.TB, d *Desk, answers ...Answer) *Prompter {
	tb.Helper()
	p := &Prompter{
		bus: d.Connect(tb), answers: answers,
		asked: make(chan struct{}, 64), withdrawn: make(chan struct{}, 64),
	}
	p.Asked, p.Withdrawn = p.asked, p.withdrawn
	p.exchange = newExchange()
	reply, err := p.bus.RequestName(prompterName, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		tb.Fatalf("could not become the prompter: %v %v", reply, err)
	}
	// The messages are handled here, one after the other: gnome-keyring waits
	// for ever if PromptReady reaches it before the answer to BeginPrompting,
	// and exported methods answer after they return.
	messages := make(chan *dbus.Message, 64)
	p.bus.Eavesdrop(messages)
	end := make(chan struct{})
	tb.Cleanup(func() {
		// Before the connection is closed, which closes the channel under the
		// hands of the reader.
		p.bus.Eavesdrop(nil)
		close(end)
	})
	go p.serve(messages, end)
	return p
}

func (p *Prompter) serve(messages <-chan *dbus.Message, end <-chan struct{}) {
	for {
		select {
		case message, open := <-messages:
			if !open {
				return
			}
			if message.Type == dbus.TypeMethodCall {
				p.handle(message)
			}
		case <-end:
			return
		}
	}
}

func (p *Prompter) handle(call *dbus.Message) {
	member, _ := call.Headers[dbus.FieldMember].Value().(string)
	sender, _ := call.Headers[dbus.FieldSender].Value().(string)
	if len(call.Body) == 0 {
		return
	}
	callback, _ := call.Body[0].(dbus.ObjectPath)
	p.bus.Send(&dbus.Message{
		Type: dbus.TypeMethodReply,
		Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(sender),
			dbus.FieldReplySerial: dbus.MakeVariant(call.Serial()),
		},
	}, make(chan *dbus.Call, 1))
	back := func(method string, args ...any) {
		p.bus.Object(sender, callback).Go(prompterCallback+"."+method, dbus.FlagNoReplyExpected, make(chan *dbus.Call, 1), args...)
	}
	switch member {
	case "BeginPrompting":
		back("PromptReady", "", map[string]dbus.Variant{}, p.exchange.begin())
	case "PerformPrompt":
		if len(call.Body) != 4 {
			return
		}
		theirs, _ := call.Body[3].(string)
		p.asked <- struct{}{}
		answer := Ignore()
		if len(p.answers) > 0 {
			answer, p.answers = p.answers[0], p.answers[1:]
		}
		reply := func() {
			switch {
			case answer.nothing:
			case answer.cancel:
				back("PromptReady", "no", map[string]dbus.Variant{}, p.exchange.begin())
			default:
				back("PromptReady", "yes", map[string]dbus.Variant{}, p.exchange.send(theirs, answer.password))
			}
		}
		if answer.gate == nil {
			reply()
			return
		}
		go func() {
			select {
			case <-answer.gate:
				reply()
			case <-p.bus.Context().Done():
			}
		}()
	case "StopPrompting":
		p.withdrawn <- struct{}{}
		back("PromptDone")
	}
}

// exchange is our side of gcr's "sx-aes-1": a password crosses the bus
// encrypted under a key agreed on by both sides.
type exchange struct{ private, public *big.Int }

// modp1536 is the 1536-bit MODP group of RFC 3526, section 2.
var modp1536, _ = new(big.Int).SetString(""+
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"+
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"+
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"+
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"+
	"98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"+
	"9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF", 16)

func newExchange() exchange {
	exponent := make([]byte, 32)
	_, _ = rand.Read(exponent)
	private := new(big.Int).SetBytes(exponent)
	return exchange{private, new(big.Int).Exp(big.NewInt(2), private, modp1536)}
}

func (e exchange) begin() string {
	return "[sx-aes-1]\npublic=" + base64.StdEncoding.EncodeToString(e.public.Bytes()) + "\n"
}

func (e exchange) send(theirs, password string) string {
	var public []byte
	for line := range strings.Lines(theirs) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "public="); ok {
			public, _ = base64.StdEncoding.DecodeString(value)
		}
	}
	shared := new(big.Int).Exp(new(big.Int).SetBytes(public), e.private, modp1536)
	// gcr leaves out the zeros in front.
	key, err := hkdf.Key(sha256.New, shared.Bytes(), nil, "", aes.BlockSize)
	if err != nil {
		panic(fmt.Sprintf("daemontest: no key for the prompter: %v", err))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("daemontest: no cipher for the prompter: %v", err))
	}
	pad := aes.BlockSize - len(password)%aes.BlockSize
	text := append([]byte(password), strings.Repeat(string(rune(pad)), pad)...)
	iv := make([]byte, aes.BlockSize)
	_, _ = rand.Read(iv)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return e.begin() +
		"secret=" + base64.StdEncoding.EncodeToString(text) + "\n" +
		"iv=" + base64.StdEncoding.EncodeToString(iv) + "\n"
}
