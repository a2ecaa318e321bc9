package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Visitor is where an attempt to sign in comes from.
type Visitor struct {
	// Remote is the address of the request.
	Remote string
	// Device is the token that the device got when the person signed in on it before;
	// empty for none.
	Device string
}

const deviceIDSize = 16

// DeviceToken is for a device on which a person has signed in. It has no end: it lets
// nobody in, and only gives the person's attempts from there a limit of their own.
func (k *Keyring) DeviceToken(email string) string {
	id := base64.RawURLEncoding.EncodeToString(randomBytes(deviceIDSize))
	return id + "." + base64.RawURLEncoding.EncodeToString(k.deviceMAC(id, email))
}

// deviceID is the id of the device of a token; empty for a token that is not valid, or
// another person's.
func (k *Keyring) deviceID(token, email string) string {
	id, signature, _ := strings.Cut(token, ".")
	mac, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(mac, k.deviceMAC(id, email)) {
		return ""
	}
	return id
}

func (k *Keyring) deviceMAC(id, email string) []byte {
	mac := hmac.New(sha256.New, k.device)
	mac.Write([]byte(id + " " + email))
	return mac.Sum(nil)
}

// DeviceToken is Keyring.DeviceToken; empty where devices are not known.
func (s *Service) DeviceToken(u *User) string {
	if s.devices == nil {
		return ""
	}
	return s.devices.DeviceToken(u.Email)
}

// device is the id of a device on which the person of an address has signed in before.
func (s *Service) device(email string, from Visitor) string {
	if s.devices == nil || from.Device == "" {
		return ""
	}
	return s.devices.deviceID(from.Device, email)
}
