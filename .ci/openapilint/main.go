// Command openapilint checks an OpenAPI file by the recommended rules of the
// linter in speakeasy-api/openapi. It is a module of its own, so that what it
// needs stays out of Tocsin's go.mod.
//
// Anything worse than a hint is a failure.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/speakeasy-api/openapi/linter"
	"github.com/speakeasy-api/openapi/openapi"
	rules "github.com/speakeasy-api/openapi/openapi/linter"
	"github.com/speakeasy-api/openapi/validation"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: openapilint FILE")
		os.Exit(2)
	}
	findings, err := lint(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapilint:", err)
		os.Exit(2)
	}
	for _, finding := range findings {
		fmt.Printf("%s:%s\n", os.Args[1], finding)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}

// lint returns what is worse than a hint.
func lint(ctx context.Context, path string) ([]error, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	document, invalid, err := openapi.Unmarshal(ctx, file)
	if err != nil {
		return nil, err
	}
	config := linter.NewConfig()
	config.Extends = []string{"recommended"}
	off := true
	config.Rules = []linter.RuleEntry{
		// The server is "/api/v1" on whatever host an installation has.
		{ID: "owasp-security-hosts-https-oas3", Disabled: &off},
	}
	checker, err := rules.NewLinter(config)
	if err != nil {
		return nil, err
	}
	output, err := checker.Lint(ctx, linter.NewDocumentInfo(document, path), invalid, nil)
	if err != nil {
		return nil, err
	}
	var findings []error
	for _, result := range output.Results {
		var known *validation.Error
		if errors.As(result, &known) && known.Severity == validation.SeverityHint {
			continue
		}
		findings = append(findings, result)
	}
	return findings, nil
}
