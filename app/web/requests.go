package web

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// Requests keeps the answers to requests that must take effect once: API posts
// with an Idempotency-Key, and callbacks by the provider's id.
type Requests interface {
	BeginRequest(ctx context.Context, r *auth.IdempotentRequest) (*auth.KeptAnswer, error)
	FinishRequest(ctx context.Context, r *auth.IdempotentRequest, answer auth.KeptAnswer) error
	ForgetRequest(ctx context.Context, r *auth.IdempotentRequest) error
}
