package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Cost is what one argon2id hash costs.
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultCost takes about a tenth of a second and 64 MiB (between the two
// choices of RFC 9106, section 4).
var DefaultCost = Cost{Memory: 64 * 1024, Time: 2, Threads: 2}

const (
	saltSize = 16
	hashSize = 32

	// MinPassword is in characters (OWASP ASVS 4, 2.1.1).
	MinPassword = 12
	// maxPassword is in characters; it bounds the work to normalize and hash one.
	maxPassword = 256

	// maxHashMemory bounds the memory of all hashes that are computed at once, in KiB:
	// 128 MiB are two at DefaultCost. One that needs more has all of it to itself. Up to
	// maxHashesWaiting others wait, each for at most maxHashWait.
	maxHashMemory    = 128 * 1024
	maxHashesWaiting = 64
	// maxKnownWaiting more may wait that come from known devices.
	maxKnownWaiting = 64
	maxHashWait     = 10 * time.Second
	// collectedFrom is the memory of a hash from which it is collected at once, in KiB.
	collectedFrom = 16 * 1024
)

// CheckPassword returns a fault that says what is wrong with a new password.
// Only the length is checked, not digits or symbols (NIST SP 800-63B, section 5.1.1.2).
func CheckPassword(password string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return fieldFault("password", "A password is text.")
	case n < MinPassword:
		return fieldFault("password", fmt.Sprintf("A password has at least %d characters; this one has %d.", MinPassword, n))
	case n > maxPassword:
		return fieldFault("password", fmt.Sprintf("A password has at most %d characters; this one has %d.", maxPassword, n))
	case strings.Count(password, password[:1]) == len(password):
		return fieldFault("password", "A password of one repeated character is guessed at once.")
	}
	return nil
}

// hashMemory is what hashes may take of the memory of this process, in KiB: a third of
// its limit where that is small.
func hashMemory() int64 { return min(maxHashMemory, debug.SetMemoryLimit(-1)/3/1024) }

// hasher makes and compares password hashes, within hashMemory.
type hasher struct {
	cost    Cost
	budget  int64               // hashMemory
	memory  *semaphore.Weighted // of budget
	waiting atomic.Int64
	// decoy is the hash of no password; checking against it takes as long as
	// against a real one.
	decoy string
}

func newHasher(cost Cost) *hasher {
	budget := hashMemory()
	return &hasher{
		cost:   cost,
		budget: budget,
		memory: semaphore.NewWeighted(budget),
		decoy:  encodeHash(cost, randomBytes(saltSize), randomBytes(hashSize)),
	}
}

// hash returns a PHC string.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := randomBytes(saltSize)
	sum, err := h.derive(ctx, h.cost, password, salt, true)
	if err != nil {
		return "", err
	}
	return encodeHash(h.cost, salt, sum), nil
}

// matches reports whether the password is the one that was hashed, in time
// that does not depend on how much of it is right. An empty hash matches
// nothing, and takes as long.
func (h *hasher) matches(ctx context.Context, encoded, password string, knownDevice bool) (bool, error) {
	known := encoded != "" && utf8.RuneCountInString(password) <= maxPassword
	if encoded == "" {
		encoded = h.decoy
	}
	if !known {
		password = ""
	}
	cost, salt, want, err := decodeHash(encoded)
	if err != nil {
		return false, fault.Internal(err)
	}
	got, err := h.derive(ctx, cost, password, salt, knownDevice)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// stale reports whether a hash was made at another cost than today's.
func (h *hasher) stale(encoded string) bool {
	cost, salt, sum, err := decodeHash(encoded)
	return err != nil || cost != h.cost || len(salt) != saltSize || len(sum) != hashSize
}

func (h *hasher) derive(ctx context.Context, cost Cost, password string, salt []byte, known bool) ([]byte, error) {
	leave, err := h.enter(ctx, cost, known)
	if err != nil {
		return nil, err
	}
	defer leave()
	// The memory counts until it is collected: hashes that follow one another would
	// otherwise fill the heap up to its next collection.
	if cost.Memory >= collectedFrom {
		defer runtime.GC()
	}
	// Keyboards send the same letters composed or decomposed.
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, cost.Time, cost.Memory, cost.Threads, hashSize), nil
}

// enter waits for the memory of a hash, which leave gives back. Known tells that who
// waits is known already.
func (h *hasher) enter(ctx context.Context, cost Cost, known bool) (leave func(), err error) {
	need := min(int64(cost.Memory), h.budget)
	leave = func() { h.memory.Release(need) }
	if h.memory.TryAcquire(need) {
		return leave, nil
	}
	busy := fault.Unavailable("Many people are signing in right now. Try again in a few seconds.")
	defer h.waiting.Add(-1)
	bound := int64(maxHashesWaiting)
	if known {
		bound += maxKnownWaiting
	}
	if h.waiting.Add(1) > bound {
		return nil, busy
	}
	ctx, cancel := context.WithTimeout(ctx, maxHashWait)
	defer cancel()
	if err := h.memory.Acquire(ctx, need); err != nil {
		return nil, busy.Because(err)
	}
	return leave, nil
}

func encodeHash(c Cost, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, c.Memory, c.Time, c.Threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func decodeHash(encoded string) (c Cost, salt, sum []byte, err error) {
	bad := fmt.Errorf("a stored password hash cannot be read")
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads); err != nil {
		return c, nil, nil, bad
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	sum, errSum := base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errSum != nil || len(sum) != hashSize || c.Time == 0 || c.Threads == 0 {
		return c, nil, nil, bad
	}
	return c, salt, sum, nil
}

// randomBytes never fails: crypto/rand ends the process instead.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
