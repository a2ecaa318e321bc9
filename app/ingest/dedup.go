package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"
)

// MaxDedupKey bounds a deduplication key and the key of a group, in runes.
const MaxDedupKey = 512

// ShortenKey is a key, or the hash of one that is longer than MaxDedupKey.
func ShortenKey(key string) string {
	if len(key) <= MaxDedupKey || utf8.RuneCountInString(key) <= MaxDedupKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}
