package web

import (
	"encoding/json"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Problem is the answer to a failed request: RFC 9457. Its type is about:blank,
// so that the status says what kind of problem it is.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Errors name each wrong field of the request.
	Errors []fault.Field `json:"errors,omitempty"`
	// Reference is the request's id in the log.
	Reference string `json:"reference,omitempty"`
}

// ProblemType is the content type of a Problem.
const ProblemType = "application/problem+json"

func writeProblem(c echo.Context, p Problem) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.Blob(p.Status, ProblemType, append(body, '\n'))
}
