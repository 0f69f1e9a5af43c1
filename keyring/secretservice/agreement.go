package secretservice

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// The key agreement of the Secret Service specification, section "Transfer of
// Secrets", algorithm dh-ietf1024-sha256-aes128-cbc-pkcs7.
const algorithmDH = "dh-ietf1024-sha256-aes128-cbc-pkcs7"

const (
	groupSize = 128 // bytes of the prime
	// exponentSize is twice the strength of the AES key that results, as RFC
	// 2409, section 6.2 and RFC 3526, section 8 want it. A full-size exponent
	// would take four times as long and gain nothing.
	exponentSize = 32
	keySize      = 16
)

// groupPrime returns the Second Oakley Group (RFC 2409, section 6.2), whose
// generator is 2.
func groupPrime() *big.Int {
	p, _ := new(big.Int).SetString(""+
		"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"+
		"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"+
		"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"+
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF", 16)
	return p
}

// keyPair is our side of one agreement.
type keyPair struct {
	prime, private *big.Int
	public         []byte
}

func newKeyPair() (*keyPair, error) {
	pair := &keyPair{prime: groupPrime()}
	exponent := make([]byte, exponentSize)
	for {
		if _, err := rand.Read(exponent); err != nil {
			return nil, fmt.Errorf("could not make a key: %w", err)
		}
		pair.private = new(big.Int).SetBytes(exponent)
		public := new(big.Int).Exp(big.NewInt(2), pair.private, pair.prime)
		pair.public = public.FillBytes(make([]byte, groupSize))
		// kwalletd5 takes a public key for another one if it starts with FF,
		// and might if it starts with 00, which others would leave out.
		if pair.public[0] != 0x00 && pair.public[0] != 0xff {
			return pair, nil
		}
	}
}

// agree returns the AES key shared with the owner of the public key peer.
func (pair *keyPair) agree(peer []byte) ([]byte, error) {
	// Some send leading zeros that are not needed, or leave out those that are.
	if len(peer) > 2*groupSize {
		return nil, fmt.Errorf("%w: its public key is too long", errSession)
	}
	y := new(big.Int).SetBytes(peer)
	// 0, 1 and p-1 lead to a key that anyone can guess, whatever our exponent
	// is (NIST SP 800-56A, section 5.6.2.3.1). The prime is a safe one: there
	// are no other small subgroups.
	last := new(big.Int).Sub(pair.prime, big.NewInt(1))
	if y.Cmp(big.NewInt(1)) <= 0 || y.Cmp(last) >= 0 {
		return nil, fmt.Errorf("%w: its public key is not acceptable", errSession)
	}
	shared := y.Exp(y, pair.private, pair.prime).FillBytes(make([]byte, groupSize))
	if shared[0] == 0 {
		// gnome-keyring and KeePassXC keep the zeros in front, kwalletd5 leaves
		// them out and so has another key than we (and does not notice, once
		// in 256 times). A secret that is written the same way by all is one
		// in which there are none.
		return nil, errLeadingZero
	}
	key, err := hkdf.Key(sha256.New, shared, nil, "", keySize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSession, err)
	}
	return key, nil
}
