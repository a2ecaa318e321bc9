package auth

import (
	"bytes"
	"encoding/base64"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

func newTestKeyring(t testing.TB, fill byte) *Keyring {
	t.Helper()
	k, err := NewKeyring(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSecretKeySize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewKeyring(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
}

func TestUnsealNeedsSameKey(t *testing.T) {
	t.Parallel()
	k, other := newTestKeyring(t, 1), newTestKeyring(t, 2)
	for _, secret := range []string{"", "k", NewIntegrationKey()} {
		sealed := k.Seal(secret)
		if got, err := k.Unseal(sealed); got != secret || err != nil {
			t.Errorf("Unseal = %q, %v, want %q", got, err, secret)
		}
		if bytes.Equal(sealed, k.Seal(secret)) {
			t.Error("the same secret is sealed to the same bytes twice")
		}
		if _, err := other.Unseal(sealed); err == nil {
			t.Error("another key opens it")
		}
		for i := range sealed {
			damaged := bytes.Clone(sealed)
			damaged[i] ^= 1
			if got, err := k.Unseal(damaged); err == nil {
				t.Errorf("with byte %d changed it opens as %q", i, got)
			}
		}
		for n := range sealed {
			if _, err := k.Unseal(sealed[:n]); err == nil {
				t.Errorf("cut to %d bytes it opens", n)
			}
		}
	}
}

// What is kept under these keys must be found again after an upgrade: the
// derivation is part of the format.
func TestKeyDerivationIsStable(t *testing.T) {
	t.Parallel()
	k := newTestKeyring(t, 1)
	b64 := base64.RawStdEncoding.EncodeToString
	if got, want := b64(k.IntegrationHMAC("slo00000000000000000000000000001")), "CG8lXc/braVlJZ9UkK5BEVOubMQttT/UBtt9oQUePXA"; got != want {
		t.Errorf("IntegrationHMAC = %s, want %s", got, want)
	}
	sealed, err := base64.RawStdEncoding.DecodeString("ATTKfIUViaIzij261YI5zdG0icTPNlY2W5eJ347atu+LQrmSPfAViykQCoLCQZNfXZwGTelGKrZpm1VKCQ")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Unseal(sealed); got != "slo00000000000000000000000000001" || err != nil {
		t.Errorf("Unseal of an earlier seal = %q, %v", got, err)
	}
	link := PageLink{Incident: 17, UserID: 4, MessageID: 4711, Expires: noon}
	if got, want := k.SignLink(link), "AXw1PrSJ3Nta4oTBl3pxUBoRBOckrLge"; got != want {
		t.Errorf("SignLink = %s, want %s", got, want)
	}
}

func TestIntegrationKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		key := NewIntegrationKey()
		if len(key) != 32 || strings.Trim(key, alphabet) != "" || seen[key] {
			t.Fatalf("key %q: wrong length, other characters, or made before", key)
		}
		seen[key] = true
	}
}

func TestPageLinkRoundTrip(t *testing.T) {
	t.Parallel()
	k := newTestKeyring(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64Range(0, math.MaxInt64)
		want := PageLink{
			Incident: id.Draw(t, "incident"), UserID: id.Draw(t, "user"), MessageID: id.Draw(t, "message"),
			Expires: time.Unix(rapid.Int64Range(1, 1<<36).Draw(t, "hour")*3600, 0).UTC(),
		}
		token := k.SignLink(want)
		got, err := k.OpenLink(token, want.Expires.Add(-time.Nanosecond))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("opened (-want +got):\n%s", diff)
		}
		if _, err := k.OpenLink(token, want.Expires); !fault.Is(err, fault.KindGone) {
			t.Errorf("at its expiry: %v, want gone", err)
		}
	})
}

func TestPageLinkIsShort(t *testing.T) {
	t.Parallel()
	token := newTestKeyring(t, 1).SignLink(PageLink{Incident: 123_456, UserID: 500, MessageID: 1_000_000, Expires: noon})
	if len(token) > 40 {
		t.Errorf("%q has %d characters, want at most 40", token, len(token))
	}
}

func TestPageLinkExpiresAtFullHour(t *testing.T) {
	t.Parallel()
	k := newTestKeyring(t, 1)
	for expires, want := range map[time.Time]time.Time{
		noon:                   noon,
		noon.Add(time.Second):  noon.Add(time.Hour),
		noon.Add(-time.Minute): noon,
	} {
		got, err := k.OpenLink(k.SignLink(PageLink{Expires: expires}), noon.Add(-time.Hour))
		if err != nil || !got.Expires.Equal(want) {
			t.Errorf("expires %s, %v, want %s", got.Expires, err, want)
		}
	}
}

func TestForgedPageLinkIsUnknown(t *testing.T) {
	t.Parallel()
	k := newTestKeyring(t, 1)
	mine := PageLink{Incident: 17, UserID: 4, MessageID: 9, Expires: noon.Add(time.Hour)}
	token := k.SignLink(mine)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	forged := map[string]string{
		"empty":           "",
		"another key":     newTestKeyring(t, 2).SignLink(mine),
		"not base64url":   "+/" + token,
		"padded":          token + "==",
		"longer":          token + "AA",
		"endless":         strings.Repeat("A", 1<<20),
		"only a tag":      base64.RawURLEncoding.EncodeToString(raw[:17]),
		"with a new line": token[:4] + "\n" + token[4:],
	}
	for bit := range len(raw) * 8 {
		changed := bytes.Clone(raw)
		changed[bit/8] ^= 1 << (bit % 8)
		forged["bit "+string(rune('0'+bit%8))+" of byte "+string(rune('a'+bit/8))] = base64.RawURLEncoding.EncodeToString(changed)
	}
	for name, token := range forged {
		if got, err := k.OpenLink(token, noon); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("%s: %+v, %v, want not found", name, got, err)
		}
	}
	if _, err := k.OpenLink(token, noon); err != nil {
		t.Errorf("the real one: %v", err)
	}
}

func FuzzOpenLink(f *testing.F) {
	k := newTestKeyring(f, 1)
	genuine := k.SignLink(PageLink{Incident: 17, UserID: 4, MessageID: 9, Expires: noon})
	f.Add(genuine)
	f.Add("")
	f.Add(strings.Repeat("A", 40))
	f.Fuzz(func(t *testing.T, token string) {
		l, err := k.OpenLink(token, noon.Add(-time.Hour))
		if err == nil && token != k.SignLink(l) {
			t.Errorf("%q opens as %+v, which is signed otherwise", token, l)
		}
	})
}
