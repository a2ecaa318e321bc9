package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
)

// Keyring holds the keys that are derived from TOCSIN_SECRET_KEY, one for each use, so
// that a disclosed key does not affect the others.
type Keyring struct {
	integration []byte
	link        []byte
	device      []byte
	seal        cipher.AEAD
}

// KeySize is how many bytes a secret key has.
const KeySize = 32

// NewKeyring derives the keys (HKDF with SHA-256).
func NewKeyring(secret []byte) (*Keyring, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("a secret key has %d bytes, not %d", KeySize, len(secret))
	}
	derive := func(use string) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "tocsin/"+use+"/1", KeySize)
	}
	integration, err := derive("integration-key")
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	link, err := derive("page-link")
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	device, err := derive("device")
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	sealing, err := derive("seal")
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	return &Keyring{integration: integration, link: link, device: device, seal: seal}, nil
}

// IntegrationHMAC is the HMAC of an integration's key, by which it is looked up.
func (k *Keyring) IntegrationHMAC(key string) []byte {
	mac := hmac.New(sha256.New, k.integration)
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// sealed1 is the first byte of the present format: then follow a random nonce of 96
// bits,
// the AES-256-GCM ciphertext and the tag. The byte is authenticated.
const sealed1 = 1

// Seal encrypts a secret that must be shown again, such as an integration's key. The
// result differs each time.
func (k *Keyring) Seal(secret string) []byte {
	return k.seal.Seal([]byte{sealed1}, nil, []byte(secret), []byte{sealed1}) //nolint:gosec // the cipher makes its own random nonce, so none is given
}

var errUnsealable = errors.New("sealed with another key, or damaged")

// Unseal returns what was sealed. It fails where the secret key is another
// one or the bytes were changed.
func (k *Keyring) Unseal(sealed []byte) (string, error) {
	if len(sealed) == 0 || sealed[0] != sealed1 {
		return "", errUnsealable
	}
	secret, err := k.seal.Open(nil, nil, sealed[1:], sealed[:1])
	if err != nil {
		return "", errUnsealable
	}
	return string(secret), nil
}

// IntegrationKeySize is the length of a key in characters: clients of the PagerDuty
// Events API refuse any other length.
const IntegrationKeySize = 32

// NewIntegrationKey makes a key of 32 digits and lower-case letters (165 bits).
func NewIntegrationKey() string { return randomText(IntegrationKeySize) }

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

// randomText is n random characters of an alphabet that can be read out, typed, and
// selected by a double click.
func randomText(n int) string {
	size := big.NewInt(int64(len(alphabet)))
	text := make([]byte, n)
	for i := range text {
		// The runtime's source of randomness does not fail.
		c, err := rand.Int(rand.Reader, size)
		if err != nil {
			panic(err)
		}
		text[i] = alphabet[c.Int64()]
	}
	return string(text)
}
