// Package walkthrough holds tests alone: the whole application, used in a real
// browser as the people whom it is for use it, from the breach that comes in to
// the word of what fixed it.
package walkthrough
