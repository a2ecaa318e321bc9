package auth

import "time"

const (
	// IdempotencyLifetime is how long an answer is kept to be given again.
	IdempotencyLifetime = 24 * time.Hour
	// IdempotencyAbandoned is when a request that was begun and never finished
	// counts as dead, so that its key may be tried again. No request lives so
	// long.
	IdempotencyAbandoned = 2 * time.Minute
	// MaxIdempotencyKey bounds a client's key.
	MaxIdempotencyKey = 255
)

// IdempotentRequest is a POST that carried an Idempotency-Key. Keys are each
// actor's own.
type IdempotentRequest struct {
	Actor string // as Actor.String writes it
	Key   string
	// Hash is of everything that makes it the same request: method, path and
	// body.
	Hash []byte
	// BegunAt is set when the request is begun, and tells it from a later one
	// that took its key over.
	BegunAt time.Time
}

// KeptAnswer is what was answered to it.
type KeptAnswer struct {
	Status int
	Body   []byte
}
