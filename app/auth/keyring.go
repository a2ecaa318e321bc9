package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
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
	form        cipher.AEAD
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
	k := &Keyring{integration: integration, link: link, device: device}
	for use, into := range map[string]*cipher.AEAD{"seal": &k.seal, "form": &k.form} {
		key, err := derive(use)
		if err != nil {
			return nil, fmt.Errorf("derive keys: %w", err)
		}
		if *into, err = newAEAD(key); err != nil {
			return nil, fmt.Errorf("derive keys: %w", err)
		}
	}
	return k, nil
}

// newAEAD is AES-256-GCM that makes its own random nonces.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// IntegrationHMAC is the HMAC of an integration's key, by which it is looked up.
func (k *Keyring) IntegrationHMAC(key string) []byte {
	mac := hmac.New(sha256.New, k.integration)
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// sealed1 is the first byte of the present format: then follow a random nonce of 96
// bits, the AES-256-GCM ciphertext and the tag. The byte is authenticated.
const sealed1 = 1

// Seal encrypts a secret that must be shown again, such as an integration's key. The
// result differs each time.
func (k *Keyring) Seal(secret string) []byte {
	return k.seal.Seal([]byte{sealed1}, nil, []byte(secret), []byte{sealed1}) //nolint:gosec // the cipher makes its own random nonce, so none is given
}

// FormUse is what a sealed form is for. One cannot be sent as another.
type FormUse string

// The uses.
const (
	PendingForm    FormUse = "pending"         // waits for a sign-in
	ChannelSecrets FormUse = "channel secrets" // typed, and not saved yet
)

func (u FormUse) additional() []byte { return append([]byte{sealed1}, u...) }

// SealForm encrypts what a page carries in a hidden field, for the same installation to
// read when the form is sent for the same use. Whoever seals it puts an expiry into it.
func (k *Keyring) SealForm(use FormUse, content []byte) string {
	return base64.RawURLEncoding.EncodeToString(k.form.Seal([]byte{sealed1}, nil, content, use.additional())) //nolint:gosec // the cipher makes its own random nonce, so none is given
}

// OpenForm returns what SealForm sealed. It fails where that was changed, or sealed for
// another use.
func (k *Keyring) OpenForm(use FormUse, text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || raw[0] != sealed1 {
		return nil, errUnsealable
	}
	content, err := k.form.Open(nil, nil, raw[1:], use.additional())
	if err != nil {
		return nil, errUnsealable
	}
	return content, nil
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
