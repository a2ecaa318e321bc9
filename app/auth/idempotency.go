package auth

import "time"

const (
	// IdempotencyLifetime is how long an answer is kept to be given again.
	IdempotencyLifetime = 24 * time.Hour
	// IdempotencyAbandoned is the time after which an unfinished request counts as
	// failed, so that its key can be used again. It is longer than any request takes.
	IdempotencyAbandoned = 2 * time.Minute
	// MaxIdempotencyKey bounds a client's key.
	MaxIdempotencyKey = 255
)

// TextsActor is the actor of inbound texts, whose key is the provider's id of the text.
// Their answers are kept for good: a provider's signature has no date, so that whoever
// has a copy of a signed request could send it again at any time.
const TextsActor = "twilio"

// IdempotentRequest is a POST that carried an Idempotency-Key. Keys are each
// actor's own.
type IdempotentRequest struct {
	Actor string // as Actor.String writes it
	Key   string
	// Hash is of everything that makes it the same request: method, path and
	// body.
	Hash []byte
	// BegunAt is set when the request begins. It distinguishes the request from a later
	// one with the same key.
	BegunAt time.Time
}

// KeptAnswer is what was answered to it.
type KeptAnswer struct {
	Status int
	Body   []byte
}
