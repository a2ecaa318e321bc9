package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// PageLink is a personal link in a message: it lets one person see, acknowledge and
// resolve one incident without signing in. Anybody with the link acts as that person on
// that incident until it expires.
type PageLink struct {
	Incident  int64
	UserID    int64
	MessageID int64
	// Expires is rounded up to the hour in the link, which saves characters.
	Expires time.Time
}

// linkTag is the length of the truncated HMAC in bytes: 128 bits cannot be guessed over
// the network, and the link must fit into a text message.
const linkTag = 16

// A link is base64url of: version and tag, then incident, user, message and
// the hour it expires in (counted from 1970), each as a varint.
const (
	link1       = 1
	linkLongest = 1 + linkTag + 4*binary.MaxVarintLen64
)

// SignLink writes a link as a token for a URL: some 36 characters.
func (k *Keyring) SignLink(l PageLink) string {
	hour := (l.Expires.Unix() + 3599) / 3600
	body := make([]byte, 0, linkLongest)
	for _, v := range []int64{l.Incident, l.UserID, l.MessageID, hour} {
		body = binary.AppendUvarint(body, uint64(v))
	}
	token := append([]byte{link1}, k.tagLink(body)...)
	return base64.RawURLEncoding.EncodeToString(append(token, body...))
}

// OpenLink parses a token. Faults: NotFound for an unknown token, Gone for an expired
// one.
func (k *Keyring) OpenLink(token string, now time.Time) (PageLink, error) {
	unknown := fault.NotFound("This link is not one of ours. Check that it was copied whole.")
	if len(token) > base64.RawURLEncoding.EncodedLen(linkLongest) {
		return PageLink{}, unknown
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	// The decoder ignores line breaks and trailing bits, so compare the encoding.
	whole := err == nil && base64.RawURLEncoding.EncodeToString(raw) == token
	if !whole || len(raw) < 1+linkTag || raw[0] != link1 {
		return PageLink{}, unknown
	}
	body := raw[1+linkTag:]
	if !hmac.Equal(raw[1:1+linkTag], k.tagLink(body)) {
		return PageLink{}, unknown
	}
	var values [4]int64
	for i := range values {
		v, n := binary.Uvarint(body)
		if n <= 0 || v > math.MaxInt64 {
			return PageLink{}, unknown
		}
		values[i], body = int64(v), body[n:]
	}
	l := PageLink{Incident: values[0], UserID: values[1], MessageID: values[2], Expires: time.Unix(values[3]*3600, 0).UTC()}
	if !now.Before(l.Expires) {
		return PageLink{}, fault.Gone("This link has expired. Sign in to see the incident.")
	}
	return l, nil
}

func (k *Keyring) tagLink(body []byte) []byte {
	mac := hmac.New(sha256.New, k.link)
	mac.Write([]byte{link1})
	mac.Write(body)
	return mac.Sum(nil)[:linkTag]
}
