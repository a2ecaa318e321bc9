package config

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// KeySize is how many bytes a secret key has.
const KeySize = 32

// EnsureSecretKey reads the key from FILE.key beside the SQLite file, where none was
// given. For a database that does not exist yet it makes one, readable only by its
// owner.
// For an existing database it makes none, since the secrets in it are encrypted with
// the
// missing key.
func (c *Config) EnsureSecretKey() error {
	if !c.SecretKey.IsZero() {
		return nil
	}
	if c.Database.IsPostgres() {
		return fault.Invalid("With PostgreSQL, TOCSIN_SECRET_KEY must be given.")
	}
	path := c.Database.File + ".key"
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		c.SecretKey = key
		return err
	}
	if info, err := os.Stat(c.Database.File); err == nil && info.Size() > 0 {
		return fault.Invalid("%s has no key: what it holds encrypted can be read only with %s, or with TOCSIN_SECRET_KEY set to what was in it. Put one of them back.", c.Database.File, path)
	}
	if err := makeKey(path); err != nil {
		return fault.Invalid("The key %s cannot be made.", path).Because(err)
	}
	// Another process may have made the key first, so read the file.
	c.SecretKey, err = readKey(path)
	return err
}

func readKey(path string) (Secret, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Secret{}, err
	}
	if err != nil {
		return Secret{}, fault.Invalid("The key %s cannot be read.", path).Because(err)
	}
	key, err := decodeKey(strings.TrimSpace(string(text)))
	if err != nil {
		return Secret{}, fault.Invalid("The key in %s %s.", path, err)
	}
	return key, nil
}

// makeKey writes a new key atomically, and never replaces another.
func makeKey(path string) error {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key)                                                     // never fails: it would end the program
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(draft, base64.StdEncoding.EncodeToString(key))
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		err = os.Link(draft.Name(), path)
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(draft.Name()))
}

// decodeKey reads 32 bytes in hex or in any common base64. The error continues a
// sentence
// after "the key" and does not repeat it.
func decodeKey(text string) (Secret, error) {
	if key, err := hex.DecodeString(text); err == nil && len(key) == KeySize {
		return NewSecret(string(key)), nil
	}
	unpadded := strings.TrimRight(text, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		key, err := encoding.DecodeString(unpadded)
		if err != nil {
			continue
		}
		if len(key) != KeySize {
			return Secret{}, fmt.Errorf("has %d bytes instead of %d: `openssl rand -base64 32` makes one", len(key), KeySize)
		}
		return NewSecret(string(key)), nil
	}
	return Secret{}, errors.New("is neither base64 nor hex: `openssl rand -base64 32` makes one")
}
