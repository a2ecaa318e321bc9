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

// PageLink is what a personal link in a message stands for: it lets one person
// see and answer one incident without signing in. Whoever has the link is
// taken for that person, for that incident, until it expires.
type PageLink struct {
	Incident  int64
	UserID    int64
	MessageID int64
	// Expires is rounded up to the hour in the link, which saves characters.
	Expires time.Time
}

// linkTag is how many bytes of the HMAC a link carries: nobody guesses 128
// bits over the network, and the link must fit a text message.
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

// OpenLink reads a token: a fault of kind not found says that we never made
// it, one of kind gone that it has expired.
func (k *Keyring) OpenLink(token string, now time.Time) (PageLink, error) {
	unknown := fault.NotFound("This link is not one of ours. Look whether it was copied whole.")
	if len(token) > base64.RawURLEncoding.EncodedLen(linkLongest) {
		return PageLink{}, unknown
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	// The decoder passes over line breaks and spare bits.
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
